// SPDX-License-Identifier: GPL-2.0-or-later
/* Brings an L1 up: started, reached, and with what was built here. */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

#include "nested/artifacts.h"
#include "nested/machine.h"
#include "nested/ssh.h"
#include "nested/state.h"

#define REACH_S		120
#define SETTLE_S	120

/*
 * The clock stood still since the snapshot. A CPU that is stuck for a minute or three
 * ends L1, and where it was is in serial.log. What KVM's host needs is loaded, and what
 * an L2's start would change in the kernel's code is changed for good (hold.c); libvirt
 * answers.
 */
static const char settle[] =
	"set -e; date -u -s @%lld > /dev/null; "
	"sysctl -q kernel.watchdog_thresh=30 kernel.softlockup_panic=1 "
	"kernel.panic_on_rcu_stall=1 kernel.max_rcu_stall_to_panic=3 kernel.printk='5 4 1 7'; "
	"modprobe -a kvm_amd vhost vhost_net tun tap bridge; "
	"insmod /opt/ringpace/vhost_pc.ko; "
	"systemd-run -q --unit=ringpace-hold --service-type=forking -p AllowedCPUs=0-1 "
	"/opt/ringpace/ringpace nested hold; "
	"test -c /dev/kvm; virsh -q list > /dev/null";

static int reach(const struct nested *n, const struct nested_config *c)
{
	u64 start = now_ns(), end = start + REACH_S * NSEC_PER_SEC;
	bool open = false;

	while (!(open = ssh_open(n)) && nested_qemu(n) && now_ns() < end && nap_ms(200))
		nested_progress(c, "waiting for its ssh", start);
	nested_progress_end(c);
	if (open || stopped())
		return open ? 0 : -1;
	return fail("the nested host %s; ssh says: %s", nested_qemu(n) ?
		    "did not answer in 120 s" : "died", log_tail(nested_path(n, "ssh.log")));
}

static int settle_in(const struct nested *n)
{
	char line[sizeof(settle) + 24];
	int status;

	snprintf(line, sizeof(line), settle, (long long)time(NULL));
	status = nested_exec(n, line, SETTLE_S);
	if (!status || stopped())
		return status ? -1 : 0;
	return fail("the nested host %s did not take what was built here (exit %d, see above)",
		    n->name, status);
}

/* From the snapshot, or by a boot. The monitor is open after success. */
static int start(struct nested *n, const struct nested_config *c, struct ctl *monitor)
{
	const char *snapshot = NULL;
	struct machine_image image;
	char disk[256], state[256];

	if (machine_image(&image))
		return -1;
	if (c->cold)
		return machine_start(n, &image, image.disk, NULL, monitor);
	snapshot = snapshot_get(&image, c);
	if (!snapshot)
		return -1;
	n->restored = true;
	snprintf(disk, sizeof(disk), "%s/disk.qcow2", snapshot);
	snprintf(state, sizeof(state), "%s/state", snapshot);
	return machine_start(n, &image, disk, state, monitor);
}

static int bring_up(struct nested *n, const struct nested_config *c)
{
	u64 begin = now_ns();
	struct ctl monitor;
	int rc;

	if (artifacts_key(n) || artifacts_disk(n) || start(n, c, &monitor))
		return -1;
	rc = (n->restored ? machine_wait_state(n, &monitor) : machine_wait_boot(n, c)) ||
	     machine_port(n, &monitor) || machine_plug(n, &monitor);
	ctl_close(&monitor);
	if (rc || reach(n, c) || settle_in(n))
		return -1;
	n->boot_ms = (u32)((now_ns() - begin) / 1000000);
	return nested_store(n);
}

/*
 * The directory's lock is held by the process that starts L1, and no longer:
 * what nobody holds and does not run was left behind. -1: somebody holds it.
 */
static int claim(const struct nested *n)
{
	int fd = open(n->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0 || !flock(fd, LOCK_EX | LOCK_NB))
		return fd;
	close(fd);
	return fail("the nested host %s is being started by another process", n->name);
}

int nested_up(struct nested *n, const struct nested_config *c)
{
	int fd, rc;

	if (nested_load(n, c->name) && n->pid)
		return fail("the nested host %s is up already; end it: ringpace nested down --name "
			    "%s", c->name, c->name);
	if (nested_name_set(n, c->name))
		return -1;
	if (!access(n->dir, F_OK)) {
		/* What a start that was killed left, or an L1 that died. */
		fd = claim(n);
		if (fd < 0)
			return -1;
		rc = nested_end(n);
		close(fd);
		if (rc)
			return -1;
	}
	if (nested_make(n))
		return -1;
	fd = claim(n);
	rc = fd < 0 ? -1 : bring_up(n, c);
	if (rc && fd >= 0)
		nested_end(n);
	if (fd >= 0)
		close(fd);
	return rc;
}
