// SPDX-License-Identifier: GPL-2.0-or-later
/* Memory in pieces of a few sizes. */
#include "mem.h"

#include <pthread.h>
#include <sanitizer/asan_interface.h>
#include <stdatomic.h>
#include <stdlib.h>

#define BATCH		32u
#define SLAB_BYTES	65536u
#define CLASSES		(sizeof(piece_bytes) / sizeof(piece_bytes[0]))

/* With the head. */
static const u32 piece_bytes[] = { 64, 128, 256, 384, 512, 1024, 1664, 2048 };
/* Of so many times 64 bytes, rounded up: the first of them that is as long. */
static const u8 class_of[] = {
	[0 ... 1] = 0, [2] = 1, [3 ... 4] = 2, [5 ... 6] = 3, [7 ... 8] = 4, [9 ... 16] = 5,
	[17 ... 26] = 6, [27 ... 32] = 7,
};

struct piece {
	struct piece *next;
	u64 class;
	u8 body[];
};

struct stack {
	struct piece *top;
	u32 count;
};

static struct pool {
	_Alignas(64) pthread_mutex_t lock;
	struct stack free;
	u64 made;
} pools[CLASSES] = { [0 ... CLASSES - 1] = { .lock = PTHREAD_MUTEX_INITIALIZER } };

static _Atomic size_t taken, allowed = 256u << 20;
static _Thread_local struct stack caches[CLASSES];
static _Thread_local u64 trips;

static void push(struct stack *s, struct piece *p)
{
	p->next = s->top;
	s->top = p;
	s->count++;
}

static struct piece *pop(struct stack *s)
{
	struct piece *p = s->top;

	if (p) {
		s->top = p->next;
		s->count--;
	}
	return p;
}

static void move(struct stack *from, struct stack *to, u32 most)
{
	struct piece *p;

	while (most-- && (p = pop(from)))
		push(to, p);
}

/* Of the system's memory, into a pool that is locked. */
static void make_more(struct pool *pool, u32 class)
{
	u32 bytes = piece_bytes[class], n = SLAB_BYTES / bytes, i;
	u8 *slab;

	if (atomic_fetch_add(&taken, SLAB_BYTES) + SLAB_BYTES > atomic_load(&allowed))
		slab = NULL;
	else
		slab = aligned_alloc(64, SLAB_BYTES);
	if (!slab) {
		atomic_fetch_sub(&taken, SLAB_BYTES);
		return;
	}
	for (i = 0; i < n; i++) {
		struct piece *p = (struct piece *)(slab + i * bytes);

		p->class = class;
		ASAN_POISON_MEMORY_REGION(p->body, bytes - sizeof(*p));
		push(&pool->free, p);
	}
	pool->made += n;
}

static void fill(u32 class)
{
	struct pool *pool = &pools[class];

	trips++;
	pthread_mutex_lock(&pool->lock);
	if (!pool->free.count)
		make_more(pool, class);
	move(&pool->free, &caches[class], BATCH);
	pthread_mutex_unlock(&pool->lock);
}

static void drain(u32 class, u32 n)
{
	struct pool *pool = &pools[class];

	trips++;
	pthread_mutex_lock(&pool->lock);
	move(&caches[class], &pool->free, n);
	pthread_mutex_unlock(&pool->lock);
}

void *dp_mem_alloc(size_t bytes)
{
	struct piece *p;
	u32 class;

	if (bytes > DP_MEM_PIECE_MAX)
		return NULL;
	class = class_of[(bytes + sizeof(*p) + 63) / 64];
	if (unlikely(!caches[class].count))
		fill(class);
	p = pop(&caches[class]);
	if (!p)
		return NULL;
	ASAN_UNPOISON_MEMORY_REGION(p->body, bytes);
	return p->body;
}

void *dp_mem_zeroed(size_t n, size_t bytes)
{
	void *p = bytes && n > DP_MEM_PIECE_MAX / bytes ? NULL : dp_mem_alloc(n * bytes);

	return p ? memset(p, 0, n * bytes) : NULL;
}

void dp_mem_free(void *body)
{
	struct stack *cache;
	struct piece *p;

	if (!body)
		return;
	p = (struct piece *)((u8 *)body - offsetof(struct piece, body));
	cache = &caches[p->class];
	ASAN_POISON_MEMORY_REGION(p->body, piece_bytes[p->class] - sizeof(*p));
	push(cache, p);
	if (unlikely(cache->count >= 2 * BATCH))
		drain((u32)p->class, BATCH);
}

void dp_mem_limit(size_t bytes)
{
	atomic_store(&allowed, bytes);
}

void dp_mem_thread_end(void)
{
	u32 i;

	for (i = 0; i < CLASSES; i++)
		drain(i, caches[i].count);
}

u64 dp_mem_trips(void)
{
	return trips;
}

u64 dp_mem_used(void)
{
	u64 n = 0;
	u32 i;

	for (i = 0; i < CLASSES; i++) {
		pthread_mutex_lock(&pools[i].lock);
		n += pools[i].made - pools[i].free.count - caches[i].count;
		pthread_mutex_unlock(&pools[i].lock);
	}
	return n;
}
