// SPDX-License-Identifier: GPL-2.0-or-later
/* The virtio driver: finds devices, and lets go of them in order. */
#include <linux/idr.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/virtio_config.h>

#include "compat.h"
#include "vpc.h"

static DEFINE_IDA(vpc_ids);
struct dentry *vpc_debugfs_root;

static void dev_free(struct kref *ref)
{
	struct vpc_dev *dev = container_of(ref, struct vpc_dev, ref);

	ida_free(&vpc_ids, dev->id);
	kfree(dev->pairs);
	kvfree(dev->queues);
	kfree(dev);
}

void vpc_dev_put(struct vpc_dev *dev)
{
	kref_put(&dev->ref, dev_free);
}

/* The configuration comes from the host: checked, and read once. */
static int read_config(struct vpc_dev *dev)
{
	struct virtio_device *vdev = dev->vdev;
	u16 version, pairs;

	virtio_cread_le(vdev, struct virtio_pc_config, version, &version);
	virtio_cread_le(vdev, struct virtio_pc_config, queue_pairs, &pairs);
	virtio_cread_le(vdev, struct virtio_pc_config, item_bytes, &dev->item_bytes);
	virtio_cread_le(vdev, struct virtio_pc_config, item_max_bytes,
			&dev->item_max_bytes);
	if (version != VIRTIO_PC_CONFIG_VERSION) {
		dev_err(&vdev->dev, "configuration version %u, not %u: update this driver\n",
			version, VIRTIO_PC_CONFIG_VERSION);
		return -EINVAL;
	}
	if (!pairs || pairs > VIRTIO_PC_PAIRS_MAX ||
	    dev->item_bytes < VIRTIO_PC_ITEM_MIN_BYTES ||
	    dev->item_bytes > dev->item_max_bytes ||
	    dev->item_max_bytes > VIRTIO_PC_ITEM_MAX_BYTES) {
		dev_err(&vdev->dev, "bad configuration: %u queue pairs, items of %u bytes, at most %u\n",
			pairs, dev->item_bytes, dev->item_max_bytes);
		return -EINVAL;
	}
	dev->n_pairs = virtio_has_feature(vdev, VIRTIO_PC_F_MQ) ? pairs : 1;
	dev->has_rev = virtio_has_feature(vdev, VIRTIO_PC_F_REV);
	return 0;
}

/* Reset, and wait until no interrupt handler is on the way to @dev->queues. */
static void detach_queues(struct vpc_dev *dev)
{
	u32 i;

	virtio_reset_device(dev->vdev);
	for (i = 0; i < 2 * dev->n_pairs; i++)
		vpc_queue_detach(&dev->queues[i]);
	dev->vdev->config->del_vqs(dev->vdev);
}

static int attach_queues(struct vpc_dev *dev)
{
	u32 i, n = 2 * dev->n_pairs;
	struct virtqueue **vqs;
	int err;

	vqs = kcalloc(n, sizeof(*vqs), GFP_KERNEL);
	if (!vqs)
		return -ENOMEM;
	err = vpc_compat_find_vqs(dev->vdev, n, vqs, vpc_queue_callback, "pc");
	if (err)
		dev_err(&dev->vdev->dev, "cannot set up %u queues (error %d)\n", n, err);
	for (i = 0; !err && i < n; i++)
		vpc_queue_attach(&dev->queues[i], vqs[i]);
	kfree(vqs);
	return err;
}

/* The device says that it needs a reset: whoever uses a queue gets EIO. */
static void config_work(struct work_struct *work)
{
	struct vpc_dev *dev = container_of(work, struct vpc_dev, config_work);
	struct virtio_device *vdev = dev->vdev;
	u32 i;

	if (!(vdev->config->get_status(vdev) & VIRTIO_CONFIG_S_NEEDS_RESET))
		return;
	dev_err(&vdev->dev, "the device gave up: reload the driver to reset it\n");
	virtio_break_device(vdev);
	for (i = 0; i < 2 * dev->n_pairs; i++)
		wake_up(&dev->queues[i].wait);
}

static int alloc_queues(struct vpc_dev *dev)
{
	u32 i;

	dev->pairs = kcalloc(dev->n_pairs, sizeof(*dev->pairs), GFP_KERNEL);
	dev->queues = kvcalloc(2 * dev->n_pairs, sizeof(*dev->queues), GFP_KERNEL);
	if (!dev->pairs || !dev->queues)
		return -ENOMEM;
	for (i = 0; i < 2 * dev->n_pairs; i++) {
		dev->queues[i].dev = dev;
		dev->queues[i].index = i;
		init_waitqueue_head(&dev->queues[i].wait);
		mutex_init(&dev->queues[i].report_lock);
	}
	for (i = 0; i < dev->n_pairs; i++) {
		mutex_init(&dev->pairs[i].lock);
		dev->pairs[i].fwd = &dev->queues[VIRTIO_PC_FWD(i)];
		dev->pairs[i].rev = &dev->queues[VIRTIO_PC_REV(i)];
	}
	return 0;
}

static struct vpc_dev *dev_alloc(struct virtio_device *vdev)
{
	struct vpc_dev *dev = kzalloc(sizeof(*dev), GFP_KERNEL);

