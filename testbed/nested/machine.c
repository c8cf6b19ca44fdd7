// SPDX-License-Identifier: GPL-2.0-or-later
/* QEMU as L1: its arguments, its monitor, its boot. */
#include "nested/machine.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "nested/qmp.h"
#include "nested/state.h"
#include "vm/domain.h"

#define BOOT_S		600	/* 40 s on two CPUs with little else to do */
#define STATE_S		300
#define READY		"ringpace-ready"	/* a line of its own */
/*
 * tsc=reliable: no watchdog, which under emulation finds the counter unstable;
 * KVM in L1 would then rewrite its guests' offset all the time. slub_debug: who
 * holds memory of the kernel's is seen in /sys/kernel/debug/slab. The rest
 * takes time and protects nothing here.
 */
#define CMDLINE		"console=ttyS0 quiet tsc=reliable apparmor=0 selinux=0 mitigations=off audit=0 " \
			"systemd.show_status=0 panic=-1 slub_debug=U,kmalloc-*"

int machine_image(struct machine_image *image)
{
	image->disk = vm_built("nested/disk.qcow2", "nested");
	image->vmlinuz = image->disk ? vm_built("nested/vmlinuz", "nested") : NULL;
	image->initrd = image->vmlinuz ? vm_built("nested/initrd", "nested") : NULL;
	image->qemu = image->initrd ? vm_built("qemu-system-x86_64", "qemu") : NULL;
	return image->qemu ? 0 : -1;
}

static int tool_rc(const struct nested *n, const char *name, int status)
{
	if (!status || stopped())
		return stopped() ? -1 : 0;
	return fail("%s failed (exit %d): %s", name, status, log_tail(nested_path(n, "tools.log")));
}

int machine_tool(const struct nested *n, char *const argv[])
{
	return tool_rc(n, argv[0], child_run(argv, nested_path(n, "tools.log")));
}

static int make_disk(const struct nested *n, const char *base)
{
	return machine_tool(n, (char *[]) { "qemu-img", "create", "-q", "-f", "qcow2", "-b",
			    (char *)base, "-F", "qcow2", (char *)nested_path(n, "disk.qcow2"),
			    NULL });
}

#define ARG(name, ...) char name[512]; snprintf(name, sizeof(name), __VA_ARGS__)

/*
 * Ours: Debian's keeps stale translations of code that L1's kernel has changed, and
 * a CPU of L1 then takes exceptions for ever (qemu-patches/README.md, tcg).
 * Two CPUs: with room for one, QEMU 7.2's TCG drops barriers. The port's other
 * end lets connections in and none out (restrict). The serial line is a file,
 * QEMU detaches itself once its sockets are there. It is let do so even when we
 * are stopped: only then does its pidfile tell nested_end() what to end.
 */
static int start_qemu(const struct nested *n, const struct machine_image *image,
		      const char *state)
{
	ARG(name, "ringpace-nested-%s", n->name);
	ARG(mib, "%u", MACHINE_MIB);
	ARG(drive, "if=none,id=root,format=qcow2,cache=unsafe,discard=unmap,file=%s",
	    nested_path(n, "disk.qcow2"));
	ARG(serial, "file:%s", nested_path(n, "serial.log"));
	ARG(qmp, "unix:%s,server=on,wait=off", nested_path(n, "qmp"));
	ARG(incoming, "exec:cat '%s'", state ?: "");

	char *argv[] = {
		(char *)image->qemu, "-name", name, "-nodefaults", "-no-user-config",
		"-display", "none", "-no-reboot", "-machine", "q35", "-accel", "tcg,thread=multi",
		"-cpu", "max", "-smp", "2", "-m", mib,
		"-kernel", (char *)image->vmlinuz, "-initrd", (char *)image->initrd,
		"-append", CMDLINE, "-serial", serial, "-qmp", qmp, "-daemonize",
		"-pidfile", (char *)nested_path(n, "qemu.pid"),
		"-drive", drive, "-device", "virtio-blk-pci,drive=root,bus=pcie.0,addr=2",
		"-netdev", "user,id=net,restrict=on,ipv6=off,hostfwd=tcp:127.0.0.1:0-10.0.2.15:22",
		"-device", "virtio-net-pci,netdev=net,romfile=,bus=pcie.0,addr=3",
		"-device", "virtio-rng-pci,bus=pcie.0,addr=4",
		"-device", "pcie-root-port,id=built,chassis=1,bus=pcie.0,addr=5",
		state ? "-incoming" : NULL, incoming, NULL
	};

	return tool_rc(n, "QEMU", child_run_steady(argv, nested_path(n, "tools.log")));
}

