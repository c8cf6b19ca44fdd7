#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# `ringpace bench estimator`: its form. Its figures are the machine's.
. "$(dirname "$0")/lib.sh"

out=$scratch/out

"$ringpace" bench estimator --rounds 1 --seconds 0.1 --json >"$out" 2>"$scratch/err" </dev/null
ok $? 'the costs of the estimator are measured'
check 'of both sides, and four lengths of a cycle' json_of "$out" \
	'[.cycles[] | .role] | (map(select(. == "consumer")) | length) == 4 and length == 8'
check 'an item pays its share of a cycle' json_of "$out" 'all(.cycles[];
	.cycle_ns > 0 and ((.item_ns * .batch - .cycle_ns) | fabs) < 0.01 * .cycle_ns)'
finish
