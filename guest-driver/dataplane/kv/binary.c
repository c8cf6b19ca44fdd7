// SPDX-License-Identifier: GPL-2.0-or-later
/* memcached's binary protocol. */
#include "session_internal.h"

#include <arpa/inet.h>
#include <endian.h>

#include "wire.h"

/* As expiry of a number that is not there: it is not made. */
#define NOT_CREATED	0xffffffffu

enum key_rule { NO_KEY, HAS_KEY, MAY_KEY };

struct operation {
	void (*run)(struct kv_call *c, const struct operation *op);
	u8 arg;
	bool quiet;		/* says nothing of what is usual */
	u8 extras;		/* bytes; as many, or none, if @may_extras */
	bool may_extras;
	u8 key;			/* enum key_rule */
	bool value, says_key;
};

static const struct operation operations[KV_OP_N];

/* ---- What came ---- */

static u32 extra32(const struct kv_call *c, u32 at)
{
	u32 v;

	memcpy(&v, c->line + at, sizeof(v));
	return ntohl(v);
}

static u64 extra64(const struct kv_call *c, u32 at)
{
	u64 v;

	memcpy(&v, c->line + at, sizeof(v));
	return be64toh(v);
}

static struct kv_key key_of(const struct kv_call *c)
{
	return (struct kv_key){ c->line + c->s->cmd.front_bytes, c->s->cmd.key_bytes };
}

/* ---- Answers ---- */

struct parts {
	const void *extras, *key, *value;
	u32 extras_bytes, key_bytes, value_bytes;
};

static struct kv_wire_head head_of(const struct kv_call *c, u16 status, const struct parts *p,
				   u64 cas)
{
	return (struct kv_wire_head){
		.magic = KV_RESPONSE, .opcode = c->s->cmd.op, .key_bytes = htons((u16)p->key_bytes),
		.extras_bytes = (u8)p->extras_bytes, .status = htons(status),
		.body_bytes = htonl(p->extras_bytes + p->key_bytes + p->value_bytes),
		.opaque = c->s->cmd.opaque, .cas = htobe64(cas),
	};
}

static void respond(struct kv_call *c, u16 status, const struct parts *p, u64 cas)
{
	struct kv_wire_head h = head_of(c, status, p, cas);

	kv_say(c, &h, sizeof(h));
	kv_say(c, p->extras, p->extras_bytes);
	kv_say(c, p->key, p->key_bytes);
	kv_say(c, p->value, p->value_bytes);
}

static const char *text_of(u16 status)
{
	switch (status) {
	case KV_WIRE_NOT_FOUND: return "Not found";
	case KV_WIRE_EXISTS: return "Data exists for key.";
	case KV_WIRE_TOO_LARGE: return "Too large.";
	case KV_WIRE_INVALID: return "Invalid arguments";
	case KV_WIRE_NOT_STORED: return "Not stored.";
	case KV_WIRE_NOT_A_NUMBER: return "Non-numeric server-side value for incr or decr";
	case KV_WIRE_NO_MEMORY: return "Out of memory";
	default: return "Unknown command";
	}
}

static void fail(struct kv_call *c, u16 status)
{
	const char *text = text_of(status);

	respond(c, status, &(struct parts){ .value = text, .value_bytes = (u32)strlen(text) }, 0);
}

static void succeed(struct kv_call *c, const struct operation *op, u64 cas)
{
	if (!op->quiet)
		respond(c, KV_WIRE_OK, &(struct parts){ 0 }, cas);
}

static u16 wire_status(enum kv_status status)
{
	static const u16 of[] = {
		[KV_OK] = KV_WIRE_OK,
		[KV_MISS] = KV_WIRE_NOT_FOUND,
		[KV_EXISTS] = KV_WIRE_EXISTS,
		[KV_NOT_STORED] = KV_WIRE_NOT_STORED,
		[KV_TOO_LARGE] = KV_WIRE_TOO_LARGE,
		[KV_NO_MEMORY] = KV_WIRE_NO_MEMORY,
		[KV_NOT_A_NUMBER] = KV_WIRE_NOT_A_NUMBER,
	};

	return of[status];
}

static void finish(struct kv_call *c, const struct operation *op, enum kv_status status, u64 cas)
{
	if (status == KV_OK)
		succeed(c, op, cas);
	else
		fail(c, wire_status(status));
}