int machine_start(struct nested *n, const struct machine_image *image, const char *disk,
		  const char *state, struct ctl *c)
{
	if (make_disk(n, disk) || start_qemu(n, image, state) ||
	    qmp_open(c, nested_path(n, "qmp")))
		return -1;
	n->pid = nested_qemu(n);
	if (n->pid)
		return 0;
	ctl_close(c);
	return fail("QEMU ended at once: %s", log_tail(nested_path(n, "tools.log")));
}

static bool has_booted(const struct nested *n)
{
	FILE *f = fopen(nested_path(n, "serial.log"), "re");
	char line[256];
	bool found = false;

	while (f && !found && fgets(line, sizeof(line), f))
		found = !strncmp(line, READY, strlen(READY));
	if (f)
		fclose(f);
	return found;
}

int machine_wait_boot(const struct nested *n, const struct nested_config *c)
{
	u64 start = now_ns(), end = start + BOOT_S * NSEC_PER_SEC;
	bool booted = false;

	while (!(booted = has_booted(n)) && nested_qemu(n) && now_ns() < end && nap_ms(100))
		nested_progress(c, "booting", start);
	nested_progress_end(c);
	if (booted || stopped())
		return booted ? 0 : -1;
	return fail("the nested host %s; last line: %s", nested_qemu(n) ? "did not boot in 600 s" :
		    "ended while it booted", log_tail(nested_path(n, "serial.log")));
}

static const char *migration(struct ctl *c, bool *done)
{
	json_t *v = qmp_call(c, "query-migrate", NULL);
	const char *status = json_string_value(json_object_get(v, "status"));
	const char *why = v ? NULL : "no answer";

	*done = status && !strcmp(status, "completed");
	if (status && !strcmp(status, "failed"))
		why = because("%s", json_string_value(json_object_get(v, "error-desc")) ?: "failed");
	json_decref(v);
	return why;
}

/* The memory has been written, or read. */
static int wait_migrated(struct ctl *c)
{
	u64 end = now_ns() + STATE_S * NSEC_PER_SEC;
	const char *why;
	bool done;

	for (;;) {
		why = migration(c, &done);
		if (!why && !done && now_ns() > end)
			why = "it takes too long";
		if (why)
			return stopped() ? -1 : fail("QEMU does not write or read the snapshot: %s", why);
		if (done)
			return 0;
		if (!nap_ms(20))
			return -1;
	}
}

int machine_wait_state(const struct nested *n, struct ctl *c)
{
	/* It was stopped when it was saved, and so it is now. */
	return wait_migrated(c) || qmp_do(c, "cont", NULL) ? -1 : 0;
}

int machine_save(const struct nested *n, struct ctl *c, const char *path)
{
	ARG(uri, "exec:cat > '%s'", path);

	return qmp_do(c, "stop", NULL) ||
	       qmp_do(c, "migrate-set-parameters", json_pack("{s:I}", "max-bandwidth",
							     (json_int_t)1 << 40)) ||
	       qmp_do(c, "migrate", json_pack("{s:s}", "uri", uri)) ||
	       wait_migrated(c) ||
	       qmp_do(c, "quit", NULL) ? -1 : 0;
}

int machine_wait_end(const struct nested *n)
{
	u64 end = now_ns() + STATE_S * NSEC_PER_SEC;

	while (nested_qemu(n) && now_ns() < end && nap_ms(20))
		;
	if (!nested_qemu(n))
		return 0;
	return stopped() ? -1 : fail("QEMU, process %d, does not end", nested_qemu(n));
}

int machine_plug(const struct nested *n, struct ctl *c)
{
	return qmp_do(c, "blockdev-add", json_pack("{s:s, s:s, s:s, s:b}", "driver", "file",
						   "node-name", "built", "filename",
						   nested_path(n, "built.img"), "read-only", 1)) ||
	       qmp_do(c, "device_add", json_pack("{s:s, s:s, s:s, s:s}", "driver",
						 "virtio-blk-pci", "id", "built-disk", "drive",
						 "built", "bus", "built")) ? -1 : 0;
}

/* "  TCP[HOST_FORWARD]  12       127.0.0.1 38443       10.0.2.15    22 ..." */
int machine_port(struct nested *n, struct ctl *c)
{
	json_t *v = qmp_call(c, "human-monitor-command",
			     json_pack("{s:s}", "command-line", "info usernet"));
	const char *text = json_string_value(v), *at = text ? strstr(text, "HOST_FORWARD]") : NULL;
	int rc = at && sscanf(at, "HOST_FORWARD] %*d 127.0.0.1 %u", &n->port) == 1 ? 0 : -1;

	if (rc && v)
		fail("QEMU's monitor does not tell the forwarded port: %.100s", text);
	json_decref(v);
	return rc;
}
