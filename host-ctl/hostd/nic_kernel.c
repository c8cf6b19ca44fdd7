// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Devices of the kernel, in a thread of its own: whoever holds the kernel's lock of all
 * network configuration may hold it for long.
 *
 * What can be weighed is looked for at the device each time: classes of its queueing
 * disciplines (nic_tc.c). Hardware queues would be by net-shaper or devlink-rate, which
 * are only looked for, and told of.
 */
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>

#include "nic.h"

/* ---- Classes ---- */

/* What is asked of a device, and what was found. */
struct work {
	struct nic_answer answer;
	const char *name;
	bool set;
	u32 queues, id[NIC_QUEUES_MAX], asked[NIC_QUEUES_MAX];
	struct tc_class class[NIC_QUEUES_MAX];	/* .id 0: not found */
};

static void on_class(void *ctx, const struct tc_class *c)
{
	struct work *w = ctx;
	u32 i;

	for (i = 0; i < w->queues; i++)
		if (w->id[i] == c->id)
			w->class[i] = *c;
}

static int look(struct work *w, struct mnl_socket *s, int ifindex)
{
	u32 i;
	int rc;

	for (i = 0; i < w->queues; i++)
		w->class[i].id = 0;
	rc = tc_dump(s, ifindex, on_class, w);
	for (i = 0; i < w->queues && !rc; i++) {
		const struct tc_class *c = &w->class[i];

		if (!c->id)
			continue;
		w->answer.queue[i].has = c->quantum;
		w->answer.queue[i].packets = c->packets;
		w->answer.queue[i].bytes = c->bytes;
		if (tc_least(c->kind) > w->answer.least)
			w->answer.least = tc_least(c->kind);
	}
	return rc;
}

static int change(struct work *w, struct mnl_socket *s, int ifindex)
{
	int rc = 0;
	u32 i;

	for (i = 0; i < w->queues && !rc; i++)
		if (w->class[i].id && w->class[i].quantum && w->class[i].quantum != w->asked[i])
			rc = tc_set(s, ifindex, &w->class[i], w->asked[i]);
	return rc;
}

static void weigh_classes(struct work *w, struct mnl_socket *s, int ifindex)
{
	u32 i, found = 0;
	int rc = look(w, s, ifindex);

	for (i = 0; i < w->queues; i++)
		found += !!w->class[i].id;
	if (!rc && w->set)
		rc = change(w, s, ifindex);
	if (!rc && w->set)
		rc = look(w, s, ifindex);
	if (rc)
		snprintf(w->answer.why, NIC_WHY, "its classes cannot be %s: %s%s",
			 w->set ? "set" : "read", strerror(-rc),
			 rc == -EPERM ? ": CAP_NET_ADMIN is needed" : "");
	else if (!found)
		snprintf(w->answer.why, NIC_WHY, "none of its classes is there: make them with tc: "
			 "a discipline " TC_KINDS ", and a class for each of nic-queues");
}

/* ---- Hardware queues ---- */

static void say_hardware(struct work *w)
{
	const bool shaper = tc_has_family("net-shaper"), devlink = tc_has_family("devlink");

	snprintf(w->answer.why, NIC_WHY, "weights of hardware queues are not available: net-shaper: "
		 "%s; devlink-rate: %s; take classes of tc (nic-queues: [\"1:10\"])",
		 shaper ? "not driven yet" : "not in this kernel",
		 devlink ? "not driven yet" : "not in this kernel");
}

static void do_work(struct work *w)
{
	int ifindex = (int)if_nametoindex(w->name);
	struct mnl_socket *s;

	if (!ifindex) {
		snprintf(w->answer.why, NIC_WHY, "there is no such interface");
		return;
	}
	if (!conf_is_class(w->id[0])) {
		say_hardware(w);
		return;
	}
	s = mnl_socket_open(NETLINK_ROUTE);
	if (s && !mnl_socket_bind(s, 0, MNL_SOCKET_AUTOPID))
		weigh_classes(w, s, ifindex);
	else
		snprintf(w->answer.why, NIC_WHY, "no rtnetlink: %s", strerror(errno));
	if (s)
		mnl_socket_close(s);
}

/* ---- The thread ---- */

/* With the lock; false: nobody wants anything. */
static struct nic *next(struct nic_kernel *k, struct work *w)
{
	u32 i, q;

