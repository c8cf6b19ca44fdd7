// SPDX-License-Identifier: GPL-2.0-or-later
/* `ringpace capture`: a port's packets into a pcapng file. */
#include <argp.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "capture/pcapng.h"
#include "capture/source.h"
#include "cmd.h"
#include "json.h"
#include "model_args.h"

#define SNAPLEN_DEFAULT	262144u		/* more than any packet has */
#define PACKET_MAX	65557u
#define POLL_MS		10
/* As many packets are written before it looks whether it is to stop. */
#define AT_ONCE		1024u

enum { OPT_SOCKET = 256, OPT_PORT, OPT_QUEUE, OPT_SNAPLEN, OPT_COUNT, OPT_DURATION, OPT_WRITE,
       OPT_JSON };

struct args {
	const char *socket, *port, *file;
	int queue;			/* -1: all */
	u32 snaplen;
	u64 count, duration_s;		/* 0: no limit */
	bool json;
};

struct run {
	const struct args *a;
	struct source source;
	FILE *out;
	u64 start_ns;			/* CLOCK_MONOTONIC */
	u64 packets;
};

/* ---- What is written ---- */

static void write_head(struct run *r)
{
	char name[64], text[160];
	u32 i;

	pcapng_begin(r->out, "ringpace capture");
	for (i = 0; i < r->source.count; i++) {
		const struct source_ring *ring = &r->source.ring[i];

		snprintf(name, sizeof(name), "%s/%u", r->a->port, ring->queue);
		snprintf(text, sizeof(text), "port %s, queue %u, %s", r->a->port, ring->queue,
			 ring->tx ? "tx: what the guest sends" : "rx: what the guest is sent");
		pcapng_interface(r->out, name, text, r->a->snaplen);
	}
}

static void write_packet(struct run *r, const struct source_ring *ring,
			 const struct capture_record *rec)
{
	const char *reason = source_reason(&r->source, rec->reason);
	char comment[64];

	if (reason)
		snprintf(comment, sizeof(comment), "dropped: %s", reason);
	pcapng_packet(r->out, &(struct pcapng_packet){
		.interface = (u32)(ring - r->source.ring),
		.time_ns = rec->time_ns + r->source.to_real_ns,
		.bytes = rec->frame_bytes, .caught = rec->caught, .data = rec->data,
		.dir = ring->tx ? PCAPNG_OUTBOUND : PCAPNG_INBOUND,
		.queue = ring->queue, .comment = reason ? comment : NULL,
	});
}

static u64 sum_lost(const struct run *r)
{
	u64 lost = 0;
	u32 i;

	for (i = 0; i < r->source.count; i++)
		lost += rp_load(&r->source.ring[i].reader.shared->lost);
	return lost;
}

static void write_tail(struct run *r)
{
	u64 now = now_ns();
	u32 i;

	for (i = 0; i < r->source.count; i++) {
		const struct capture_header *h = r->source.ring[i].reader.shared;

		pcapng_totals(r->out, &(struct pcapng_totals){
			.interface = i,
			.start_ns = r->start_ns + r->source.to_real_ns,
			.end_ns = now + r->source.to_real_ns,
			.received = rp_load(&h->seen), .lost = rp_load(&h->lost),
		});
	}
}

/* ---- The run ---- */

static bool is_enough(const struct run *r)
{
	return r->a->count && r->packets >= r->a->count;
}

/* Writes what is older than that. False: it cannot go on, after fail(). */
static bool drain(struct run *r, u64 before_ns, u32 most)
{
	const struct capture_record *rec;
	struct source_ring *ring = NULL;
	bool broken = false;

	while (most-- && !is_enough(r)) {
		rec = source_next(&r->source, before_ns, &ring, &broken);
		if (!rec)
			break;
		write_packet(r, ring, rec);
		source_done(ring);
		r->packets++;
	}
	return !broken;
}

static bool flush(struct run *r)
{
	if (!fflush(r->out) && !ferror(r->out))
		return true;
	fail("capture: cannot write to %s: %m", r->a->file);
	return false;
}

/* Until the user, the count, the time or the daemon ends it. 0, or -1 after fail(). */
static int follow(struct run *r)
{
	u64 end = r->a->duration_s ? r->start_ns + r->a->duration_s * NSEC_PER_SEC : ~0ULL;
	u64 before;

	do {
		before = r->packets;
		if (!drain(r, now_ns() - SOURCE_HOLD_NS, AT_ONCE) || !flush(r))
			return -1;
		if (source_gone(&r->source)) {
			fail("capture: the daemon has gone");
			drain(r, ~0ULL, ~0u);
			return -1;
		}
	} while (!is_enough(r) && now_ns() < end && !stopped() &&
		 (r->packets - before == AT_ONCE || nap_ms(POLL_MS)));
	/* What had come by then: more may come all the time. */
	return drain(r, now_ns(), ~0u) ? 0 : -1;
}

