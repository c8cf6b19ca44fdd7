#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# `ringpace plot`: which figures, what is in their files, what is said when data or
# gnuplot is missing. The figures from stored data get data of known shape here.
. "$(dirname "$0")/lib.sh"

export XDG_STATE_HOME=$scratch/state
out=$scratch/out
dir=$scratch/figures
data=$scratch/data
mkdir "$data"

rp() { timeout 60 "$ringpace" "$@" >"$out" 2>"$scratch/err" </dev/null; }

cat >"$data/profile.json" <<'JSON'
{"v":1,"lane":"native","date":"2026-01-01T00:00:00Z",
"params":{"np_ns":500,"nc_ns":400,"sp_ns":9000,"sc_ns":8000,"ye_ns":3000},
"sleep":[{"nominal_ns":900,"cost_ns":2500,"robust_ns":2600},
{"nominal_ns":100000,"cost_ns":3000,"robust_ns":103000}]}
JSON
cat >"$data/sleep.json" <<'JSON'
{"points":[
{"yc_ns":90000,"measured":{"t_ns":2100,"batch":90},"sim":{"t_ns":2000,"batch":91},"sim_dist":{"t_ns":2050,"batch":null}},
{"yc_ns":4000,"measured":{"t_ns":2001,"batch":4},"sim":{"t_ns":2000,"batch":4},"sim_dist":{"t_ns":2002,"batch":4}}]}
JSON
cat >"$data/notify.json" <<'JSON'
{"points":[
{"wp_nominal_ns":200,"measured":{"t_ns":2001,"kicks_per_item":0,"spurious_kicks_per_item":0},"model":{"t_ns":2000},"sim_dist":{"t_ns":2001,"kicks_per_item":0,"spurious_kicks_per_item":0}},
{"wp_nominal_ns":2400,"measured":{"t_ns":3000,"kicks_per_item":0.75,"spurious_kicks_per_item":0.25},"model":{"t_ns":2950},"sim_dist":{"t_ns":3010,"kicks_per_item":0.7,"spurious_kicks_per_item":0.2}}]}
JSON

# ---- All of them ----

rp plot all --out "$dir" --data "$data" --profile "$data/profile.json" --json
ok $? 'all figures'
check 'eleven were drawn, none is missing' json_of "$out" \
	'[.drawn[].figure] == [2,3,4,5,6,7,8,9,10,13,14] and .missing == []'
for n in 02 03 04 05 06 07 08 09 10 13 14; do
	check "figure $n: SVG, PNG and CSV" eval \
		'grep -q "</svg>" "$dir/fig-$n.svg" &&
		[ "$(head -c 4 "$dir/fig-$n.png" | tail -c 3)" = PNG ] &&
		[ "$(wc -l <"$dir/fig-$n.csv")" -gt 1 ] &&
		[ "$(awk -F, "{ print NF }" "$dir/fig-$n.csv" | sort -u | wc -l)" -eq 1 ]'
done
check 'axes have units' eval '! grep -L "µs\|, ms" "$dir"/fig-*.svg | grep .'
check 'figure 6: rows in the order of Y' eval \
	'[ "$(sed -n 2p "$dir/fig-06.csv")" = 4000,2001,2000,2002 ]'
check 'figure 7: what is unknown is an empty cell' eval \
	'[ "$(sed -n 3p "$dir/fig-07.csv")" = 90000,90,91, ]'
check 'figure 9: regular notifications are without the spurious ones, for a fast consumer' eval \
	'[ "$(sed 1d "$dir/fig-09.csv")" = 2400,0.5,0.25,0.5,0.2 ]'

# ---- What the model says ----

rp plot 10 --out "$dir"
check 'figure 10: at most W_P - W_C' eval 'awk -F, "NR > 1 && (\$2 <= 0 || \$2 > \$1 - 2000) \
	{ bad = 1 } END { exit bad }" "$dir/fig-10.csv"'
check 'figure 10: S_C 420 and a notification an item give 80 at 2500' \
	grep -qx 2500,80 "$dir/fig-10.csv"
rp plot 2 --out "$dir"
check 'figure 2: nobody is faster than busy waiting' eval 'awk -F, "NR > 1 && \$3 < \$2 \
	{ bad = 1 } END { exit bad }" "$dir/fig-02.csv"'
check 'figure 2: a notification an item costs N_P' grep -qx '3000,3000,4100,5105' "$dir/fig-02.csv"
rp plot 14 --out "$dir"
check 'figure 14: T within its bounds' eval 'awk -F, "NR > 1 && \$4 != \"\" &&
	(\$2 < 0.995 * \$4 || \$2 > 1.005 * \$5) { bad = 1 } END { exit bad }" "$dir/fig-14.csv"'
check 'figure 14: T is W_P while sleeps are short' eval 'awk -F, "NR > 1 && \$1 < 120000 &&
	(\$2 < 1990 || \$2 > 2010) { bad = 1 } END { exit bad }" "$dir/fig-14.csv"'

# ---- What benchmarks have left ----

timeout 60 "$ringpace" bench grid --lane sim --wp-ns 500,4000 --wc-ns 500,4000 --queue-len 64 \
	--dmax-ns 300000 --strategies busy,sleep --raw "$scratch/raw.csv" --csv "$data/grid.csv" \
	>"$out" 2>"$scratch/err"
