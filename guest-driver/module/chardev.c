// SPDX-License-Identifier: GPL-2.0-or-later
/* /dev/virtio-pcN: who may run, and whether what they ask makes sense. */
#include <linux/fs.h>
#include <linux/module.h>
#include <linux/nospec.h>
#include <linux/uaccess.h>
#include <asm/tsc.h>

#include "vpc.h"

#define DURATION_MIN_NS		NSEC_PER_MSEC
#define DURATION_MAX_NS		(3600ULL * NSEC_PER_SEC)

/*
 * misc_open() calls this under the lock that misc_deregister() takes, so the
 * device is not gone yet, and its driver still holds a reference.
 */
static int vpc_open(struct inode *inode, struct file *file)
{
	struct vpc_dev *dev = container_of(file->private_data, struct vpc_dev, misc);

	if (test_and_set_bit(0, &dev->open))
		return -EBUSY;
	kref_get(&dev->ref);
	file->private_data = dev;
	return 0;
}

static int vpc_release(struct inode *inode, struct file *file)
{
	struct vpc_dev *dev = file->private_data;

	clear_bit(0, &dev->open);
	vpc_dev_put(dev);
	return 0;
}

static long ioc_info(struct vpc_dev *dev, void __user *to)
{
	struct virtio_pc_info info = {
		.size_bytes = sizeof(info),
		.queue_pairs = dev->n_pairs,
		.queue_len = dev->queues[0].num,
		.item_bytes = dev->item_bytes,
		.item_max_bytes = dev->item_max_bytes,
		.has_rev = dev->has_rev,
		.tsc_hz = (u64)tsc_khz * 1000,
	};

	if (READ_ONCE(dev->gone))
		return -ENODEV;
	return copy_to_user(to, &info, sizeof(info)) ? -EFAULT : 0;
}

/* Fills in what was left at 0. */
static void set_defaults(const struct vpc_dev *dev, const struct vpc_queue *q,
			 struct virtio_pc_run *arg)
{
	enum rp_role role = arg->dir == VIRTIO_PC_DIR_FWD ? RP_PRODUCER : RP_CONSUMER;

	arg->queue_len = arg->queue_len ?: q->num;
	arg->item_bytes = arg->item_bytes ?: dev->item_bytes;
	arg->burst = arg->burst ?: 1;
	arg->k = arg->k ?: rp_default_threshold(role, arg->queue_len);
}

static bool strategy_ok(const struct virtio_pc_run *arg)
{
	const struct rp_params p = {
		.strategy = arg->strategy,
		.queue_len = arg->queue_len,
		.threshold = arg->k,
		.y_ns = arg->y_ns,
		.dmax_ns = arg->dmax_ns,
		.cpu_cap_percent = arg->cpu_cap_percent,
	};

	return !rp_params_check(&p);
}

static bool fields_ok(const struct vpc_dev *dev, const struct vpc_queue *q,
		     const struct virtio_pc_run *arg)
{
	return strategy_ok(arg) && arg->w_dist < VIRTIO_PC_WORKS &&
	       arg->duration_ns >= DURATION_MIN_NS &&
	       arg->duration_ns <= DURATION_MAX_NS &&
	       arg->w_ns <= NSEC_PER_SEC && arg->y_ns <= NSEC_PER_SEC &&
	       arg->queue_len <= q->num && arg->k <= arg->queue_len &&
	       arg->burst <= arg->queue_len &&
	       arg->item_bytes >= VIRTIO_PC_ITEM_MIN_BYTES &&
	       arg->item_bytes <= dev->item_max_bytes && arg->trace <= 1;
}

static int check(struct vpc_dev *dev, struct virtio_pc_run *arg)
{
	const struct vpc_queue *q;

	if (arg->size_bytes != sizeof(*arg) || arg->pair >= dev->n_pairs ||
	    arg->dir > VIRTIO_PC_DIR_REV)
		return -EINVAL;
	arg->pair = array_index_nospec(arg->pair, dev->n_pairs);
	q = arg->dir == VIRTIO_PC_DIR_FWD ? dev->pairs[arg->pair].fwd :
					    dev->pairs[arg->pair].rev;
	set_defaults(dev, q, arg);
	if (!fields_ok(dev, q, arg))
		return -EINVAL;
	return arg->dir == VIRTIO_PC_DIR_REV && !dev->has_rev ? -EOPNOTSUPP : 0;
}

static int run_locked(struct vpc_dev *dev, struct virtio_pc_run *arg)
{
	struct vpc_pair *pair = &dev->pairs[arg->pair];
	int err = -ENODEV;

	/* Removal holds the lock too, but has said so before. */
	if (!mutex_trylock(&pair->lock))
		return READ_ONCE(dev->gone) ? -ENODEV : -EBUSY;
	if (!dev->gone && pair->fwd->vq)
		err = vpc_run(dev, pair, arg);
	mutex_unlock(&pair->lock);
	return err;
}

static long ioc_run(struct vpc_dev *dev, void __user *user)
{
	struct virtio_pc_run arg;
	int err;

	if (READ_ONCE(dev->gone))
		return -ENODEV;
	if (copy_from_user(&arg, user, sizeof(arg)))
		return -EFAULT;
	err = check(dev, &arg);
	if (err)
		return err;
	arg.stopped = 0;
	memset(&arg.stats, 0, sizeof(arg.stats));
	memset(&arg.pacing, 0, sizeof(arg.pacing));
	err = run_locked(dev, &arg);
	/* Also after an error: what was done until then. */
	if (copy_to_user(user, &arg, sizeof(arg)))
		return -EFAULT;
	return err;
}

static long vpc_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	struct vpc_dev *dev = file->private_data;

	switch (cmd) {
	case VIRTIO_PC_IOC_INFO:
		return ioc_info(dev, (void __user *)arg);
	case VIRTIO_PC_IOC_RUN:
		return ioc_run(dev, (void __user *)arg);
	default:
		return -ENOTTY;
	}
}

static const struct file_operations vpc_fops = {
	.owner = THIS_MODULE,
	.open = vpc_open,
	.release = vpc_release,
	.unlocked_ioctl = vpc_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
	.llseek = noop_llseek,
};

int vpc_chardev_add(struct vpc_dev *dev)
{
	dev->misc = (struct miscdevice){
		.minor = MISC_DYNAMIC_MINOR,
		.name = dev->name,
		.fops = &vpc_fops,
		.parent = &dev->vdev->dev,
	};
	return misc_register(&dev->misc);
}

/* No open succeeds from here on; files that are open stay. */
void vpc_chardev_del(struct vpc_dev *dev)
{
	misc_deregister(&dev->misc);
}