static void tell(const struct run *r)
{
	json_t *v;

	if (r->a->json) {
		v = json_pack("{s:s, s:I, s:I, s:I}", "port", r->a->port, "packets",
			      (json_int_t)r->packets, "lost_packets", (json_int_t)sum_lost(r),
			      "duration_ns", (json_int_t)(now_ns() - r->start_ns));
		json_print(v, stdout);
		return;
	}
	fprintf(stderr, "%llu packets captured, %llu lost\n", (unsigned long long)r->packets,
		(unsigned long long)sum_lost(r));
}

static FILE *open_file(const char *name)
{
	int fd;
	FILE *f;

	if (!strcmp(name, "-"))
		return stdout;
	/* Others' packets are nobody else's business. */
	fd = open(name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	f = fd < 0 ? NULL : fdopen(fd, "wb");
	if (!f)
		fail("capture: cannot write %s: %m", name);
	return f;
}

static int capture(const struct args *a)
{
	struct run r = { .a = a };
	int rc = source_open(&r.source, a->socket, a->port, a->queue,
			     a->snaplen < PACKET_MAX ? a->snaplen : PACKET_MAX);

	if (!rc) {
		r.start_ns = now_ns();
		r.out = open_file(a->file);
		rc = r.out ? 0 : -1;
	}
	if (!rc) {
		write_head(&r);
		rc = follow(&r);
		write_tail(&r);
		if (!flush(&r))
			rc = -1;
		tell(&r);
	}
	if (r.out && r.out != stdout && fclose(r.out))
		rc = fail("capture: cannot write %s: %m", a->file);
	source_close(&r.source);
	return rc;
}

/* ---- The command line ---- */

static void check(const struct args *a, struct argp_state *state)
{
	if (!a->socket)
		argp_error(state, "of which daemon? --socket PATH");
	if (!a->port)
		argp_error(state, "which port? --port NAME");
	if (!a->file)
		argp_error(state, "where to? --write FILE, or - for standard output");
	if (a->json && !strcmp(a->file, "-"))
		argp_error(state, "--json and --write -: both want standard output");
	if (!strcmp(a->file, "-") && isatty(STDOUT_FILENO))
		argp_error(state, "--write -: a capture is nothing for a terminal");
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct args *a = state->input;

	switch (key) {
	case OPT_SOCKET: a->socket = arg; break;
	case OPT_PORT: a->port = arg; break;
	case OPT_QUEUE: a->queue = (int)opt_number(state, "queue", arg, 127); break;
	case OPT_SNAPLEN:
		a->snaplen = (u32)opt_number(state, "snaplen", arg, SNAPLEN_DEFAULT);
		if (!a->snaplen)
			argp_error(state, "--snaplen 0: at least 1 byte");
		break;
	case OPT_COUNT: a->count = opt_number(state, "count", arg, INT64_MAX); break;
	case OPT_DURATION: a->duration_s = opt_number(state, "duration-s", arg, 31536000); break;
	case OPT_WRITE: a->file = arg; break;
	case OPT_JSON: a->json = true; break;
	case ARGP_KEY_ARG: argp_error(state, "%s: one argument too many", arg); break;
	case ARGP_KEY_END: check(a, state); break;
	default: return ARGP_ERR_UNKNOWN;
	}
	return 0;
}

static const struct argp_option options[] = {
	{ "socket", OPT_SOCKET, "PATH", 0, "ringpaced's control socket", 0 },
	{ "port", OPT_PORT, "NAME", 0, "the port", 0 },
	{ "queue", OPT_QUEUE, "N", 0, "only this queue: even ones are the guest's RX, odd ones its TX (all)", 0 },
	{ "snaplen", OPT_SNAPLEN, "BYTES", 0, "only the first bytes of each packet (all)", 0 },
	{ "count", OPT_COUNT, "PACKETS", 0, "end after so many", 0 },
	{ "duration-s", OPT_DURATION, "S", 0, "end after so many seconds", 0 },
	{ "write", OPT_WRITE, "FILE|-", 0, "write there, or to standard output", 0 },
	{ "json", OPT_JSON, NULL, 0, "tell at the end, as one JSON object, what was captured", 0 },
	{ 0 }
};

static int run(int argc, char **argv)
{
	const struct argp argp = {
		.options = options, .parser = parse,
		.doc = "Captures what a port of ringpaced sends and is sent, as pcapng.\v"
		"Packets that the daemon drops are there, too, with the reason as a comment. Who does "
		"not keep up with the port loses packets, never holds it up; how many is told at "
		"the end and in the file. Ctrl-C ends it, and the file is whole.\n\n"
		"Examples:\n\n"
		"  ringpace capture --socket /tmp/rp.ctl --port a --snaplen 128 --write a.pcapng\n"
		"  ringpace capture --socket /tmp/rp.ctl --port a --write - | tshark -r -",
	};
	struct args a = { .queue = -1, .snaplen = SNAPLEN_DEFAULT };

	argp_parse(&argp, argc, argv, 0, NULL, &a);
	catch_signals();
	return capture(&a) ? 1 : 0;
}

const struct cmd cmd_capture = {
	.name = "capture",
	.summary = "write a port's packets to a pcapng file",
	.run = run,
};
