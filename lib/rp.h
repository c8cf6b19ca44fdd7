/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What lib/ needs of its surroundings: integer types, ordered accesses, the
 * time-stamp counter. The same sources compile into kernel modules, daemons
 * and the simulator; this header is the only place that knows the difference.
 */
#ifndef RP_H
#define RP_H

#ifdef __KERNEL__

#include <linux/types.h>
#include <linux/kernel.h>
#include <linux/string.h>
#include <linux/math64.h>
#include <linux/prefetch.h>
#include <asm/barrier.h>
#include <asm/msr.h>
#include <asm/processor.h>

#define rp_load(p)		READ_ONCE(*(p))
#define rp_store(p, v)		WRITE_ONCE(*(p), v)
#define rp_load_acquire(p)	smp_load_acquire(p)
#define rp_store_release(p, v)	smp_store_release(p, v)
#define rp_mb()			smp_mb()
#define rp_relax()		cpu_relax()
#define rp_tsc()		((u64)rdtsc())
#define rp_prefetch_write(p)	prefetchw(p)

#else /* user space */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <x86intrin.h>

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;
typedef int32_t s32;
typedef int64_t s64;

/*
 * __atomic builtins and not <stdatomic.h> types: the objects are virtio's
 * plain little-endian integers in shared memory.
 */
#define rp_load(p)		__atomic_load_n(p, __ATOMIC_RELAXED)
#define rp_store(p, v)		__atomic_store_n(p, v, __ATOMIC_RELAXED)
#define rp_load_acquire(p)	__atomic_load_n(p, __ATOMIC_ACQUIRE)
#define rp_store_release(p, v)	__atomic_store_n(p, v, __ATOMIC_RELEASE)
#define rp_relax()		_mm_pause()
#define rp_tsc()		((u64)__rdtsc())
/*
 * Fetches a line for writing. By hand, since the compiler's builtin emits a
 * fetch for reading unless told the CPU; where unknown it is a no-op.
 */
#define rp_prefetch_write(p)	\
	__asm__ __volatile__("prefetchw %0" : : "m"(*(const char *)(p)))

#ifdef __SANITIZE_THREAD__
/* ThreadSanitizer does not model fences; a locked operation it does. */
extern u32 rp_tsan_fence;
#define rp_mb()			((void)__atomic_fetch_add(&rp_tsan_fence, 1, __ATOMIC_SEQ_CST))
#else
/* A locked add to the stack: a full barrier, cheaper than mfence on x86. */
#define rp_mb()			__asm__ __volatile__("lock; addl $0,-4(%%rsp)" ::: "memory", "cc")
#endif

#ifndef likely
#define likely(x)		__builtin_expect(!!(x), 1)
#define unlikely(x)		__builtin_expect(!!(x), 0)
#endif

#endif /* __KERNEL__ */

/* Adds to what one thread writes and others may read at any time. */
#define rp_add(p, n)		rp_store(p, *(p) + (n))

/* Nanoseconds and counter ticks, by one multiplication each way. */
struct rp_clock {
	u64 tsc_hz;
	u64 ns_mult;		/* ns = tsc * ns_mult >> 32 */
	u64 tsc_mult;		/* tsc = ns * tsc_mult >> 32 */
};

static inline void rp_clock_init(struct rp_clock *c, u64 tsc_hz)
{
	c->tsc_hz = tsc_hz;
	c->ns_mult = (1000000000ULL << 32) / tsc_hz;
	/* No 128-bit division: the kernel has none. tsc_hz < 2^44. */
	c->tsc_mult = ((tsc_hz / 1000000000U) << 32) +
		      ((tsc_hz % 1000000000U) << 32) / 1000000000U;
}

static inline u64 rp_tsc_to_ns(const struct rp_clock *c, u64 tsc)
{
	return (u64)((unsigned __int128)tsc * c->ns_mult >> 32);
}

static inline u64 rp_ns_to_tsc(const struct rp_clock *c, u64 ns)
{
	return (u64)((unsigned __int128)ns * c->tsc_mult >> 32);
}

#endif /* RP_H */
