// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * libFuzzer target: the input is guest memory, rings included, and the device
 * side serves what it finds there. Crashes, hangs and sanitizer reports count,
 * and so does a segment that is not guest memory.
 */
#include <stdlib.h>

#include "../unit/ring_fixture.h"

#define SLOTS	8u

int LLVMFuzzerTestOneInput(const u8 *data, size_t bytes);

static struct guest guest;

static void touch(const struct rp_seg *s, bool write)
{
	u32 i;

	if (!s->bytes || guest_gpa(&guest, s->base) == ~0ULL ||
	    guest_gpa(&guest, (u8 *)s->base + s->bytes - 1) == ~0ULL)
		abort();
	for (i = 0; i < s->bytes; i++)
		if (write)
			((volatile u8 *)s->base)[i] = 0;
		else
			(void)((volatile u8 *)s->base)[i];
}

static void serve(struct rp_dev *d)
{
	struct rp_buf buf[SLOTS];
	struct rp_chain c;
	u32 i, n = rp_dev_get_burst(d, buf, SLOTS);

	for (i = 0; i < n; i++) {
		touch(&(struct rp_seg){ buf[i].base, buf[i].bytes }, buf[i].write);
		rp_dev_put(d, buf[i].head, 0);
	}
	while (rp_dev_get(d, &c)) {
		for (i = 0; i < c.n_out + c.n_in; i++)
			touch(&c.seg[i], i >= c.n_out);
		rp_dev_put(d, c.head, c.in_bytes);
		if (++n > SLOTS)
			abort();
	}
	rp_dev_publish(d);
	rp_dev_need_call(d);
	rp_dev_arm(d, 1);
	rp_dev_disarm(d);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t bytes)
{
	size_t half = bytes / 2;
	struct rp_dev d;

	if (!guest.bytes) {
		if (!guest_init(&guest, SLOTS, GUEST_PAGE))
			abort();
		/* Small guest addresses are easier to hit. */
		guest.mem.region[0].gpa = GUEST_PAGE;
		guest.mem.region[1].gpa = 2 * GUEST_PAGE;
	}
	if (half > GUEST_PAGE)
		return 0;
	memset(guest.mem.region[0].va, 0, GUEST_PAGE);
	memset(guest.mem.region[1].va, 0, GUEST_PAGE);
	memcpy(guest.mem.region[0].va, data, half);
	memcpy(guest.mem.region[1].va, data + half, bytes - half < GUEST_PAGE ?
	       bytes - half : GUEST_PAGE);
	if (!rp_dev_init(&d, &guest.ring, &guest.mem, true, 0))
		serve(&d);
	return 0;
}
