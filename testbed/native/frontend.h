/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A vhost-user frontend without a VM: our own threads play the guest, of a
 * virtio-pc or of a virtio-net device.
 *
 * Theory of operation. The rings and the data lie in one memfd that is shared
 * with the backend; a "guest address" is an offset into it plus FE_GPA. The
 * memory outlives the backend: when the backend dies, fe_reconnect() shakes
 * hands with the next one and tells it to go on at used->idx. Buffers are
 * completed in order, so everything before that index is done and everything
 * after it is still in the rings: nothing is lost and nothing is done twice,
 * as far as completion tells. The threads that drive the rings need not stop
 * meanwhile.
 *
 * The backend is trusted with the shared memory, but not to answer: every
 * reply has a timeout. One thread at a time, except for the rings themselves.
 * Functions return 0, or -1 with the reason as one line in ->error.
 */
#ifndef NATIVE_FRONTEND_H
#define NATIVE_FRONTEND_H

#include "virtio_pc.h"
#include "vring/driver.h"

#define FE_QUEUES_MAX	(2 * VIRTIO_PC_PAIRS_MAX)
#define FE_GPA		0x100000000ULL

struct fe_options {
	const char *socket;
	u32 queues;		/* how many to set up, from queue 0 on */
	u32 queue_size;		/* slots, a power of two */
	u64 data_bytes;		/* for the caller, beside the rings */
	bool hugepages;		/* of the system's default size */
	u32 timeout_ms;		/* for the connection and for each reply */
	bool net;		/* a virtio-net device; otherwise a virtio-pc one */
	u64 without;		/* features that are not taken, as bits */
};

struct fe_queue {
	struct rp_vring ring;
	int kick_fd;		/* eventfd; write: notify the device */
	int call_fd;		/* eventfd, blocking; read: wait for the device */
};

struct fe {
	struct fe_options opt;
	int fd;			/* the connection, or -1 */
	u64 features;		/* negotiated */
	u64 protocol_features;
	u32 backend_queues;	/* the most that the backend has */
	struct virtio_pc_config config;	/* of a virtio-pc device */
	int mem_fd;
	u8 *mem;
	u64 mem_bytes;
	u8 *data;		/* data_bytes, aligned to 4096 */
	struct fe_queue queue[FE_QUEUES_MAX];
	char error[256];
};

/* Makes the memory, connects and negotiates. @opt->socket must outlive @f. */
int fe_open(struct fe *f, const struct fe_options *opt);
/* Hands the rings over, from index 0 on; the caller has initialised them. */
int fe_start(struct fe *f);
/*
 * After the backend's death: as fe_open() and fe_start(), but with the memory
 * there is, from used->idx on. Rings both ways are then notified once, as the
 * dead backend may have taken a kick, or owed us a call.
 */
int fe_reconnect(struct fe *f);
/* Is the connection up? Does not block. */
bool fe_alive(const struct fe *f);
void fe_close(struct fe *f);

static inline bool fe_has(const struct fe *f, u32 bit)
{
	return f->features >> bit & 1;
}

/* For rp_drv_init(). */
static inline u64 fe_gpa_delta(const struct fe *f)
{
	return FE_GPA - (u64)(uintptr_t)f->mem;
}

#endif /* NATIVE_FRONTEND_H */
