// SPDX-License-Identifier: GPL-2.0-or-later
/* How far two CPUs are apart: a counter that both count up in turn. */
#include "packets/line.h"

#include <pthread.h>
#include <stdatomic.h>

#include "packets/packets.h"

#define TRY_NS		(NSEC_PER_SEC / 50)
#define EXCHANGES	100

/* Odd: the other thread's turn. Nothing is handed over but the number itself: relaxed. */
struct ball {
	_Alignas(128) _Atomic u64 count;
	_Alignas(128) _Atomic bool stop;
	int cpu;
};

static void *throw_back(void *arg)
{
	struct ball *b = arg;
	bool pinned = !pin_to_cpu(b->cpu);
	u64 next = 1;

	while (pinned && !atomic_load_explicit(&b->stop, memory_order_relaxed))
		if (atomic_load_explicit(&b->count, memory_order_relaxed) == next) {
			atomic_store_explicit(&b->count, next + 1, memory_order_relaxed);
			next += 2;
		}
	return NULL;
}

/* False: the other one was not there any more. */
static bool exchange(struct ball *b, u64 *count, u64 end_ns)
{
	u32 i, spins;

	for (i = 0; i < EXCHANGES; i++) {
		atomic_store_explicit(&b->count, *count + 1, memory_order_relaxed);
		for (spins = 1; atomic_load_explicit(&b->count, memory_order_relaxed) != *count + 2;
		     spins++)
			if (!(spins % 4096) && now_ns() > end_ns)
				return false;
		*count += 2;
	}
	return true;
}

double line_time_ns(int other)
{
	struct ball b = { .cpu = other };
	u64 end = now_ns() + TRY_NS, count = 0, begin;
	double least = UNKNOWN, ns;
	pthread_t thread;

	if (pthread_create(&thread, NULL, throw_back, &b))
		return UNKNOWN;
	while ((begin = now_ns()) < end && exchange(&b, &count, end)) {
		ns = (double)(now_ns() - begin) / EXCHANGES;
		if (!(ns >= least))
			least = ns;
	}
	atomic_store_explicit(&b.stop, true, memory_order_relaxed);
	pthread_join(thread, NULL);
	return least;
}
