// SPDX-License-Identifier: GPL-2.0-or-later
/* Many guests at a ringpaced. */
#include "crowd.h"

#include <string.h>
#include <unistd.h>

const char *crowd_socket(u32 i)
{
	static char path[160];

	snprintf(path, sizeof(path), "%s/p%u.sock", run_dir(), i);
	return path;
}

FILE *crowd_write(struct crowd *c)
{
	const char *dir = run_dir();
	FILE *f;

	if (!dir)
		return NULL;
	snprintf(c->file, sizeof(c->file), "%s/crowd.yaml", dir);
	f = fopen(c->file, "we");
	if (!f)
		fail("cannot write %s", c->file);
	return f;
}

/* On a busy machine a guest of ours may stop for long. */
void crowd_write_port(FILE *f, u32 i, const char *more)
{
	fprintf(f, "  - {name: p%u, socket: \"%s\", full-ms: %u%s}\n", i, crowd_socket(i),
		NEVER_MS, more);
}

bool crowd_written(FILE *f)
{
	return f && !fclose(f);
}

bool crowd_start(struct crowd *c)
{
	char *args[] = { "--config", c->file, NULL };

	return !net_daemon_start(&c->daemon, args);
}

bool crowd_reload(struct crowd *c)
{
	json_t *v = net_daemon_call(&c->daemon, "reload", NULL);
	const bool good = v;

	json_decref(v);
	return good;
}

bool crowd_enter(struct crowd *c, u32 guests)
{
	static const u32 bytes[] = { 60, 200, 700, 1514 };
	u32 i;

	for (i = 0; i < guests; i++) {
		const struct net_end_options o = {
			.socket = crowd_socket(i), .pairs = 1, .slots = SLOTS,
			.frame_bytes = bytes[i / 2 % 4], .station = (u8)(i + 1),
			.rx_bytes = 2048, .pieces = 1, .check_all = true,
			.timeout_ms = NET_DAEMON_TIMEOUT_MS,
		};

		c->guests = i + 1;
		if (net_end_open(&c->end[i], &o))
			return false;
	}
	return true;
}

void crowd_leave(struct crowd *c)
{
	while (c->guests)
		net_end_close(&c->end[--c->guests]);
}

void crowd_stop(struct crowd *c)
{
	u32 i;

	crowd_leave(c);
	net_daemon_stop(&c->daemon);
	for (i = 0; i < CROWD_MAX; i++)
		unlink(crowd_socket(i));
	unlink(c->file);
}

bool crowd_introduce(struct crowd *c, u32 from, u32 to)
{
	bool good = true;
	u32 i, k;

	for (i = from; i < to && good; i++) {
		c->end[i].to = NET_ALL;
		good = net_send(&c->end[i], 0, 1) == 1;
		for (k = from; k < to; k++)
			good = good && (k == i ||
					await(&c->end[k], 0, c->end[k].rx[0].packets + 1));
	}
	return good;
}

/* Guests go on with what is left to send and to receive; is nothing left? */
static bool turn(struct crowd *c, u32 *to_send, u32 *to_receive)
{
	u32 left = 0, waits = c->guests, moved = 0, n, i;

	for (i = 0; i < c->guests; i++) {
		c->end[i].to = (u8)((i ^ 1) + 1);
		n = to_send[i] ? net_send(&c->end[i], 0, to_send[i]) : 0;
		to_send[i] -= n;
		moved += n;
		n = net_receive(&c->end[i], 0, SLOTS);
		to_receive[i] -= n < to_receive[i] ? n : to_receive[i];
		moved += n;
		left += to_send[i] + to_receive[i];
		if (to_receive[i])
			waits = i;
	}
	if (!moved && waits < c->guests)
		net_wait(&c->end[waits], 0, 10);
	return !left;
}

bool crowd_exchange(struct crowd *c, u32 n)
{
	const u64 end = now_ns() + WAIT_NS;
	u32 to_send[CROWD_MAX], to_receive[CROWD_MAX], i;

	for (i = 0; i < c->guests; i++)
		to_send[i] = to_receive[i] = n;
	while (!turn(c, to_send, to_receive))
		if (now_ns() > end)
			return false;
	return true;
}

bool crowd_clean(const struct crowd *c)
{
	bool good = true;
	u32 i;

	for (i = 0; i < c->guests; i++)
		good = clean(&c->end[i], 0) && good;
	return good;
}

double crowd_dropped(struct crowd *c)
{
	const char *reason;
	char port[16];
	double sum = 0;
	json_t *stats, *n;
	u32 i;

	for (i = 0; i < c->guests; i++) {
		snprintf(port, sizeof(port), "p%u", i);
		stats = net_daemon_stats(&c->daemon, port, 1);
		if (!stats)
			return UNKNOWN;
		json_object_foreach(json_object_get(stats, "dropped"), reason, n)
			sum += json_number_value(n);
		json_decref(stats);
	}
	return sum;
}