	if (!dev)
		return ERR_PTR(-ENOMEM);
	dev->id = ida_alloc(&vpc_ids, GFP_KERNEL);
	if (dev->id < 0) {
		int err = dev->id;

		kfree(dev);
		return ERR_PTR(err);
	}
	kref_init(&dev->ref);
	dev->vdev = vdev;
	init_waitqueue_head(&dev->gone_wait);
	INIT_WORK(&dev->config_work, config_work);
	snprintf(dev->name, sizeof(dev->name), "virtio-pc%d", dev->id);
	return dev;
}

static int vpc_validate(struct virtio_device *vdev)
{
	if (!virtio_has_feature(vdev, VIRTIO_F_VERSION_1)) {
		dev_err(&vdev->dev, "a legacy device; virtio 1 is needed\n");
		return -ENODEV;
	}
	/* Thresholds need the split ring's event index. */
	__virtio_clear_bit(vdev, VIRTIO_F_RING_PACKED);
	return 0;
}

static int vpc_probe(struct virtio_device *vdev)
{
	struct vpc_dev *dev = dev_alloc(vdev);
	int err;

	if (IS_ERR(dev))
		return PTR_ERR(dev);
	vdev->priv = dev;
	err = read_config(dev);
	if (!err)
		err = alloc_queues(dev);
	if (err)
		goto put;
	err = attach_queues(dev);
	if (err)
		goto put;
	virtio_device_ready(vdev);
	err = vpc_chardev_add(dev);
	if (err)
		goto detach;
	vpc_debugfs_add(dev);
	return 0;
detach:
	virtio_reset_device(vdev);
	cancel_work_sync(&dev->config_work);
	detach_queues(dev);
put:
	vdev->priv = NULL;
	vpc_dev_put(dev);
	return err;
}

/* Tells the runs that it is over, and waits until each has ended. */
static void stop_runs(struct vpc_dev *dev)
{
	u32 i;

	WRITE_ONCE(dev->gone, true);
	wake_up_all(&dev->gone_wait);
	for (i = 0; i < 2 * dev->n_pairs; i++)
		wake_up_all(&dev->queues[i].wait);
	for (i = 0; i < dev->n_pairs; i++) {
		mutex_lock(&dev->pairs[i].lock);
		mutex_unlock(&dev->pairs[i].lock);
	}
}

static void vpc_remove(struct virtio_device *vdev)
{
	struct vpc_dev *dev = vdev->priv;
	u32 i;

	vpc_chardev_del(dev);
	stop_runs(dev);
	debugfs_remove_recursive(dev->debugfs);
	/* First the source of configuration changes, then what they started. */
	virtio_reset_device(vdev);
	cancel_work_sync(&dev->config_work);
	detach_queues(dev);
	for (i = 0; i < 2 * dev->n_pairs; i++)
		vpc_queue_free(&dev->queues[i]);
	vdev->priv = NULL;
	vpc_dev_put(dev);
}

/* Interrupt context. */
static void vpc_config_changed(struct virtio_device *vdev)
{
	struct vpc_dev *dev = vdev->priv;

	schedule_work(&dev->config_work);
}

#ifdef CONFIG_PM_SLEEP
/* User space is frozen already, which has ended every run by a signal. */
static int vpc_freeze(struct virtio_device *vdev)
{
	struct vpc_dev *dev = vdev->priv;

	cancel_work_sync(&dev->config_work);
	detach_queues(dev);
	return 0;
}

static int vpc_restore(struct virtio_device *vdev)
{
	int err = attach_queues(vdev->priv);

	if (!err)
		virtio_device_ready(vdev);
	return err;
}
#endif

static const struct virtio_device_id vpc_id_table[] = {
	{ VIRTIO_ID_PC, VIRTIO_DEV_ANY_ID },
	{ 0 },
};
MODULE_DEVICE_TABLE(virtio, vpc_id_table);

static const unsigned int vpc_features[] = {
	VIRTIO_PC_F_MQ,
	VIRTIO_PC_F_REV,
};

static struct virtio_driver vpc_driver = {
	.driver.name = KBUILD_MODNAME,
	.driver.owner = THIS_MODULE,
	.id_table = vpc_id_table,
	.feature_table = vpc_features,
	.feature_table_size = ARRAY_SIZE(vpc_features),
	.validate = vpc_validate,
	.probe = vpc_probe,
	.remove = vpc_remove,
	.config_changed = vpc_config_changed,
#ifdef CONFIG_PM_SLEEP
	.freeze = vpc_freeze,
	.restore = vpc_restore,
#endif
};

static int __init vpc_init(void)
{
	int err;

	/* A missing debugfs is no error. */
	vpc_debugfs_root = debugfs_create_dir(KBUILD_MODNAME, NULL);
	err = register_virtio_driver(&vpc_driver);
	if (err)
		debugfs_remove_recursive(vpc_debugfs_root);
	return err;
}
module_init(vpc_init);

static void __exit vpc_exit(void)
{
	unregister_virtio_driver(&vpc_driver);
	debugfs_remove_recursive(vpc_debugfs_root);
}
module_exit(vpc_exit);

MODULE_DESCRIPTION("virtio-pc: producer and consumer over virtqueues");
MODULE_AUTHOR("The Ringpace authors");
MODULE_LICENSE("GPL");