/* ---- Looking ---- */

static void say_item(struct kv_call *c, const struct operation *op, struct kv_item *it)
{
	u8 head[sizeof(struct kv_wire_head) + 4 + KV_KEY_MAX];
	const u32 flags = htonl(it->flags), key_bytes = op->says_key ? it->key_bytes : 0;
	const struct parts p = {
		.extras_bytes = sizeof(flags), .key_bytes = key_bytes,
		.value_bytes = it->value_bytes,
	};
	const struct kv_wire_head h = head_of(c, KV_WIRE_OK, &p, it->cas);

	memcpy(head, &h, sizeof(h));
	memcpy(head + sizeof(h), &flags, sizeof(flags));
	memcpy(head + sizeof(h) + sizeof(flags), it->data, key_bytes);
	kv_say_item(c, head, (u32)sizeof(h) + (u32)sizeof(flags) + key_bytes, it);
}

static void say_miss(struct kv_call *c, const struct operation *op)
{
	struct kv_key key = key_of(c);

	if (op->quiet)
		return;
	if (op->says_key)
		respond(c, KV_WIRE_NOT_FOUND,
			&(struct parts){ .key = key.data, .key_bytes = key.bytes }, 0);
	else
		fail(c, KV_WIRE_NOT_FOUND);
}

static void get(struct kv_call *c, const struct operation *op)
{
	struct kv_item *it = kv_get(c->r, key_of(c));

	if (it)
		say_item(c, op, it);
	else
		say_miss(c, op);
}

static void get_and_touch(struct kv_call *c, const struct operation *op)
{
	struct kv_item *it = kv_touch(c->r, key_of(c), kv_expiry(c->r, extra32(c, 0)));

	if (it)
		say_item(c, op, it);
	else
		say_miss(c, op);
}

static void touch(struct kv_call *c, const struct operation *op)
{
	struct kv_item *it = kv_touch(c->r, key_of(c), kv_expiry(c->r, extra32(c, 0)));
	u32 flags = it ? htonl(it->flags) : 0;

	if (it)
		respond(c, KV_WIRE_OK,
			&(struct parts){ .extras = &flags, .extras_bytes = sizeof(flags) }, it->cas);
	else
		fail(c, KV_WIRE_NOT_FOUND);
}

/* ---- Changing ---- */

static void skip_bytes(struct kv_call *c, u64 bytes)
{
	c->s->skip = bytes;
	c->s->state = KV_SKIP;
	c->s->after_skip = KV_BIN_HEAD;
}

static u32 value_bytes(const struct kv_command *cmd)
{
	return cmd->body_bytes - cmd->front_bytes - cmd->key_bytes;
}

static void store(struct kv_call *c, const struct operation *op)
{
	struct kv_session *s = c->s;
	enum kv_status status = kv_prepare(c->r, key_of(c), value_bytes(&s->cmd), &s->in);

	s->cmd.how = op->arg;
	if (status != KV_OK) {
		/* Nor may what there was before stay. */
		if (op->arg == KV_SET)
			kv_delete(c->r, key_of(c), 0);
		fail(c, wire_status(status));
		skip_bytes(c, value_bytes(&s->cmd));
		return;
	}
	if (op->extras) {
		s->in->flags = extra32(c, 0);
		atomic_store_explicit(&s->in->expires_ns, kv_expiry(c->r, extra32(c, 4)),
				      memory_order_relaxed);
	}
	s->in_at = 0;
	s->state = KV_BIN_VALUE;
}

/* What is in the way of an add is one that exists, and of a replace one that does not. */
static u16 put_status(enum kv_status status, u8 how)
{
	if (status == KV_NOT_STORED && how == KV_ADD)
		return KV_WIRE_EXISTS;
	if (status == KV_NOT_STORED && how == KV_REPLACE)
		return KV_WIRE_NOT_FOUND;
	return wire_status(status);
}

static bool take_value(struct kv_call *c)
{
	struct kv_session *s = c->s;
	struct kv_item *it = s->in;
	enum kv_status status;
	u64 cas = 0;

	if (!kv_take_value(c))
		return false;
	s->in = NULL;
	s->state = KV_BIN_HEAD;
	kv_count(c->r, KV_cmd_set, 1);
	status = kv_put(c->r, it, s->cmd.how, s->cmd.cas, &cas);
	if (status == KV_OK)
		succeed(c, &operations[s->cmd.op], cas);
	else
		fail(c, put_status(status, s->cmd.how));
	return true;
}

