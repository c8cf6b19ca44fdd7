// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * /sys/kernel/debug/vhost_pc/<device>/: state, of the device; q<N>, a queue's
 * parameters and statistics. Lines "name value", times in nanoseconds.
 */
#include <linux/debugfs.h>
#include <linux/module.h>
#include <linux/seq_file.h>

#include "pacing/report.h"
#include "vhpc.h"

static int queue_show(struct seq_file *m, void *v)
{
	struct vhpc_queue *q = m->private;
	struct vhost_dev *dev = &q->dev->dev;
	const struct virtio_pc_stats *s;
	struct vhost_pc_stats st = { 0 };
	struct vhpc_params p;
	struct rp_params rp;
	const char *broken;

	mutex_lock(&dev->mutex);
	vhpc_queue_stats(q, &st);
	p = q->params;
	rp = vhpc_queue_effective(q);
	broken = q->broken;
	mutex_unlock(&dev->mutex);
	s = &st.stats;

	seq_printf(m, "dir %s\nready %u\nproducing %u\nbroken %s\n",
		   vhpc_is_rev(q) ? "rev" : "fwd",
		   !!(st.flags & VHOST_PC_STATS_READY),
		   !!(st.flags & VHOST_PC_STATS_PRODUCING), broken ?: "no");
	seq_printf(m, "strategy %s\nparam_w_ns %llu\nparam_y_ns %llu\n",
		   rp_strategy_by_id(p.strategy)->name, p.w_ns, p.y_ns);
	seq_printf(m, "param_dmax_ns %llu\nparam_cpu_cap_percent %u\nparam_w_dist %s\n",
		   p.dmax_ns, p.cpu_cap_percent, rp_work_dist_names[p.w_dist]);
	seq_printf(m, "k %u\nburst %u\nqueue_len %u\nitem_bytes %u\n", rp.threshold,
		   p.burst, rp.queue_len, p.item_bytes);
	seq_printf(m, "duration_ns %llu\ncpu_ns %llu\n", s->duration_ns, s->cpu_ns);
#define X(name) seq_printf(m, #name " %llu\n", s->name);
	RP_REPORT_FIELDS(X)
#undef X
	seq_printf(m, "first_seq %llu\nnext_seq %llu\n", st.first_seq, st.next_seq);
	seq_printf(m, "clock_offset_tsc %lld\nclock_error_ns %llu\ntsc_hz %llu\n",
		   s->clock_offset_tsc, s->clock_error_ns, s->tsc_hz);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(queue);

static int state_show(struct seq_file *m, void *v)
{
	static const char *const names[] = { "queue", "pair", "device" };
	struct vhpc_dev *d = m->private;
	u32 i;

	mutex_lock(&d->dev.mutex);
	seq_printf(m, "owned %u\nrunning %u\nthreads %s\n", !!d->mm, d->running,
		   names[d->threads]);
	for (i = 0; i < d->n_queues; i++)
		if (d->workers[i].task)
			seq_printf(m, "thread %d\n", d->workers[i].task->pid);
	mutex_unlock(&d->dev.mutex);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(state);

/* Removal waits for readers, so the device outlives these files. */
void vhpc_debugfs_add(struct vhpc_dev *d)
{
	char name[12];
	u32 i;

	snprintf(name, sizeof(name), "%d", d->id);
	d->debugfs = debugfs_create_dir(name, vhpc_debugfs_root);
	debugfs_create_file("state", 0400, d->debugfs, d, &state_fops);
	for (i = 0; i < d->n_queues; i++) {
		snprintf(name, sizeof(name), "q%u", i);
		debugfs_create_file(name, 0400, d->debugfs, &d->queues[i],
				    &queue_fops);
	}
}
