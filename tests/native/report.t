#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# `ringpace report`: is the page whole, self-contained, and safe whatever the files say?
# Where Chromium is installed, it also measures that nothing overflows sideways.
. "$(dirname "$0")/lib.sh"

export XDG_STATE_HOME=$scratch/state
out=$scratch/out
page=$scratch/page.html
figures=$scratch/figures
mkdir "$figures"

rp() { timeout 60 "$ringpace" "$@" >"$out" 2>"$scratch/err" </dev/null; }

"$ringpace" plot 10 --out "$figures" >"$out" 2>"$scratch/err"
ok $? 'a figure to show'
cat >"$scratch/runs.json" <<'JSON'
[{"lane":"native","strategy":"notify","dir":"fwd","accel":"none","queue_len":512,"t_ns":552.25,
"e_ns":895,"kicks_per_s":343000,"calls_per_s":0,"sleeps_p_per_s":0,"sleeps_c_per_s":0,
"latency_ns":{"p98":2240},"params":{"wp_ns":300,"wc_ns":200,"np_ns":1100,"sc_ns":420},
"case":"<script>\" onload='x' & \u0007"},
{"lane":"</td><b>bold","strategy":"sleep","dir":"rev","queue_len":512,"t_ns":null,
"params":{"wp_ns":300,"wc_ns":200,"yc_ns":5000}},
{"strategy":"notify/sleep","case":"012345678901234567890123456 µµµµ"}]
JSON
cat >"$scratch/profile.json" <<'JSON'
{"v":1,"lane":"<i>native","date":"<b>today","params":{"np_ns":1111,"nc_ns":580,"sp_ns":28000,
"sc_ns":420,"ye_ns":2500},"sleep":[]}
JSON

rp report --out "$page" --figures "$figures" --profile "$scratch/profile.json" \
	--title 'Title <&>' --json "$scratch/runs.json"
ok $? 'a page'
check 'it says what is in it' json_of "$out" '.files == 1 and .runs == 3 and .figures == [10] and
	(.missing | length) == 10'

# ---- Structure ----

cat >"$scratch/check.py" <<'PY'
"""Well-formed (every element closed, in order), and free of what it must not have."""
import base64
import html.parser
import sys

VOID = {"meta", "img"}
KNOWN = {"html", "head", "meta", "title", "style", "body", "header", "main", "h1", "h2", "h3",
         "p", "code", "table", "thead", "tbody", "tr", "th", "td", "span", "div", "figure",
         "figcaption", "img"}


class Page(html.parser.HTMLParser):
    def __init__(self):
        super().__init__()
        self.open, self.counts, self.images, self.rows = [], {}, [], []

    def handle_starttag(self, tag, attrs):
        assert tag in KNOWN, f"<{tag}> has no place here"
        attrs = dict(attrs)
        assert not any(a.startswith("on") for a in attrs), f"handler in {attrs}"
        assert "href" not in attrs and "style" not in attrs
        self.counts[tag] = self.counts.get(tag, 0) + 1
        if tag == "img":
            kind, data = attrs["src"].split(",", 1)
            assert kind == "data:image/svg+xml;base64" and attrs["alt"]
            self.images.append(base64.b64decode(data, validate=True))
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th"):
            self.rows[-1].append("")
            assert tag == "th" or attrs["data-label"]
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open and self.open[-1] == tag, f"</{tag}> closes {self.open[-1:]}"
        self.open.pop()

    def handle_data(self, data):
        if self.open and "tr" in self.open and self.rows[-1]:
            self.rows[-1][-1] += data


text = open(sys.argv[1], encoding="utf-8").read()
page = Page()
page.feed(text)
page.close()
assert not page.open, page.open
assert text.startswith("<!DOCTYPE html>")
assert page.counts["h1"] == 1 and page.counts["main"] == 1
assert page.images == [open(sys.argv[2], "rb").read()]
wide = [r for r in page.rows if len(r) == 18]
assert len(wide) == 4 and wide[0][0] == "case", wide
assert wide[1][0] == "<script>\" onload='x' & \ufffd", wide[1]
assert wide[1][4:8] == ["nFC", "520", "552", "895"], wide[1]
assert wide[2][1] == "</td><b>bold" and wide[2][4] == "sFC" and wide[2][6] == "-", wide[2]
assert wide[3][0] == "012345678901234567890123456 µ\ufffd", wide[3]
assert wide[3][3:6] == ["notify/sleep", "-", "-"], wide[3]
assert ["N_P", "1111", "P notifies C"] in page.rows
PY
python3 "$scratch/check.py" "$page" "$figures/fig-10.svg" >"$scratch/err" 2>&1
ok $? 'well-formed; what files say is text; the figure is in it'
: >"$scratch/err"
check 'the viewport is the screen' grep -q \
	'<meta name="viewport" content="width=device-width, initial-scale=1">' "$page"