rp plot grid --csv "$data/grid.csv" --strategy sleep-50us --out "$dir"
ok $? 'heat maps of a grid'
for f in throughput-const throughput-exp energy-const energy-exp; do
	check "$f, of the strategy that was named" eval 'grep -q "</svg>" "$dir/grid-$f.svg" &&
		grep -q "sleep-50us" "$dir/grid-$f.svg" && [ -s "$dir/grid-$f.png" ]'
done
cat >"$data/steps.csv" <<'CSV'
strategy,round,phase,t_ns,items_per_s,late_share,yp_ns,yc_ns,window,mode_p,mode_c,changes_p,changes_c
adaptive,1,idle,1000000,0,,0,0,256,spin,block,0,0
adaptive,1,bursts,2000000,300000,0.0100,0,50000,256,spin,sleep,0,1
notify,1,idle,1000000,0,,,,,,,,
CSV
rp plot steps --csv "$data/steps.csv" --out "$dir"
check 'steps of all strategies' eval '[ -s "$dir/steps-adaptive.svg" ] && [ -s "$dir/steps-notify.png" ] &&
	grep -q bursts "$dir/steps-adaptive.svg"'
check 'with Y and window where there are any' eval 'grep -q "window" "$dir/steps-adaptive.svg" &&
	! grep -q "window" "$dir/steps-notify.svg"'

cannot() {	# TEXT FILE
	rp plot grid --csv "$2" --out "$dir"
	[ $? -eq 1 ] && grep -q -e "$1" "$scratch/err"
}
check 'another CSV: exit code 1, and why' cannot 'columns are others' "$data/steps.csv"
{ cat "$data/grid.csv"; echo 1,2,3; } >"$data/short.csv"
check 'a short row' cannot 'line 18: a row has not as many' "$data/short.csv"
sed 's/sleep-50us/..\/up"`/' "$data/grid.csv" >"$data/evil.csv"
check 'a name that is no name' cannot 'no name' "$data/evil.csv"
: >"$data/none.csv"
check 'an empty file' cannot 'is empty' "$data/none.csv"
check 'no file' cannot 'No such file' "$scratch/none"

# ---- What is missing ----

rp plot 6 --out "$dir" --data "$scratch/none"
[ $? -eq 1 ] && grep -q 'sleep.json.*ringpace validate --sweep sleep' "$scratch/err"
ok $? 'without its data: exit code 1, and what makes them'
rp plot 5 --out "$dir"
[ $? -eq 1 ] && grep -q 'profile-native.json.*ringpace probe' "$scratch/err"
ok $? 'without a profile likewise'
echo '{"points":7}' >"$data/sleep.json"
echo '{"poi' >"$data/notify.json"
rp plot 7 --out "$dir" --data "$data"
[ $? -eq 1 ] && grep -q 'sleep.json has no "points"' "$scratch/err"
ok $? 'data of another kind'
rp plot 8 --out "$dir" --data "$data"
[ $? -eq 1 ] && grep -q 'notify.json is not JSON' "$scratch/err"
ok $? 'damaged data'
mkdir "$scratch/bin"
PATH=$scratch/bin "$ringpace" plot 10 --out "$dir" >"$out" 2>"$scratch/err"
[ $? -eq 1 ] && grep -q gnuplot-nox "$scratch/err"
ok $? 'without gnuplot: exit code 1, and the package that has it'
printf '#!/bin/bash\necho bad terminal >&2\nexit 1\n' >"$scratch/bin/gnuplot"
chmod +x "$scratch/bin/gnuplot"
PATH=$scratch/bin "$ringpace" plot 10 --out "$dir" >"$out" 2>"$scratch/err"
[ $? -eq 1 ] && grep -q 'bad terminal' "$scratch/err" && grep -q 'figure 10' "$scratch/err"
ok $? 'a gnuplot that fails: exit code 1, its message, and which figure'
mkdir -p "$scratch/taken/fig-10.csv"
rp plot 10 --out "$scratch/taken" --json
[ $? -eq 1 ] && grep -q 'cannot write .*fig-10.csv' "$scratch/err" &&
	json_of "$out" '.drawn == [] and (.missing | length == 1 and (.[0].why | test("CSV")))'
ok $? 'a CSV that cannot be written: exit code 1, and gnuplot is not blamed'
rp plot 10 --out "$scratch/no/such"
[ $? -eq 1 ] && grep -q "$scratch/no/such" "$scratch/err"
ok $? 'a directory that cannot be made'

# ---- Wrong use ----

refuses() {	# TEXT ARG...
	local text=$1
	shift
	rp plot "$@"
	[ $? -eq 2 ] && [ ! -s "$out" ] && grep -q -e "$text" "$scratch/err"
}
check 'no figure' refuses 'which figure'
check 'no such figure' refuses '11: not the number' 11
check 'a second figure' refuses 'one figure' 2 3
check 'a grid of nothing' refuses 'need --csv' grid
check 'a CSV for a figure' refuses 'need --csv' 10 --csv "$data/grid.csv"
check 'no such profile' refuses "$scratch/none" 2 --profile "$scratch/none"
rp plot --list
check 'a list' eval '[ "$(wc -l <"$out")" -eq 11 ] && grep -q "^10  " "$out"'
finish
