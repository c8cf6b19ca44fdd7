// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * /sys/kernel/debug/virtio_pc/<device>/q<N>/: trace, the newest 2^16 events as
 * lines "tsc event arg", oldest first; stats, the last run's, "name value".
 *
 * debugfs keeps a file's data alive while one of these functions runs; a
 * reader works on a copy made at open.
 */
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/seq_file.h>
#include <linux/slab.h>

#include "pacing/report.h"
#include "vpc.h"

struct snapshot {
	u32 count;
	struct rp_event ev[];
};

static void *trace_at(struct seq_file *m, loff_t *pos)
{
	struct snapshot *snap = m->private;

	return *pos < snap->count ? &snap->ev[*pos] : NULL;
}

static void *trace_next(struct seq_file *m, void *v, loff_t *pos)
{
	++*pos;
	return trace_at(m, pos);
}

static void trace_end(struct seq_file *m, void *v)
{
}

static int trace_show(struct seq_file *m, void *v)
{
	const struct rp_event *e = v;
	const char *name = e->type < RP_EV_TYPES ? rp_event_names[e->type] : "none";

	seq_printf(m, "%llu %s %u\n", e->tsc, name, e->arg);
	return 0;
}

static const struct seq_operations trace_ops = {
	.start = trace_at,
	.next = trace_next,
	.stop = trace_end,
	.show = trace_show,
};

static int trace_open(struct inode *inode, struct file *file)
{
	struct vpc_queue *q = inode->i_private;
	struct snapshot *snap;
	int err;

	snap = kvmalloc(struct_size(snap, ev, RP_TRACE_EVENTS), GFP_KERNEL);
	if (!snap)
		return -ENOMEM;
	mutex_lock(&q->report_lock);
	snap->count = q->trace ?
		rp_trace_snapshot(q->trace, snap->ev, RP_TRACE_EVENTS) : 0;
	mutex_unlock(&q->report_lock);
	err = seq_open(file, &trace_ops);
	if (err)
		kvfree(snap);
	else
		((struct seq_file *)file->private_data)->private = snap;
	return err;
}

static int trace_release(struct inode *inode, struct file *file)
{
	kvfree(((struct seq_file *)file->private_data)->private);
	return seq_release(inode, file);
}

static const struct file_operations trace_fops = {
	.owner = THIS_MODULE,
	.open = trace_open,
	.read = seq_read,
	.llseek = seq_lseek,
	.release = trace_release,
};

static int stats_show(struct seq_file *m, void *v)
{
	struct vpc_queue *q = m->private;
	struct virtio_pc_stats s;

	mutex_lock(&q->report_lock);
	s = q->last;
	mutex_unlock(&q->report_lock);
	seq_printf(m, "duration_ns %llu\ncpu_ns %llu\n", s.duration_ns, s.cpu_ns);
#define X(name) seq_printf(m, #name " %llu\n", s.name);
	RP_REPORT_FIELDS(X)
#undef X
	seq_printf(m, "clock_offset_tsc %lld\nclock_error_ns %llu\ntsc_hz %llu\n",
		   s.clock_offset_tsc, s.clock_error_ns, s.tsc_hz);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(stats);

void vpc_debugfs_add(struct vpc_dev *dev)
{
	struct dentry *dir;
	char name[12];
	u32 i;

	dev->debugfs = debugfs_create_dir(dev->name, vpc_debugfs_root);
	for (i = 0; i < 2 * dev->n_pairs; i++) {
		snprintf(name, sizeof(name), "q%u", i);
		dir = debugfs_create_dir(name, dev->debugfs);
		debugfs_create_file("trace", 0400, dir, &dev->queues[i], &trace_fops);
		debugfs_create_file("stats", 0400, dir, &dev->queues[i], &stats_fops);
	}
}
