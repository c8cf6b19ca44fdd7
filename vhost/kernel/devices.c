// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The devices that are open, by number, and /dev/vhost-pc-control, through which
 * an administrator's process reaches those of other processes. It needs no
 * rights over the owner, and does not keep a device alive.
 *
 * Locks. devices_lock: the table; inside it nothing is locked. An ioctl takes a
 * reference under it, and vhost_dev.mutex after it.
 */
#include <linux/fs.h>
#include <linux/idr.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/pid.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "vhpc.h"

#define NONE	(-1)

static DEFINE_MUTEX(devices_lock);
static DEFINE_IDR(devices);

/* An open control file. */
struct selection {
	int device;	/* its number, or NONE; any thread may change it */
};

/* Cyclic, so that a number that somebody remembers is not soon another's. */
int vhpc_devices_add(struct vhpc_dev *d)
{
	int id;

	kref_init(&d->ref);
	mutex_lock(&devices_lock);
	id = idr_alloc_cyclic(&devices, d, 0, 0, GFP_KERNEL);
	/* Under the lock, as a finder reads it. */
	d->id = id;
	mutex_unlock(&devices_lock);
	return id < 0 ? id : 0;
}

void vhpc_devices_remove(struct vhpc_dev *d)
{
	mutex_lock(&devices_lock);
	idr_remove(&devices, d->id);
	mutex_unlock(&devices_lock);
}

static void release(struct kref *ref)
{
	vhpc_dev_free(container_of(ref, struct vhpc_dev, ref));
}

void vhpc_dev_put(struct vhpc_dev *d)
{
	kref_put(&d->ref, release);
}

/* The device of the least number from @id on, or exactly @id. With a reference. */
static struct vhpc_dev *find(int id, bool exactly)
{
	struct vhpc_dev *d;

	if (id < 0)
		return NULL;
	mutex_lock(&devices_lock);
	d = exactly ? idr_find(&devices, id) : idr_get_next(&devices, &id);
	if (d)
		kref_get(&d->ref);
	mutex_unlock(&devices_lock);
	return d;
}

/* ---- The control file ---- */

static long next_device(struct vhost_pc_device __user *arg)
{
	struct vhost_pc_device a;
	struct vhpc_dev *d;

	if (copy_from_user(&a, arg, sizeof(a)))
		return -EFAULT;
	if (a.size_bytes != sizeof(a))
		return -EINVAL;
	d = a.device <= INT_MAX ? find(a.device, false) : NULL;
	if (!d)
		return -ENOENT;
	mutex_lock(&d->dev.mutex);
	a.device = d->id;
	a.owner_pid = pid_vnr(d->owner);
	a.queue_pairs = d->n_queues / 2;
	a.threads = d->threads;
	a.running = d->running;
	mutex_unlock(&d->dev.mutex);
	vhpc_dev_put(d);
	return copy_to_user(arg, &a, sizeof(a)) ? -EFAULT : 0;
}

static long select_device(struct selection *s, const u32 __user *arg)
{
	struct vhpc_dev *d;
	u32 device;

	if (get_user(device, arg))
		return -EFAULT;
	d = device <= INT_MAX ? find(device, true) : NULL;
	if (!d)
		return -ENODEV;
	vhpc_dev_put(d);
	WRITE_ONCE(s->device, device);
	return 0;
}

static long on_device(int id, unsigned int cmd, void __user *arg)
{
	struct vhpc_dev *d = find(id, true);
	long r = -ENODEV;

	if (!d)
		return r;
	mutex_lock(&d->dev.mutex);
	if (!d->gone)
		r = vhpc_control(d, cmd, arg);
	mutex_unlock(&d->dev.mutex);
	vhpc_dev_put(d);
	return r == -ENOIOCTLCMD ? -ENOTTY : r;
}

static long control_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	struct selection *s = file->private_data;
	void __user *user = (void __user *)arg;

	switch (cmd) {
	case VHOST_PC_NEXT_DEVICE:
		return next_device(user);
	case VHOST_PC_SELECT:
		return select_device(s, user);
	default:
		return on_device(READ_ONCE(s->device), cmd, user);
	}
}

static int control_open(struct inode *inode, struct file *file)
{
	struct selection *s = kmalloc(sizeof(*s), GFP_KERNEL);

	if (!s)
		return -ENOMEM;
	s->device = NONE;
	file->private_data = s;
	return 0;
}

static int control_release(struct inode *inode, struct file *file)
{
	kfree(file->private_data);
	return 0;
}

static const struct file_operations control_fops = {
	.owner = THIS_MODULE,
	.open = control_open,
	.release = control_release,
	.unlocked_ioctl = control_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
	.llseek = noop_llseek,
};

static struct miscdevice control_misc = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "vhost-pc-control",
	.fops = &control_fops,
};

int vhpc_devices_init(void)
{
	return misc_register(&control_misc);
}

void vhpc_devices_exit(void)
{
	misc_deregister(&control_misc);
	idr_destroy(&devices);
}
