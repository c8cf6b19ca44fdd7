// SPDX-License-Identifier: GPL-2.0-or-later
/* The table of metrics. */
#include "metrics/families.h"

#define NS	1000000000u
#define MILLI	1000u

#define DAEMON(field)	.of = ROW_DAEMON, .at = offsetof(struct row_daemon, field)
#define DEVICE(field)	.of = ROW_DEVICE, .at = offsetof(struct row_device, field)
#define QUEUE(field)	.of = ROW_QUEUE, .at = offsetof(struct row_queue, field)
#define PARTY(field)	.needs = HAS_PARTY, QUEUE(report.field)
#define STATUS(field)	.needs = HAS_STATUS, QUEUE(pacing.field)
#define PACER(field)	.of = ROW_PACER, .at = offsetof(struct row_pacer, field)
#define SWITCH(field)	.of = ROW_SWITCH, .at = offsetof(struct row_switch, field)
#define MEMBER(field)	.of = ROW_MEMBER, .at = offsetof(struct row_member, field)

#define EGRESS(field)	.of = ROW_EGRESS, .at = offsetof(struct row_egress, field)

#define COUNTER(n, h)	.name = "ringpace_" n, .help = h, .type = FAMILY_COUNTER
#define GAUGE(n, h)	.name = "ringpace_" n, .help = h, .type = FAMILY_GAUGE
/* Nanoseconds in the row, seconds in the metric. */
#define SECONDS(n, h, t) .name = "ringpace_" n "_seconds", .help = h, .unit = "seconds", \
	.type = t, .scale = NS

