/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Device side of a split virtqueue in a guest's memory.
 *
 * Threat model: everything in the rings is written by a hostile guest, at any
 * time, also while we look. Each descriptor is copied once and the copy is
 * checked. Nothing a guest writes makes us read or write outside its memory,
 * loop for ever, or stop: the ring becomes ->broken, with a reason, and every
 * later call returns nothing. Buffers are completed in the order in which they
 * were made available, so that after a crash used->idx tells where to resume.
 * One thread at a time.
 */
#ifndef RP_VRING_DEVICE_H
#define RP_VRING_DEVICE_H

#include "vring/vring.h"

#define RP_MEM_REGIONS_MAX	32

/* A piece of guest memory, mapped here. */
struct rp_mem_region {
	u64 gpa;
	u64 size_bytes;
	u8 *va;
};

struct rp_mem {
	u32 count;
	struct rp_mem_region region[RP_MEM_REGIONS_MAX];
};

/*
 * Local address of @gpa, or NULL if no region has it; *@bytes is cut to what
 * the region has from there on. *@hint remembers the region.
 */
static inline void *rp_mem_piece(const struct rp_mem *m, u32 *hint, u64 gpa,
				 u64 *bytes)
{
	u32 i, j = *hint < m->count ? *hint : 0;

	for (i = 0; i < m->count; i++) {
		const struct rp_mem_region *r = &m->region[j];
		u64 off = gpa - r->gpa;

		if (likely(off < r->size_bytes)) {
			*hint = j;
			if (*bytes > r->size_bytes - off)
				*bytes = r->size_bytes - off;
			return r->va + off;
		}
		j = j + 1 < m->count ? j + 1 : 0;
	}
	return NULL;
}

/* Local address of [gpa, gpa + bytes), or NULL if no single region has it all. */
static inline void *rp_mem_at(const struct rp_mem *m, u64 gpa, u64 bytes)
{
	u32 i;

	for (i = 0; i < m->count; i++) {
		const struct rp_mem_region *r = &m->region[i];
		u64 off = gpa - r->gpa;

		if (off < r->size_bytes && bytes <= r->size_bytes - off)
			return r->va + off;
	}
	return NULL;
}

struct rp_dev {
	struct rp_vring ring;
	const struct rp_mem *mem;
	u32 region_hint;	/* where the last address was found */
	bool event_idx;
	bool armed;
	bool call_owed;		/* see rp_dev_init() */
	u16 event_base;		/* used_idx when the event was put far away */
	const char *broken;	/* NULL, or why the ring was given up */
	u16 last_avail;		/* next available entry to take */
	u16 avail_seen;		/* avail->idx as read last */
	u16 used_idx;		/* next used entry to write (shadow) */
	u16 published;		/* what memory says */
	u16 called;		/* ->published at the last rp_dev_need_call() */
};

/*
 * One buffer, checked: readable segments first, then writable ones. None is
 * empty; a descriptor that spans adjacent memory regions gives several. Of a chain
 * that is longer than seg[] (the standard allows as many as the ring has, and a loop
 * looks the same) this is the beginning, and ->cut tells; the rest was not looked at.
 */
struct rp_chain {
	u16 head;
	u16 n_out;
	u16 n_in;
	u32 out_bytes;
	u32 in_bytes;
	bool cut;
	struct rp_seg seg[RP_CHAIN_MAX];
};

/*
 * The ring's parts must lie in guest memory already, aligned as sec. 2.7 says.
 * @resume_idx: index of the next available entry (used->idx after a crash). 0
 * or -EINVAL. The ring starts disarmed: look before you block. The first
 * rp_dev_need_call() answers true (unless flags forbid it), since a device that
 * went before may have died between publishing and calling; after a resume,
 * ask it at once.
 */
int rp_dev_init(struct rp_dev *d, const struct rp_vring *ring,
		const struct rp_mem *mem, bool event_idx, u16 resume_idx);

