/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The nested lane's host: a machine that QEMU's TCG emulates, with AMD's SVM,
 * so that KVM, vhost, libvirt and perf really run in it, on any host. The
 * machine is called L1, its guests L2.
 *
 * Theory of operation. L1 is plain QEMU and no libvirt domain: it has to be
 * migrated into a file and started from it, and reached over QEMU's user-mode
 * network, which libvirt does not let one forward ports of.
 *
 * A *snapshot* is taken once: of an L1 that has booted and that holds nothing of
 * this build yet. It is a file with the memory, and a disk that is never
 * written again; every L1 has an overlay of its own on it. It belongs to this
 * boot of this host, this QEMU and this image, else it is made anew.
 *
 * What was built here (QEMU, modules, guest, programs) and a key that was made
 * for this one L1 come on a second, read-only disk that is plugged in after the
 * start. L1 mounts it at /opt/ringpace. Commands go over ssh with that key, for
 * both ends, to a port of 127.0.0.1; L1 reaches nobody.
 *
 * An L1 has a directory, $XDG_CACHE_HOME/ringpace/nested/NAME; its file state.json is
 * written last. Its QEMU is known by number and start time, so that no other
 * process is ever taken for it. Main thread only.
 */
#ifndef TESTBED_NESTED_NESTED_H
#define TESTBED_NESTED_NESTED_H

#include <jansson.h>

#include "util.h"

#define NESTED_NAME		"default"
#define NESTED_BUILT		"/opt/ringpace"	/* in L1: what was built here */
#define NESTED_NAME_MAX		24
#define NESTED_EXIT_OURS	125	/* exec: we failed, not the command */
#define NESTED_EXIT_TIMEOUT	124	/* as timeout(1) */

struct nested {
	char name[NESTED_NAME_MAX + 1];
	char dir[160];		/* of sockets, logs, disks */
	pid_t pid;		/* of QEMU */
	u32 port;		/* of 127.0.0.1, L1's sshd */
	u32 boot_ms;		/* until commands ran */
	bool restored;		/* from the snapshot */
};

struct nested_config {
	const char *name;
	bool cold;		/* boot, whatever there is */
	bool progress;		/* a terminal watches stderr */
};

/* NULL when good, else why not. */
const char *nested_name_check(const char *name);

/*
 * Starts an L1 and waits until /opt/ringpace is there and its modules are
 * loaded. -1 after fail(), silently when stopped(); then nothing is left.
 */
int nested_up(struct nested *n, const struct nested_config *c);
/* Ends L1 and removes its directory. One that died is cleaned up likewise. */
int nested_down(const char *name);
/* One that runs. -1 after fail(). */
int nested_find(struct nested *n, const char *name);
/* Is there such a directory? @n is filled; its pid is 0 when QEMU is dead. */
bool nested_load(struct nested *n, const char *name);

/*
 * Runs @command, one line for L1's sh, with our stdin, stdout and stderr.
 * Returns its exit status, NESTED_EXIT_TIMEOUT after @timeout_s (0: none), or
 * NESTED_EXIT_OURS after fail(); EXIT_STOPPED when stopped(): then the command
 * was ended in L1 as well.
 */
int nested_exec(const struct nested *n, const char *command, u32 timeout_s);
/*
 * As nested_exec(), in the nested lane's host, which is started if there is none,
 * and then ends with us.
 */
int lane_nested_exec(char *const argv[], bool progress);
/*
 * In an L1, as a service of systemd's: makes a VM that never runs, and leaves a process
 * that keeps it. 0, or -1 after fail().
 */
int nested_hold(void);
/* Is this process in an L1? There the nested lane is the VM lane. */
bool nested_inside(void);
/* argv as one line for sh, each word quoted. Allocated; NULL: no memory. */
char *nested_quote(char *const argv[]);
/* Replaces this process by a login shell in L1. Returns only after fail(). */
int nested_shell(const struct nested *n);

#endif /* TESTBED_NESTED_NESTED_H */
