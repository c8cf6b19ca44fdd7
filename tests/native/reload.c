// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A configuration that is read again under traffic: what has not changed loses nothing,
 * whatever comes and goes beside it; what has changed begins with the file's parameters.
 * Guests of our own at ports a, b and c are one thread; another one changes the file.
 */
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#include "net_bed.h"

#define ROUNDS	40u

enum { A, B, C, ENDS };

struct bed {
	struct net_daemon daemon;
	char file[180], socket[6][160];
	struct net_end end[ENDS];
	/* The other thread's */
	const char *const *text;	/* the files, in turn; "%N$s" are sockets */
	u32 texts;
	bool good;
	bool done;			/* read relaxed */
};

/* ---- The daemon and its file ---- */

static bool write_file(struct bed *b, const char *text)
{
	FILE *f = fopen(b->file, "we");
	bool good = f;

	/* The texts are of this file. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	good = good && fprintf(f, text, b->socket[0], b->socket[1], b->socket[2], b->socket[3],
			       b->socket[4], b->socket[5]) > 0;
#pragma GCC diagnostic pop
	return f && !fclose(f) && good;
}

static bool reload(struct bed *b)
{
	json_t *v = net_daemon_call(&b->daemon, "reload", NULL);
	bool good = v;

	json_decref(v);
	return good;
}

static bool start(struct bed *b, const char *name, const char *text)
{
	const char *dir = run_dir();
	char *args[] = { "--config", b->file, NULL };
	u32 i;

	b->daemon.pid = -1;
	for (i = 0; dir && i < 6; i++)
		snprintf(b->socket[i], sizeof(b->socket[i]), "%s/reload-%c.sock", dir, 'a' + i);
	if (dir)
		snprintf(b->file, sizeof(b->file), "%s/reload.yaml", dir);
	return ok(dir && write_file(b, text) && !net_daemon_start(&b->daemon, args), name,
		  "starts by file");
}

static bool guest(struct bed *b, u32 i)
{
	const struct net_end_options o = {
		.socket = b->socket[i], .pairs = 1, .slots = SLOTS, .frame_bytes = 200,
		.station = (u8)(i + 1), .rx_bytes = 2048, .pieces = 1, .check_all = true,
		.timeout_ms = NET_DAEMON_TIMEOUT_MS,
	};

	if (net_end_open(&b->end[i], &o))
		return false;
	b->end[i].to = i == A ? 2 : 1;
	return true;
}

static void stop(struct bed *b)
{
	u32 i;

	for (i = 0; i < ENDS; i++)
		if (b->end[i].open)
			net_end_close(&b->end[i]);
	net_daemon_stop(&b->daemon);
	for (i = 0; i < 6; i++)
		unlink(b->socket[i]);
	unlink(b->file);
}

/* ---- Traffic, and changes beside it ---- */

static void *change_files(void *arg)
{
	struct bed *b = arg;
	u32 i;

	b->good = true;
	for (i = 0; i < ROUNDS && b->good; i++) {
		b->good = write_file(b, b->text[i % b->texts]) && reload(b);
		nap_ms(5);
	}
	rp_store(&b->done, true);
	return NULL;
}

/*
 * Both ways between a and b while files change. Fewer on their way than there are
 * buffers: a switch that does not know an address yet floods, and that waits for nobody.
 */
static void under_traffic(struct bed *b, const char *name, const char *const *text, u32 texts)
{
	struct net_end *one = &b->end[A], *two = &b->end[B];
	bool good = true;
	pthread_t thread;

	b->text = text;
	b->texts = texts;
	rp_store(&b->done, false);
	if (!ok(!pthread_create(&thread, NULL, change_files, b), name, "a thread"))
		return;
	while (good && !rp_load(&b->done))
		good = stream(one, two, 0, 64) && stream(two, one, 0, 64);
	pthread_join(thread, NULL);
	ok(b->good, name, "every file is taken");
	ok(good && stream(one, two, 0, 500) && stream(two, one, 0, 500), name, "all arrive");
	ok(clean(one, 0) && clean(two, 0), name, "whole, once, in order");
}

/* ---- Files ---- */

#define AB	"ports:\n"								\
		"  - {name: a, socket: \"%1$s\", full-ms: 3600000}\n"			\
		"  - {name: b, socket: \"%2$s\", full-ms: 3600000}\n"
#define CD	"  - {name: c, socket: \"%3$s\"}\n  - {name: d, socket: \"%4$s\", pairs: 4}\n"
#define LINKED	"pacers: x2\nlinks:\n  - [a, b]\n"

/* Other ports, which are linked, in a switch, closed, alone; and a device. */
static const char *const beside[] = {
	AB CD LINKED "  - [c, d]\ndevices:\n  - {name: pc0, socket: \"%5$s\"}\n",
	AB CD LINKED "switches:\n  - {name: s, ports: [c, d], pacer: 1}\n",
	AB CD LINKED "switches:\n  - {name: s, ports: [d, c]}\n",
	AB LINKED,
	AB "  - {name: c, socket: \"%3$s\", pairs: 3}\n" LINKED,
	/* Their sockets change hands, and one becomes a device's. */
	AB "  - {name: d, socket: \"%3$s\"}\n  - {name: c, socket: \"%6$s\"}\n" LINKED
	"devices:\n  - {name: pc0, socket: \"%4$s\"}\n",
};

#define PACED(one, two)									\
	"ports:\n"									\
	"  - {name: a, socket: \"%1$s\", full-ms: 3600000, " one "}\n"			\
	"  - {name: b, socket: \"%2$s\", full-ms: 3600000, " two "}\n" LINKED

static const char *const paced[] = {
	PACED("strategy: notify", "burst: 8"), PACED("strategy: sleep, y-ns: 50000", "burst: 1"),
	PACED("strategy: busy", "strategy: notify"), PACED("dmax-ns: 1000000", "dmax-ns: 50000"),
};

#define SWITCH	"pacers: x2\nswitches:\n"

static const char *const members[] = {
	AB SWITCH "  - {name: s, ports: [a, b]}\n",
	AB CD SWITCH "  - {name: s, ports: [c, a, b]}\n",
	AB CD SWITCH "  - {name: s, ports: [a, b, d], pacer: 1}\n",
	AB CD SWITCH "  - {name: s, ports: [a, b], age-s: 100}\n  - {name: r, ports: [d, c]}\n",
	AB CD SWITCH "  - {name: r, ports: [d, b, a]}\n",
};

/* From a link into a switch and back. */
static const char *const relinked[] = {
	AB SWITCH "  - {name: s, ports: [a, b]}\n", AB LINKED,
};

#define COUNT(list)	(u32)(sizeof(list) / sizeof(*(list)))

static void all_under_traffic(void)
{
	struct bed *b = calloc(1, sizeof(*b));

	if (b && start(b, "reload", AB LINKED) &&
	    ok(guest(b, A) && guest(b, B), "reload", "two guests")) {
		under_traffic(b, "others come and go", beside, COUNT(beside));
		under_traffic(b, "their own pacing changes", paced, COUNT(paced));
		under_traffic(b, "a switch gets other ports", members, COUNT(members));
		under_traffic(b, "a link becomes a switch", relinked, COUNT(relinked));
	}
	if (b)
		stop(b);
	free(b);
}

/* ---- What changes ---- */

static json_t *port_of(struct bed *b, const char *name)
{
	json_t *v = net_daemon_call(&b->daemon, "list", NULL), *found = NULL, *port;
	size_t i;

	json_array_foreach(json_object_get(v, "ports"), i, port)
		if (!strcmp(json_string_value(json_object_get(port, "device")), name))
			found = json_incref(port);
	json_decref(v);
	return found;
}

/* A guest at a port that stays is not even disconnected when its peer becomes another. */
static void another_peer(void)
{
	static const char *const name = "another peer";
	struct bed *b = calloc(1, sizeof(*b));
	json_t *v;

	if (b && start(b, name, AB CD LINKED) &&
	    ok(guest(b, A) && guest(b, B) && guest(b, C), name, "three guests")) {
		ok(stream(&b->end[A], &b->end[B], 0, 1000), name, "from a to b");
		ok(write_file(b, AB CD "pacers: x2\nlinks:\n  - [c, a]\n") && reload(b), name,
		   "the file is taken");
		/* Of what a has sent nothing was c's until now. */
		b->end[C].rx[0].next_seq[net_source(1, 0)] = b->end[A].tx[0].sent;
		ok(stream(&b->end[A], &b->end[C], 0, 1000) &&
		   stream(&b->end[C], &b->end[A], 0, 1000), name, "from a to c and back");
		ok(clean(&b->end[A], 0) && clean(&b->end[B], 0) && clean(&b->end[C], 0), name,
		   "whole, once, in order");
		v = port_of(b, "b");
		ok(json_is_null(json_object_get(v, "peer")) &&
		   json_is_true(json_object_get(v, "connected")), name, "b is alone, and there");
		json_decref(v);
	}
	if (b)
		stop(b);
	free(b);
}

int main(void)
{
	catch_signals();
	all_under_traffic();
	another_peer();
	return tests_done();
}