check 'light and dark' grep -q 'prefers-color-scheme:dark' "$page"
check 'nothing from elsewhere' eval '! grep -Eqi "(https?:)?//[a-z]|url\(|@import|<link|<script" \
	<(sed "s/base64,[^\"]*//" "$page")'
check 'and a policy that forbids it' grep -q "default-src 'none'" "$page"
check 'missing figures are named, with their command' grep -q 'ringpace plot 13' "$page"

# ---- Chromium ----

# Width of a frame, and of what is laid out in it, for a phone and a desktop.
layout() {
	cat >"$scratch/frame.html" <<HTML
<!DOCTYPE html><body>
<iframe src=page.html style="width:360px;height:800px;border:0"></iframe>
<iframe src=page.html style="width:1280px;height:800px;border:0"></iframe>
<script>onload=()=>{document.title=[0,1].map(i=>frames[i]).map(f=>{const e=f.document.documentElement;
return e.clientWidth+":"+e.scrollWidth}).join(" ")}</script>
HTML
	timeout 60 chromium --headless --no-sandbox --disable-gpu --disable-quic --no-first-run \
		--hide-scrollbars --disable-background-networking --disable-component-update \
		--disable-sync --allow-file-access-from-files \
		--user-data-dir="$(mktemp -d -p "$scratch")" --virtual-time-budget=2000 \
		--dump-dom "file://$scratch/frame.html" 2>"$scratch/err" |
		sed -n 's/.*<title>\(.*\)<\/title>.*/\1/p'
}

# A browser that did not come up in time, on a busy machine, says nothing of the page.
nothing_overflows() {
	local widths
	widths=$(layout)
	[ -n "$widths" ] || widths=$(layout)
	[ "$widths" = '360:360 1280:1280' ] && return
	echo "widths of frames and what is in them: '$widths'" >>"$scratch/err"
	return 1
}

if command -v chromium >/dev/null; then
	check 'nothing overflows at 360 and 1280 pixels' nothing_overflows
else
	ok 0 'nothing overflows at 360 and 1280 pixels # SKIP chromium is not installed (apt install chromium)'
fi

# ---- What is missing or wrong ----

rp report --out "$page" --figures "$scratch/none" "$scratch/runs.json"
check 'without a profile: a page that says so' eval '[ -s "$page" ] && grep -q "ringpace probe" "$page"'
rm "$page"
refuses() {	# TEXT ARG...
	local text=$1
	shift
	rp report --out "$page" "$@"
	[ $? -eq 2 ] && [ ! -s "$out" ] && [ ! -e "$page" ] && grep -q -e "$text" "$scratch/err"
	ok $? "refuses $*"
}
echo '{"strategy"' >"$scratch/bad.json"
refuses 'bad.json is not JSON' "$scratch/runs.json" "$scratch/bad.json"
echo '[{"strategy":"nap"}]' >"$scratch/bad.json"
refuses 'run 0 cannot be used' "$scratch/bad.json"
echo '{}' >"$scratch/bad.json"
refuses 'no run' "$scratch/bad.json"
refuses none.json "$scratch/none.json"
refuses "$scratch/none" --profile "$scratch/none" "$scratch/runs.json"
refuses '--out' --out '' "$scratch/runs.json"
echo 'no image' >"$figures/fig-10.svg"
rp report --out "$page" --figures "$figures" "$scratch/runs.json" --json
check 'a figure that is none is not embedded' eval 'json_of "$out" ".figures == []" &&
	grep -q "not an SVG" "$page"'
rp report --out "$scratch/no/such.html" "$scratch/runs.json"
[ $? -eq 1 ] && grep -q "$scratch/no/such.html" "$scratch/err"
ok $? 'a page that cannot be written: exit code 1'
finish
