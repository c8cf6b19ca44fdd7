// SPDX-License-Identifier: GPL-2.0-or-later
/* Decides which vhost-user messages reach libvhost-user. */
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "uapi/vhost_user_net_rss.h"
#include "vring/vring.h"
#include "vumsg.h"

/* Where a message says which queue it is about. */
enum index_at {
	IDX_NONE,
	IDX_STATE,	/* struct vhost_vring_state */
	IDX_ADDR,	/* struct vhost_vring_addr */
	IDX_FD,		/* low byte of a u64; bit 8: no descriptor comes along */
};

#define PAYLOAD(member)	sizeof(((VhostUserMsg *)0)->payload.member)

/* The requests of this device; any other one is refused. */
struct rule {
	u16 min_bytes;
	u16 max_bytes;		/* 0: this request is not offered */
	u8 index;		/* enum index_at */
	u8 scope;		/* enum vumsg_scope */
	const char *(*check)(const VuDev *vu, const VhostUserMsg *m);
	bool extra;		/* not every device's */
};

#define CONFIG_HEAD_BYTES	offsetof(VhostUserConfig, region)

static const char *check_config(const VuDev *vu, const VhostUserMsg *m)
{
	u32 bytes = m->payload.config.size;

	if (bytes > VHOST_USER_MAX_CONFIG_SIZE ||
	    m->size < CONFIG_HEAD_BYTES + bytes)
		return "a configuration message of a wrong size";
	/* The library cannot pass the offset of a read on. */
	if (m->request == VHOST_USER_GET_CONFIG && m->payload.config.offset)
		return "GET_CONFIG with an offset";
	return NULL;
}

static const char *check_num(const VuDev *vu, const VhostUserMsg *m)
{
	u32 num = m->payload.state.num;

	if (!num || num > RP_VRING_MAX_NUM || num & (num - 1))
		return "SET_VRING_NUM: not a power of two in 1..32768";
	return NULL;
}

static const char *check_base(const VuDev *vu, const VhostUserMsg *m)
{
	return m->payload.state.num > 0xffff ?
		"SET_VRING_BASE: more than 65535" : NULL;
}

static bool in_one_region(const VuDev *vu, u64 qva, u64 bytes)
{
	u32 i;

	for (i = 0; i < vu->nregions; i++) {
		const VuDevRegion *r = &vu->regions[i];
		u64 off = qva - r->qva;

		if (off < r->size && bytes <= r->size - off)
			return true;
	}
	return false;
}

static const char *check_addr(const VuDev *vu, const VhostUserMsg *m)
{
	const struct vhost_vring_addr a = m->payload.addr;
	u32 num = vu->vq[a.index].vring.num;

	if (!num)
		return "SET_VRING_ADDR before SET_VRING_NUM";
	/* Alignment: virtio 1.2, sec. 2.7. */
	if (a.desc_user_addr % 16 || a.avail_user_addr % 2 || a.used_user_addr % 4)
		return "SET_VRING_ADDR: a ring that is not aligned";
	if (!in_one_region(vu, a.desc_user_addr, rp_vring_desc_bytes(num)) ||
	    !in_one_region(vu, a.avail_user_addr, rp_vring_avail_bytes(num)) ||
	    !in_one_region(vu, a.used_user_addr, rp_vring_used_bytes(num)))
		return "SET_VRING_ADDR: a ring outside the shared memory";
	return NULL;
}

/*
 * Kick, call and error descriptors are written and read by the queue's thread;
 * on anything else than an eventfd that could mean anything.
 */
static const char *check_eventfd(const VuDev *vu, const VhostUserMsg *m)
{
	char path[64], target[64];
	ssize_t n;

	if (m->payload.u64 & VHOST_USER_VRING_NOFD_MASK)
		return m->fd_num ? "a file descriptor that was not announced" : NULL;
	if (m->fd_num != 1)
		return "a vring message without its file descriptor";
	snprintf(path, sizeof(path), "/proc/self/fd/%d", m->fds[0]);
	n = readlink(path, target, sizeof(target) - 1);
	target[n < 0 ? 0 : n] = '\0';
	return strcmp(target, "anon_inode:[eventfd]") ?
		"a kick, call or error descriptor that is no eventfd" : NULL;
}

/*
 * The library maps a region from the file's start, and after a failure it
 * would unmap what it never mapped. So try it first.
 */
