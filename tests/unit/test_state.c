// SPDX-License-Identifier: GPL-2.0-or-later
/* What a queue's strategy learned, over the driver's and the daemon's end. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../../vhost/daemon/net/net_state.h"
#include "../../vhost/daemon/state.h"
#include "../../vhost/daemon/worker.h"
#include "pacing/report.h"

#define SLOTS		16u
#define GPA		0x100000u
#define US		1000u

static struct device device;
static struct devices devices = { .count = 1, .dev = { &device } };
static char dir[] = "/tmp/test_state.XXXXXX", path[64];

static struct {
	struct vring_desc desc[SLOTS] __attribute__((aligned(16)));
	u16 avail[3 + SLOTS];
	u8 used[6 + 8 * SLOTS] __attribute__((aligned(4)));
} guest;

static const struct rp_mem guest_mem = {
	.count = 1,
	.region = { { GPA, sizeof(guest), (u8 *)&guest } },
};

static int daemon_begins(void **state)
{
	const struct device_options opt = {
		.name = "pc0", .socket = "/nowhere", .pairs = 2, .item_bytes = 64,
	};

	snprintf(path, sizeof(path), "%s/state", dir);
	worker_setup();
	queue_tsc_hz = 2000000000;
	return device_init(&device, &opt);
}

static int daemon_ends(void **state)
{
	device_fini(&device);
	unlink(path);
	return 0;
}

static void restart(void)
{
	device_fini(&device);
	assert_int_equal(daemon_begins(NULL), 0);
}

/* No thread runs: rev without a run. */
static struct queue *attach(u32 index)
{
	const struct queue_ring ring = {
		.vring = { SLOTS, guest.desc, (void *)guest.avail, (void *)guest.used },
		.mem = &guest_mem, .event_idx = true,
		.kick_fd = -1, .call_fd = -1, .err_fd = -1,
	};
	struct queue *q = &device.queues[index];

	memset(&guest, 0, sizeof(guest));
	assert_int_equal(queue_attach(q, &ring), 0);
	return q;
}

static void set(struct queue *q, u32 strategy, u64 dmax_ns)
{
	struct queue_params p = q->params;

	p.strategy = strategy;
	p.dmax_ns = dmax_ns;
	assert_int_equal(queue_set(q, &p, true), 0);
}

/* Batches of four items of @w_ns, and sleeps that take 40 us at least. */
static void live_party(struct rp_party *p, u64 w_ns)
{
	struct rp_strategy *s = &p->strategy;
	struct rp_decision d;
	u64 now = 1000000;
	u32 i;

	for (i = 0; i < 20000; i++) {
		now += 4 * w_ns;
		p->stats.items += 4;
		p->stats.work_tsc += rp_ns_to_tsc(&p->clock, 4 * w_ns);
		if (s->ops->batch_done)
			s->ops->batch_done(s, 4, now);
		d = s->ops->idle(s, now);
		if (d.wait == RP_WAIT_SPIN) {
			now += d.wait_ns;
			continue;
		}
		now += (d.wait_ns > 40 * US ? d.wait_ns : 40 * US);
		s->ops->woken(s, RP_WAKE_SLEPT, 4, now);
	}
}

static void live(struct queue *q, u64 w_ns)
{
	live_party(&q->party, w_ns);
}

static struct rp_status party_status(const struct rp_party *p)
{
	struct rp_status st;

	assert_true(rp_party_status(p, &st));
	return st;
}

static struct rp_status status(const struct queue *q)
{
	return party_status(&q->party);
}

static struct queue *learned_queue(void)
{
	struct queue *q = attach(1);

	set(q, RP_ADAPTIVE, 1000 * US);
	assert_int_equal(status(q).w_own_ns, 0);
	live(q, 1000);
	assert_true(status(q).w_own_ns > 0 && status(q).y_min_ns >= 40 * US);
	return q;
}

