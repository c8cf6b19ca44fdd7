# SPDX-License-Identifier: GPL-2.0-or-later
# What the native lane's tests share: TAP, a scratch directory that is also the
# run directory of what they start, waiting on conditions. To be sourced.
top=$(cd "$(dirname "$0")/../.." && pwd)
ringpace=${RINGPACE:-$top/build/ringpace}
scratch=$(mktemp -d)
export XDG_RUNTIME_DIR=$scratch/run
mkdir -m 0700 "$XDG_RUNTIME_DIR"
count=0
failed=0

# Ends what was started by us: by its pid, or as a daemon whose sockets lie in
# our scratch directory.
clean_up() {
	local pid
	for pid in $(jobs -p) $(pgrep -f -- "--control $scratch/"); do
		kill -KILL "$pid" 2>/dev/null
	done
	rm -rf "$scratch"
}
# A background job that is ended before it has become its program still has our
# traps: what is ours it leaves alone.
ended() {
	[ "$BASHPID" = $$ ] || kill -KILL "$BASHPID"
	exit 1
}
trap clean_up EXIT
trap ended INT TERM

# ok RC TEXT: one TAP line; on failure the file $scratch/err as a comment.
ok() {
	count=$((count + 1))
	if [ "$1" -eq 0 ]; then
		echo "ok $count - $2"
	else
		failed=$((failed + 1))
		echo "not ok $count - $2"
		[ ! -s "$scratch/err" ] || sed 's/^/# /' "$scratch/err"
	fi
}

# check TEXT COMMAND...: a TAP line by the command's exit status.
check() {
	local text=$1
	shift
	"$@"
	ok $? "$text"
}

# json_of FILE EXPRESSION: is it true of the object?
# Nothing is no JSON: jq -e alone is content with it.
json_of() { jq -en "input | ($2)" "$1" >/dev/null 2>>"$scratch/err"; }
# The same, of what comes in.
json_is() { jq -en "input | ($1)" >/dev/null 2>>"$scratch/err"; }

# wait_for SECONDS COMMAND...: until the command succeeds.
wait_for() {
	local end=$((SECONDS + $1))
	shift
	until "$@" 2>/dev/null; do
		[ $SECONDS -lt $end ] || return 1
		sleep 0.05
	done
}

# Nothing of what a run makes is left: no directory, no daemon.
nothing_left() {
	[ -z "$(ls -A "$XDG_RUNTIME_DIR")" ] && ! pgrep -f -- "--control $scratch/" >/dev/null
}

# In the background, as $pid, until its daemon is there. The shell starts background
# jobs with SIGINT ignored; perl undoes it.
start_command() {
	perl -e '$SIG{INT} = "DEFAULT"; exec @ARGV' "$ringpace" "$@" \
		>"$scratch/out" 2>"$scratch/err" </dev/null &
	pid=$!
	wait_for 20 has_daemon
}

has_daemon() { pgrep -f -- "--control $scratch/" >/dev/null; }

finish() {
	echo "1..$count"
	exit $((failed ? 1 : 0))
}
