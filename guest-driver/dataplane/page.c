// SPDX-License-Identifier: GPL-2.0-or-later
/* The telemetry page: made by a dataplane, read by others. */
#include "page.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "clock.h"

#ifndef F_SEAL_FUTURE_WRITE
#define F_SEAL_FUTURE_WRITE	0x10
#endif
#define SEALS		(F_SEAL_SHRINK | F_SEAL_GROW)
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

static int seal(int fd)
{
	/* Older kernels have no seal against those who would write; nothing rests on it. */
	fcntl(fd, F_ADD_SEALS, F_SEAL_FUTURE_WRITE);
	return fcntl(fd, F_ADD_SEALS, SEALS | F_SEAL_SEAL) ? -errno : 0;
}

int dp_page_make(struct dp_page_file *f, u32 threads, u32 batch, u64 tsc_hz)
{
	int err = 0;

	*f = (struct dp_page_file){
		.bytes = bytes_of(threads),
		.fd = memfd_create("ringpace-telemetry", MFD_CLOEXEC | MFD_ALLOW_SEALING),
	};
	if (f->fd < 0)
		return -errno;
	if (ftruncate(f->fd, (off_t)f->bytes))
		err = -errno;
	/* Written to now, so that no thread ever waits for its memory. */
	f->page = err ? MAP_FAILED : mmap(NULL, f->bytes, PROT_READ | PROT_WRITE,
					  MAP_SHARED | MAP_POPULATE, f->fd, 0);
	if (f->page == MAP_FAILED) {
		f->page = NULL;
		err = err ? : -errno;
	} else {
		*f->page = (struct dp_page){
			.magic = DP_PAGE_MAGIC, .version = DP_PAGE_VERSION, .threads = threads,
			.batch = batch, .tsc_hz = tsc_hz,
		};
		err = seal(f->fd);
	}
	if (err) {
		close(f->fd);
		if (f->page)
			munmap(f->page, f->bytes);
		f->page = NULL;
	}
	return err;
}

void dp_page_unmake(struct dp_page_file *f)
{
	if (!f->page)
		return;
	munmap(f->page, f->bytes);
	close(f->fd);
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

/*
 * What makes it safe to read it whatever its sender does: it stays as long as it is, and its
 * pages can be had. Of hugepages there may be none left, which ends who touches them.
 */
static const char *check_file(int fd, size_t *bytes)
{
	int seals = fcntl(fd, F_GET_SEALS);
	struct statfs fs;
	struct stat st;

	if (seals < 0)
		return "it is no memfd";
	if ((seals & SEALS) != SEALS)
		return "it is not sealed against changes of its size";
	if (fstatfs(fd, &fs) || fs.f_type != TMPFS_MAGIC)
		return "it is not of ordinary pages";
	if (fstat(fd, &st) || st.st_size < (off_t)sizeof(struct dp_page))
		return "it is too short";
	if (st.st_size > (off_t)bytes_of(DP_PAGE_BOARDS_MAX))
		return "it is too long";
	*bytes = (size_t)st.st_size;
	return NULL;
}

const char *dp_page_open(struct dp_page_view *v, int fd)
{
	const char *why;
	size_t bytes;
	void *mem;

	*v = (struct dp_page_view){ 0 };
	why = check_file(fd, &bytes);
	if (why)
		return why;
	mem = mmap(NULL, bytes, PROT_READ, MAP_SHARED, fd, 0);
	if (mem == MAP_FAILED)
		return "it cannot be mapped";
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