static void test_reconnect(void **state)
{
	struct queue *q = learned_queue();
	struct rp_status before = status(q);

	queue_detach(q);
	attach(1);
	assert_int_equal(status(q).w_own_ns, before.w_own_ns);
	assert_int_equal(status(q).y_min_ns, before.y_min_ns);
	/* Nothing of it is another queue's. */
	set(attach(3), RP_ADAPTIVE, 1000 * US);
	assert_int_equal(status(&device.queues[3]).w_own_ns, 0);
}

static void test_set(void **state)
{
	struct queue *q = learned_queue();
	u64 own_ns = status(q).w_own_ns;

	set(q, RP_ADAPTIVE, 2000 * US);
	assert_int_equal(status(q).w_own_ns, own_ns);
	set(q, RP_NOTIFY, 0);
	set(q, RP_ADAPTIVE, 1000 * US);
	assert_int_equal(status(q).w_own_ns, own_ns);
}

static void test_restart(void **state)
{
	struct state s = { .path = path, .devices = &devices, .timer.fd = -1 };
	struct rp_status before = status(learned_queue());
	struct queue *q;
	struct stat st;

	state_save(&s);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	restart();
	state_load(&s);
	q = attach(1);
	set(q, RP_ADAPTIVE, 1000 * US);
	assert_int_equal(status(q).w_own_ns, before.w_own_ns);
	assert_int_equal(status(q).y_min_ns, before.y_min_ns);
	assert_int_equal(q->party.stats.items, 0);
}

/* What has not changed is not written again; a queue that rests is not stopped. */
static void test_unchanged(void **state)
{
	struct state s = { .path = path, .devices = &devices, .timer.fd = -1 };
	struct queue *q = learned_queue();
	struct stat st;

	state_save(&s);
	unlink(path);
	state_save(&s);
	assert_int_equal(stat(path, &st), -1);
	live(q, 3000);
	state_save(&s);
	assert_int_equal(stat(path, &st), 0);
}

/* The file with one byte changed, or cut off: the queue knows nothing. */
static void expect_refused(const char *text, size_t bytes)
{
	struct state s = { .path = path, .devices = &devices, .timer.fd = -1 };
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	assert_int_equal(fwrite(text, 1, bytes, f), bytes);
	fclose(f);
	restart();
	state_load(&s);
	assert_int_equal(device.queues[1].learned.bytes, 0);
}

