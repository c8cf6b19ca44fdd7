/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Bytes that say what clients of the control socket do. Bytes but for MARK are what the
 * present client sends; the one behind MARK is an action in its lower half and a number in
 * the upper one. As MARK never is in a text of JSON, texts are scripts, too.
 */
#ifndef TEST_CONTROL_SCRIPT_H
#define TEST_CONTROL_SCRIPT_H

#include "control_bed.h"

#define SCRIPT_MARK		0xfe
#define SCRIPT_LONG_BYTES	6000u
#define SCRIPT_LONG_MAX		(300u << 10)
#define SCRIPT_BYTES_MAX	(1u << 20)
/* Of a client a run reads all that waits by about so many calls, at most. */
#define SCRIPT_CALLS		1000u

enum script_action {
	SCRIPT_RUN,		/* the loop; a call moves 1 << number bytes */
	SCRIPT_ORDER,		/* form number, with values by the bytes that follow */
	SCRIPT_ORDER_HIGH,	/* the same with the number 16 higher */
	SCRIPT_TURN,		/* the pacers, with as many frames, and buffers */
	SCRIPT_CLIENT,		/* one more, who is the present one from now on */
	SCRIPT_OTHER,		/* the present one is another one that is there */
	SCRIPT_CROWD,		/* eight more times as many, who say nothing */
	SCRIPT_ROOM,		/* reads no more, but 100 bytes times as many; 15: reads on */
	SCRIPT_END,		/* sends no more */
	SCRIPT_GONE,
	SCRIPT_LONG,		/* so many thousand bytes, of no line's */
	SCRIPT_STEER,		/* the number-th table that is shared: entry and pair follow */
	SCRIPT_ACTIONS
};

/* '#' is a number, '@' a port, a device or a switch. */
static const char *const script_forms[] = {
	"hello\"", "list\"", "reload\"", "backlog\",\"groups\":true", "backlog\",\"devices\":[\"@\",\"@\"]",
	"stats\",\"device\":\"@\",\"queue\":#", "set\",\"device\":\"@\",\"strategy\":\"sleep\",\"y_ns\":#",
	"set\",\"device\":\"@\",\"strategy\":\"adaptive\",\"dmax_ns\":#,\"cpu_cap_percent\":#,\"k\":#,\"burst\":#",
	"set\",\"device\":\"@\",\"rate_pps\":#,\"burst_packets\":#",
	"set\",\"device\":\"@\",\"rate_bps\":#,\"burst_bytes\":#",
	"set\",\"device\":\"@\",\"queue\":#,\"w_ns\":#,\"k\":#,\"queue_len\":#,\"burst\":#",
	"set\",\"device\":\"@\",\"queue\":#,\"trace\":true,\"cpu\":-1,\"item_bytes\":#",
	"start\",\"device\":\"@\",\"queue\":#,\"max_items\":#", "trace\",\"device\":\"@\",\"queue\":#,\"max\":#",
	"move\",\"device\":\"@\",\"pair\":#,\"pacer\":#", "move\",\"device\":\"@\",\"egress\":true,\"pacer\":#",
	"weight\",\"device\":\"n\",\"weight\":{\"#\":#,\"#\":#}", "weight\",\"device\":\"@\",\"link_bps\":#",
	"macs\",\"switch\":\"@\"", "flush\",\"switch\":\"s\",\"device\":\"@\",\"vlan\":#",
	"rss\",\"device\":\"@\",\"enabled\":true,\"entries\":#", "rss\",\"device\":\"@\",\"enabled\":false",
	"rss\",\"device\":\"@\",\"entry\":{\"#\":#,\"#\":#}", "rss\",\"device\":\"@\",\"entry_mask\":{\"#\":\"#\"}",
	"rss\",\"device\":\"@\",\"table\":[#,#,#,#],\"brief\":true",
	"rss\",\"device\":\"@\",\"types\":[\"udpv4\",\"ipv6\"],\"unclassified\":#",
	"capture\",\"device\":\"@\",\"snaplen_bytes\":#", "capture\",\"device\":\"@\",\"queue\":#",
	"stop\",\"device\":\"@\",\"queue\":#", "reset\",\"device\":\"@\",\"queue\":#",
	"set\",\"device\":\"@\",\"strategy\":\"busy\"", "rss\",\"device\":\"@\",\"brief\":true,\"page\":true",
};

#define SCRIPT_FORMS	(sizeof(script_forms) / sizeof(script_forms[0]))

_Static_assert(SCRIPT_FORMS <= 32, "an action's number names each form");

struct script {
	const u8 *at, *end;
	struct bed_conn *now;
	size_t sent, filler;
};

static inline u8 script_byte(struct script *s)
{
	return s->at < s->end ? *s->at++ : 0;
}

static inline struct bed_conn *script_client(struct script *s)
{
	struct bed_conn *c = s->now;

	/* Who has ended, or was turned away, is followed by another one. */
	if (!c || c->ended || c->gone || c->state == CONN_CLOSED)
		s->now = bed_connect();
	return s->now;
}

