/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vhost-user messages as a frontend sends them (QEMU's docs/interop/
 * vhost-user.rst): layout, numbers, and one exchange over the socket.
 */
#ifndef NATIVE_VUMSG_H
#define NATIVE_VUMSG_H

#include <linux/vhost_types.h>

#include "rp.h"

enum vu_request {
	VU_GET_FEATURES = 1,
	VU_SET_FEATURES = 2,
	VU_SET_OWNER = 3,
	VU_SET_MEM_TABLE = 5,
	VU_SET_VRING_NUM = 8,
	VU_SET_VRING_ADDR = 9,
	VU_SET_VRING_BASE = 10,
	VU_SET_VRING_KICK = 12,
	VU_SET_VRING_CALL = 13,
	VU_GET_PROTOCOL_FEATURES = 15,
	VU_SET_PROTOCOL_FEATURES = 16,
	VU_GET_QUEUE_NUM = 17,
	VU_SET_VRING_ENABLE = 18,
	VU_GET_CONFIG = 24,
};

#define VU_VERSION		0x1u
#define VU_FLAG_REPLY		0x4u
#define VU_FLAG_NEED_REPLY	0x8u

#define VU_F_PROTOCOL_FEATURES	30	/* among the virtio features */
#define VU_PROTO_MQ		0
#define VU_PROTO_REPLY_ACK	3
#define VU_PROTO_CONFIG		9

struct vu_mem_table {
	u32 count;
	u32 padding;
	struct {
		u64 gpa;
		u64 size_bytes;
		u64 user_addr;
		u64 mmap_offset;
	} region[1];
};

struct vu_config {
	u32 offset;
	u32 size;
	u32 flags;
	u8 data[256];
};

#define VU_CONFIG_HEAD_BYTES	12u

struct vu_msg {
	u32 request;
	u32 flags;
	u32 size;		/* of the payload */
	union {
		u64 num;
		struct vhost_vring_state state;
		struct vhost_vring_addr addr;
		struct vu_mem_table mem;
		struct vu_config config;
	} payload;
} __attribute__((packed));

#define VU_HEAD_BYTES	12u

enum vu_wait {
	VU_NO_ANSWER,		/* the message has none */
	VU_ANSWER,		/* the message has one: it comes back in *m */
	VU_ACK,			/* ask for an acknowledgement, check it */
};

const char *vu_request_name(u32 request);

/*
 * Sends *m (request, size and payload are set), with @pass_fd unless it is -1,
 * and waits for what @wait says. 0, or -1 with a line in @error.
 */
int vu_exchange(int fd, struct vu_msg *m, int pass_fd, enum vu_wait wait, u32 timeout_ms,
		char *error, size_t error_bytes);

#endif /* NATIVE_VUMSG_H */
