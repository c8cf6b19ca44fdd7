/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * VHOST_USER_NET_SET_RSS: what a guest has told its virtio-net device by
 * VIRTIO_NET_CTRL_MQ_RSS_CONFIG, for a vhost-user backend that steers.
 *
 * Not a part of the vhost-user specification. Feature bit and request are far
 * above those that it has, and the request is sent only to a backend that has
 * offered the bit. The frontend sends it when the guest sets RSS or ends it,
 * and each time the device starts. With REPLY_ACK a reply other than 0 says that
 * the backend does not take these values, and nothing has changed.
 */
#ifndef VHOST_USER_NET_RSS_H
#define VHOST_USER_NET_RSS_H

#include <linux/types.h>

/* A protocol feature, and a request. */
#define VHOST_USER_PROTOCOL_F_NET_RSS	56
#define VHOST_USER_NET_SET_RSS		63

#define VHOST_USER_NET_RSS_KEY_BYTES	40
#define VHOST_USER_NET_RSS_ENTRIES_MAX	128

/* In the byte order of the host, as all of vhost-user. */
struct vhost_user_net_rss {
	__u32 hash_types;	/* VIRTIO_NET_RSS_HASH_TYPE_..., without those with _EX */
	__u16 entries;		/* a power of two; 0: the guest has no RSS any more */
	__u8 unclassified;	/* pair of queues for frames without a hash */
	__u8 padding;
	__u8 key[VHOST_USER_NET_RSS_KEY_BYTES];
	__u8 pair[VHOST_USER_NET_RSS_ENTRIES_MAX];
};

#endif /* VHOST_USER_NET_RSS_H */
