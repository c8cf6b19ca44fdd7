// SPDX-License-Identifier: GPL-2.0-or-later
/* Marks guest pages that were written in the frontend's log. */
#include <linux/magic.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include "dirty.h"
#include "log/log.h"
#include "sigbus.h"

#define PAGES_PER_BYTE	8u

const char *dirty_open(struct dirty_log *l, int fd, u64 offset, u64 bytes)
{
	struct statfs fs;
	struct stat st;
	u64 end;
	int watched;
	void *p;

	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return "a dirty log that is not a regular file";
	/* A fault in a file system of the peer's own could take for ever. */
	if (fstatfs(fd, &fs) < 0 || (u32)fs.f_type == FUSE_SUPER_MAGIC)
		return "a dirty log in a FUSE file system";
	/* A page that is missing there is a fault at any time, not only when it was cut off. */
	if ((u32)fs.f_type == HUGETLBFS_MAGIC)
		return "a dirty log in huge pages: it must be plain memory";
	if (!bytes || __builtin_add_overflow(bytes, offset, &end) || end > (u64)st.st_size)
		return "a dirty log beyond the end of its file";
	p = mmap(NULL, end, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, fd, 0);
	if (p == MAP_FAILED)
		return "a dirty log that cannot be mapped";
	watched = sigbus_watch(p, end);
	if (watched < 0) {
		munmap(p, end);
		return "a dirty log, of which there are too many";
	}
	dirty_close(l);
	*l = (struct dirty_log){
		.bits = (u8 *)p + offset, .bytes = bytes, .map = p, .map_bytes = end,
		.watched = watched,
	};
	return NULL;
}

void dirty_close(struct dirty_log *l)
{
	if (!l->bits)
		return;
	sigbus_unwatch(l->watched);
	if (munmap(l->map, l->map_bytes) < 0)
		log_error("a dirty log of %zu bytes stays mapped: %m", l->map_bytes);
	l->bits = NULL;
}

bool dirty_lost(const struct dirty_log *l)
{
	return l->bits && sigbus_lost(l->watched);
}

bool dirty_covers(const struct dirty_log *l, u64 gpa, u64 bytes)
{
	u64 last;

	return l->bits && bytes && !__builtin_add_overflow(gpa, bytes - 1, &last) &&
	       last / DIRTY_PAGE_BYTES / PAGES_PER_BYTE < l->bytes;
}

void dirty_mark(const struct dirty_log *l, u64 gpa, u64 bytes)
{
	u64 page = gpa / DIRTY_PAGE_BYTES, last = (gpa + bytes - 1) / DIRTY_PAGE_BYTES;

	for (; page <= last && page / PAGES_PER_BYTE < l->bytes; page++)
		/* Pairs with the frontend's exchange: the write before its bit. */
		__atomic_fetch_or(&l->bits[page / PAGES_PER_BYTE],
				  (u8)(1u << page % PAGES_PER_BYTE), __ATOMIC_RELEASE);
}

void dirty_mark_at(const struct dirty_log *l, const struct rp_mem *m, u32 *hint,
		   const void *at, u64 bytes)
{
	u32 i, j = *hint < m->count ? *hint : 0;

	for (i = 0; i < m->count; i++) {
		const struct rp_mem_region *r = &m->region[j];
		u64 off = (u64)((uintptr_t)at - (uintptr_t)r->va);

		if (likely(off < r->size_bytes)) {
			*hint = j;
			dirty_mark(l, r->gpa + off, bytes);
			return;
		}
		j = j + 1 < m->count ? j + 1 : 0;
	}
}
