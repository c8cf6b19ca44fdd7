/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copies of packets' bytes from guest to guest. */
#ifndef RINGPACED_COPY_H
#define RINGPACED_COPY_H

#include <emmintrin.h>

#include "rp.h"

#define COPY_INLINE_BYTES	256u
#define COPY_VECTOR_BYTES	((u32)sizeof(__m128i))
#define COPY_BLOCK_BYTES	(4 * COPY_VECTOR_BYTES)

static inline void copy_word(u8 *to, const u8 *from)
{
	u64 word;

	memcpy(&word, from, sizeof(word));
	memcpy(to, &word, sizeof(word));
}

static inline void copy_vector(u8 *to, const u8 *from)
{
	_mm_storeu_si128((__m128i *)to, _mm_loadu_si128((const __m128i *)from));
}

static inline void copy_block(u8 *to, const u8 *from)
{
	u32 i;

	for (i = 0; i < COPY_BLOCK_BYTES; i += COPY_VECTOR_BYTES)
		copy_vector(to + i, from + i);
}

/*
 * As memcpy(). Small packets are most of those that matter, and a call costs as
 * much as their copy. What is no whole number of pieces is copied with the piece before
 * once more in part, so there is no loop for a rest. The source may change meanwhile:
 * then the copy is some mixture of both, and that is the sender's affair.
 */
static inline void copy_bytes(u8 *to, const u8 *from, u32 bytes)
{
	u32 i;

	/* A frame's front, that a switch has rewritten. */
	if (bytes >= sizeof(u64) && bytes < COPY_VECTOR_BYTES) {
		copy_word(to, from);
		copy_word(to + bytes - sizeof(u64), from + bytes - sizeof(u64));
		return;
	}
	if (unlikely(bytes < sizeof(u64) || bytes > COPY_INLINE_BYTES)) {
		memcpy(to, from, bytes);
		return;
	}
	if (bytes <= COPY_BLOCK_BYTES) {
		copy_vector(to, from);
		copy_vector(to + bytes - COPY_VECTOR_BYTES, from + bytes - COPY_VECTOR_BYTES);
		if (bytes <= 2 * COPY_VECTOR_BYTES)
			return;
		copy_vector(to + COPY_VECTOR_BYTES, from + COPY_VECTOR_BYTES);
		i = bytes - 2 * COPY_VECTOR_BYTES;
		copy_vector(to + i, from + i);
		return;
	}
	for (i = 0; i + COPY_BLOCK_BYTES < bytes; i += COPY_BLOCK_BYTES)
		copy_block(to + i, from + i);
	i = bytes - COPY_BLOCK_BYTES;
	copy_block(to + i, from + i);
}

#endif /* RINGPACED_COPY_H */
