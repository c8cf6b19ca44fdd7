/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Kernel releases: the only place that knows how they differ. Written for 6.1
 * (Debian 12); the branches below follow the changes since then.
 */
#ifndef VPC_COMPAT_H
#define VPC_COMPAT_H

#include <linux/slab.h>
#include <linux/version.h>
#include <linux/virtio.h>
#include <linux/virtio_config.h>

#if LINUX_VERSION_CODE < KERNEL_VERSION(5, 18, 0)
#error "virtio_pc needs Linux 5.18 or newer (virtio_reset_device(), gnu11)"
#endif

/* All queues get the same callback and name. 6.11 gathered them in a struct. */
static inline int vpc_compat_find_vqs(struct virtio_device *vdev, unsigned int n,
				      struct virtqueue **vqs,
				      void (*callback)(struct virtqueue *),
				      const char *name)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 11, 0)
	struct virtqueue_info *info;
	unsigned int i;
	int err;

	info = kcalloc(n, sizeof(*info), GFP_KERNEL);
	if (!info)
		return -ENOMEM;
	for (i = 0; i < n; i++)
		info[i] = (struct virtqueue_info){ name, callback };
	err = virtio_find_vqs(vdev, n, vqs, info, NULL);
	kfree(info);
	return err;
#else
	vq_callback_t **callbacks;
	const char **names;
	unsigned int i;
	int err = -ENOMEM;

	callbacks = kcalloc(n, sizeof(*callbacks), GFP_KERNEL);
	names = kcalloc(n, sizeof(*names), GFP_KERNEL);
	if (callbacks && names) {
		for (i = 0; i < n; i++) {
			callbacks[i] = callback;
			names[i] = name;
		}
		err = virtio_find_vqs(vdev, n, vqs, callbacks, names, NULL);
	}
	kfree(names);
	kfree(callbacks);
	return err;
#endif
}

#endif /* VPC_COMPAT_H */
