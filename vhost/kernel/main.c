// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * /dev/vhost-pc: the life of a device, and the ioctls of the vhost core.
 *
 * States: open; owned (VHOST_SET_OWNER); running (VHOST_PC_SET_RUNNING 1).
 * VHOST_RESET_OWNER leads from any back to open, closing the file to the end.
 * The core's ioctls are let through in every state: it checks what it needs.
 * The module has a user as long as a file is open, so it stays loaded.
 */
#include <linux/debugfs.h>
#include <linux/fs.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/nospec.h>
#include <linux/pid.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#define CREATE_TRACE_POINTS
#include "trace.h"
#include "vhpc.h"

static uint pairs = 8;
module_param(pairs, uint, 0444);
MODULE_PARM_DESC(pairs, "Queue pairs of a device, 1 to 64 (8); one takes about 80 KB");

static uint threads = VHOST_PC_THREAD_QUEUE;
module_param(threads, uint, 0444);
MODULE_PARM_DESC(threads, "A kernel thread for each queue (0), each pair (1), each device (2); a device may choose otherwise");

struct dentry *vhpc_debugfs_root;

/* ---- Life: under dev.mutex, but for open and release ---- */

static void stop(struct vhpc_dev *d)
{
	u32 i;

	vhpc_workers_stop(d);
	for (i = 0; i < d->n_queues; i++)
		vhpc_queue_detach(&d->queues[i]);
	d->running = false;
}

static int attach_queues(struct vhpc_dev *d)
{
	u32 i, n = 0;
	int err;

	for (i = 0; i < d->n_queues; i++) {
		err = vhpc_queue_attach(&d->queues[i]);
		if (err)
			return err;
		n += !!d->queues[i].vq.private_data;
	}
	return n ? 0 : -EINVAL;
}

static long set_running(struct vhpc_dev *d, const int __user *arg)
{
	long err = vhost_dev_check_owner(&d->dev);
	int run;

	if (err)
		return err;
	if (get_user(run, arg))
		return -EFAULT;
	if (run != 0 && run != 1)
		return -EINVAL;
	if (run == d->running)
		return 0;
	if (run) {
		err = attach_queues(d);
		if (!err)
			err = vhpc_workers_start(d);
		d->running = !err;
	}
	if (!run || err)
		stop(d);
	return err;
}

static void drop_mm(struct vhpc_dev *d)
{
	if (d->mm)
		mmput(d->mm);
	d->mm = NULL;
	put_pid(d->owner);
	d->owner = NULL;
}

static long reset_owner(struct vhpc_dev *d)
{
	long err = vhost_dev_check_owner(&d->dev);
	struct vhost_iotlb *umem;

	if (err)
		return err;
	umem = vhost_dev_reset_owner_prepare();
	if (!umem)
		return -ENOMEM;
	stop(d);
	vhost_dev_stop(&d->dev);
	vhost_dev_reset_owner(&d->dev, umem);
	drop_mm(d);
	return 0;
}

static long set_features(struct vhpc_dev *d, const u64 __user *arg)
{
	const u64 log = 1ULL << VHOST_F_LOG_ALL;
	u64 features;
	u32 i;

	if (copy_from_user(&features, arg, sizeof(features)))
		return -EFAULT;
	if (features & ~VHPC_FEATURES)
		return -EOPNOTSUPP;
	if (d->running && (features ^ d->queues[0].vq.acked_features) & ~log)
		return -EBUSY;
	if (features & log && !vhost_log_access_ok(&d->dev))
		return -EFAULT;
	for (i = 0; i < d->n_queues; i++) {
		vhpc_lock(&d->queues[i]);
		d->queues[i].vq.acked_features = features;
		vhpc_unlock(&d->queues[i]);
	}
	return 0;
}

static long get_features(u64 __user *arg)
{
	u64 features = VHPC_FEATURES;

	return copy_to_user(arg, &features, sizeof(features)) ? -EFAULT : 0;
}

/* What was called through the old eventfd may not have been heard. */
static void owe_call(struct vhpc_dev *d, const u32 __user *arg)
{
	struct vhpc_queue *q;
	u32 queue;

	/* The core has checked it, but the memory is the caller's. */
	if (get_user(queue, arg) || queue >= d->n_queues)
		return;
	q = &d->queues[array_index_nospec(queue, d->n_queues)];
	vhpc_lock(q);
	q->call_owed = true;
	vhpc_order(q);
	vhpc_unlock(q);
}

/* The core takes the queues' mutexes itself: tell the workers. */
static long core_ioctl(struct vhpc_dev *d, unsigned int cmd, void __user *arg)
{
	long r;
	u32 i;

	for (i = 0; i < d->n_queues; i++)
		vhpc_want(&d->queues[i]);
	r = vhost_dev_ioctl(&d->dev, cmd, arg);
	if (r == -ENOIOCTLCMD)
		r = vhost_vring_ioctl(&d->dev, cmd, arg);
	for (i = 0; i < d->n_queues; i++)
		vhpc_want_no_more(&d->queues[i]);
	if (r)
		return r;
	if (cmd == VHOST_SET_OWNER) {
		/* The core's reference keeps the struct, this the memory. */
		d->mm = d->dev.mm;
		mmget(d->mm);
		d->owner = get_task_pid(current, PIDTYPE_TGID);
	} else if (cmd == VHOST_SET_VRING_CALL) {
		owe_call(d, arg);
	}
	return 0;
}

