// SPDX-License-Identifier: GPL-2.0-or-later
/* Copies of packets in shared memory. */
#include "capture/ring.h"

#define RECORD_BYTES	((u32)sizeof(struct capture_record))
#define FILLER_BYTES	8u	/* ->bytes and ->type */

static u32 aligned(u32 bytes)
{
	return (bytes + CAPTURE_ALIGN - 1) & ~(CAPTURE_ALIGN - 1);
}

/* ---- The writer ---- */

void capture_writer_init(struct capture_writer *w, void *mem, u32 data_bytes, u32 snaplen)
{
	*w = (struct capture_writer){
		.shared = mem, .data = (u8 *)mem + CAPTURE_HEADER_BYTES,
		.size = data_bytes, .snaplen = snaplen,
	};
	w->shared->magic = CAPTURE_MAGIC;
	w->shared->version = CAPTURE_VERSION;
	w->shared->data_bytes = data_bytes;
}

/* Bytes that the reader has left; of one that lies about its position, none. */
static u64 room(const struct capture_writer *w)
{
	/* Pairs with the release in capture_next(): it is done with them. */
	u64 used = w->head - rp_load_acquire(&w->shared->tail);

	return used <= w->size ? w->size - used : 0;
}

static struct capture_record *record_at(struct capture_writer *w)
{
	return (struct capture_record *)(w->data + (w->head & (w->size - 1)));
}

struct capture_record *capture_add(struct capture_writer *w, u64 time_ns, u32 frame_bytes)
{
	u32 caught = frame_bytes < w->snaplen ? frame_bytes : w->snaplen;
	u32 need = aligned(RECORD_BYTES + caught);
	u32 to_end = w->size - (u32)(w->head & (w->size - 1));
	struct capture_record *rec = record_at(w);

	w->seen++;
	if (room(w) < (need > to_end ? (u64)to_end + need : need)) {
		w->lost++;
		return NULL;
	}
	if (need > to_end) {
		rec->bytes = to_end;
		rec->type = CAPTURE_FILLER;
		w->head += to_end;
		rec = record_at(w);
	}
	*rec = (struct capture_record){
		.bytes = need, .type = CAPTURE_PACKET, .time_ns = time_ns,
		.frame_bytes = frame_bytes, .caught = caught,
	};
	w->head += need;
	return rec;
}

void capture_publish(struct capture_writer *w)
{
	rp_store(&w->shared->seen, w->seen);
	rp_store(&w->shared->lost, w->lost);
	/* Pairs with the acquire in capture_peek(). */
	rp_store_release(&w->shared->head, w->head);
}

/* ---- The reader ---- */

bool capture_reader_init(struct capture_reader *r, void *mem, size_t bytes)
{
	struct capture_header *h = mem;

	if (bytes < CAPTURE_HEADER_BYTES || h->magic != CAPTURE_MAGIC ||
	    h->version != CAPTURE_VERSION || h->data_bytes != bytes - CAPTURE_HEADER_BYTES ||
	    !h->data_bytes || h->data_bytes & (h->data_bytes - 1))
		return false;
	*r = (struct capture_reader){
		.shared = h, .data = (u8 *)mem + CAPTURE_HEADER_BYTES, .size = h->data_bytes,
	};
	return true;
}

/* Does a record of @left bytes at most begin there? */
static bool is_sane(const struct capture_record *rec, u32 left)
{
	if (rec->bytes < FILLER_BYTES || rec->bytes > left || rec->bytes % CAPTURE_ALIGN)
		return false;
	if (rec->type == CAPTURE_FILLER)
		return true;
	return rec->type == CAPTURE_PACKET && rec->bytes >= RECORD_BYTES &&
	       rec->caught <= rec->bytes - RECORD_BYTES && rec->caught <= rec->frame_bytes;
}

const struct capture_record *capture_peek(struct capture_reader *r, bool *broken)
{
	/* Pairs with the release in capture_publish(). */
	u64 head = rp_load_acquire(&r->shared->head);

	*broken = head - r->tail > r->size;
	while (!*broken && head != r->tail) {
		u32 at = (u32)(r->tail & (r->size - 1)), left = r->size - at;
		const struct capture_record *rec = (const struct capture_record *)(r->data + at);

		if (head - r->tail < left)
			left = (u32)(head - r->tail);
		*broken = left < FILLER_BYTES || !is_sane(rec, left);
		if (*broken)
			return NULL;
		if (rec->type == CAPTURE_PACKET)
			return rec;
		r->tail += rec->bytes;
	}
	return NULL;
}

void capture_next(struct capture_reader *r)
{
	const struct capture_record *rec =
		(const struct capture_record *)(r->data + (r->tail & (r->size - 1)));

	r->tail += rec->bytes;
	/* Pairs with the acquire in room(). */
	rp_store_release(&r->shared->tail, r->tail);
}
