// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * libFuzzer target: the input is a telemetry page as a dataplane passes it, in memory of its
 * own size. Beside crashes it finds sums that no dataplane can have, which come of numbers
 * that should have been refused, and times that lie in the future.
 */
#include <stdlib.h>
#include <string.h>

#include "../../guest-driver/dataplane/page.h"

#define NOW_NS	(1ULL << 40)

int LLVMFuzzerTestOneInput(const u8 *data, size_t bytes);

static void read_it(const void *mem, size_t bytes)
{
	struct dp_telemetry_all all;
	struct dp_page_view v;

	if (dp_page_check(&v, mem, bytes) || dp_page_read(&v, NOW_NS, &all))
		return;
	if (!all.taken_ns || all.taken_ns > NOW_NS || !all.batch || all.queue > all.backlog ||
	    all.items >> 60 || all.busy_ns >> 60 || all.peak_milli > 1000 * v.threads)
		abort();
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t bytes)
{
	const struct dp_page head = { .magic = DP_PAGE_MAGIC, .version = DP_PAGE_VERSION };
	void *mem = NULL;

	if (posix_memalign(&mem, 64, bytes ? bytes : 1))
		return 0;
	memcpy(mem, data, bytes);
	read_it(mem, bytes);
	/* Once more, past what it would take long to find. */
	if (bytes >= sizeof(head)) {
		memcpy(mem, &head, offsetof(struct dp_page, threads));
		read_it(mem, bytes);
	}
	free(mem);
	return 0;
}
