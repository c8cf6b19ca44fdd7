/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A lossy ring of packets' copies in shared memory: from a thread that must never
 * wait to a process that may be slow, stop or lie.
 *
 * Theory of operation. Positions are in bytes and only grow. The writer keeps its own
 * in private memory and publishes it; of the reader it believes only its position, and
 * no further than the ring is long. A record lies in one piece: where the ring's end
 * is too near there is filler. What there is no room for is counted and lost. The
 * writer never reads what it has written, so the reader can spoil nothing but its own
 * records.
 *
 *	writer: records			reader: ->head
 *	        release			        acquire
 *	        ->head			        records
 *	writer: ->tail			reader: has read records
 *	        acquire			        release
 *	        overwrites records	        ->tail
 */
#ifndef RP_CAPTURE_RING_H
#define RP_CAPTURE_RING_H

#include "rp.h"

#define CAPTURE_MAGIC		0x70637072u
#define CAPTURE_VERSION		1u
#define CAPTURE_HEADER_BYTES	4096u
#define CAPTURE_ALIGN		8u

/* Shared memory: the header, and behind it ->data_bytes, a power of two. */
struct capture_header {
	u32 magic, version;
	u32 data_bytes;
	u32 unused[13];
	/* The writer's */
	u64 head;
	u64 seen, lost;		/* packets: all, and those that there was no room for */
	u64 unused2[5];
	/* The reader's */
	u64 tail;
};

_Static_assert(offsetof(struct capture_header, head) == 64, "a line of its own");
_Static_assert(offsetof(struct capture_header, tail) == 128, "a line of its own");

enum capture_type { CAPTURE_FILLER, CAPTURE_PACKET };

struct capture_record {
	u32 bytes;		/* to the next one, a multiple of CAPTURE_ALIGN */
	u16 type;		/* enum capture_type; filler has ->bytes and ->type only */
	u8 reason;		/* why it was dropped, 0: it was not */
	u8 unused;
	u64 time_ns;		/* CLOCK_MONOTONIC */
	u32 frame_bytes, caught;
	u8 data[];		/* ->caught */
};

_Static_assert(offsetof(struct capture_record, data) == 24, "no holes");

/* ---- Of the writer: one thread ---- */

struct capture_writer {
	struct capture_header *shared;
	u8 *data;
	u32 size, snaplen;
	u64 head, seen, lost;
};

/* @mem: CAPTURE_HEADER_BYTES + @data_bytes, zeroed. */
void capture_writer_init(struct capture_writer *w, void *mem, u32 data_bytes, u32 snaplen);
/*
 * A new record of a packet of @frame_bytes, whose ->caught bytes of ->data the caller
 * fills in; NULL: lost. capture_publish() shows all since the last one.
 */
struct capture_record *capture_add(struct capture_writer *w, u64 time_ns, u32 frame_bytes);
void capture_publish(struct capture_writer *w);

/* ---- Of the reader ---- */

struct capture_reader {
	struct capture_header *shared;
	const u8 *data;
	u32 size;
	u64 tail;
};

/* False: @bytes of @mem are no such ring. */
bool capture_reader_init(struct capture_reader *r, void *mem, size_t bytes);
/*
 * The next packet's record, checked, valid until capture_next(); NULL: there is none,
 * or *@broken, what is there makes no sense.
 */
const struct capture_record *capture_peek(struct capture_reader *r, bool *broken);
void capture_next(struct capture_reader *r);

#endif /* RP_CAPTURE_RING_H */
