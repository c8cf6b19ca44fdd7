// SPDX-License-Identifier: GPL-2.0-or-later
/* The table of lanes, and the way of one experiment through a lane. */
#include "lane.h"

#include <argp.h>
#include <string.h>
#include <unistd.h>

#include "json.h"
#include "virtio_pc.h"

const struct lane_ops *const lanes[] = {
	&lane_native,
	&lane_vm,
	&lane_nested,
	NULL
};

const char *const run_dir_names[] = { [RUN_FWD] = "fwd", [RUN_REV] = "rev" };
const char *const run_backend_names[] = { [RUN_USER] = "user", [RUN_KERNEL] = "kernel" };

const struct lane_ops *lane_by_name(const char *name)
{
	u32 i;

	for (i = 0; lanes[i]; i++)
		if (!strcmp(lanes[i]->name, name))
			return lanes[i];
	return NULL;
}

static const char *lane_names(void)
{
	static char list[64];
	u32 i;

	list[0] = 0;
	for (i = 0; lanes[i]; i++) {
		strcat(list, i ? ", " : "");
		strcat(list, lanes[i]->name);
	}
	return list;
}

const struct lane_ops *opt_lane(struct argp_state *state, const char *arg)
{
	const struct lane_ops *ops = lane_by_name(arg);

	if (!ops)
		argp_error(state, "--lane %s: not one of %s", arg, lane_names());
	return ops;
}

void run_params_default(struct run_params *p)
{
	*p = (struct run_params) {
		.lane = &lane_native,
		.dir = RUN_FWD,
		.strategy_p = RP_NOTIFY,
		.strategy_c = RP_NOTIFY,
		.yp_ns = 50000,
		.yc_ns = 50000,
		.queue_len = 512,
		.burst = 1,
		.item_bytes = 64,
		.duration_ns = NSEC_PER_SEC,
		.warmup_ns = NSEC_PER_SEC / 5,
		.cpu_p = -1,
		.cpu_c = -1,
		.trace = true,
		.progress = isatty(STDERR_FILENO),
	};
}

const char *run_params_check(const struct run_params *p)
{
	if (p->queue_len < VIRTIO_PC_QUEUE_MIN || p->queue_len > VIRTIO_PC_QUEUE_MAX)
		return "--queue-len is not in 2..32768 slots";
	if (p->kp > p->queue_len)
		return "--kp is more than --queue-len: C would wait for ever";
	if (p->kc > p->queue_len)
		return "--kc is more than --queue-len: P would wait for ever";
	if (p->burst < 1 || p->burst > p->queue_len)
		return "--burst is not in 1..--queue-len items";
	if (p->item_bytes < VIRTIO_PC_ITEM_MIN_BYTES || p->item_bytes > VIRTIO_PC_ITEM_MAX_BYTES)
		return "--item-bytes is not in 32..65536 bytes";
	if (p->wp_ns > NSEC_PER_SEC || p->wc_ns > NSEC_PER_SEC)
		return "--wp-ns and --wc-ns are at most 1000000000 (1 s)";
	if (p->yp_ns > NSEC_PER_SEC || p->yc_ns > NSEC_PER_SEC)
		return "--yp-ns and --yc-ns are at most 1000000000 (1 s)";
	if (p->dmax_ns > NSEC_PER_SEC)
		return "--dmax-ns is at most 1000000000 (1 s)";
	if (!p->dmax_ns && (p->strategy_p == RP_ADAPTIVE || p->strategy_c == RP_ADAPTIVE))
		return "--strategy adaptive needs --dmax-ns, the bound of the latency";
	if (p->cpu_cap_percent > 100)
		return "--cpu-cap is in percent of one CPU, at most 100";
	if (p->duration_ns < 1000000 || p->duration_ns > 3600 * NSEC_PER_SEC)
		return "--duration-s is not in 0.001..3600 s";
	if (p->backend == RUN_KERNEL && !p->lane->kernel_available)
		return "--backend kernel: not in this lane, which has no VM for the kernel to serve";
	return p->lane->check ? p->lane->check(p) : NULL;
}

void run_sides_free(struct run_sides *s)
{
	json_decref(s->stats_p);
	json_decref(s->stats_c);
	json_decref(s->trace_p);
	json_decref(s->trace_c);
	json_decref(s->clock);
	memset(s, 0, sizeof(*s));
}

json_t *run_sides_json(const struct run_sides *s)
{
	return json_pack("{s:s, s:O?, s:O?, s:O?, s:O?, s:O?, s:o}", "accel", s->accel,
			 "stats_p", s->stats_p, "stats_c", s->stats_c,
			 "trace_p", s->trace_p, "trace_c", s->trace_c, "clock", s->clock,
			 "lost_at_end", json_number_or_null(s->lost_at_end, 0));
}

void run_sides_read(const json_t *v, struct run_sides *s)
{
	snprintf(s->accel, sizeof(s->accel), "%s",
		 json_string_value(json_object_get(v, "accel")) ?: "");
	s->stats_p = json_incref(json_object_get(v, "stats_p"));
	s->stats_c = json_incref(json_object_get(v, "stats_c"));
	s->trace_p = json_incref(json_object_get(v, "trace_p"));
	s->trace_c = json_incref(json_object_get(v, "trace_c"));
	s->clock = json_incref(json_object_get(v, "clock"));
	s->lost_at_end = json_number_at(v, "lost_at_end");
}

static int keep_trace(const char *path, const struct run_sides *s)
{
	json_t *both = json_pack("{s:O?, s:O?}", "p", s->trace_p, "c", s->trace_c);
	int rc = json_dump_file(both, path, JSON_COMPACT);

	json_decref(both);
	return rc ? fail("cannot write the trace to %s: %m", path) : 0;
}

int run_experiment(const struct run_params *p, struct run_result *r)
{
	struct run_sides s = { .lost_at_end = UNKNOWN };
	int rc;

	rc = p->lane->run(p, &s);
	run_progress_end(p);
	if (!rc && p->keep_trace)
		rc = keep_trace(p->keep_trace, &s);
	if (!rc)
		run_merge(p, &s, r);
	run_sides_free(&s);
	return rc;
}

void run_progress(const struct run_params *p, u64 done_ns)
{
	if (p->progress)
		fprintf(stderr, "\r%s %s %s/%s  %.1f/%.1f s ", p->lane->name,
			run_dir_names[p->dir], rp_strategy_by_id(p->strategy_p)->name,
			rp_strategy_by_id(p->strategy_c)->name, (double)done_ns / 1e9,
			(double)(p->warmup_ns + p->duration_ns) / 1e9);
}

void run_progress_end(const struct run_params *p)
{
	if (p->progress)
		fprintf(stderr, "\r\033[K");
}
