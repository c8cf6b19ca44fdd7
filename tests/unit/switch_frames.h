/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Frames of stations at a switch's ports, and what comes out of it, for cmocka. */
#ifndef TEST_SWITCH_FRAMES_H
#define TEST_SWITCH_FRAMES_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "switch_fixture.h"

#define NOW		1000u

static struct fix x;
/* Ports 0 and 1 in VLAN 10, 2 in VLAN 20; 3 has both, tagged, and 1 untagged. */
static struct switch_port_options opt[FIX_PORTS];
static u8 buffers[BATCH_PACKETS][FIX_BYTES];

static inline int set_up(void **state)
{
	u32 i;

	memset(opt, 0, sizeof(opt));
	for (i = 0; i < FIX_PORTS; i++) {
		opt[i].pairs = 1;
		opt[i].macs = 16;
	}
	opt[0].vlan.untagged = opt[1].vlan.untagged = 10;
	opt[2].vlan.untagged = 20;
	opt[3].vlan.untagged = 1;
	vlan_allow(&opt[3].vlan, 10);
	vlan_allow(&opt[3].vlan, 20);
	return fix_init(&x, opt) ? 0 : -1;
}

static inline int tear_down(void **state)
{
	switch_fini(&x.sw);
	return 0;
}

/* ---- Frames ---- */

/* Of station @from to station @to (0: broadcast), with @tags, 0 ends them. */
static inline u32 build(u8 *f, u32 to, u32 from, const u32 *tags, u32 payload)
{
	u32 n = 12, i;

	memset(f, to ? 0 : 0xff, 6);
	memset(f + 6, 0, 6);
	if (to) {
		f[0] = 2;
		f[5] = (u8)to;
	}
	f[6] = 2;
	f[11] = (u8)from;
	for (; tags && *tags; tags++, n += 4) {
		u16 tci = __builtin_bswap16((u16)*tags);

		f[n] = 0x81;
		f[n + 1] = 0;
		memcpy(f + n + 2, &tci, 2);
	}
	f[n++] = 0x88;
	f[n++] = 0xb5;
	for (i = 0; i < payload; i++)
		f[n++] = (u8)(i * 3 + from);
	return n;
}

#define TAG(...) ((const u32[]){ __VA_ARGS__, 0 })
/* A tag of VLAN 0: priority 5. */
#define PRIORITY	0xa000u

static inline enum drop transmit_cut(u32 port, u32 to, u32 from, const u32 *tags, const u32 *cut)
{
	struct packet *p;

	fix_begin(&x);
	p = fix_add(&x, buffers[0], build(buffers[0], to, from, tags, 60), cut);
	assert_int_equal(fix_forward(&x, port, NOW), 1);
	return p->drop;
}

static inline enum drop transmit(u32 port, u32 to, u32 from, const u32 *tags)
{
	return transmit_cut(port, to, from, tags, NULL);
}

/* What @port has is that frame and nothing else; forgets it. */
static inline void expect(u32 port, u32 to, u32 from, const u32 *tags)
{
	struct fix_rx *rx = &x.rx[port][0];
	u8 f[FIX_BYTES];
	u32 n = build(f, to, from, tags, 60);

	assert_int_equal(rx->n, 1);
	assert_int_equal(rx->kept[0].bytes, n);
	assert_memory_equal(rx->kept[0].frame, f, n);
	rx->n = 0;
}

static inline void expect_nothing(void)
{
	u32 i, k;

	for (i = 0; i < FIX_PORTS; i++)
		for (k = 0; k < opt[i].pairs; k++)
			assert_int_equal(x.rx[i][k].n, 0);
}

#endif /* TEST_SWITCH_FRAMES_H */