	for (i = 0; i < k->nics->count; i++) {
		struct nic *n = &k->nics->nic[i];

		if (!n->wanted)
			continue;
		*w = (struct work){ .name = n->name, .set = n->setting,
				    .queues = n->queues };
		for (q = 0; q < n->queues; q++) {
			w->id[q] = n->queue[q].id;
			w->asked[q] = n->wish[q];
		}
		return n;
	}
	return NULL;
}

static void *serve(void *arg)
{
	struct nic_kernel *k = arg;
	struct work *w = malloc(sizeof(*w));
	struct nic *n;

	pthread_mutex_lock(&k->lock);
	while (!k->stop && w) {
		n = next(k, w);
		if (!n) {
			pthread_cond_wait(&k->work, &k->lock);
			continue;
		}
		pthread_mutex_unlock(&k->lock);
		do_work(w);
		pthread_mutex_lock(&k->lock);
		n->answer = w->answer;
		n->wanted = false;
		n->answered = true;
	}
	pthread_mutex_unlock(&k->lock);
	free(w);
	return NULL;
}

const char *nic_kernel_start(struct nics *all)
{
	struct nic_kernel *k = &all->kernel;

	if (!all->count)
		return NULL;
	pthread_mutex_init(&k->lock, NULL);
	pthread_cond_init(&k->work, NULL);
	k->started = !pthread_create(&k->thread, NULL, serve, k);
	return k->started ? NULL : "nic: its thread cannot be started";
}

void nic_kernel_stop(struct nics *all)
{
	struct nic_kernel *k = &all->kernel;

	if (!k->started)
		return;
	pthread_mutex_lock(&k->lock);
	k->stop = true;
	pthread_cond_signal(&k->work);
	pthread_mutex_unlock(&k->lock);
	pthread_join(k->thread, NULL);
	pthread_cond_destroy(&k->work);
	pthread_mutex_destroy(&k->lock);
	k->started = false;
}

/* ---- Of the loop ---- */

static void poll(struct nic *n)
{
	struct nic_answer a;
	bool answered;

	pthread_mutex_lock(&n->kernel->lock);
	answered = n->answered;
	n->answered = false;
	if (answered)
		a = n->answer;
	pthread_mutex_unlock(&n->kernel->lock);
	if (answered)
		nic_take(n, &a);
}

/* What is asked is only changed while the thread does not look at it. */
static bool begin(struct nic *n, bool set)
{
	bool free_now;
	u32 i;

	pthread_mutex_lock(&n->kernel->lock);
	free_now = !n->wanted;
	if (free_now) {
		for (i = 0; i < n->queues; i++)
			n->wish[i] = n->queue[i].asked;
		n->setting = set;
		n->wanted = true;
		pthread_cond_signal(&n->kernel->work);
	}
	pthread_mutex_unlock(&n->kernel->lock);
	return free_now;
}

/* ---- Back ---- */

/* "DEVICE MAJOR:MINOR" */
static void target(const struct nic *n, u32 queue, char text[UNDO_TARGET_MAX])
{
	snprintf(text, UNDO_TARGET_MAX, "%s %x:%x", n->name, queue >> 16, queue & 0xffff);
}

static enum undo_done restore(const struct undo_where *where, const char *text, const char *value)
{
	struct work *w = calloc(1, sizeof(*w));
	enum undo_done done = UNDO_FAILED;
	char name[IF_NAMESIZE];
	u32 major, minor;

	if (!w)
		return UNDO_FAILED;
	w->name = name;
	w->set = true;
	w->queues = 1;
	if (sscanf(text, "%15s %x:%x", name, &major, &minor) != 3 || !major || major > 0xffff ||
	    minor > 0xffff || sscanf(value, "%u", &w->asked[0]) != 1 || strchr(name, '/')) {
		free(w);
		return UNDO_GONE;
	}
	w->id[0] = major << 16 | minor;
	if (if_nametoindex(name))
		do_work(w);
	if (!w->class[0].id)
		done = UNDO_GONE;	/* the device or the class; its quantum went with it */
	else if (w->answer.queue[0].has == w->asked[0])
		done = UNDO_DONE;
	free(w);
	return done;
}

const struct undo_kind nic_tc_kind = { .name = "tc", .restore = restore, .slow = true };

const struct nic_ops nic_kernel_ops = { .name = "tc", .kind = &nic_tc_kind, .begin = begin,
					.poll = poll, .target = target };
