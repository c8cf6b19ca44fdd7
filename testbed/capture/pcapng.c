// SPDX-License-Identifier: GPL-2.0-or-later
/* pcapng, block by block. */
#include "capture/pcapng.h"

enum block { BLOCK_INTERFACE = 1, BLOCK_STATISTICS = 5, BLOCK_PACKET = 6,
	     BLOCK_SECTION = 0x0a0d0d0a };

#define BYTE_ORDER_MAGIC	0x1a2b3c4du
#define LINK_ETHERNET		1u
#define OPTION_BYTES_MAX	0xffffu

/* Options' codes; they mean something in their block only. */
enum option {
	OPT_END = 0, OPT_COMMENT = 1,
	SHB_USERAPPL = 4,
	IF_NAME = 2, IF_DESCRIPTION = 3, IF_TSRESOL = 9,
	EPB_FLAGS = 2, EPB_QUEUE = 6,
	ISB_START = 2, ISB_END = 3, ISB_RECEIVED = 4, ISB_DROPPED = 5,
};

/* A time of two halves. */
struct stamp {
	u32 high, low;
};

static struct stamp stamp_of(u64 ns)
{
	return (struct stamp){ (u32)(ns >> 32), (u32)ns };
}

static u32 padded(u32 bytes)
{
	return (bytes + 3) & ~3u;
}

/* ---- Pieces ---- */

static void put(FILE *f, const void *data, u32 bytes)
{
	static const u8 zero[3];

	fwrite(data, 1, bytes, f);
	fwrite(zero, 1, padded(bytes) - bytes, f);
}

static void put_u32(FILE *f, u32 v)
{
	put(f, &v, sizeof(v));
}

static u32 text_bytes(const char *text)
{
	size_t n = text ? strlen(text) : 0;

	return n < OPTION_BYTES_MAX ? (u32)n : OPTION_BYTES_MAX;
}

static u32 option_bytes(u32 bytes)
{
	return 4 + padded(bytes);
}

static u32 text_option_bytes(const char *text)
{
	return text ? option_bytes(text_bytes(text)) : 0;
}

static void option(FILE *f, enum option code, const void *value, u32 bytes)
{
	const u16 head[2] = { (u16)code, (u16)bytes };

	put(f, head, sizeof(head));
	put(f, value, bytes);
}

static void text_option(FILE *f, enum option code, const char *text)
{
	if (text)
		option(f, code, text, text_bytes(text));
}

static void u64_option(FILE *f, enum option code, u64 v)
{
	option(f, code, &v, sizeof(v));
}

static void time_option(FILE *f, enum option code, u64 ns)
{
	struct stamp t = stamp_of(ns);

	option(f, code, &t, sizeof(t));
}

/* A block's ends; @body: bytes between them, the end of the options included. */
static u32 begin(FILE *f, enum block type, u32 body)
{
	u32 bytes = body + 12;

	put_u32(f, type);
	put_u32(f, bytes);
	return bytes;
}

static void end(FILE *f, u32 bytes)
{
	put_u32(f, OPT_END);
	put_u32(f, bytes);
}

/* ---- Blocks ---- */

void pcapng_begin(FILE *f, const char *program)
{
	static const u16 version[2] = { 1, 0 };
	const s64 length = -1;		/* of the section: not known */
	u32 n = begin(f, BLOCK_SECTION, 16 + text_option_bytes(program) + 4);

	put_u32(f, BYTE_ORDER_MAGIC);
	put(f, version, sizeof(version));
	put(f, &length, sizeof(length));
	text_option(f, SHB_USERAPPL, program);
	end(f, n);
}

void pcapng_interface(FILE *f, const char *name, const char *description, u32 snaplen)
{
	static const u16 link[2] = { LINK_ETHERNET, 0 };
	const u8 nano = 9;		/* 10^-9 s */
	u32 n = begin(f, BLOCK_INTERFACE, 8 + text_option_bytes(name) +
		      text_option_bytes(description) + option_bytes(1) + 4);

	put(f, link, sizeof(link));
	put_u32(f, snaplen);
	text_option(f, IF_NAME, name);
	text_option(f, IF_DESCRIPTION, description);
	option(f, IF_TSRESOL, &nano, 1);
	end(f, n);
}

void pcapng_packet(FILE *f, const struct pcapng_packet *p)
{
	const u32 flags = p->dir;
	struct stamp t = stamp_of(p->time_ns);
	u32 n = begin(f, BLOCK_PACKET, 20 + padded(p->caught) + 2 * option_bytes(4) +
		      text_option_bytes(p->comment) + 4);

	put_u32(f, p->interface);
	put(f, &t, sizeof(t));
	put_u32(f, p->caught);
	put_u32(f, p->bytes);
	put(f, p->data, p->caught);
	option(f, EPB_FLAGS, &flags, sizeof(flags));
	option(f, EPB_QUEUE, &p->queue, sizeof(p->queue));
	text_option(f, OPT_COMMENT, p->comment);
	end(f, n);
}

void pcapng_totals(FILE *f, const struct pcapng_totals *t)
{
	struct stamp now = stamp_of(t->end_ns);
	u32 n = begin(f, BLOCK_STATISTICS, 12 + 4 * option_bytes(8) + 4);

	put_u32(f, t->interface);
	put(f, &now, sizeof(now));
	time_option(f, ISB_START, t->start_ns);
	time_option(f, ISB_END, t->end_ns);
	u64_option(f, ISB_RECEIVED, t->received);
	u64_option(f, ISB_DROPPED, t->lost);
	end(f, n);
}