static void test_corrupt(void **state)
{
	struct state s = { .path = path, .devices = &devices, .timer.fd = -1 };
	static const char *const others[] = {
		"", "[]", "{}", "null", "{\"version\":2,\"queues\":[],\"checksum\":\"\"}",
		"{\"version\":1,\"queues\":7,\"checksum\":\"0\"}", "\xff\xfe",
	};
	char text[4096], *at;
	size_t n, i;
	FILE *f;

	learned_queue();
	state_save(&s);
	f = fopen(path, "r");
	assert_non_null(f);
	n = fread(text, 1, sizeof(text), f);
	fclose(f);
	restart();
	state_load(&s);
	assert_true(device.queues[1].learned.bytes > 0);
	for (i = 0; i + 2 < n; i += 41)
		expect_refused(text, i);
	at = memmem(text, n, "\"learned\":\"", 11);
	assert_non_null(at);
	at[11 + 20] ^= 1;
	expect_refused(text, n);
	for (i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		expect_refused(others[i], strlen(others[i]));
}

/* ---- Ports: a and b are linked, c is alone ---- */

static struct net net;
static struct devices with_ports = { .count = 1, .dev = { &device }, .net = &net };

static int ports_begin(void **state)
{
	static char args[][32] = { "a,socket=/x,pairs=2", "b,socket=/y,pairs=2", "c,socket=/z" };
	char link[] = "a,b";
	struct net_options o = { .cpu = { -1 }, .pacer_count = 1 };
	char spec[3][32];
	u32 i;

	for (i = 0; i < 3; i++)
		assert_null(net_parse_port(strcpy(spec[i], args[i]), &o));
	assert_null(net_parse_link(link, &o));
	assert_int_equal(daemon_begins(state), 0);
	return net_init(&net, &o, queue_tsc_hz);
}

static int ports_end(void **state)
{
	net_fini(&net);
	return daemon_ends(state);
}

/* Without frontends: as when both queues are attached. */
static struct flow *begin_flow(u32 port, u32 pair)
{
	const struct flow_params set = { .strategy = RP_ADAPTIVE, .dmax_ns = 1000 * US, .burst = 64 };
	struct flow *f = &net.port[port]->flow[pair].flow;

	f->tx->size = SLOTS;
	flow_begin(f, &set, &set, queue_tsc_hz);
	return f;
}

static void test_ports_reconnect(void **state)
{
	struct state s = { .path = path, .devices = &with_ports, .timer.fd = -1 };
	struct flow *f = begin_flow(0, 1);
	u64 c_ns;

	live_party(&f->c, 1000);
	c_ns = party_status(&f->c).w_own_ns;
	assert_true(c_ns);
	/* Another driver on the same queue. */
	assert_int_equal(party_status(&begin_flow(0, 1)->c).w_own_ns, c_ns);
	/* What has not moved since is not looked at again. */
	state_save(&s);
	unlink(path);
	state_save(&s);
	assert_int_equal(access(path, F_OK), -1);
}

/* A consumer is its port's queue, a producer the one that it writes: the peer's. */
static void test_ports_restart(void **state)
{
	struct state s = { .path = path, .devices = &with_ports, .timer.fd = -1 };
	struct flow *f = begin_flow(0, 1);
	u64 c_ns, p_ns;

	live_party(&f->c, 1000);
	live_party(&f->p, 3000);
	c_ns = party_status(&f->c).w_own_ns;
	p_ns = party_status(&f->p).w_own_ns;
	assert_true(c_ns && p_ns && c_ns != p_ns);
	state_save(&s);
	net_fini(&net);
	device_fini(&device);
	assert_int_equal(ports_begin(NULL), 0);
	state_load(&s);
	assert_ptr_equal(net_learned(net.port[0], 3), &net.port[0]->flow[1].flow.c_learned);
	assert_ptr_equal(net_learned(net.port[1], 2), &net.port[0]->flow[1].flow.p_learned);
	assert_null(net_learned(net.port[2], 0));
	assert_null(net_learned(net.port[2], 2));
	assert_true(net_learned(net.port[0], 3)->bytes && net_learned(net.port[1], 2)->bytes);
	assert_int_equal(net_learned(net.port[1], 3)->bytes, 0);
	f = begin_flow(0, 1);
	assert_int_equal(party_status(&f->c).w_own_ns, c_ns);
	assert_int_equal(party_status(&f->p).w_own_ns, p_ns);
	assert_int_equal(party_status(&begin_flow(0, 0)->c).w_own_ns, 0);
}

static void test_no_file(void **state)
{
	struct state s = { .path = dir, .devices = &devices, .timer.fd = -1 };

	state_load(&s);	/* a directory */
	state_save(&s);	/* nothing was learned */
	s.path = path;
	state_load(&s);
	assert_int_equal(device.queues[1].learned.bytes, 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, daemon_begins, daemon_ends)
#define PORTS(name) cmocka_unit_test_setup_teardown(name, ports_begin, ports_end)
	const struct CMUnitTest tests[] = {
		TEST(test_reconnect), TEST(test_set), TEST(test_restart),
		TEST(test_unchanged), TEST(test_corrupt), TEST(test_no_file),
		PORTS(test_ports_reconnect), PORTS(test_ports_restart),
	};
	int failed;

	if (!mkdtemp(dir))
		return 1;
	failed = cmocka_run_group_tests_name("state", tests, NULL, NULL);
	rmdir(dir);
	return failed;
}