static const char *check_region(const VhostUserMemoryRegion *r, int fd)
{
	struct statfs fs;
	struct stat st;
	u64 end;
	void *p;

	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return "guest memory that is not a regular file";
	/* A fault in a file system of the peer's own could take for ever. */
	if (fstatfs(fd, &fs) < 0 || (u32)fs.f_type == FUSE_SUPER_MAGIC)
		return "guest memory in a FUSE file system";
	if (!r->memory_size ||
	    __builtin_add_overflow(r->memory_size, r->mmap_offset, &end) ||
	    end > (u64)st.st_size)
		return "guest memory beyond the end of its file";
	if (r->guest_phys_addr + r->memory_size < r->guest_phys_addr ||
	    r->userspace_addr + r->memory_size < r->userspace_addr)
		return "guest memory that wraps round";
	/* A piece of a huge page cannot be unmapped; a block is a page there. */
	if ((u32)fs.f_type == HUGETLBFS_MAGIC && end % (u64)fs.f_bsize)
		return "guest memory that is no whole huge pages";
	p = mmap(NULL, end, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE,
		 fd, 0);
	if (p == MAP_FAILED)
		return "guest memory that cannot be mapped";
	return munmap(p, end) < 0 ? "guest memory that cannot be unmapped" : NULL;
}

static const char *check_mem_table(const VuDev *vu, const VhostUserMsg *m)
{
	const VhostUserMemory mem = m->payload.memory;
	const char *why = NULL;
	u32 i;

	if (mem.nregions > VHOST_MEMORY_BASELINE_NREGIONS ||
	    (int)mem.nregions != m->fd_num ||
	    m->size < offsetof(VhostUserMemory, regions) +
		      mem.nregions * sizeof(mem.regions[0]))
		return "SET_MEM_TABLE: a number of regions that does not fit";
	for (i = 0; i < mem.nregions && !why; i++)
		why = check_region(&mem.regions[i], m->fds[i]);
	return why;
}

static const char *check_add_region(const VuDev *vu, const VhostUserMsg *m)
{
	const VhostUserMemoryRegion r = m->payload.memreg.region;

	if (m->fd_num != 1)
		return "ADD_MEM_REG without its file descriptor";
	if (vu->nregions >= VHOST_USER_MAX_RAM_SLOTS)
		return "ADD_MEM_REG: more than 32 regions";
	return check_region(&r, m->fds[0]);
}

static const char *check_rem_region(const VuDev *vu, const VhostUserMsg *m)
{
	return m->fd_num > 1 ? "REM_MEM_REG with many file descriptors" : NULL;
}

static const char *check_log_base(const VuDev *vu, const VhostUserMsg *m)
{
	return m->fd_num == 1 ? NULL : "SET_LOG_BASE without its file descriptor";
}

static const char *check_log_fd(const VuDev *vu, const VhostUserMsg *m)
{
	return m->fd_num == 1 ? NULL : "SET_LOG_FD without its file descriptor";
}

#define REGION_BYTES (PAYLOAD(memreg))

#define RULES		64u	/* a bit of @extra each */

_Static_assert((u32)VHOST_USER_MAX <= VHOST_USER_NET_SET_RSS && VHOST_USER_NET_SET_RSS < RULES,
	       "our own request is none of the library's");
_Static_assert(sizeof(struct vhost_user_net_rss) <= sizeof(((VhostUserMsg *)0)->payload),
	       "it fits a message");
_Static_assert((u32)VUMSG_REQUESTS <= VHOST_USER_NET_SET_RSS, "nor one of the standard's");

