/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The Internet checksum (RFC 1071), of data in pieces, as it lies in memory. */
#ifndef RINGPACED_CSUM_H
#define RINGPACED_CSUM_H

#include "rp.h"

/* The sum of @bytes that begin at an even place of what is summed, added to @sum. */
static inline u64 csum_add(u64 sum, const u8 *data, u32 bytes)
{
	u32 word;
	u16 last = 0;

	for (; bytes >= sizeof(word); data += sizeof(word), bytes -= sizeof(word)) {
		memcpy(&word, data, sizeof(word));
		sum += word;
	}
	for (; bytes >= sizeof(last); data += sizeof(last), bytes -= sizeof(last)) {
		memcpy(&last, data, sizeof(last));
		sum += last;
	}
	return bytes ? sum + *data : sum;
}

/* In 16 bits. The checksum is its complement. */
static inline u16 csum_fold(u64 sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (u16)sum;
}

/* The same at an odd place: bytes of the sum change places. */
static inline u64 csum_add_odd(u64 sum, const u8 *data, u32 bytes)
{
	return sum + __builtin_bswap16(csum_fold(csum_add(0, data, bytes)));
}

/*
 * Fills in the checksum at @start + @offset of what follows @start, whose field has the
 * pseudo header's sum by now (virtio 1.2, sec. 5.1.6.2.1); both lie within @bytes.
 */
static inline void csum_complete(u8 *frame, u32 bytes, u32 start, u32 offset)
{
	u16 sum = (u16)~csum_fold(csum_add(0, frame + start, bytes - start));

	sum = sum ? sum : 0xffff;	/* 0 is "none" in UDP */
	memcpy(frame + start + offset, &sum, sizeof(sum));
}

#endif /* RINGPACED_CSUM_H */
