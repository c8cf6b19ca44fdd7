/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Two network namespaces of this process's own, so that servers are measured over
 * Linux's network and nothing of the host's is seen or changed:
 *
 *	near: us, rpv0 10.98.0.1/24 ══ veth ══ rpv1 10.98.0.2/24 :far
 *
 * What is started while this process is in one of them stays in it. They have no names and
 * go with the last process that uses them. Functions return 0, or -1 after fail().
 * The main thread only, with no other one started: a namespace is a thread's.
 */
#ifndef DATAPLANE_OWN_NET_H
#define DATAPLANE_OWN_NET_H

#include "util.h"

#define OWN_NET_NEAR_IP	"10.98.0.1"
#define OWN_NET_FAR_IP	"10.98.0.2"

struct own_net {
	int home, near, far;	/* descriptors of namespaces, -1: none */
};

/* We are in the near one then. Needs root; own_net_close() undoes it in both cases. */
int own_net_open(struct own_net *n);
/* Back to where we were. */
void own_net_close(struct own_net *n);
int own_net_enter(const struct own_net *n, bool far);
/* `ip` with @words, separated by blanks, where we are. */
int own_net_ip(const char *words);

#endif /* DATAPLANE_OWN_NET_H */
