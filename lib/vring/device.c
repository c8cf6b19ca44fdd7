// SPDX-License-Identifier: GPL-2.0-or-later
/* Device side of a split virtqueue (virtio 1.2, sec. 2.7). */
#include "vring/device.h"

#include <errno.h>

#define LINE_BYTES	64u

static bool part_ok(const struct rp_mem *m, const void *part, size_t bytes,
		    size_t align)
{
	uintptr_t at = (uintptr_t)part;
	u32 i;

	if (at % align)
		return false;
	for (i = 0; i < m->count; i++) {
		u64 off = at - (uintptr_t)m->region[i].va;

		if (off < m->region[i].size_bytes &&
		    bytes <= m->region[i].size_bytes - off)
			return true;
	}
	return false;
}

int rp_dev_init(struct rp_dev *d, const struct rp_vring *ring,
		const struct rp_mem *mem, bool event_idx, u16 resume_idx)
{
	u32 num = ring->num;

	memset(d, 0, sizeof(*d));
	if (!num || num > RP_VRING_MAX_NUM || (num & (num - 1)) ||
	    mem->count > RP_MEM_REGIONS_MAX ||
	    !part_ok(mem, ring->desc, rp_vring_desc_bytes(num), VRING_DESC_ALIGN_SIZE) ||
	    !part_ok(mem, ring->avail, rp_vring_avail_bytes(num), VRING_AVAIL_ALIGN_SIZE) ||
	    !part_ok(mem, ring->used, rp_vring_used_bytes(num), VRING_USED_ALIGN_SIZE))
		return -EINVAL;
	d->ring = *ring;
	d->mem = mem;
	d->event_idx = event_idx;
	d->call_owed = true;
	d->last_avail = resume_idx;
	d->avail_seen = resume_idx;
	d->used_idx = resume_idx;
	d->published = resume_idx;
	d->called = resume_idx;
	rp_dev_disarm(d);
	return 0;
}

static u32 set_broken(struct rp_dev *d, const char *why)
{
	d->broken = why;
	d->avail_seen = d->last_avail;
	return 0;
}

u32 rp_dev_avail(struct rp_dev *d)
{
	u16 idx, n;

	if (unlikely(d->broken))
		return 0;
	/* Pairs with the driver's release of avail->idx: index before entries. */
	idx = rp_load_acquire(&d->ring.avail->idx);
	n = (u16)(idx - d->last_avail);
	/* Of num descriptors, no more than num buffers can be out. */
	if (unlikely(n > d->ring.num || (u16)(idx - d->used_idx) > d->ring.num))
		return set_broken(d, "available index jumps by more than the ring's size");
	d->avail_seen = idx;
	return n;
}

/*
 * A private copy of a descriptor, table of any alignment. The compiler must
 * not read the original again after the copy has been checked.
 */
static struct vring_desc copy_desc(const u8 *table, u32 i)
{
	struct vring_desc desc;

	memcpy(&desc, table + (size_t)i * sizeof(desc), sizeof(desc));
	__asm__ __volatile__("" : : "r"(&desc) : "memory");
	return desc;
}

static const char *add_desc(struct rp_dev *d, struct rp_chain *c,
			    const struct vring_desc *desc)
{
	bool write = desc->flags & VRING_DESC_F_WRITE;
	u64 addr = desc->addr, left = desc->len, piece;

	if (!left)
		return "descriptor of length 0";
	if (addr + (left - 1) < addr)
		return "buffer wraps around the address space";
	if (!write && c->n_in)
		return "readable descriptor after a writable one";
	if ((u64)c->out_bytes + c->in_bytes + left > UINT32_MAX)
		return "chain of 4 GiB or more";
	if (write)
		c->in_bytes += desc->len;
	else
		c->out_bytes += desc->len;
	for (; left; addr += piece, left -= piece) {
		struct rp_seg *s = &c->seg[c->n_out + c->n_in];

		if (c->n_out + c->n_in == RP_CHAIN_MAX) {
			*(write ? &c->in_bytes : &c->out_bytes) -= (u32)left;
			c->cut = true;
			return NULL;
		}
		piece = left;
		s->base = rp_mem_piece(d->mem, &d->region_hint, addr, &piece);
		if (!s->base)
			return "buffer outside guest memory";
		s->bytes = (u32)piece;
		if (write)
			c->n_in++;
		else
			c->n_out++;
	}
	return NULL;
}

/*
 * Walks the chain that starts at entry @i of a table. @left: descriptors that
 * are still taken, which ends every loop.
 */