static void delete(struct kv_call *c, const struct operation *op)
{
	enum kv_status status = kv_delete(c->r, key_of(c), c->s->cmd.cas);

	kv_count(c->r, status == KV_OK ? KV_delete_hits : KV_delete_misses, 1);
	finish(c, op, status, 0);
}

static void add(struct kv_call *c, const struct operation *op)
{
	const u32 seconds = extra32(c, 16);
	const struct kv_delta d = {
		.by = extra64(c, 0), .down = op->arg, .creates = seconds != NOT_CREATED,
		.initial = extra64(c, 8), .expires_ns = kv_expiry(c->r, seconds),
		.cas = c->s->cmd.cas,
	};
	u64 value, cas;
	enum kv_status status = kv_add(c->r, key_of(c), &d, &value, &cas);

	if (status != KV_OK) {
		fail(c, wire_status(status));
		return;
	}
	value = htobe64(value);
	if (!op->quiet)
		respond(c, KV_WIRE_OK,
			&(struct parts){ .value = &value, .value_bytes = sizeof(value) }, cas);
}

static void flush(struct kv_call *c, const struct operation *op)
{
	kv_flush(c->r, c->s->cmd.front_bytes ? kv_expiry(c->r, extra32(c, 0)) : 0);
	succeed(c, op, 0);
}

/* ---- The rest ---- */

static void nothing(struct kv_call *c, const struct operation *op)
{
	succeed(c, op, 0);
}

static void version(struct kv_call *c, const struct operation *op)
{
	respond(c, KV_WIRE_OK, &(struct parts){ .value = KV_VERSION,
		.value_bytes = sizeof(KV_VERSION) - 1 }, 0);
}

static void say_stat(struct kv_call *c, const char *name, const char *value)
{
	respond(c, KV_WIRE_OK, &(struct parts){
		.key = name, .key_bytes = (u32)strlen(name),
		.value = value, .value_bytes = (u32)strlen(value),
	}, 0);
}

/* Of groups of statistics there is only the one without a name. The last one is empty. */
static void stat(struct kv_call *c, const struct operation *op)
{
	if (!c->s->cmd.key_bytes)
		kv_each_stat(c, say_stat);
	respond(c, KV_WIRE_OK, &(struct parts){ 0 }, 0);
}

static void quit(struct kv_call *c, const struct operation *op)
{
	succeed(c, op, 0);
	c->s->closes = true;
}

#define STORES(a, e)	{ .run = store, .arg = a, .extras = e, .key = HAS_KEY, .value = true }
#define STORES_Q(a, e)	{ .run = store, .arg = a, .extras = e, .key = HAS_KEY, .value = true, .quiet = true }

