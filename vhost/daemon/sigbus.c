// SPDX-License-Identifier: GPL-2.0-or-later
/* Survives the loss of guest memory. */
#include <errno.h>
#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#include "sigbus.h"

/*
 * Written by the main thread. The handler, on any thread, runs while the
 * region that it looks for is watched; a slot's bytes are set last and cleared
 * first.
 */
static struct region {
	uintptr_t start;
	size_t bytes;
	bool lost;
} regions[SIGBUS_REGIONS];
static int notify_fd = -1;

static struct region *find(uintptr_t at)
{
	u32 i;

	for (i = 0; i < SIGBUS_REGIONS; i++) {
		struct region *r = &regions[i];
		size_t bytes = rp_load_acquire(&r->bytes);

		if (bytes && at - rp_load(&r->start) < bytes)
			return r;
	}
	return NULL;
}

/*
 * Zeros in the place of the whole of it: a piece of a huge page cannot be replaced
 * (EINVAL), so a region that ends in one is taken to that page's end, which is its own.
 */
static bool replace(const struct region *r)
{
	static const size_t page_bytes[] = { 1, 2u << 20, 1u << 30 };
	u32 i;

	for (i = 0; i < sizeof(page_bytes) / sizeof(*page_bytes); i++) {
		size_t mask = page_bytes[i] - 1;

		if (mmap((void *)r->start, (r->bytes + mask) & ~mask, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | MAP_NORESERVE, -1, 0) != MAP_FAILED)
			return true;
		if (errno != EINVAL)
			break;
	}
	return false;
}

static void on_sigbus(int sig, siginfo_t *info, void *context)
{
	struct region *r = find((uintptr_t)info->si_addr);
	int saved = errno;
	u64 one = 1;

	if (!r || !replace(r)) {
		/* Our own fault: die of it when the access is made again. */
		signal(SIGBUS, SIG_DFL);
		return;
	}
	rp_store(&r->lost, true);
	if (write(notify_fd, &one, sizeof(one)) < 0)
		errno = saved;
	errno = saved;
}

int sigbus_setup(int event_fd)
{
	struct sigaction sa = {
		.sa_sigaction = on_sigbus,
		.sa_flags = SA_SIGINFO,
	};

	notify_fd = event_fd;
	return sigaction(SIGBUS, &sa, NULL) < 0 ? -errno : 0;
}

int sigbus_watch(void *start, size_t bytes)
{
	u32 i;

	for (i = 0; i < SIGBUS_REGIONS; i++) {
		if (regions[i].bytes)
			continue;
		rp_store(&regions[i].lost, false);
		rp_store(&regions[i].start, (uintptr_t)start);
		rp_store_release(&regions[i].bytes, bytes);
		return (int)i;
	}
	return -1;
}

void sigbus_unwatch(int id)
{
	if (id >= 0)
		rp_store_release(&regions[id].bytes, 0);
}

bool sigbus_lost(int id)
{
	return id >= 0 && rp_load(&regions[id].lost);
}
