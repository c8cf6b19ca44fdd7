// SPDX-License-Identifier: GPL-2.0-or-later
/* Arguments of requests that concern pacing. */
#include "args.h"
#include "virtio_pc.h"
#include "worker.h"

static bool args_strategy(const json_t *args, u32 *out, struct ctl_error *e)
{
	const char *name;
	int id;

	if (!json_object_get(args, "strategy"))
		return true;
	name = args_string(args, "strategy", e);
	if (!name)
		return false;
	id = rp_strategy_id_by_name(name);
	if (id < 0) {
		ctl_fail(e, "bad-value", "strategy: \"%s\" is none that is known (notify, sleep, busy, adaptive, ...)",
			 name);
		return false;
	}
	*out = (u32)id;
	return true;
}

static bool args_work_dist(const json_t *args, u32 *out, struct ctl_error *e)
{
	const char *name;
	int id;

	if (!json_object_get(args, "w_dist"))
		return true;
	name = args_string(args, "w_dist", e);
	if (!name)
		return false;
	id = rp_work_dist_by_name(name);
	if (id < 0) {
		ctl_fail(e, "bad-value", "w_dist: \"%s\" is neither const nor exp", name);
		return false;
	}
	*out = (u32)id;
	return true;
}

static bool args_cpu(const json_t *args, int *out, struct ctl_error *e)
{
	const json_t *v = json_object_get(args, "cpu");
	json_int_t n = json_integer_value(v);

	if (!v)
		return true;
	if (!json_is_integer(v) || n < -1 || n > INT32_MAX || !worker_cpu_ok((int)n)) {
		ctl_fail(e, "bad-value", "cpu: neither -1 nor a CPU that the daemon may use");
		return false;
	}
	*out = (int)n;
	return true;
}

/* Values that are good alone may not go together. */
static bool params_fit(const struct queue *q, const struct queue_params *p,
		       struct ctl_error *e)
{
	u32 len = p->queue_len ? p->queue_len : queue_size_limit(q);
	struct rp_params rp;
	const char *why;

	if (p->k > len) {
		ctl_fail(e, "bad-value", "k: %u is more than queue_len %u", p->k, len);
		return false;
	}
	queue_effective(q, p, &rp);
	why = rp_params_check(&rp);
	if (why)
		ctl_fail(e, "bad-value", "%s", why);
	return !why;
}

bool args_params(const json_t *args, const struct queue *q,
		 struct queue_params *p, struct ctl_error *e)
{
	u32 size = queue_size_limit(q);

	return args_strategy(args, &p->strategy, e) &&
		args_u64(args, "w_ns", 0, ARGS_TIME_MAX_NS, &p->w_ns, e) &&
		args_work_dist(args, &p->w_dist, e) &&
		args_u64(args, "y_ns", 0, ARGS_TIME_MAX_NS, &p->y_ns, e) &&
		args_u64(args, "dmax_ns", 0, ARGS_TIME_MAX_NS, &p->dmax_ns, e) &&
		args_u32(args, "cpu_cap_percent", 0, 100, &p->cpu_cap_percent, e) &&
		args_u32(args, "queue_len", 0, size, &p->queue_len, e) &&
		args_u32(args, "k", 0, RP_VRING_MAX_NUM, &p->k, e) &&
		args_u32(args, "burst", 1, RP_VRING_MAX_NUM, &p->burst, e) &&
		args_u32(args, "item_bytes", VIRTIO_PC_ITEM_MIN_BYTES,
			 VIRTIO_PC_ITEM_MAX_BYTES, &p->item_bytes, e) &&
		args_cpu(args, &p->cpu, e) &&
		args_bool(args, "trace", &p->trace, e) &&
		args_bool(args, "trace_items", &p->trace_items, e) &&
		params_fit(q, p, e);
}

bool args_flow_params(const json_t *args, struct flow_params *p, struct ctl_error *e)
{
	struct rp_params rp = {
		.role = RP_CONSUMER, .queue_len = RP_VRING_MAX_NUM, .threshold = 1,
	};
	const char *why;

	if (!args_strategy(args, &p->strategy, e) ||
	    !args_u64(args, "y_ns", 0, ARGS_TIME_MAX_NS, &p->y_ns, e) ||
	    !args_u64(args, "dmax_ns", 0, ARGS_TIME_MAX_NS, &p->dmax_ns, e) ||
	    !args_u32(args, "cpu_cap_percent", 0, 100, &p->cpu_cap_percent, e) ||
	    !args_u32(args, "k", 0, RP_VRING_MAX_NUM, &p->k, e) ||
	    !args_u32(args, "burst", 1, BATCH_PACKETS, &p->burst, e))
		return false;
	rp.strategy = p->strategy;
	rp.y_ns = p->y_ns;
	rp.dmax_ns = p->dmax_ns;
	rp.cpu_cap_percent = p->cpu_cap_percent;
	why = rp_params_check(&rp);
	if (why)
		ctl_fail(e, "bad-value", "%s", why);
	return !why;
}
