// SPDX-License-Identifier: GPL-2.0-or-later
/* The bed of test programs: set up, asked, drained. */
#include "bed.h"

static u32 tests, failures;

bool bed_ok(bool good, const char *subject, const char *what)
{
	printf("%sok %u - %s: %s\n", good ? "" : "not ", ++tests, subject, what);
	fflush(stdout);
	failures += !good;
	return good;
}

int bed_finish(void)
{
	printf("1..%u\n", tests);
	return failures ? 1 : 0;
}

static bool is_fwd(const struct bed *b)
{
	return !b->queue;
}

int bed_set_device(struct bed *b)
{
	const enum rp_role role = is_fwd(b) ? RP_CONSUMER : RP_PRODUCER;

	return backend_do(&b->backend, "set", b->queue, json_pack(
		"{s:s, s:I, s:I, s:I, s:i, s:i, s:i}",
		"strategy", rp_strategy_by_id(b->device)->name,
		"w_ns", (json_int_t)b->device_w_ns, "y_ns", (json_int_t)50000,
		"dmax_ns", (json_int_t)b->dmax_ns,
		"k", (int)rp_default_threshold(role, BED_SLOTS),
		"queue_len", BED_SLOTS, "burst", (int)b->burst));
}

double bed_device_number(struct bed *b, const char *key)
{
	json_t *v = backend_stats(&b->backend, b->queue);
	double number = json_number_at(v, key);

	json_decref(v);
	return number;
}

bool bed_wait_items(struct bed *b, double items)
{
	u64 end = now_ns() + 30 * NSEC_PER_SEC;

	while (!(bed_device_number(b, "items") >= items))
		if (now_ns() > end || !nap_ms(5))
			return false;
	return true;
}

static void party_options(const struct bed *b, struct party_options *o)
{
	const enum rp_role role = is_fwd(b) ? RP_PRODUCER : RP_CONSUMER;

	*o = (struct party_options) {
		.pacing = {
			.strategy = b->driver,
			.role = role,
			.queue_len = BED_SLOTS,
			.threshold = rp_default_threshold(role, BED_SLOTS),
			.y_ns = 50000,
			.dmax_ns = b->dmax_ns,
		},
		.traffic.w_ns = b->driver_w_ns,
		.burst = b->burst,
		.item_bytes = BED_ITEM_BYTES,
		.cpu = -1,
	};
}

int bed_open(struct bed *b)
{
	struct party_options o;
	const struct fe_options fo = {
		.socket = b->backend.socket,
		.queues = 2,
		.queue_size = BED_SLOTS,
		.data_bytes = party_data_bytes(BED_SLOTS, BED_ITEM_BYTES),
		.timeout_ms = BACKEND_TIMEOUT_MS,
	};

	party_options(b, &o);
	if (backend_start_state(&b->backend, 1, BED_ITEM_BYTES, NULL, b->state))
		return -1;
	if (fe_open(&b->fe, &fo))
		return fail("%s", b->fe.error);
	if (party_init(&b->party, &b->fe, b->queue, b->fe.data, &o))
		return -1;
	if (fe_start(&b->fe))
		return fail("%s", b->fe.error);
	if (backend_wait_ready(&b->backend, b->queue))
		return -1;
	/* Without it the device knows no latency. */
	return is_fwd(b) ? party_clock(&b->party, BACKEND_TIMEOUT_MS) : 0;
}

int bed_start(struct bed *b)
{
	if (bed_set_device(b) || party_start(&b->party))
		return -1;
	return is_fwd(b) ? 0 : backend_do(&b->backend, "start", b->queue, NULL);
}

bool bed_drains(struct bed *b)
{
	u64 end = now_ns() + 30 * NSEC_PER_SEC;

	if (party_order(&b->party, PARTY_STOP))
		return false;
	while (party_outstanding(&b->party)) {
		party_kick(&b->party);
		if (now_ns() > end || !nap_ms(2))
			return false;
	}
	return bed_device_number(b, "next_seq") == (double)b->party.posted;
}

void bed_close(struct bed *b)
{
	party_free(&b->party);
	fe_close(&b->fe);
	backend_stop(&b->backend);
}
