#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The tests of virtio_pc.ko (tests/vm/guest.t) once more, in the debugging
# kernel, which must find nothing.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
. "$here/debug.sh"

# In place of the agent: in a PID namespace of its own, its poweroff ends only
# itself.
add_scripts
cat > "$tmp/root/sbin/rp-agent" <<'END'
#!/bin/sh
rp-begin
unshare -p -f rp-agent-itself
rp-end
poweroff -f
END
chmod 755 "$tmp/root/sbin/rp-agent"
cp "$build/rp-agent" "$tmp/root/sbin/rp-agent-itself"
add_built "$debug/virtio_pc.ko"
echo virtio_pc.ko > "$tmp/root/lib/modules/order"

mkdir "$tmp/guest"
ln -s "$vmlinuz" "$tmp/guest/vmlinuz"
add_to_initrd
mv "$tmp/initrd" "$tmp/guest/initrd"
RP_GUEST=$tmp/guest RP_GUEST_MB=512 RP_GUEST_WORDS=$debug_words RP_GUEST_CONSOLE=$tmp/console \
	RP_GUEST_PATIENCE_S=600 \
	"$root/tests/vm/guest.t" > "$tmp/tap" || :
tap_of "$tmp/tap"
touch "$tmp/console"
check_console
finish
