// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Devices of the kernel, in a thread of its own: whoever holds the kernel's lock of all
 * network configuration may hold it for long.
 *
 * What can be weighed is looked for at the device each time: classes of its queueing
 * disciplines (nic_tc.c), its virtual functions by devlink (nic_devlink.c), or its transmit
 * queues by net-shaper (nic_shaper.c). Numbers are either of the latter: functions, if the
 * device has rates of them, else queues. What they were found to be they stay: functions
 * that are removed do not become queues.
 */
#include <errno.h>
#include <libmnl/libmnl.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>

#include "nic.h"

bool nic_kernel_work(struct nic_work *w)
{
	const char *none;

	w->ifindex = (int)if_nametoindex(w->name);
	none = w->ifindex ? w->by->work(w) : NULL;
	if (!w->ifindex)
		snprintf(w->answer.why, NIC_WHY, "there is no such interface");
	else if (none)
		snprintf(w->answer.why, NIC_WHY, "it was weighed by %s, but %s: see nic-queues",
			 w->by->name, none);
	return w->ifindex;
}

const char *nic_generic_work(struct nic_work *w, size_t bytes,
			     const char *(*weigh)(struct nic_work *w, struct mnl_socket *socket,
						  void *memory))
{
	void *memory = calloc(1, bytes);
	struct mnl_socket *socket = memory ? nl_open(NETLINK_GENERIC) : NULL;
	const char *none = NULL;

	if (socket) {
		none = weigh(w, socket, memory);
		mnl_socket_close(socket);
	} else {
		snprintf(w->answer.why, NIC_WHY, "no generic netlink: %s", strerror(errno));
	}
	free(memory);
	return none;
}

static const char *find_work(struct nic_work *w)
{
	const char *devlink = nic_devlink_work(w), *shaper = devlink ? nic_shaper_work(w) : NULL;

	if (shaper)
		snprintf(w->answer.why, NIC_WHY, "its queues cannot be weighed: devlink-rate: %s; "
			 "net-shaper: %s; take classes of tc (nic-queues: [\"1:10\"])",
			 devlink, shaper);
	return NULL;
}

/* It has never been looked at, so nothing of it is to be given back. */
const struct nic_ops nic_number_ops = { .name = "kernel", .begin = nic_kernel_begin,
					.poll = nic_kernel_poll, .work = find_work };

const struct nic_ops *nic_kernel_ops(u32 queue)
{
	return conf_is_class(queue) ? &nic_tc_ops : &nic_number_ops;
}

/* ---- The thread ---- */

/* With the lock; false: nobody wants anything. */
static struct nic *next(struct nic_kernel *k, struct nic_work *w)
{
	u32 i, q;

	for (i = 0; i < k->nics->count; i++) {
		struct nic *n = &k->nics->nic[i];

		if (!n->wanted)
			continue;
		*w = (struct nic_work){ .name = n->name, .by = n->ops, .set = n->setting,
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
	struct nic_work *w = malloc(sizeof(*w));
	struct nic *n;

	pthread_mutex_lock(&k->lock);
	while (!k->stop && w) {
		n = next(k, w);
		if (!n) {
			pthread_cond_wait(&k->work, &k->lock);
			continue;
		}
		pthread_mutex_unlock(&k->lock);
		nic_kernel_work(w);
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

void nic_kernel_poll(struct nic *n)
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
bool nic_kernel_begin(struct nic *n, bool set)
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

enum undo_done nic_kernel_restore(const struct nic_ops *by, const char *name, u32 queue,
				  const char *value)
{
	struct nic_work *w = calloc(1, sizeof(*w));
	enum undo_done done = UNDO_FAILED;
	bool known;

	if (!w)
		return UNDO_FAILED;
	w->name = name;
	w->by = by;
	w->set = true;
	w->queues = 1;
	w->id[0] = queue;
	known = sscanf(value, "%u", &w->asked[0]) == 1 && !strchr(name, '/');
	/* The device or the queue may be gone, or be another's of that name: so is its weight. */
	if (!known || !nic_kernel_work(w) || !w->answer.queue[0].there ||
	    (w->answer.by && w->answer.by != by))
		done = UNDO_GONE;
	else if (w->answer.queue[0].has == w->asked[0])
		done = UNDO_DONE;
	free(w);
	return done;
}

void nic_number_target(const struct nic *n, u32 queue, char target[UNDO_TARGET_MAX])
{
	snprintf(target, UNDO_TARGET_MAX, "%s %u", n->name, queue);
}

enum undo_done nic_number_restore(const struct nic_ops *by, const char *target, const char *value)
{
	char name[IF_NAMESIZE];
	u32 queue;

	if (sscanf(target, "%15s %u", name, &queue) != 2 || conf_is_class(queue))
		return UNDO_GONE;
	return nic_kernel_restore(by, name, queue, value);
}