static const char *walk(struct rp_dev *d, struct rp_chain *c, const u8 *table,
			u32 entries, u32 i, bool indirect, u32 left)
{
	struct vring_desc desc;
	const char *why;

	for (;; i = desc.next) {
		if (i >= entries)
			return "next descriptor is not in the table";
		desc = copy_desc(table, i);
		if (desc.flags & VRING_DESC_F_INDIRECT)
			break;
		if (!left--) {
			c->cut = true;
			return NULL;
		}
		why = add_desc(d, c, &desc);
		if (why || c->cut || !(desc.flags & VRING_DESC_F_NEXT))
			return why;
	}
	if (indirect)
		return "indirect table inside an indirect table";
	if (desc.flags & VRING_DESC_F_NEXT)
		return "indirect descriptor with a next one";
	if (!desc.len || desc.len % sizeof(desc))
		return "indirect table's length is no multiple of 16";
	table = rp_mem_at(d->mem, desc.addr, desc.len);
	if (!table)
		return "indirect table outside guest memory";
	return walk(d, c, table, desc.len / (u32)sizeof(desc), 0, true, left);
}

/* Where the last buffer was found; an empty region if there is none like it any more. */
static struct rp_mem_region near_region(const struct rp_dev *d)
{
	return d->region_hint < d->mem->count ? d->mem->region[d->region_hint] :
		(struct rp_mem_region){ 0 };
}

/* The buffer is in another region: out of line, so that the loop keeps its registers. */
static __attribute__((noinline)) void *
find_buffer(struct rp_dev *d, struct rp_mem_region *near, u64 addr, u32 bytes)
{
	u64 piece = bytes;
	void *at = rp_mem_piece(d->mem, &d->region_hint, addr, &piece);

	if (!at || piece != bytes)
		return NULL;
	*near = near_region(d);
	return at;
}

/*
 * One plain descriptor? Anything else, faults included, is rp_dev_get()'s. Most lie in
 * @near, where the last one did, so that is looked at first.
 */
static inline bool get_plain(struct rp_dev *d, const struct rp_vring *r,
			     struct rp_mem_region *near, u16 at, struct rp_buf *b)
{
	u32 mask = r->num - 1, head = rp_load(&r->avail->ring[at & mask]), bytes;
	const struct vring_desc *p;
	u64 addr, off;
	u16 flags;

	if (unlikely(head > mask))
		return false;
	p = &r->desc[head];
	addr = rp_load(&p->addr);
	bytes = rp_load(&p->len);
	flags = rp_load(&p->flags);
	if (unlikely(!bytes || flags & (VRING_DESC_F_NEXT | VRING_DESC_F_INDIRECT)))
		return false;
	off = addr - near->gpa;
	b->base = likely(off < near->size_bytes && bytes <= near->size_bytes - off) ?
		near->va + off : find_buffer(d, near, addr, bytes);
	b->bytes = bytes;
	b->head = (u16)head;
	b->write = flags & VRING_DESC_F_WRITE;
	return likely(b->base);
}

/*
 * Its first two lines, next to each other: the first buffer is then there while others are
 * still under way. Of one that is to be written for writing at once: to fetch it for reading
 * first makes two transfers of one.
 */
static inline void prefetch(const struct rp_buf *b)
{
	const u8 *last = (const u8 *)b->base + (b->bytes > LINE_BYTES ? LINE_BYTES : 0);

	if (b->write) {
		rp_prefetch_write(b->base);
		rp_prefetch_write(last);
	} else {
		__builtin_prefetch(b->base);
		__builtin_prefetch(last);
	}
}

u32 rp_dev_get_burst(struct rp_dev *d, struct rp_buf *buf, u32 max)
{
	u32 i, n = (u16)(d->avail_seen - d->last_avail);
	const struct rp_vring ring = d->ring;
	struct rp_mem_region near;
	u16 at = d->last_avail;

	if (!n)
		n = rp_dev_avail(d);
	if (!n)
		return 0;
	n = n < max ? n : max;
	near = near_region(d);
	for (i = 0; i < n && get_plain(d, &ring, &near, (u16)(at + i), &buf[i]); i++)
		prefetch(&buf[i]);
	d->last_avail = (u16)(at + i);
	return i;
}

