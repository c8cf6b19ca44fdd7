/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copies of packets' bytes from guest to guest. */
#ifndef RINGPACED_COPY_H
#define RINGPACED_COPY_H

#include <emmintrin.h>

#include "rp.h"

#define COPY_INLINE_BYTES	192u

static inline void copy_word(u8 *to, const u8 *from)
{
	u64 word;

	memcpy(&word, from, sizeof(word));
	memcpy(to, &word, sizeof(word));
}

/*
 * As memcpy(). Small packets are most of those that matter, and a call costs as
 * much as their copy. The source may change meanwhile: then the copy is some
 * mixture of both, and that is the sender's affair.
 */
static inline void copy_bytes(u8 *to, const u8 *from, u32 bytes)
{
	u32 i;

	/* A frame's front, that a switch has rewritten. */
	if (bytes >= sizeof(u64) && bytes < sizeof(__m128i)) {
		copy_word(to, from);
		copy_word(to + bytes - sizeof(u64), from + bytes - sizeof(u64));
		return;
	}
	if (unlikely(bytes < sizeof(u64) || bytes > COPY_INLINE_BYTES)) {
		memcpy(to, from, bytes);
		return;
	}
	for (i = 0; i + sizeof(__m128i) < bytes; i += sizeof(__m128i))
		_mm_storeu_si128((__m128i *)(to + i),
				 _mm_loadu_si128((const __m128i *)(from + i)));
	/* The rest, and a part once more. */
	i = bytes - (u32)sizeof(__m128i);
	_mm_storeu_si128((__m128i *)(to + i),
			 _mm_loadu_si128((const __m128i *)(from + i)));
}

#endif /* RINGPACED_COPY_H */
