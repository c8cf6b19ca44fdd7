// SPDX-License-Identifier: GPL-2.0-or-later
/* The telemetry page: made by a dataplane, read by others. */
#include "page.h"

#include <sys/mman.h>

#include "clock.h"

/* A writer is done in less than a microsecond, where nobody takes its CPU. */
#define TRIES		8u
/* What is more than any dataplane can have in a turn, or since it began. */
#define MOST_AT_ONCE	(1ULL << 32)
#define MOST_EVER	(1ULL << 53)
/* Counters of other CPUs may be ahead a little; so far ahead is another clock. */
#define AHEAD_NS	1000000000ULL

static size_t bytes_of(u32 threads)
{
	return sizeof(struct dp_page) + threads * sizeof(struct dp_board);
}

/* ---- The dataplane's side ---- */

int dp_page_make(struct dp_page_file *f, u32 threads, u32 batch, u64 tsc_hz)
{
	int rc = sealed_make(&f->mem, "ringpace-telemetry", bytes_of(threads), true);

	f->page = f->mem.mem;
	if (!rc)
		*f->page = (struct dp_page){
			.magic = DP_PAGE_MAGIC, .version = DP_PAGE_VERSION, .threads = threads,
			.batch = batch, .tsc_hz = tsc_hz,
		};
	return rc;
}

void dp_page_unmake(struct dp_page_file *f)
{
	sealed_unmake(&f->mem);
	f->page = NULL;
}

/* ---- The reader's side: opening ---- */

const char *dp_page_check(struct dp_page_view *v, const void *mem, size_t bytes)
{
	const struct dp_page *p = mem;
	u64 tsc_hz;

	*v = (struct dp_page_view){ .bytes = bytes };
	if (bytes < sizeof(*p))
		return "it is too short";
	if (rp_load(&p->magic) != DP_PAGE_MAGIC)
		return "it is no telemetry page";
	if (rp_load(&p->version) != DP_PAGE_VERSION)
		return "it is of another version";
	/* Each once: whoever sent it may write to it all the time. */
	v->threads = rp_load(&p->threads);
	v->batch = rp_load(&p->batch);
	tsc_hz = rp_load(&p->tsc_hz);
	if (!v->threads || v->threads > DP_PAGE_BOARDS_MAX)
		return "it has no threads, or too many";
	if (bytes < bytes_of(v->threads))
		return "it is too short for its threads";
	if (!v->batch || v->batch >= MOST_AT_ONCE / 2)
		return "its batch cannot be";
	if (tsc_hz && (tsc_hz < DP_PAGE_HZ_MIN || tsc_hz > DP_PAGE_HZ_MAX))
		return "its clock cannot be";
	if (tsc_hz)
		rp_clock_init(&v->clock, tsc_hz);
	v->page = p;
	return NULL;
}

const char *dp_page_open(struct dp_page_view *v, int fd)
{
	const char *why;
	size_t bytes;
	void *mem;

	*v = (struct dp_page_view){ 0 };
	why = sealed_open(fd, sizeof(struct dp_page), bytes_of(DP_PAGE_BOARDS_MAX), false, &mem,
			  &bytes);
	if (why)
		return why;
	why = dp_page_check(v, mem, bytes);
	if (why)
		munmap(mem, bytes);
	return why;
}

void dp_page_close(struct dp_page_view *v)
{
	if (v->page)
		munmap((void *)v->page, v->bytes);
	v->page = NULL;
}

/* ---- The reader's side: reading ---- */

/* A thread that was stopped while it wrote stays amid its sample. */
static bool read_board(const struct dp_board *b, struct dp_telemetry *t)
{
	u32 i;

	for (i = 0; i < TRIES; i++)
		if (dp_board_try(b, t))
			return true;
	return false;
}

static bool can_be(const struct dp_telemetry *t, u64 now_ns)
{
	return t->queue < MOST_AT_ONCE && t->tau_items < MOST_AT_ONCE &&
	       t->new_items < MOST_AT_ONCE && t->tau_ns < MOST_EVER && t->items < MOST_EVER &&
	       t->iterations < MOST_EVER && t->busy_ns < MOST_EVER &&
	       (t->taken_ns <= now_ns || t->taken_ns - now_ns <= AHEAD_NS);
}

const char *dp_page_read(const struct dp_page_view *v, u64 now_ns, struct dp_telemetry_all *all)
{
	u64 there = v->clock.tsc_hz ? rp_tsc_to_ns(&v->clock, rp_tsc()) : now_ns, standing = 0, age;
	struct dp_telemetry each[DP_PAGE_BOARDS_MAX];
	u32 i;

	for (i = 0; i < v->threads; i++) {
		const struct dp_board *b = &v->page->board[i];

		/* First: who is seen to have risen has taken its next sample. */
		if (dp_board_rests(b))
			standing |= 1ULL << i;
		if (!read_board(b, &each[i]))
			return "a thread is amid its sample";
		if (!can_be(&each[i], there))
			return "it has numbers that cannot be";
	}
	dp_telemetry_sum(each, v->threads, standing, there, v->batch, all);
	age = all->taken_ns < there ? there - all->taken_ns : 0;
	all->taken_ns = age < now_ns ? now_ns - age : 1;
	return NULL;
}
