#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# `ringpace model` from the outside: exit codes, JSON, the option that an error names.
cd "$(dirname "$0")/../.." || exit 1
ringpace=build/ringpace
err=$(mktemp) || exit 1
trap 'rm -f "$err"' EXIT
n=0

report() {	# status, name
	n=$((n + 1))
	[ "$1" -eq 0 ] && echo "ok $n - $2" || echo "not ok $n - $2"
}

gives() {	# jq filter, name, options...
	local filter=$1 name=$2
	shift 2
	$ringpace model --json "$@" 2>"$err" | jq -en "input | ($filter)" >/dev/null
	report $? "$name"
}

refuses() {	# text in the error, options...
	local text=$1 rc
	shift
	$ringpace model "$@" >/dev/null 2>"$err"
	rc=$?
	[ $rc -eq 2 ] && [ "$(grep -c . "$err")" -ge 1 ] && grep -q -e "$text" "$err"
	report $? "refuses $*"
}

echo 1..22
gives '(keys_unsorted | join(" ")) ==
	"regime t_ns t_min_ns t_max_ns e_ns d_ns batch"' 'the keys, in their order' --wp-ns 300
gives '.regime == "nFC" and .batch == 7 and .d_ns == 3600 and (.t_ns * 7 | round) == 3200' \
	'nFC' --wp-ns 300 --wc-ns 200 --np-ns 1100 --sc-ns 600
gives '.regime == "nFP" and .batch == 1430' 'nFP, k_C is 3/4 L unless given' \
	--wp-ns 200 --wc-ns 300 --sp-ns 28000 --nc-ns 580
gives '.regime == "nSCS"' 'nSCS' --wp-ns 300 --wc-ns 250 --queue-len 8 --kc 2 --sc-ns 2000
gives '.regime == "nSPS"' 'nSPS' --wp-ns 250 --wc-ns 300 --queue-len 8 --kp 2 --kc 1 --sp-ns 2000
gives '.regime == "nSS"' 'nSS' --wp-ns 1 --queue-len 4 --sp-ns 9000 --sc-ns 9000
gives '.regime == "sFC" and .t_ns == 300 and .batch == 50 and .e_ns == 550' 'sFC' \
	--mode sleep --wp-ns 300 --wc-ns 200 --yc-ns 5000 --ye-ns 2500
gives '.regime == "sFP"' 'sFP, by the alias --strategy' \
	--strategy sleep --wp-ns 200 --wc-ns 300 --yp-ns 5000
gives '.regime == "sLS" and .t_ns == null and .t_min_ns < .t_max_ns and .batch == null' 'sLS' \
	--mode sleep --wp-ns 300 --wc-ns 200 --yc-ns 5000000
gives '.regime == "BW" and .t_ns == 300 and .e_ns == 600' 'BW' \
	--mode busy --wp-ns 300 --wc-ns 200
refuses --queue-len --wp-ns 300 --queue-len 0
refuses --queue-len --wp-ns 300 --queue-len 32769
refuses --kp --wp-ns 300 --queue-len 8 --kp 9
refuses --kc --wp-ns 300 --kc 0
refuses --wp-ns
refuses --wp-ns --wp-ns -300
refuses --wc-ns --wc-ns 1.5
refuses --np-ns --wp-ns 300 --np-ns 1000000001
refuses --mode --mode nap --wp-ns 300
refuses --yp-ns --mode sleep --wp-ns 300 --yp-ns 0
refuses surplus --wp-ns 300 surplus
$ringpace model --wp-ns 300 2>"$err" | grep -q '^regime  *nFC' && [ ! -s "$err" ]
report $? 'a table for people'