static inline void script_send(struct script *s, const void *text, size_t bytes)
{
	struct bed_conn *c = script_client(s);

	s->sent += bytes;
	if (c && s->sent <= SCRIPT_BYTES_MAX)
		bed_send(c, text, bytes);
}

/* Mostly what is in range somewhere, and what is at the ends of ranges. */
static inline int script_number(struct script *s, char *to, size_t room)
{
	static const unsigned long long ends[] = {
		63, 64, 65, 127, 128, 255, 256, 257, 511, 512, 513, 4094, 4095, 65535, 65536,
		1000000, 1000001, 100000000, 1000000000, 1000000001, 1000000000000, UINT32_MAX,
		1ULL + UINT32_MAX, INT64_MAX, 1ULL + INT64_MAX, UINT64_MAX,
	};
	u8 b = script_byte(s);

	return snprintf(to, room, "%llu", b < 160 ? b % 3u : b < 200 ? b % 20u :
			ends[(b - 200u) % (sizeof(ends) / sizeof(ends[0]))]);
}

static inline void script_order(struct script *s, u32 form)
{
	static const char *const names[] = { "a", "b", "c", "d", "n", "v", "pc0", "s", "zz" };
	const char *f = script_forms[form % SCRIPT_FORMS];
	char line[512];
	int n = snprintf(line, sizeof(line), "{\"v\":1,\"id\":%zu,\"cmd\":\"", s->sent);

	for (; *f; f++) {
		if (*f == '#')
			n += script_number(s, line + n, sizeof(line) - (size_t)n);
		else if (*f == '@')
			n += snprintf(line + n, sizeof(line) - (size_t)n, "%s",
				      names[script_byte(s) % (sizeof(names) / sizeof(names[0]))]);
		else
			line[n++] = *f;
	}
	n += snprintf(line + n, sizeof(line) - (size_t)n, "}\n");
	/* What was before is a line of its own. */
	if (s->now->line_bytes)
		script_send(s, "\n", 1);
	script_send(s, line, (size_t)n);
}

static inline void script_long(struct script *s, u32 n)
{
	static char x[SCRIPT_LONG_BYTES];

	memset(x, 'x', sizeof(x));
	for (; n && s->filler < SCRIPT_LONG_MAX; n--, s->filler += sizeof(x))
		script_send(s, x, sizeof(x));
}

/* Pieces of @bytes, or longer ones, lest it takes for ever. */
static inline void script_run(size_t bytes)
{
	size_t waits;
	u32 i;

	for (i = 0; i < bed.conns; i++) {
		waits = bed.conn[i].in_bytes - bed.conn[i].in_at;
		bytes = waits / SCRIPT_CALLS > bytes ? waits / SCRIPT_CALLS : bytes;
	}
	bed.piece = bytes;
	bed_run();
}

static inline void script_crowd(u32 n)
{
	for (n *= 8; n; n--)
		bed_connect();
}

static inline void script_steer(struct script *s, u32 n)
{
	u32 entry = script_byte(s), pair = script_byte(s);

	/* Half of them are pairs that may be there. */
	net_bed_steer(n % 4, entry, (u16)(pair < 128 ? pair % 4 : pair * 257));
}

static inline void script_act(struct script *s, u32 action, u32 n)
{
	struct bed_conn *c = script_client(s);

	if (!c)
		return;
	switch (action % SCRIPT_ACTIONS) {
	case SCRIPT_RUN: script_run((size_t)1 << n); break;
	case SCRIPT_ORDER: script_order(s, n); break;
	case SCRIPT_ORDER_HIGH: script_order(s, n + 16); break;
	case SCRIPT_TURN: net_bed_play(5 * n, 4 * (script_byte(s) % 64u)); break;
	case SCRIPT_CLIENT: s->now = bed_connect(); break;
	case SCRIPT_OTHER: s->now = &bed.conn[n % bed.conns]; break;
	case SCRIPT_CROWD: script_crowd(n % 4); break;
	case SCRIPT_ROOM: c->room = n == 15 ? SIZE_MAX : 100 * n; break;
	case SCRIPT_END: c->ended = true; break;
	case SCRIPT_GONE: c->gone = true; break;
	case SCRIPT_LONG: script_long(s, n); break;
	case SCRIPT_STEER: script_steer(s, n); break;
	}
}

/* All of it, from a daemon that has just begun to one that has served everybody. */
static inline void script_play(const u8 *text, size_t bytes)
{
	struct script s = { .at = text, .end = text + bytes };

	bed_open();
	while (s.at < s.end) {
		u8 b = *s.at++;

		if (b == SCRIPT_MARK) {
			b = script_byte(&s);
			script_act(&s, b & 15, b >> 4);
		} else {
			script_send(&s, &b, 1);
		}
	}
	bed.piece = 4096;
	bed_settle();
	bed_close();
}

#endif /* TEST_CONTROL_SCRIPT_H */