static const struct operation operations[KV_OP_N] = {
	[KV_OP_GET] = { .run = get, .key = HAS_KEY },
	[KV_OP_GETQ] = { .run = get, .key = HAS_KEY, .quiet = true },
	[KV_OP_GETK] = { .run = get, .key = HAS_KEY, .says_key = true },
	[KV_OP_GETKQ] = { .run = get, .key = HAS_KEY, .says_key = true, .quiet = true },
	[KV_OP_SET] = STORES(KV_SET, 8),
	[KV_OP_SETQ] = STORES_Q(KV_SET, 8),
	[KV_OP_ADD] = STORES(KV_ADD, 8),
	[KV_OP_ADDQ] = STORES_Q(KV_ADD, 8),
	[KV_OP_REPLACE] = STORES(KV_REPLACE, 8),
	[KV_OP_REPLACEQ] = STORES_Q(KV_REPLACE, 8),
	[KV_OP_APPEND] = STORES(KV_APPEND, 0),
	[KV_OP_APPENDQ] = STORES_Q(KV_APPEND, 0),
	[KV_OP_PREPEND] = STORES(KV_PREPEND, 0),
	[KV_OP_PREPENDQ] = STORES_Q(KV_PREPEND, 0),
	[KV_OP_DELETE] = { .run = delete, .key = HAS_KEY },
	[KV_OP_DELETEQ] = { .run = delete, .key = HAS_KEY, .quiet = true },
	[KV_OP_INCREMENT] = { .run = add, .extras = 20, .key = HAS_KEY },
	[KV_OP_INCREMENTQ] = { .run = add, .extras = 20, .key = HAS_KEY, .quiet = true },
	[KV_OP_DECREMENT] = { .run = add, .arg = true, .extras = 20, .key = HAS_KEY },
	[KV_OP_DECREMENTQ] = { .run = add, .arg = true, .extras = 20, .key = HAS_KEY, .quiet = true },
	[KV_OP_TOUCH] = { .run = touch, .extras = 4, .key = HAS_KEY },
	[KV_OP_GAT] = { .run = get_and_touch, .extras = 4, .key = HAS_KEY },
	[KV_OP_GATQ] = { .run = get_and_touch, .extras = 4, .key = HAS_KEY, .quiet = true },
	[KV_OP_GATK] = { .run = get_and_touch, .extras = 4, .key = HAS_KEY, .says_key = true },
	[KV_OP_GATKQ] = { .run = get_and_touch, .extras = 4, .key = HAS_KEY, .says_key = true,
			  .quiet = true },
	[KV_OP_FLUSH] = { .run = flush, .extras = 4, .may_extras = true },
	[KV_OP_FLUSHQ] = { .run = flush, .extras = 4, .may_extras = true, .quiet = true },
	[KV_OP_NOOP] = { .run = nothing },
	[KV_OP_VERBOSITY] = { .run = nothing, .extras = 4 },
	[KV_OP_VERSION] = { .run = version },
	[KV_OP_STAT] = { .run = stat, .key = MAY_KEY },
	[KV_OP_QUIT] = { .run = quit },
	[KV_OP_QUITQ] = { .run = quit, .quiet = true },
};

/* ---- A step ---- */

static bool fits(const struct kv_command *cmd, const struct operation *op)
{
	if (cmd->front_bytes != op->extras && (!op->may_extras || cmd->front_bytes))
		return false;
	if ((op->key == HAS_KEY && !cmd->key_bytes) || (op->key == NO_KEY && cmd->key_bytes))
		return false;
	return cmd->key_bytes <= KV_KEY_MAX && (op->value || !value_bytes(cmd));
}

/* Extras and key are there, or none are needed. */
static bool take_front(struct kv_call *c)
{
	const struct operation *op = &operations[c->s->cmd.op];

	if (!kv_take(c, c->s->cmd.front_bytes + c->s->cmd.key_bytes))
		return false;
	kv_line_done(c);
	c->s->state = KV_BIN_HEAD;
	op->run(c, op);
	/* It may be empty, and nothing come any more. */
	if (c->s->state == KV_BIN_VALUE)
		take_value(c);
	return true;
}

static bool take_head(struct kv_call *c)
{
	struct kv_command *cmd = &c->s->cmd;
	struct kv_wire_head h;

	if (!kv_take(c, sizeof(h)))
		return false;
	kv_line_done(c);
	memcpy(&h, c->line, sizeof(h));
	*cmd = (struct kv_command){
		.op = h.opcode, .front_bytes = h.extras_bytes, .key_bytes = ntohs(h.key_bytes),
		.body_bytes = ntohl(h.body_bytes), .opaque = h.opaque, .cas = be64toh(h.cas),
	};
	/* From here on nobody knows where the next one begins. */
	if (h.magic != KV_REQUEST || (u32)cmd->front_bytes + cmd->key_bytes > cmd->body_bytes) {
		fail(c, KV_WIRE_INVALID);
		c->s->closes = true;
		return true;
	}
	if (h.opcode >= KV_OP_N || !operations[h.opcode].run || h.type ||
	    !fits(cmd, &operations[h.opcode])) {
		fail(c, h.opcode >= KV_OP_N || !operations[h.opcode].run ? KV_WIRE_UNKNOWN :
									  KV_WIRE_INVALID);
		skip_bytes(c, cmd->body_bytes);
		return true;
	}
	c->s->state = KV_BIN_FRONT;
	take_front(c);
	return true;
}

bool kv_binary_step(struct kv_call *c)
{
	switch (c->s->state) {
	case KV_BIN_FRONT:
		return take_front(c);
	case KV_BIN_VALUE:
		return take_value(c);
	default:
		return take_head(c);
	}
}
