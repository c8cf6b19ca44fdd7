#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# rp-dataplane as a server of HTTP: curl gets each byte, wrk many requests, while flow groups
# move from thread to thread.
. "$(dirname "$0")/dp_tap.sh"
for tool in wrk curl; do
	command -v $tool >/dev/null || { echo "1..0 # SKIP no $tool in PATH"; exit 0; }
done

. "$(dirname "$0")/http_files.sh"

pipeline() {
	local get='GET /f1460 HTTP/1.1\r\nHost: a\r\n'
	# shellcheck disable=SC2059
	printf "$get\r\n$get\r\n${get}Connection: close\r\n\r\n" |
		timeout 60 socat -t 60 - TCP:10.99.0.2:80 >"$scratch/replies"
	[ "$(grep -ao 'HTTP/1.1 200 OK' "$scratch/replies" | wc -l)" = 3 ]
}

head_only() {
	http -I "$url/f20000" | tr -d '\r' >"$scratch/head" &&
		grep -qx 'Content-Length: 20000' "$scratch/head"
}


# Under wrk's requests, and of files that are whole, so many moves.
moved() { ask status | json_is ".moves.done >= $1"; }
under_moves() {
	"$top/tests/native/tcp_peer.py" move 10.99.0.2 "$scratch/dp.ctl" 1000000000 \
		2>/dev/null </dev/null >/dev/null &
	mover=$!
	timeout 120 wrk -t 2 -c 100 -d 5s --timeout 60s "$url/f1460" >"$scratch/wrk" 2>&1 </dev/null &
	wrk=$!
	until moved 3000; do
		fetch_all && kill -0 $mover || return 1
	done
	fetch_all && wait $wrk
}
settled() { ask status | json_is '.moves.under_way == 0'; }

check 'a directory to serve' make_files
start http --http-root "$root"
ok $? 'http: starts'
check 'files of any length' fetch_all
check 'a directory has its index, by a name that is encoded' \
	eval 'http "$url/sub%20dir/" | cmp - "$root/sub dir/index.html"'
check 'HEAD tells the length' head_only
check 'requests ahead of their replies' pipeline
check 'as it was: not sent again' code 304 -z "$root/f20000" "$url/f20000"
check 'a client that reads slowly gets all' \
	eval 'http --limit-rate 4M "$url/f8000000" | cmp - "$root/f8000000"'
check 'nothing that is not there' code 404 "$url/none"
check 'no links' code 404 "$url/link"
check 'no names with a dot' code 404 "$url/.secret"
check 'nothing outside the root' code 400 --path-as-is "$url/../../../etc/passwd"
check 'no POST, and the client hears so before it has sent all' \
	code 405 -H Expect: --data-binary "@$root/f8000000" "$url/f1"
check 'wrk, and whole files, while groups move 3000 times' under_moves
kill $mover 2>/dev/null
cp "$scratch/wrk" "$scratch/err"
check 'wrk had no errors' eval 'grep -q "requests in" "$scratch/wrk" &&
	! grep -qE "Non-2xx|Socket errors| 0 requests in" "$scratch/wrk"'
check 'no group is left on its way' wait_for 60 settled
ask status >"$scratch/status"
check 'no packet was dropped or late' json_of "$scratch/status" \
	'.moves.done >= 3000 and .moves.dropped == 0 and all(.threads[]; .late == 0) and .moves.turned_back == 0'
check 'ends' stop

"$dataplane" --device net_null0 --control "$scratch/x" --app http --address 10.99.0.2/24 \
	>/dev/null 2>"$scratch/err"
check 'no directory: said so' [ $? = 2 ]
finish
