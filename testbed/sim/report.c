// SPDX-License-Identifier: GPL-2.0-or-later
/* Turns the simulator's counters into the result that every lane prints. */
#include "sim/report.h"

#include "json.h"

/* The simulator is no lane that `ringpace run` could choose; it has a lane's name. */
static const struct lane_ops lane_sim = { .name = "sim" };

static double ratio(double a, double b)
{
	return b > 0 ? a / b : UNKNOWN;
}

static double ns_each(u64 total_ps, u64 n)
{
	return ratio((double)total_ps / 1000, (double)n);
}

static struct sim_queue sum_queues(const struct sim_result *s)
{
	struct sim_queue sum = { 0 };
	u32 i;

	for (i = 0; i + 1 < s->stages; i++) {
#define ADD(name) sum.name += s->queue[i].name
		ADD(kicks);
		ADD(calls);
		ADD(spurious_kicks);
		ADD(sleeps_p);
		ADD(sleeps_c);
		ADD(kick_ps);
		ADD(call_ps);
		ADD(sleep_p_ps);
		ADD(sleep_c_ps);
#undef ADD
	}
	return sum;
}

/* W per item, not per box of --app-batch. */
static double work_ns(const struct sim_party *p, u32 app_batch)
{
	return ns_each(p->work_ps, p->worked * app_batch);
}

static void fill_params(const struct sim_result *s, const struct sim_queue *q, u32 app_batch,
			struct run_result *r)
{
	const struct sim_party *p = &s->party[0], *c = &s->party[s->stages - 1];

	r->wp_ns = work_ns(p, app_batch);
	r->wc_ns = work_ns(c, app_batch);
	r->np_ns = ns_each(q->kick_ps, q->kicks);
	r->nc_ns = ns_each(q->call_ps, q->calls);
	r->sp_ns = ns_each(p->start_ps, p->started);
	r->sc_ns = ns_each(c->start_ps, c->started);
	r->yp_ns = ns_each(q->sleep_p_ps, q->sleeps_p);
	r->yc_ns = ns_each(q->sleep_c_ps, q->sleeps_c);
}

static void fill_latency(const struct sim_result *s, struct run_result *r)
{
	r->lat_p50_ns = (double)rp_hist_quantile(&s->latency, 500);
	r->lat_p98_ns = (double)rp_hist_quantile(&s->latency, 980);
	r->lat_p99_ns = (double)rp_hist_quantile(&s->latency, 990);
	r->lat_max_ns = (double)s->latency.max;
}

void sim_run_result(const struct sim_config *c, const struct sim_result *s, u32 app_batch,
		    struct run_result *r)
{
	struct sim_queue q = sum_queues(s);
	double time_s = (double)s->time_ps / 1e12, cpu_ps = 0;
	u32 i;

	memset(r, 0, sizeof(*r));
	run_result_no_pacing(r);
	r->params.lane = &lane_sim;
	r->params.strategy_p = c->strategy_p;
	r->params.strategy_c = c->strategy_c;
	r->params.queue_len = c->model.queue_len;
	strcpy(r->accel, "none");
	for (i = 0; i < s->stages; i++)
		cpu_ps += (double)sim_party_cpu_ps(&s->party[i]);
	r->items = (double)s->items * app_batch;
	r->items_per_s = ratio(r->items, time_s);
	r->t_ns = ratio(time_s * 1e9, r->items);
	r->e_ns = ratio(cpu_ps / 1000, r->items);
	r->cpu_p = ratio((double)sim_party_cpu_ps(&s->party[0]), (double)s->time_ps);
	r->cpu_c = ratio((double)sim_party_cpu_ps(&s->party[s->stages - 1]), (double)s->time_ps);
	r->kicks_per_s = ratio((double)q.kicks, time_s);
	r->spurious_kicks_per_s = ratio((double)q.spurious_kicks, time_s);
	r->calls_per_s = ratio((double)q.calls, time_s);
	r->sleeps_p_per_s = ratio((double)q.sleeps_p, time_s);
	r->sleeps_c_per_s = ratio((double)q.sleeps_c, time_s);
	r->batch = ratio(r->items, (double)(q.kicks + q.calls + q.sleeps_p + q.sleeps_c));
	fill_latency(s, r);
	fill_params(s, &q, app_batch, r);
}

static void set_per_item(json_t *v, const struct sim_queue *q, double items)
{
	json_object_set_new(v, "kicks_per_item", json_number_or_null((double)q->kicks / items, 9));
	json_object_set_new(v, "calls_per_item", json_number_or_null((double)q->calls / items, 9));
	json_object_set_new(v, "sleeps_p_per_item",
			    json_number_or_null((double)q->sleeps_p / items, 9));
	json_object_set_new(v, "sleeps_c_per_item",
			    json_number_or_null((double)q->sleeps_c / items, 9));
}

static json_t *stages_json(const struct sim_result *s, u32 app_batch)
{
	json_t *list = json_array(), *v;
	u32 i;

	for (i = 0; i < s->stages; i++) {
		const struct sim_party *p = &s->party[i];

		v = json_object();
		json_object_set_new(v, "w_ns", json_number_or_null(work_ns(p, app_batch), 2));
		json_object_set_new(v, "cpu", json_number_or_null(
			ratio((double)sim_party_cpu_ps(p), (double)s->time_ps), 4));
		json_array_append_new(list, v);
	}
	return list;
}

static json_t *queues_json(const struct sim_result *s, double items)
{
	json_t *list = json_array(), *v;
	u32 i;

	for (i = 0; i + 1 < s->stages; i++) {
		v = json_object();
		set_per_item(v, &s->queue[i], items);
		json_array_append_new(list, v);
	}
	return list;
}

json_t *sim_result_json(const struct sim_config *c, const struct sim_result *s, u32 app_batch)
{
	struct sim_queue q = sum_queues(s);
	struct run_result r;
	json_t *v;

	sim_run_result(c, s, app_batch, &r);
	v = run_result_json(&r);
	set_per_item(v, &q, r.items);
	json_object_set_new(v, "spurious_kicks_per_item",
			    json_number_or_null((double)q.spurious_kicks / r.items, 9));
	json_object_set_new(v, "d_ns", json_number_or_null((double)s->service_max_ps / 1000, 0));
	json_object_set_new(v, "seed", json_integer((json_int_t)c->seed));
	if (s->stages > 2) {
		json_object_set_new(v, "stages", stages_json(s, app_batch));
		json_object_set_new(v, "queues", queues_json(s, r.items));
	}
	return v;
}

void sim_result_print(const struct sim_config *c, const struct sim_result *s, u32 app_batch)
{
	struct table *t = run_table();
	struct run_result r;
	u32 i;

	sim_run_result(c, s, app_batch, &r);
	run_table_row(t, &r);
	table_print_turned(t, stdout);
	table_free(t);
	for (i = 0; s->stages > 2 && i < s->stages; i++)
		printf("stage %u    W %.1f ns, cpu %.2f\n", i + 1,
		       work_ns(&s->party[i], app_batch),
		       ratio((double)sim_party_cpu_ps(&s->party[i]), (double)s->time_ps));
	printf("worst D ns  %llu\n", (unsigned long long)s->service_max_ps / 1000);
}