/* How many buffers are available; 0 too when broken. */
u32 rp_dev_avail(struct rp_dev *d);

/* A buffer that is one descriptor, as most are. */
struct rp_buf {
	void *base;
	u32 bytes;
	u16 head;
	bool write;		/* device-writable */
};

/*
 * The hot path: takes up to @max buffers and prefetches their first two cache
 * lines, for writing if they are writable. Stops before the first one that is
 * not a plain single descriptor; rp_dev_get() then takes (or refuses) that one,
 * so 0 means "ask rp_dev_get()". One clock reading and one publish a burst.
 */
u32 rp_dev_get_burst(struct rp_dev *d, struct rp_buf *buf, u32 max);
/*
 * Takes the next buffer (indirect ones too). False: none, or broken.
 * The chain stays the device's until rp_dev_put().
 */
bool rp_dev_get(struct rp_dev *d, struct rp_chain *c);
/*
 * Gives buffers back: begin, add each with the bytes that were written, end. Not visible
 * before publish. In between the place in the ring is the caller's copy, which a compiler
 * can keep in registers, whatever is written to the guest's memory meanwhile.
 */
struct rp_dev_puts {
	struct vring_used_elem *elem;
	u32 mask;
	u16 idx;
};

static inline struct rp_dev_puts rp_dev_puts_begin(const struct rp_dev *d)
{
	return (struct rp_dev_puts){ d->ring.used->ring, d->ring.num - 1, d->used_idx };
}

static inline void rp_dev_puts_add(struct rp_dev_puts *s, u16 head, u32 written_bytes)
{
	struct vring_used_elem *e = &s->elem[s->idx++ & s->mask];

	rp_store_diff(&e->id, head);
	rp_store_diff(&e->len, written_bytes);
}

static inline void rp_dev_puts_end(struct rp_dev *d, const struct rp_dev_puts *s)
{
	d->used_idx = s->idx;
}

/* A single one. */
static inline void rp_dev_put(struct rp_dev *d, u16 head, u32 written_bytes)
{
	struct rp_dev_puts s = rp_dev_puts_begin(d);

	rp_dev_puts_add(&s, head, written_bytes);
	rp_dev_puts_end(d, &s);
}
/* Takes back the last @n buffers that were got and not put. */
void rp_dev_unget(struct rp_dev *d, u32 n);
/*
 * Published buffers that the driver may not have looked at yet, from what is in
 * memory; any thread's. *@most: there are no more of them, by the rule that a
 * driver has no more buffers out than the ring has slots. *@told: as many, or
 * less, by the driver's event index, if that lies where it can be; else *@most.
 * False: the guest's indices make no sense.
 */
bool rp_dev_backlog(const struct rp_dev *d, u32 *most, u32 *told);
/* The same: buffers that it has made available and not got back, exactly. */
bool rp_dev_waiting(const struct rp_dev *d, u32 *n);
/* Release; pairs with the driver's acquire of used->idx. */
void rp_dev_publish(struct rp_dev *d);
/* Full barrier, then: does the driver want a call for what was published? */
bool rp_dev_need_call(struct rp_dev *d);
/*
 * The same without the barrier, for who has made one since rp_dev_publish(): one
 * does for all rings that were published before it.
 */
bool rp_dev_wants_call(struct rp_dev *d);
/*
 * Does the driver still ask for a call that was due? As rp_drv_owes_kick();
 * never without EVENT_IDX, where it may have taken back all there is.
 */
bool rp_dev_owes_call(const struct rp_dev *d, u32 *wish);
/*
 * Asks for a kick after @k available buffers, counted from the next to take
 * (fewer when the ring has no room for so many; 1 without EVENT_IDX); full
 * barrier; true if they are there already (or the ring is broken).
 */
bool rp_dev_arm(struct rp_dev *d, u32 k);
/* No kicks, please (as rp_drv_disarm()). */
void rp_dev_disarm(struct rp_dev *d);

#endif /* RP_VRING_DEVICE_H */