bool rp_dev_get(struct rp_dev *d, struct rp_chain *c)
{
	const char *why;

	if (d->last_avail == d->avail_seen && !rp_dev_avail(d))
		return false;
	c->head = rp_load(&d->ring.avail->ring[d->last_avail & (d->ring.num - 1)]);
	c->n_out = 0;
	c->n_in = 0;
	c->out_bytes = 0;
	c->in_bytes = 0;
	c->cut = false;
	if (unlikely(c->head >= d->ring.num)) {
		set_broken(d, "available entry is no descriptor's index");
		return false;
	}
	why = walk(d, c, (const u8 *)d->ring.desc, d->ring.num, c->head, false,
		   RP_CHAIN_MAX);
	if (unlikely(why)) {
		set_broken(d, why);
		return false;
	}
	d->last_avail++;
	return true;
}

void rp_dev_unget(struct rp_dev *d, u32 n)
{
	d->last_avail = (u16)(d->last_avail - n);
	if (d->broken)
		d->avail_seen = d->last_avail;
}

/* Buffers that are made available and not used, by the ring as it was at one moment. */
static u16 free_now(const struct rp_dev *d, u16 *used)
{
	u32 tries = 0;
	u16 free;

	/* Ours is the same before and after the driver's is read. */
	do {
		*used = rp_load_acquire(&d->ring.used->idx);
		free = (u16)(rp_load_acquire(&d->ring.avail->idx) - *used);
	} while (rp_load(&d->ring.used->idx) != *used && tries++ < 16);
	return free;
}

bool rp_dev_waiting(const struct rp_dev *d, u32 *n)
{
	u16 used;

	*n = free_now(d, &used);
	return *n <= d->ring.num;
}

bool rp_dev_backlog(const struct rp_dev *d, u32 *most, u32 *told)
{
	u16 used, free = free_now(d, &used), behind;

	if (free > d->ring.num)
		return false;
	*most = *told = d->ring.num - free;
	if (!d->event_idx)
		return true;
	behind = (u16)(used - rp_load(rp_used_event(&d->ring)));
	if (behind < *most)
		*told = behind;
	return true;
}

static void put_event_far(struct rp_dev *d)
{
	d->event_base = d->used_idx;
	rp_store(rp_avail_event(&d->ring), rp_event_far(d->used_idx));
}

void rp_dev_publish(struct rp_dev *d)
{
	if (d->event_idx && !d->armed &&
	    unlikely(rp_event_stale(d->event_base, d->used_idx, d->ring.num)))
		put_event_far(d);
	/* Pairs with the driver's acquire of used->idx: elements before index. */
	rp_store_release(&d->ring.used->idx, d->used_idx);
	d->published = d->used_idx;
}

bool rp_dev_wants_call(struct rp_dev *d)
{
	u16 old = d->called;
	bool owed = d->call_owed;

	d->called = d->published;
	d->call_owed = false;
	if (d->published == old && !owed)
		return false;
	if (!d->event_idx)
		return !(rp_load(&d->ring.avail->flags) & VRING_AVAIL_F_NO_INTERRUPT);
	return owed || rp_need_event(rp_load(rp_used_event(&d->ring)),
				     d->published, old);
}

bool rp_dev_need_call(struct rp_dev *d)
{
	/*
	 * Index before event: pairs with the barrier in the driver's arm, which
	 * is between its store of the event and its second look at the index.
	 */
	rp_mb();
	return rp_dev_wants_call(d);
}

bool rp_dev_owes_call(const struct rp_dev *d, u32 *wish)
{
	u16 event;

	if (d->broken || !d->event_idx)
		return false;
	event = rp_load(rp_used_event(&d->ring));
	*wish = (u32)event << 16 | rp_load(&d->ring.avail->idx);
	return rp_event_due(event, d->published, d->ring.num);
}

bool rp_dev_arm(struct rp_dev *d, u32 k)
{
	u32 most = (u16)(d->published + d->ring.num - d->last_avail);

	/* Without EVENT_IDX there are no thresholds. */
	k = k < most ? k : most;
	k = k && d->event_idx ? k : 1;
	d->armed = true;
	if (d->event_idx)
		rp_store(rp_avail_event(&d->ring), (u16)(d->last_avail + k - 1));
	else
		rp_store(&d->ring.used->flags, 0);
	/* Event before index: pairs with the barrier in the driver's need_kick. */
	rp_mb();
	return rp_dev_avail(d) >= k || d->broken;
}

void rp_dev_disarm(struct rp_dev *d)
{
	d->armed = false;
	if (d->event_idx)
		put_event_far(d);
	else
		rp_store(&d->ring.used->flags, VRING_USED_F_NO_NOTIFY);
}
