# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# Files for rp-dataplane's HTTP server at 10.99.0.2, in $root, and who gets them. Sourced
# behind lib.sh.
root=$scratch/www
url=http://10.99.0.2
files=(0 1 1459 1460 1461 20000 300000 8000000)

make_files() {
	local n
	mkdir -p "$root/sub dir" || return 1
	for n in "${files[@]}"; do
		head -c "$n" /dev/urandom >"$root/f$n" || return 1
	done
	head -c 200 /dev/urandom >"$root/sub dir/index.html"
	echo secret >"$root/.secret" && ln -s /etc/passwd "$root/link"
}

http() { curl -sS --max-time 120 "$@" 2>"$scratch/err"; }
code() { [ "$(http -o /dev/null -w '%{http_code}' "${@:2}")" = "$1" ]; }

# All files, some of them at once, whole.
fetch_all() {
	local n urls=()
	rm -rf "$scratch/got"
	for n in "${files[@]}"; do
		urls+=("$url/f$n" -o "$scratch/got/f$n")
	done
	http -Z --fail --create-dirs "${urls[@]}" || return 1
	for n in "${files[@]}"; do
		# Of one without content curl makes no file.
		[ "$n" = 0 ] || cmp "$scratch/got/f$n" "$root/f$n" 2>"$scratch/err" || return 1
	done
}
