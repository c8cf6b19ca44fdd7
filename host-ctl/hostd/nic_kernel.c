// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Devices of the kernel, in a thread of its own: whoever holds the kernel's lock of all
 * network configuration may hold it for long.
 *
 * What can be weighed is looked for at the device each time: classes of its queueing
 * disciplines (nic_tc.c), or its virtual functions by devlink (nic_devlink.c).
 */
#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>

#include "nic.h"

bool nic_kernel_work(struct nic_work *w)
{
	w->ifindex = (int)if_nametoindex(w->name);
	if (!w->ifindex)
		snprintf(w->answer.why, NIC_WHY, "there is no such interface");
	else if (conf_is_class(w->id[0]))
		nic_tc_work(w);
	else
		nic_devlink_work(w);
	return w->ifindex;
}

const struct nic_ops *nic_kernel_ops(u32 queue)
{
	return conf_is_class(queue) ? &nic_tc_ops : &nic_devlink_ops;
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
		*w = (struct nic_work){ .name = n->name, .set = n->setting,
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

enum undo_done nic_kernel_restore(const char *name, u32 queue, const char *value)
{
	struct nic_work *w = calloc(1, sizeof(*w));
	enum undo_done done = UNDO_FAILED;
	bool known;

	if (!w)
		return UNDO_FAILED;
	w->name = name;
	w->set = true;
	w->queues = 1;
	w->id[0] = queue;
	known = sscanf(value, "%u", &w->asked[0]) == 1 && !strchr(name, '/');
	/* The device or the queue may be gone; its weight went with it. */
	if (!known || !nic_kernel_work(w) || !w->answer.queue[0].there)
		done = UNDO_GONE;
	else if (w->answer.queue[0].has == w->asked[0])
		done = UNDO_DONE;
	free(w);
	return done;
}