static long vhpc_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	struct vhpc_dev *d = file->private_data;
	void __user *user = (void __user *)arg;
	long r;

	if (cmd == VHOST_GET_FEATURES)
		return get_features(user);
	mutex_lock(&d->dev.mutex);
	switch (cmd) {
	case VHOST_SET_FEATURES:
		r = set_features(d, user);
		break;
	case VHOST_RESET_OWNER:
		r = reset_owner(d);
		break;
	case VHOST_PC_SET_RUNNING:
		r = set_running(d, user);
		break;
	default:
		r = vhpc_control(d, cmd, user);
		if (r == -ENOIOCTLCMD)
			r = core_ioctl(d, cmd, user);
	}
	mutex_unlock(&d->dev.mutex);
	return r;
}

static struct vhpc_dev *dev_alloc(u32 n_queues)
{
	struct vhpc_dev *d = kvzalloc(struct_size(d, queues, n_queues), GFP_KERNEL);
	u32 i;

	if (!d)
		return NULL;
	d->n_queues = n_queues;
	d->vqs = kcalloc(n_queues, sizeof(*d->vqs), GFP_KERNEL);
	d->workers = kcalloc(n_queues, sizeof(*d->workers), GFP_KERNEL);
	if (!d->vqs || !d->workers) {
		kfree(d->vqs);
		kfree(d->workers);
		kvfree(d);
		return NULL;
	}
	for (i = 0; i < n_queues; i++) {
		d->vqs[i] = &d->queues[i].vq;
		d->workers[i].dev = d;
		init_waitqueue_head(&d->workers[i].wait);
	}
	return d;
}

void vhpc_dev_free(struct vhpc_dev *d)
{
	u32 i;

	for (i = 0; i < d->n_queues; i++)
		kvfree(d->queues[i].trace);
	kfree(d->vqs);
	kfree(d->workers);
	kvfree(d);
}

static int vhpc_open(struct inode *inode, struct file *file)
{
	struct vhpc_dev *d = dev_alloc(2 * pairs);
	u32 i;
	int err;

	if (!d)
		return -ENOMEM;
	vhpc_workers_assign(d, threads);
	for (i = 0; i < d->n_queues; i++)
		vhpc_queue_init(d, i);
	/* Weights are for the core's worker, which there is none. */
	vhost_dev_init(&d->dev, d->vqs, d->n_queues, UIO_MAXIOV, 0, 0, false, NULL);
	err = vhpc_devices_add(d);
	if (err) {
		vhpc_dev_free(d);
		return err;
	}
	vhpc_debugfs_add(d);
	file->private_data = d;
	return 0;
}

static int vhpc_release(struct inode *inode, struct file *file)
{
	struct vhpc_dev *d = file->private_data;

	vhpc_devices_remove(d);
	/* Its readers take dev.mutex, so before that. */
	debugfs_remove_recursive(d->debugfs);
	mutex_lock(&d->dev.mutex);
	stop(d);
	/* No kick handler runs after this: the core has left the eventfds. */
	vhost_dev_stop(&d->dev);
	vhost_dev_cleanup(&d->dev);
	drop_mm(d);
	d->gone = true;
	mutex_unlock(&d->dev.mutex);
	vhpc_dev_put(d);
	return 0;
}

static const struct file_operations vhpc_fops = {
	.owner = THIS_MODULE,
	.open = vhpc_open,
	.release = vhpc_release,
	.unlocked_ioctl = vhpc_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
	.llseek = noop_llseek,
};

static struct miscdevice vhpc_misc = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "vhost-pc",
	.fops = &vhpc_fops,
};

static int __init vhpc_init(void)
{
	int err;

	if (!pairs || pairs > VIRTIO_PC_PAIRS_MAX || threads > VHOST_PC_THREAD_DEVICE) {
		pr_err("vhost_pc: pairs must be 1 to %u, threads 0 to %u\n",
		       VIRTIO_PC_PAIRS_MAX, VHOST_PC_THREAD_DEVICE);
		return -EINVAL;
	}
	vhpc_debugfs_root = debugfs_create_dir("vhost_pc", NULL);
	err = vhpc_devices_init();
	if (err)
		goto remove_debugfs;
	err = misc_register(&vhpc_misc);
	if (err)
		goto exit_devices;
	return 0;

exit_devices:
	vhpc_devices_exit();
remove_debugfs:
	debugfs_remove_recursive(vhpc_debugfs_root);
	return err;
}

static void __exit vhpc_exit(void)
{
	misc_deregister(&vhpc_misc);
	vhpc_devices_exit();
	debugfs_remove_recursive(vhpc_debugfs_root);
}

module_init(vhpc_init);
module_exit(vhpc_exit);

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Ringpace: the host's side of virtio-pc devices");
