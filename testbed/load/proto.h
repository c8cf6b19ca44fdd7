/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Protocols of the load generator: what is asked, and whether the answer is right.
 *
 * Theory of operation. A protocol writes requests, and reads replies byte by byte from a
 * stream that may be cut anywhere; what it has seen of one reply is in struct
 * load_parser, zeroed before each. Whoever answers is not trusted: a reply ends with
 * an outcome, bounded in what it may take. After LOAD_GARBAGE the stream has
 * no known place any more, so the connection is given up; after the other ones it goes on.
 * Knows neither clock nor socket. Adding a protocol: a table here, a line in load_protos.
 */
#ifndef LOAD_PROTO_H
#define LOAD_PROTO_H

#include "rp.h"

#define LOAD_REQUEST_MAX	65536u
#define LOAD_KEYS_MAX		10000000u
#define LOAD_LINE_MAX		256u
/* Of an HTTP reply's head, and a chunk or body. */
#define LOAD_HEAD_MAX		65536u
#define LOAD_BODY_MAX		(1ULL << 40)

/* How a request ended. Errors of connections have the same names. */
enum load_outcome {
	LOAD_MORE,		/* not yet */
	LOAD_OK,
	LOAD_WRONG,		/* a reply in good form, with other content than it should have */
	LOAD_MISS,		/* there is no such key */
	LOAD_REJECTED,		/* the server says that it cannot, or will not */
	LOAD_GARBAGE,		/* no reply of this protocol */
	LOAD_REFUSED,		/* nobody listens */
	LOAD_RESET,		/* connection reset */
	LOAD_CLOSED,		/* connection closed by the server */
	LOAD_TIMEOUT,		/* no answer in time */
	LOAD_FAULT,		/* of the system: another errno */
	LOAD_OUTCOMES
};

/* "wrong", "miss", ...; of errors only. */
extern const char *const load_outcome_names[LOAD_OUTCOMES];

struct load_request {
	u64 id;			/* of the generator, ever rising */
	u64 due_ns, sent_ns;	/* since the load's begin; 0 before it */
	u32 op, key;		/* the protocol's */
	bool measured;
};

struct load_parser {
	u32 state;
	enum load_outcome outcome;	/* so far */
	bool chunked, has_length, last;	/* last: the server will close the connection */
	u32 status;
	u32 head_bytes;
	u64 at, left;
	u64 body_bytes, hash;
	u32 line_bytes;
	char line[LOAD_LINE_MAX];
};

struct load_proto_options {
	u32 bytes;		/* of an echo */
	u32 keys;		/* at most LOAD_KEYS_MAX */
	u32 get_percent;
	const char *host, *path;	/* short enough for a request */
};

struct load_proto;

struct load_proto_ops {
	const char *name;
	const char *summary;
	bool datagram;
	bool shared;		/* set-up requests are shared by all threads, else each does all */
	/* Requests that come before the load. */
	u32 (*setup_count)(const struct load_proto *p);
	void (*setup)(const struct load_proto *p, struct load_request *r, u32 i);
	/* The load's next request, by 64 random bits. */
	void (*choose)(const struct load_proto *p, struct load_request *r, u64 random);
	/* At most LOAD_REQUEST_MAX bytes; how many. */
	u32 (*write)(const struct load_proto *p, const struct load_request *r, u8 *to);
	/* Takes bytes of @r's reply, but for LOAD_MORE no more than it has; how many. */
	size_t (*parse)(struct load_proto *p, struct load_parser *s, const struct load_request *r,
			const u8 *data, size_t n, enum load_outcome *outcome);
	/* Of a datagram: which request it answers. False: none. */
	bool (*answers)(const u8 *data, size_t n, u64 *id);
};

/* Of one thread: what a static page is like is learnt from the first reply. */
struct load_proto {
	const struct load_proto_ops *ops;
	struct load_proto_options opt;
	bool learnt;
	u64 body_bytes, body_hash;
};

extern const struct load_proto_ops load_echo, load_udp_echo, load_memcached, load_http;
/* Ends with NULL. */
extern const struct load_proto_ops *const load_protos[];
const struct load_proto_ops *load_proto_by_name(const char *name);

/* ---- Of the protocols ---- */

enum load_line { LOAD_LINE_MORE, LOAD_LINE_DONE, LOAD_LINE_BAD };
/*
 * Takes bytes up to the end of a line, "\r\n", and leaves it without that in ->line,
 * cut to what fits, its whole length in ->line_bytes. load_line_next() begins another.
 */
enum load_line load_line_take(struct load_parser *s, const u8 *data, size_t n, size_t *used);
static inline void load_line_next(struct load_parser *s)
{
	s->line_bytes = 0;
}

/* The digits at *@text, of base 10 or 16, none skipped; false: none, or above @max. */
bool load_digits(const char **text, u32 base, u64 max, u64 *v);

#endif /* LOAD_PROTO_H */
