/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A ring in a guest's memory for tests: two regions, not adjacent in guest
 * addresses, each between pages that may not be touched. The rings lie in the
 * first one; the rest is for buffers.
 */
#ifndef TEST_RING_FIXTURE_H
#define TEST_RING_FIXTURE_H

#include <sys/mman.h>

#include "vring/device.h"
#include "vring/driver.h"

#define GUEST_REGIONS	2u
#define GUEST_PAGE	4096u

struct guest {
	struct rp_mem mem;
	struct rp_vring ring;
	u8 *map[GUEST_REGIONS];	/* with guards */
	u8 *buffers;		/* after the rings */
	u64 bytes;		/* of a region */
};

static inline u64 guest_gpa(const struct guest *g, const void *va)
{
	u32 i;

	for (i = 0; i < GUEST_REGIONS; i++) {
		u64 off = (u64)((uintptr_t)va - (uintptr_t)g->mem.region[i].va);

		if (off < g->bytes)
			return g->mem.region[i].gpa + off;
	}
	return ~0ULL;
}

static inline u8 *guest_align(u8 *p, size_t align)
{
	return p + (-(uintptr_t)p & (align - 1));
}

/* False when memory is short. @bytes is what each region has, in pages. */
static inline bool guest_init(struct guest *g, u32 num, u64 bytes)
{
	u32 i;
	u8 *p;

	memset(g, 0, sizeof(*g));
	g->bytes = bytes;
	g->mem.count = GUEST_REGIONS;
	for (i = 0; i < GUEST_REGIONS; i++) {
		g->map[i] = mmap(NULL, bytes + 2 * GUEST_PAGE, PROT_NONE,
				 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		if (g->map[i] == MAP_FAILED ||
		    mprotect(g->map[i] + GUEST_PAGE, bytes, PROT_READ | PROT_WRITE))
			return false;
		g->mem.region[i] = (struct rp_mem_region){
			.gpa = 0x40000000ULL * (i + 1),
			.size_bytes = bytes,
			.va = g->map[i] + GUEST_PAGE,
		};
	}
	p = g->mem.region[0].va;
	g->ring.num = num;
	g->ring.desc = (struct vring_desc *)p;
	p += rp_vring_desc_bytes(num);
	g->ring.avail = (struct vring_avail *)p;
	p = guest_align(p + rp_vring_avail_bytes(num), 64);
	g->ring.used = (struct vring_used *)p;
	g->buffers = guest_align(p + rp_vring_used_bytes(num), 64);
	return true;
}

static inline void guest_free(struct guest *g)
{
	u32 i;

	for (i = 0; i < GUEST_REGIONS; i++)
		munmap(g->map[i], g->bytes + 2 * GUEST_PAGE);
}

/* For buffers in the first region. */
static inline u64 guest_delta(const struct guest *g)
{
	return g->mem.region[0].gpa - (u64)(uintptr_t)g->mem.region[0].va;
}

#endif /* TEST_RING_FIXTURE_H */
