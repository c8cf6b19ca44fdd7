// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A switch of four guests and two links of two, under traffic, while another thread reads
 * files again, moves flows between pacers and sets limits, all the time: nothing is lost,
 * nothing is reordered, and the daemon holds at the end what it held when it had seen every
 * change a few times. 20 s; with RINGPACE_LONG=1 in the environment 10 minutes.
 */
#include <pthread.h>
#include <stdlib.h>

#include "crowd.h"
#include "proc.h"

#define GUESTS		8u
#define SWITCHED	4u
/* Traffic is slower than that only while a limit says so. */
#define BURST		48u
#define SHORT_S		20u
#define LONG_S		600u
/* Changes until nothing is done for the first time any more. */
#define WARM_CHANGES	100u
/* What the allocator may hold more at one time than at another. */
#define SLACK_BYTES	((u64)512 << (PROC_SANITIZED ? 20 : 10))

struct soak {
	struct crowd crowd;
	/* The other thread's */
	u32 changes;		/* read relaxed */
	u32 reloads, moves, limits;
	u64 warm_bytes;
	u32 warm_fds;
	const char *failed;	/* NULL: nothing has; read relaxed */
	bool done;		/* read relaxed: the traffic has ended */
};

static const char *const name = "soak";

/* ---- Changes ---- */

/* What the files differ in: members of the switch, its pacer, pacing, ports beside. */
static const char *const switches[] = {
	"{name: s, ports: [p0, p1, p2, p3]}", "{name: s, ports: [p3, p1, p2, p0], pacer: [0, 1]}",
	"{name: s, ports: [p0, p1, p2, p3, p8], age-s: 1000}",
};
static const char *const pacings[] = {
	"", ", strategy: notify", ", strategy: sleep, y-ns: 50000", ", burst: 8",
	", dmax-ns: 1000000", ", rate-pps: 20000, burst-packets: 64",
};

#define COUNT(list)	(u32)(sizeof(list) / sizeof(*(list)))

static bool write_change(struct crowd *c, u32 n)
{
	FILE *f = crowd_write(c);
	u32 i;

	if (!f)
		return false;
	fprintf(f, "pacers: x2\nports:\n");
	for (i = 0; i < GUESTS; i++)
		crowd_write_port(f, i, pacings[(n + i) % COUNT(pacings)]);
	/* Two without guests: the switch may have one, and one comes and goes. */
	crowd_write_port(f, GUESTS, n % 3 ? "" : ", pairs: 4");
	if (n % 2)
		crowd_write_port(f, GUESTS + 1, ", rss: 64");
	fprintf(f, "links:\n  - [p4, p5]\n  - [p6, p7]\nswitches:\n  - %s\n",
		switches[n % COUNT(switches)]);
	return crowd_written(f);
}

static bool reload_next(struct soak *s)
{
	return write_change(&s->crowd, s->reloads++) && crowd_reload(&s->crowd);
}

static bool call(struct soak *s, const char *cmd, json_t *args)
{
	json_t *v = net_daemon_call(&s->crowd.daemon, cmd, args);
	const bool good = v;

	json_decref(v);
	return good;
}

static const char *port(u32 i)
{
	static const char *const names[] = { "p0", "p1", "p2", "p3", "p4", "p5", "p6", "p7" };

	return names[i % GUESTS];
}

static bool move_next(struct soak *s)
{
	const u32 n = s->moves++;

	return call(s, "move", json_pack("{s:s, s:i, s:i}", "device", port(n), "pair", 0,
					 "pacer", (int)(n / GUESTS % 2)));
}

static bool limit_next(struct soak *s)
{
	const u32 n = s->limits++;

	return call(s, "set", json_pack("{s:s, s:i}", "device", port(n), "rate_pps",
					n % 2 ? 0 : 5000));
}

static void change_next(struct soak *s)
{
	static const struct {
		const char *what;
		bool (*next)(struct soak *s);
	} change[] = {
		{ "a reload", reload_next }, { "a move", move_next }, { "a limit", limit_next },
	};
	const u32 n = s->changes, kind = n % COUNT(change);

	if (!change[kind].next(s))
		rp_store(&s->failed, change[kind].what);
	rp_store(&s->changes, n + 1);
	if (n + 1 == WARM_CHANGES) {
		s->warm_bytes = proc_memory_bytes(s->crowd.daemon.pid);
		s->warm_fds = proc_fds(s->crowd.daemon.pid);
	}
}

static void *change_all(void *arg)
{
	struct soak *s = arg;

	while (!rp_load(&s->done) && !s->failed) {
		change_next(s);
		nap_ms(10);
	}
	return NULL;
}

/* ---- Traffic beside it ---- */

static u64 duration_ns(void)
{
	const char *set = getenv("RINGPACE_LONG");

	return (set && *set && strcmp(set, "0") ? LONG_S : SHORT_S) * NSEC_PER_SEC;
}

static void under_traffic(struct soak *s)
{
	const u64 end = now_ns() + duration_ns();
	pthread_t thread;
	bool good = true;
	u64 rounds = 0;

	if (!ok(!pthread_create(&thread, NULL, change_all, s), name, "a thread"))
		return;
	/* On a machine that is busy the changes may take longer than the time. */
	while (good && !stopped() && !rp_load(&s->failed) &&
	       (now_ns() < end || rounds < 100 || rp_load(&s->changes) < 2 * WARM_CHANGES)) {
		good = crowd_exchange(&s->crowd, BURST);
		rounds++;
	}
	rp_store(&s->done, true);
	pthread_join(thread, NULL);
	printf("# %llu rounds of %u frames, %u reloads, %u moves, %u limits\n",
	       (unsigned long long)rounds, GUESTS * BURST, s->reloads, s->moves, s->limits);
	ok(good, name, "all frames arrive");
	ok(crowd_clean(&s->crowd), name, "0 lost, 0 reordered, all whole");
	if (s->failed)
		printf("# %s failed\n", s->failed);
	ok(!s->failed && s->changes > WARM_CHANGES, name, "every change is made");
	ok(crowd_dropped(&s->crowd) == 0, name, "nothing is dropped");
}

/* By the file that it had been warm with, or one like it. */
static void holds_no_more(struct soak *s)
{
	const pid_t pid = s->crowd.daemon.pid;
	const u64 bytes = proc_memory_bytes(pid);
	const u32 fds = proc_fds(pid);

	printf("# memory of the daemon: %llu KiB when warm, %llu KiB at the end; "
	       "descriptors: %u, %u\n", (unsigned long long)s->warm_bytes >> 10,
	       (unsigned long long)bytes >> 10, s->warm_fds, fds);
	ok(bytes && bytes <= s->warm_bytes + SLACK_BYTES, name, "its memory does not grow");
	/* The port that comes and goes may be there or not. */
	ok(fds && fds <= s->warm_fds + 8, name, "nor do its descriptors");
}

int main(void)
{
	struct soak *s = calloc(1, sizeof(*s));

	if (!s)
		abort();
	s->crowd.daemon.pid = -1;
	catch_signals();
	if (ok(write_change(&s->crowd, 0) && crowd_start(&s->crowd), name, "starts by file") &&
	    ok(crowd_enter(&s->crowd, GUESTS), name, "a guest at each port") &&
	    ok(crowd_introduce(&s->crowd, 0, SWITCHED), name, "the switch knows four")) {
		under_traffic(s);
		holds_no_more(s);
	}
	crowd_stop(&s->crowd);
	free(s);
	return tests_done();
}
