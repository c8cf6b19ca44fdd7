// SPDX-License-Identifier: GPL-2.0-or-later
/* Starts, stops and asks a ringpaced of our own. */
#include "backend.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "json.h"
#include "util.h"

static int connect_control(struct backend *b)
{
	u64 end = now_ns() + BACKEND_TIMEOUT_MS * 1000000ULL;

	/* A daemon that dies at once should not cost the whole timeout. */
	while (access(b->control, F_OK)) {
		if (!child_alive(b->pid))
			return fail("ringpaced ended at once: %s", log_tail(b->log));
		if (now_ns() > end)
			return fail("ringpaced made no control socket in %u ms: %s",
				    BACKEND_TIMEOUT_MS, log_tail(b->log));
		if (!nap_ms(2))
			return -1;
	}
	return orders_open_daemon(&b->orders, b->control, BACKEND_TIMEOUT_MS);
}

static int launch(struct backend *b, u32 pairs, u32 item_bytes)
{
	const char *program = own_program("ringpaced");
	char device[256];
	char *argv[10] = { (char *)program, "--control", b->control, "--device", device };
	u32 n = 5;

	if (!program)
		return -1;
	snprintf(device, sizeof(device), "%s,socket=%s,pairs=%u,item-bytes=%u",
		 BACKEND_DEVICE, b->socket, pairs, item_bytes);
	if (b->group) {
		argv[n++] = "--group";
		argv[n++] = (char *)b->group;
	}
	if (b->state) {
		argv[n++] = "--state";
		argv[n++] = (char *)b->state;
	}
	b->pid = child_start(argv, b->log);
	if (b->pid < 0 || connect_control(b))
		return -1;
	/* The group is let in to the device, not to our orders. */
	if (b->group && chmod(b->control, 0600))
		return fail("cannot close %s to the group %s: %m", b->control, b->group);
	return 0;
}

static void init(struct backend *b)
{
	memset(b, 0, sizeof(*b));
	b->pid = -1;
	orders_init(&b->orders);
}

int backend_start_kernel(struct backend *b)
{
	init(b);
	b->kernel = true;
	return orders_open_kernel(&b->orders);
}

int backend_choose_kernel(struct backend *b, bool (*is_ours)(pid_t pid))
{
	json_t *list = orders_call(&b->orders, "list", NULL, BACKEND_TIMEOUT_MS), *dev;
	size_t i;

	json_array_foreach(json_object_get(list, "devices"), i, dev)
		if (is_ours((pid_t)json_integer_value(json_object_get(dev, "pid"))))
			snprintf(b->device, sizeof(b->device), "%s",
				 json_string_value(json_object_get(dev, "device")));
	json_decref(list);
	if (!list || b->device[0])
		return list ? 0 : -1;
	return fail("vhost_pc has no device of our VM; is the VM's template older than "
		    "--backend, without @DEVICE_BACKEND@?");
}

int backend_start(struct backend *b, u32 pairs, u32 item_bytes, const char *group)
{
	return backend_start_state(b, pairs, item_bytes, group, NULL);
}

int backend_start_state(struct backend *b, u32 pairs, u32 item_bytes, const char *group,
			const char *state)
{
	static u32 started;	/* several may live at once, one per VM */

	init(b);
	strcpy(b->device, BACKEND_DEVICE);
	b->group = group;
	b->state = state;
	if (!run_dir())
		return -1;
	started++;
	snprintf(b->socket, sizeof(b->socket), "%s/device%u.sock", run_dir(), started);
	snprintf(b->control, sizeof(b->control), "%s/control%u.sock", run_dir(), started);
	snprintf(b->log, sizeof(b->log), "%s/ringpaced%u.log", run_dir(), started);
	return launch(b, pairs, item_bytes);
}

void backend_stop(struct backend *b)
{
	orders_close(&b->orders);
	if (b->kernel)
		return;
	child_stop(b->pid);
	/* What a killed daemon left must not be taken for a new one's. */
	unlink(b->control);
	unlink(b->socket);
	b->pid = -1;
}

int backend_check(struct backend *b)
{
	if (b->kernel || child_alive(b->pid))
		return 0;
	return fail("ringpaced ended in the run: %s", log_tail(b->log));
}

