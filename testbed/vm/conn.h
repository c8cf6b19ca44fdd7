/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The connection to libvirt.
 *
 * Theory of operation. By default libvirt's QEMU driver runs inside this
 * process ("embedded", libvirt 6.1): it needs no daemon, no root and no change
 * of the host's configuration, keeps all its state below one directory, and
 * runs QEMU as the user who runs us, so that the host's own libvirt, its
 * domains, networks and AppArmor profiles are neither used nor disturbed. A
 * state directory has one user at a time. A run has one of its own; what
 * `ringpace vm` defines lives in a directory in the cache, where the next
 * call finds it. With a URI ($RINGPACE_LIBVIRT_URI, --connect) a daemon is
 * used instead.
 */
#ifndef TESTBED_VM_CONN_H
#define TESTBED_VM_CONN_H

#include <libvirt/libvirt.h>

#include "util.h"

#define VM_QEMU_GROUP	"libvirt-qemu"	/* of a system's daemon's QEMU */
#define VM_URI_ENV	"RINGPACE_LIBVIRT_URI"

enum vm_state_dir {
	VM_STATE_RUN,		/* of this process, gone with it */
	VM_STATE_KEPT,		/* of this user, in the cache */
};

/*
 * Opens the connection; one at a time. @uri NULL or "": what the environment
 * names, else the embedded driver. NULL after fail().
 */
virConnectPtr vm_connect(const char *uri, enum vm_state_dir state);
void vm_disconnect(virConnectPtr conn);
/* Does a daemon serve this connection? */
bool vm_conn_is_remote(void);
/*
 * The group under which this connection's QEMU runs when that is another user,
 * else NULL: embedded or a session's daemon's, QEMU runs as we do. Static.
 */
const char *vm_conn_group(void);
/* Lets that group, and nobody else, into our directory @dir. 0, or -1 after fail(). */
int vm_conn_share_dir(const char *dir);
/* What libvirt said last, one line; static. */
const char *vm_why(void);
/* libvirt's own log and QEMU's log of domain @name, or NULL; static. */
const char *vm_libvirt_log(void);
const char *vm_qemu_log(const char *name);

/* "$XDG_CACHE_HOME/ringpace/NAME", directories made; static. NULL after fail(). */
const char *vm_cache_path(const char *name);

#endif /* TESTBED_VM_CONN_H */