static const struct rule rules[RULES] = {
	[VHOST_USER_GET_FEATURES] = { 0, PAYLOAD(u64) },
	[VHOST_USER_SET_FEATURES] =
		{ PAYLOAD(u64), PAYLOAD(u64), .scope = VUMSG_ALL_QUEUES },
	[VHOST_USER_SET_OWNER] = { 0, PAYLOAD(u64) },
	[VHOST_USER_RESET_OWNER] = { 0, PAYLOAD(u64), .scope = VUMSG_ALL_QUEUES },
	[VHOST_USER_GET_PROTOCOL_FEATURES] = { 0, PAYLOAD(u64) },
	[VHOST_USER_SET_PROTOCOL_FEATURES] = { PAYLOAD(u64), PAYLOAD(u64) },
	[VHOST_USER_GET_QUEUE_NUM] = { 0, PAYLOAD(u64) },
	[VHOST_USER_GET_MAX_MEM_SLOTS] = { 0, PAYLOAD(u64) },
	[VHOST_USER_SET_MEM_TABLE] =
		{ offsetof(VhostUserMemory, regions), PAYLOAD(memory),
		  .scope = VUMSG_ALL_QUEUES, .check = check_mem_table },
	[VHOST_USER_ADD_MEM_REG] =
		{ REGION_BYTES, REGION_BYTES,
		  .scope = VUMSG_ALL_QUEUES, .check = check_add_region },
	[VHOST_USER_REM_MEM_REG] =
		{ REGION_BYTES, REGION_BYTES,
		  .scope = VUMSG_ALL_QUEUES, .check = check_rem_region },
	[VHOST_USER_SET_VRING_NUM] =
		{ PAYLOAD(state), PAYLOAD(state), IDX_STATE, VUMSG_RING,
		  check_num },
	[VHOST_USER_SET_VRING_ADDR] =
		{ PAYLOAD(addr), PAYLOAD(addr), IDX_ADDR, VUMSG_RING,
		  check_addr },
	[VHOST_USER_SET_VRING_BASE] =
		{ PAYLOAD(state), PAYLOAD(state), IDX_STATE, VUMSG_RING,
		  check_base },
	[VHOST_USER_GET_VRING_BASE] =
		{ PAYLOAD(state), PAYLOAD(state), IDX_STATE, VUMSG_RING },
	[VHOST_USER_SET_VRING_ENABLE] =
		{ PAYLOAD(state), PAYLOAD(state), IDX_STATE, VUMSG_QUEUE },
	[VHOST_USER_SET_VRING_KICK] =
		{ PAYLOAD(u64), PAYLOAD(u64), IDX_FD, VUMSG_QUEUE,
		  check_eventfd },
	[VHOST_USER_SET_VRING_CALL] =
		{ PAYLOAD(u64), PAYLOAD(u64), IDX_FD, VUMSG_QUEUE,
		  check_eventfd },
	[VHOST_USER_SET_VRING_ERR] =
		{ PAYLOAD(u64), PAYLOAD(u64), IDX_FD, VUMSG_QUEUE,
		  check_eventfd },
	[VHOST_USER_GET_CONFIG] =
		{ CONFIG_HEAD_BYTES, PAYLOAD(config),
		  .check = check_config },
	[VHOST_USER_SET_CONFIG] =
		{ CONFIG_HEAD_BYTES, PAYLOAD(config),
		  .check = check_config },
	[VHOST_USER_NET_SET_MTU] = { PAYLOAD(u64), PAYLOAD(u64), .extra = true },
	[VHOST_USER_NET_SET_RSS] = { sizeof(struct vhost_user_net_rss),
				     sizeof(struct vhost_user_net_rss), .extra = true },
	[VHOST_USER_SET_LOG_BASE] =
		{ PAYLOAD(log), PAYLOAD(log), .scope = VUMSG_ALL_QUEUES,
		  .check = check_log_base, .extra = true },
	[VHOST_USER_SET_LOG_FD] =
		{ 0, PAYLOAD(u64), .check = check_log_fd, .extra = true },
	[VHOST_USER_SEND_RARP] = { PAYLOAD(u64), PAYLOAD(u64), .extra = true },
	[VUMSG_RESET_DEVICE] =
		{ 0, PAYLOAD(u64), .scope = VUMSG_ALL_QUEUES, .extra = true },
	[VUMSG_SET_STATUS] =
		{ PAYLOAD(u64), PAYLOAD(u64), .scope = VUMSG_ALL_QUEUES, .extra = true },
	[VUMSG_GET_STATUS] = { 0, PAYLOAD(u64), .extra = true },
};

static u32 queue_of(const VhostUserMsg *m, enum index_at at)
{
	switch (at) {
	case IDX_STATE:
		return m->payload.state.index;
	case IDX_ADDR:
		return m->payload.addr.index;
	case IDX_FD:
		return m->payload.u64 & VHOST_USER_VRING_IDX_MASK;
	default:
		return 0;
	}
}

const char *vumsg_check(const VuDev *vu, const VhostUserMsg *msg, u64 extra,
			enum vumsg_scope *scope, u32 *queue)
{
	u32 request = (u32)msg->request;
	const struct rule *r;

	if (request >= RULES || !rules[request].max_bytes)
		return "a request that this device does not offer";
	r = &rules[request];
	if (r->extra && !(extra >> request & 1))
		return "a request that this device does not offer";
	if (msg->size < r->min_bytes || msg->size > r->max_bytes)
		return "a message of a wrong size";
	if ((msg->flags & VHOST_USER_VERSION_MASK) != 1 ||
	    msg->flags & VHOST_USER_REPLY_MASK)
		return "a message with wrong flags";
	*scope = r->scope;
	*queue = queue_of(msg, r->index);
	if (*queue >= vu->max_queues)
		return "a message about a queue that does not exist";
	if (r->check)
		return r->check(vu, msg);
	return msg->fd_num ? "a message with file descriptors it may not have" :
		NULL;
}