const char *backend_says(const struct backend *b)
{
	if (b->kernel)
		return because("vhost_pc: see `ringpace ctl list --vhost` and dmesg");
	return because("ringpaced says: %s", log_tail(b->log));
}

int backend_restart(struct backend *b, u32 pairs, u32 item_bytes)
{
	backend_stop(b);
	return launch(b, pairs, item_bytes);
}

json_t *backend_call(struct backend *b, const char *cmd, u32 queue, json_t *args)
{
	json_t *all = args ?: json_object();

	json_object_set_new(all, "device", json_string(b->device));
	json_object_set_new(all, "queue", json_integer(queue));
	return orders_call(&b->orders, cmd, all, BACKEND_TIMEOUT_MS);
}

int backend_do(struct backend *b, const char *cmd, u32 queue, json_t *args)
{
	json_t *result = backend_call(b, cmd, queue, args);

	json_decref(result);
	return result ? 0 : -1;
}

json_t *backend_stats(struct backend *b, u32 queue)
{
	json_t *v = backend_call(b, "stats", queue, NULL);
	json_t *stats = json_incref(json_object_get(v, "stats"));

	json_decref(v);
	return stats;
}

json_t *backend_stats_both(struct backend *b)
{
	json_t *sum = json_object(), *stats;
	u32 queue;

	for (queue = 0; queue < 2; queue++) {
		stats = backend_stats(b, queue);
		if (!stats) {
			json_decref(sum);
			return NULL;
		}
		json_add_numbers(sum, stats);
		json_decref(stats);
	}
	return sum;
}

int backend_reset_both(struct backend *b)
{
	return backend_do(b, "reset", 0, NULL) || backend_do(b, "reset", 1, NULL) ? -1 : 0;
}

json_t *backend_options(const struct run_params *p)
{
	bool fwd = p->dir == RUN_FWD;
	int cpu = fwd ? p->cpu_c : p->cpu_p;
	u32 k = fwd ? run_threshold(RP_CONSUMER, p->kp, p->queue_len) :
		      run_threshold(RP_PRODUCER, p->kc, p->queue_len);

	return json_pack("{s:s, s:I, s:s, s:I, s:I, s:i, s:i, s:i, s:i, s:i, s:i, s:b}",
			 "strategy", rp_strategy_by_id(fwd ? p->strategy_c : p->strategy_p)->name,
			 "w_ns", (json_int_t)(fwd ? p->wc_ns : p->wp_ns),
			 "w_dist", rp_work_dist_names[p->w_dist],
			 "y_ns", (json_int_t)(fwd ? p->yc_ns : p->yp_ns),
			 "dmax_ns", (json_int_t)p->dmax_ns,
			 "cpu_cap_percent", (int)p->cpu_cap_percent,
			 "k", (int)k, "queue_len", (int)p->queue_len, "burst", (int)p->burst,
			 "item_bytes", (int)p->item_bytes, "cpu", cpu < 0 ? nth_cpu(1) : cpu,
			 "trace", p->trace);
}

int backend_rest(struct backend *b, u32 queue)
{
	return backend_do(b, "set", queue, json_pack("{s:s}", "strategy",
						     rp_strategy_by_id(RP_NOTIFY)->name));
}

static bool is_ready(const struct backend *b, const json_t *list, u32 queue)
{
	const json_t *dev, *q;
	size_t i;

	json_array_foreach(json_object_get(list, "devices"), i, dev) {
		q = json_array_get(json_object_get(dev, "queues"), queue);
		if (!strcmp(json_string_value(json_object_get(dev, "device")), b->device))
			return json_is_true(json_object_get(q, "ready"));
	}
	return false;
}

int backend_wait_ready(struct backend *b, u32 queue)
{
	u64 end = now_ns() + BACKEND_TIMEOUT_MS * 1000000ULL;
	json_t *list;
	bool ready;

	do {
		list = orders_call(&b->orders, "list", NULL, BACKEND_TIMEOUT_MS);
		if (!list)
			return -1;
		ready = is_ready(b, list, queue);
		json_decref(list);
		if (ready)
			return 0;
	} while (now_ns() < end && nap_ms(2));
	return stopped() ? -1 : fail("queue %u is not ready after %u ms; %s", queue,
				     BACKEND_TIMEOUT_MS, backend_says(b));
}