const struct family families[] = {
	{ .name = "ringpace_build", .help = "The daemon's version.", .type = FAMILY_INFO,
	  DAEMON(one), .more = offsetof(struct row_daemon, build) },
	{ SECONDS("cpu", "CPU time of the daemon, all of its threads.", FAMILY_COUNTER),
	  DAEMON(cpu_ns) },
	{ GAUGE("queues_omitted", "Queues in use that are beyond the limit of this page."),
	  DAEMON(queues_omitted) },
	{ GAUGE("device_up", "1 when a frontend is connected or the tap is open."), DEVICE(up) },

	{ COUNTER("limit_waits", "Times that the port's limit held a flow up."),
	  .needs = HAS_LIMIT, DEVICE(limit_waits) },
	{ GAUGE("queue_broken", "1 when the queue was given up, as its driver broke the ring."),
	  QUEUE(broken) },
	{ COUNTER("packets", "Packets that arrived, out of a TX queue or in an RX queue."),
	  .needs = HAS_PACKETS, QUEUE(packets) },
	{ COUNTER("bytes", "Bytes of those packets, Ethernet header included."), .unit = "bytes",
	  .needs = HAS_PACKETS, QUEUE(bytes) },
	{ COUNTER("gso_packets", "Of those packets the large ones of TCP, to be segments (GSO), whole."),
	  .needs = HAS_PACKETS, QUEUE(gso) },
	{ COUNTER("dropped_packets", "Packets that did not arrive, by reason."),
	  .needs = HAS_DROPS, QUEUE(dropped), .label = "reason", .names = drop_names,
	  .first = DROP_NONE + 1, .count = DROPS },
	{ SECONDS("queue_cpu", "CPU time of the virtio-pc queue's thread.", FAMILY_COUNTER),
	  .needs = HAS_THREAD, QUEUE(cpu_ns) },

	{ COUNTER("items", "Items or packets that the party has moved."), PARTY(items) },
	{ COUNTER("batches", "Batches that they were moved in."), PARTY(batches) },
	{ COUNTER("lost_items", "Gaps in the numbering of items."), PARTY(lost) },
	{ COUNTER("reordered_items", "Items whose number went back."), PARTY(reordered) },
	{ COUNTER("calls", "Notifications sent to the driver."), PARTY(sent) },
	{ COUNTER("calls_suppressed", "Batches after which the driver wanted none."),
	  PARTY(suppressed) },
	{ COUNTER("kicks", "Notifications from the driver that ended a block or were found."),
	  PARTY(received) },
	{ COUNTER("kicks_spurious", "Kicks after which there was nothing to do."),
	  PARTY(spurious) },
	{ COUNTER("double_checks", "Times that arming a notification found work after all."),
	  PARTY(double_checks) },
	{ COUNTER("blocks", "Waits for a notification."), PARTY(blocks) },
	{ COUNTER("sleeps", "Sleeps of fixed length."), PARTY(sleeps) },
	{ COUNTER("late_items", "Items whose latency was above D_MAX."), PARTY(late) },
	{ COUNTER("repaired_notifications", "Lost notifications that a time-out made up for."),
	  PARTY(repaired) },
	{ COUNTER("repeated_calls", "Notifications sent again, as the driver did not move."),
	  PARTY(rekicks) },
	{ SECONDS("spin", "Time in turns that moved nothing.", FAMILY_COUNTER), PARTY(spin_ns) },
	{ SECONDS("block", "Time in waits for a notification.", FAMILY_COUNTER), PARTY(block_ns) },
	{ SECONDS("item_work", "W, the mean work per item.", FAMILY_GAUGE), PARTY(w_ns),
	  .zero_unknown = true },
	{ SECONDS("call_cost", "N, the mean cost of a notification sent.", FAMILY_GAUGE),
	  PARTY(n_ns), .zero_unknown = true },
	{ SECONDS("sleep_mean", "Y, the mean length of a sleep.", FAMILY_GAUGE), PARTY(y_ns),
	  .zero_unknown = true },
	{ SECONDS("wake_mean", "S, mean time from the waking item to the wake.", FAMILY_GAUGE),
	  PARTY(wake_ns), .zero_unknown = true },
	{ SECONDS("latency_p50", "Median of the items' latency.", FAMILY_GAUGE),
	  QUEUE(report.lat_p50_ns), .needs = HAS_LATENCY },
	{ SECONDS("latency_p98", "98th percentile of the items' latency, which D_MAX bounds.",
		  FAMILY_GAUGE), QUEUE(report.lat_p98_ns), .needs = HAS_LATENCY },
	{ SECONDS("latency_p99", "99th percentile of the items' latency.", FAMILY_GAUGE),
	  QUEUE(report.lat_p99_ns), .needs = HAS_LATENCY },
	{ SECONDS("latency_max", "Longest latency of an item.", FAMILY_GAUGE),
	  QUEUE(report.lat_max_ns), .needs = HAS_LATENCY },
	{ SECONDS("dmax", "D_MAX, the bound of the latency that the user gave.", FAMILY_GAUGE),
	  QUEUE(dmax_ns), .needs = HAS_BOUND },

	{ .name = "ringpace_pacing", .help = "The strategy, and its name for the regime.",
	  .type = FAMILY_INFO, .needs = HAS_PARTY, QUEUE(one),
	  .more = offsetof(struct row_queue, pacing_info) },
	{ .name = "ringpace_mode", .help = "How the party waits at present.",
	  .type = FAMILY_STATESET, .needs = HAS_STATUS, QUEUE(mode_is),
	  .label = "ringpace_mode", .names = rp_wait_names, .count = RP_WAITS },
	{ SECONDS("mode", "Time in each way of waiting, the work in between included.",
		  FAMILY_COUNTER), STATUS(mode_ns), .label = "mode", .names = rp_wait_names,
	  .count = RP_WAITS },
	{ COUNTER("mode_changes", "Changes from one way of waiting to another."),
	  STATUS(mode_changes) },
	{ SECONDS("wait", "y, length of a sleep or of a pause at present.", FAMILY_GAUGE),
	  STATUS(wait_ns) },
	{ GAUGE("threshold_items", "k, how many items a notification is asked for."),
	  STATUS(threshold), .zero_unknown = true },
	{ GAUGE("window_items", "Most items that the producer lets be outstanding."),
	  STATUS(window), .zero_unknown = true },
	{ GAUGE("batch_items", "b, items between two waits."), STATUS(batch_milli),
	  .scale = MILLI, .zero_unknown = true },
	{ GAUGE("occupancy_items", "Items in the ring when a sleep ends."),
	  STATUS(occupancy_milli), .scale = MILLI, .zero_unknown = true },
	{ GAUGE("burst_ratio", "Variance by mean of the items that come in a time."),
	  .unit = "ratio", STATUS(burst_milli), .scale = MILLI, .zero_unknown = true },
	{ SECONDS("estimated_work", "The estimate of this side's W.", FAMILY_GAUGE),
	  STATUS(w_own_ns), .zero_unknown = true },
	{ SECONDS("estimated_peer_work", "The estimate of the driver's W.", FAMILY_GAUGE),
	  STATUS(w_peer_ns), .zero_unknown = true },
	{ SECONDS("predicted_item", "T per item that the model predicts.", FAMILY_GAUGE),
	  STATUS(predicted_t_ns), .zero_unknown = true },

	{ SECONDS("pacer_cpu", "CPU time of the pacer's thread.", FAMILY_COUNTER), PACER(cpu_ns) },
	{ COUNTER("pacer_waits", "Times that the pacer left the CPU, and was woken."),
	  PACER(waits) },
	{ COUNTER("pacer_turns", "Turns that the pacer gave to its flows."), PACER(turns) },
	{ GAUGE("pacer_flows", "Flows that the pacer has."), PACER(flows) },

	{ COUNTER("switch_flooded_packets", "Packets that went to all ports of the VLAN."),
	  SWITCH(flooded) },
	{ COUNTER("switch_flood_copies", "Copies of those packets."), SWITCH(flood_copies) },
	{ GAUGE("switch_addresses", "Addresses that are known behind the port."), MEMBER(used) },
	{ GAUGE("switch_addresses_limit", "Most addresses that the port may have."),
	  MEMBER(size) },
	{ COUNTER("switch_learned_addresses", "Addresses that were learned behind the port."),
	  MEMBER(learned) },
	{ COUNTER("switch_moved_addresses", "Addresses that came from another port."),
	  MEMBER(moved) },
	{ COUNTER("switch_replaced_addresses", "Addresses given up for the port's newer ones."),
	  MEMBER(replaced) },

	{ GAUGE("egress_weight", "Weight of a NIC's transmit queue."), EGRESS(weight) },
	{ COUNTER("egress_packets", "Packets that left by a NIC's transmit queue."),
	  EGRESS(packets) },
	{ COUNTER("egress_bytes", "Bytes of those packets, Ethernet header included."),
	  .unit = "bytes", EGRESS(bytes) },
	{ COUNTER("egress_lost_packets", "Packets out of the queue that the wire did not take."),
	  EGRESS(lost) },
	{ GAUGE("egress_waiting_bytes", "Bytes of the queue's ring that are in use."),
	  .unit = "bytes", EGRESS(waiting) },
};

const u32 family_count = sizeof(families) / sizeof(families[0]);
