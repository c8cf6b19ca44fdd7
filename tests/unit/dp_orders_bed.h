/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Orders to a dataplane over a port without hardware, whose threads are turned by
 * the caller. What must hold after any order aborts if it does not, so that a fuzzer
 * finds it, too.
 */
#ifndef DP_ORDERS_BED_H
#define DP_ORDERS_BED_H

#include <jansson.h>
#include <stdio.h>

#include "dp_fixture.h"
#include "orders.h"

#define ORDERS_THREADS	4u

static struct bed *bed;
static struct workers orders_ws;

static inline void orders_bed_open(void)
{
	bed = bed_new(&(struct bed_options){
		.threads = ORDERS_THREADS, .slots = 64, .batch = 16, .fenced = true,
		.stall_ns = DP_STALL_NS, .seed = 1,
	});
	memset(&orders_ws, 0, sizeof(orders_ws));
	orders_ws.idle = RP_BUSY;
	orders_ws.slots = 64;
	if (workers_init(&orders_ws, ORDERS_THREADS, 1000000000))
		abort();
	orders_ws.dp = bed->dp;
}

static inline void orders_bed_close(void)
{
	workers_fini(&orders_ws);
	bed_collect(bed);
	bed_free(bed);
}

/* All moves end well, if nobody stalls. */
static inline void orders_bed_turns(void)
{
	u32 k, i;

	for (k = 0; k < 8; k++) {
		for (i = 0; i < ORDERS_THREADS; i++)
			dp_thread_turn(bed->dp, i);
		dp_control_turn(bed->dp);
	}
	if (bed->dp->following_count)
		abort();
}

/* New reference. */
static inline json_t *orders_bed_ask_bytes(const char *line, size_t bytes)
{
	struct lines_peer peer = { .fd = -1, .passes = true };
	char *text = orders_answer(&orders_ws, &peer, line, bytes);
	json_t *v = text ? json_loads(text, 0, NULL) : NULL;
	u64 active = atomic_load(&orders_ws.active);

	if (!json_is_object(v) || strchr(text, '\n') || !(active & 1) ||
	    active & ~dp_first_threads(ORDERS_THREADS) ||
	    (peer.fd != -1 && peer.fd != orders_ws.dp->page.mem.fd))
		abort();
	if (!json_is_boolean(json_object_get(v, "ok")) ||
	    !json_object_get(v, json_is_true(json_object_get(v, "ok")) ? "result" : "error"))
		abort();
	free(text);
	return v;
}

static inline json_t *orders_bed_ask(const char *line)
{
	return orders_bed_ask_bytes(line, strlen(line));
}

static inline const char *orders_bed_code(const json_t *v)
{
	return json_string_value(json_object_get(json_object_get(v, "error"), "code")) ? : "";
}

/* An order as it should be, with numbers that the bytes choose; how long it is. */
static inline size_t orders_bed_order(char *line, size_t room, const u8 *script, size_t bytes)
{
	static const char *const form[] = {
		"{\"v\":1,\"cmd\":\"threads\",\"threads\":%u}",
		"{\"v\":1,\"cmd\":\"park\",\"thread\":%u}",
		"{\"v\":1,\"cmd\":\"unpark\",\"thread\":%u}",
		"{\"v\":1,\"id\":%u,\"cmd\":\"telemetry\",\"groups\":true}",
		"{\"v\":1,\"id\":%u,\"cmd\":\"status\"}",
		"{\"v\":1,\"cmd\":\"migrate\",\"to\":%u,\"groups\":[",
	};
	u32 which = script[0] % 6;
	size_t have, i;

	have = (size_t)snprintf(line, room, form[which], script[1] % 6u);
	for (i = 2; which == 5 && i < bytes && have + 16 < room; i++)
		have += (size_t)sprintf(line + have, "%s%u", i > 2 ? "," : "", script[i] % 140u);
	if (which == 5)
		have += (size_t)sprintf(line + have, "]}");
	return have;
}

/* Such an order, some of whose bytes may be changed; then turns. */
static inline void orders_bed_play(const u8 *script, size_t bytes)
{
	char line[4096];
	size_t have, i;

	if (bytes < 4)
		return;
	have = orders_bed_order(line, sizeof(line), script + 2, bytes - 2);
	for (i = 0; script[0] & 1 && i < script[1] % 4u; i++)
		line[script[bytes - 1 - i] % have] = (char)script[bytes - 2 - i];
	json_decref(orders_bed_ask_bytes(line, have));
	orders_bed_turns();
}

#endif /* DP_ORDERS_BED_H */
