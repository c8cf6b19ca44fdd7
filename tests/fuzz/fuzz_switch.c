// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * libFuzzer target: the input is frames, cut into pieces, that guests send into a
 * switch. Beside crashes it counts when a frame comes out at a port that its
 * VLANs do not allow, or with a front that no switch writes.
 */
#include <stdlib.h>

#include "../unit/switch_fixture.h"

int LLVMFuzzerTestOneInput(const u8 *data, size_t bytes);

static struct fix fix;
/* Each frame in memory of its own size, so that a read beyond it is noticed. */
static u8 *frames[BATCH_PACKETS];

static void set_up(void)
{
	struct switch_port_options opt[FIX_PORTS] = { 0 };
	u32 i;

	for (i = 0; i < FIX_PORTS; i++) {
		opt[i].pairs = 1 + i % 2;
		opt[i].macs = 8;
		opt[i].vlan.untagged = (u16)(i < 3 ? 10 * (1 + i / 2) : 1);
	}
	vlan_allow(&opt[3].vlan, 10);
	vlan_allow(&opt[3].vlan, 20);
	if (!fix_init(&fix, opt))
		abort();
}

/* Two bytes of length and cuts, a header's flags and checksum, the frame. */
static size_t add_frame(const u8 *data, size_t bytes)
{
	u32 n = data[0] % 160u, cut[3] = { 1 + data[1] % 16u, 1 + data[1] / 16u, 0 };
	struct packet *p;
	u8 *frame;

	n = n < bytes - 4 ? n : (u32)bytes - 4;
	frame = malloc(n ? n : 1);
	if (!frame)
		abort();
	memcpy(frame, data + 4, n);
	frames[fix.b.n] = frame;
	p = fix_add(&fix, frame, n, cut);
	p->hdr.flags = data[2] & VIRTIO_NET_HDR_F_NEEDS_CSUM;
	p->hdr.csum_start = data[3];
	p->hdr.hdr_len = data[2];
	p->drop = n < PACKET_MIN_BYTES ? DROP_SIZE : DROP_NONE;
	return 4 + n;
}

static void check(u32 port, const struct kept *k)
{
	const u8 *f = k->frame;
	u32 vlan = (f[14] & 15u) << 8 | f[15];

	if (k->bytes < PACKET_MIN_BYTES)
		abort();
	if (f[12] == 0x88 && f[13] == 0xa8)
		abort();
	if (f[12] == 0x81 && !f[13] && (port != 3 || (vlan != 10 && vlan != 20)))
		abort();
}

static void check_all(void)
{
	u32 i, k, n;

	for (i = 0; i < FIX_PORTS; i++)
		for (k = 0; k < FIX_PAIRS; k++) {
			struct fix_rx *rx = &fix.rx[i][k];

			for (n = 0; n < rx->n; n++)
				check(i, &rx->kept[n]);
			rx->n = 0;
		}
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t bytes)
{
	u32 port, i;
	size_t n;

	if (!fix.sw.port_count)
		set_up();
	if (!bytes)
		return 0;
	port = *data % FIX_PORTS;
	fix_begin(&fix);
	for (data++, bytes--; bytes >= 4 && fix.b.n < BATCH_PACKETS; data += n, bytes -= n)
		n = add_frame(data, bytes);
	if (fix.b.n && !fix_forward(&fix, port, rp_tsc()))
		abort();
	check_all();
	for (i = 0; i < fix.b.n; i++)
		free(frames[i]);
	return 0;
}
