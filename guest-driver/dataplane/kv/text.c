// SPDX-License-Identifier: GPL-2.0-or-later
/* memcached's text protocol (its doc/protocol.txt). */
#include "session_internal.h"

#include <stdio.h>

#include "words.h"

static const char bad_format[] = "CLIENT_ERROR bad command line format\r\n";
static const char no_memory[] = "SERVER_ERROR out of memory storing object\r\n";
static const char too_large[] = "SERVER_ERROR object too large for cache\r\n";

static void say(struct kv_call *c, const char *text)
{
	if (!c->s->cmd.quiet)
		kv_say(c, text, (u32)strlen(text));
}

static void say_always(struct kv_call *c, const char *text)
{
	c->s->cmd.quiet = false;
	say(c, text);
}

static bool key_of(const struct word *w, struct kv_key *key)
{
	*key = (struct kv_key){ (const u8 *)w->at, w->bytes };
	return w->bytes && w->bytes <= KV_KEY_MAX;
}

/* ---- Values that come ---- */

static void skip_value(struct kv_call *c, u64 bytes)
{
	c->s->state = KV_SKIP;
	c->s->skip = bytes + 2;
	c->s->after_skip = KV_TEXT_WORD;
}

/* There is no place for it; nor may what there was before stay. */
static void refuse_value(struct kv_call *c, struct kv_key key, u64 bytes, enum kv_status why)
{
	if (c->s->cmd.how == KV_SET)
		kv_delete(c->r, key, 0);
	say(c, why == KV_TOO_LARGE ? too_large : no_memory);
	skip_value(c, bytes);
}

/* set KEY FLAGS EXPTIME BYTES, and so on; cas has a number behind it. */
static void store(struct kv_call *c, const struct words *ws, u8 how)
{
	struct kv_command *cmd = &c->s->cmd;
	enum kv_status status;
	struct kv_key key;
	u64 flags, bytes;
	s64 seconds;

	cmd->how = how;
	if (!kv_digits(&ws->w[4], UINT32_MAX, &bytes)) {
		say(c, "CLIENT_ERROR bad data chunk\r\n");
		return;
	}
	if (!key_of(&ws->w[1], &key) || !kv_digits(&ws->w[2], UINT32_MAX, &flags) ||
	    !kv_seconds(&ws->w[3], &seconds) ||
	    (ws->n > 5 && !kv_digits(&ws->w[5], UINT64_MAX, &cmd->cas))) {
		say(c, bad_format);
		skip_value(c, bytes);
		return;
	}
	status = kv_prepare(c->r, key, bytes, &c->s->in);
	if (status != KV_OK) {
		refuse_value(c, key, bytes, status);
		return;
	}
	c->s->in->flags = (u32)flags;
	atomic_store_explicit(&c->s->in->expires_ns, kv_expiry(c->r, seconds), memory_order_relaxed);
	c->s->in_at = 0;
	c->s->state = KV_TEXT_VALUE;
}

/* Of numbers that come from outside 0 is one, and in the store it is none: nothing has it. */
static void store_cas(struct kv_call *c, const struct words *ws, u8 how)
{
	store(c, ws, how);
	if (c->s->state == KV_TEXT_VALUE && !c->s->cmd.cas)
		c->s->cmd.cas = UINT64_MAX;
}

static const char *const put_answers[] = {
	[KV_OK] = "STORED\r\n",
	[KV_MISS] = "NOT_FOUND\r\n",
	[KV_EXISTS] = "EXISTS\r\n",
	[KV_NOT_STORED] = "NOT_STORED\r\n",
	[KV_TOO_LARGE] = too_large,
	[KV_NO_MEMORY] = no_memory,
};

static bool take_value(struct kv_call *c)
{
	struct kv_session *s = c->s;
	struct kv_item *it = s->in;
	u64 cas;

	if (!kv_take_value(c) || !kv_take(c, 2))
		return false;
	kv_line_done(c);
	s->in = NULL;
	s->state = KV_TEXT_WORD;
	if (memcmp(c->line, "\r\n", 2) != 0) {
		kv_drop(s->store, it);
		say(c, "CLIENT_ERROR bad data chunk\r\n");
		s->state = c->line[1] == '\n' ? KV_TEXT_WORD : KV_TEXT_SKIP_LINE;
		return true;
	}
	kv_count(c->r, KV_cmd_set, 1);
	say(c, put_answers[kv_put(c->r, it, s->cmd.how, s->cmd.cas, &cas)]);
	return true;
}

/* ---- Commands of a line ---- */

static void delete(struct kv_call *c, const struct words *ws, u8 unused)
{
	bool there;
	struct kv_key key;

	if (!key_of(&ws->w[1], &key) || (ws->n > 2 && !kv_is_word(&ws->w[2], "0"))) {
		say(c, bad_format);
		return;
	}
	there = kv_delete(c->r, key, 0) == KV_OK;
	kv_count(c->r, there ? KV_delete_hits : KV_delete_misses, 1);
	say(c, there ? "DELETED\r\n" : "NOT_FOUND\r\n");
}

static void add(struct kv_call *c, const struct words *ws, u8 down)
{
	struct kv_delta d = { .down = down };
	struct kv_key key;
	char text[24];
	u64 value, cas;

	if (!key_of(&ws->w[1], &key)) {
		say(c, bad_format);
		return;
	}
	if (!kv_digits(&ws->w[2], UINT64_MAX, &d.by)) {
		say(c, "CLIENT_ERROR invalid numeric delta argument\r\n");
		return;
	}
	switch (kv_add(c->r, key, &d, &value, &cas)) {
	case KV_OK:
		snprintf(text, sizeof(text), "%llu\r\n", (unsigned long long)value);
		say(c, text);
		break;
	case KV_MISS:
		say(c, "NOT_FOUND\r\n");
		break;
	case KV_NO_MEMORY:
		say(c, "SERVER_ERROR out of memory in incr\r\n");
		break;
	default:
		say(c, "CLIENT_ERROR cannot increment or decrement non-numeric value\r\n");
	}
}

static void touch(struct kv_call *c, const struct words *ws, u8 unused)
{
	struct kv_key key;
	s64 seconds;

	if (!key_of(&ws->w[1], &key))
		say(c, bad_format);
	else if (!kv_seconds(&ws->w[2], &seconds))
		say(c, "CLIENT_ERROR invalid exptime argument\r\n");
	else
		say(c, kv_touch(c->r, key, kv_expiry(c->r, seconds)) ? "TOUCHED\r\n" :
								      "NOT_FOUND\r\n");
}

static void flush_all(struct kv_call *c, const struct words *ws, u8 unused)
{
	s64 seconds = 0;

	if (ws->n > 1 && !kv_seconds(&ws->w[1], &seconds)) {
		say(c, bad_format);
		return;
	}
	kv_flush(c->r, kv_expiry(c->r, seconds));
	say(c, "OK\r\n");
}

/* There is nothing to say more or less of. Without a level but with noreply it is no error. */
static void verbosity(struct kv_call *c, const struct words *ws, u8 unused)
{
	say(c, ws->n == 1 ? "ERROR\r\n" : "OK\r\n");
}

static void version(struct kv_call *c, const struct words *ws, u8 unused)
{
	say(c, "VERSION " KV_VERSION "\r\n");
}

static void stat_line(struct kv_call *c, const char *name, const char *value)
{
	char line[64];
	int n = snprintf(line, sizeof(line), "STAT %s %s\r\n", name, value);

	kv_say(c, line, (u32)n);
}

/* Of groups of statistics there is only the one without a name. */
static void stats(struct kv_call *c, const struct words *ws, u8 unused)
{
	kv_each_stat(c, stat_line);
	say(c, "END\r\n");
}

static void quit(struct kv_call *c, const struct words *ws, u8 unused)
{
	c->s->closes = true;
}

static const struct command {
	const char *name;
	u8 least, most;		/* words, with the name and without noreply */
	bool answers;		/* always: noreply is a word as any other */
	u8 arg;
	void (*run)(struct kv_call *c, const struct words *ws, u8 arg);
} commands[] = {
	{ "set", 5, 5, false, KV_SET, store },
	{ "add", 5, 5, false, KV_ADD, store },
	{ "replace", 5, 5, false, KV_REPLACE, store },
	{ "append", 5, 5, false, KV_APPEND, store },
	{ "prepend", 5, 5, false, KV_PREPEND, store },
	{ "cas", 6, 6, false, KV_SET, store_cas },
	{ "delete", 2, 3, false, 0, delete },
	{ "incr", 3, 3, false, 0, add },
	{ "decr", 3, 3, false, 1, add },
	{ "touch", 3, 3, false, 0, touch },
	{ "flush_all", 1, 2, false, 0, flush_all },
	{ "verbosity", 1, 2, false, 0, verbosity },
	{ "version", 1, 1, true, 0, version },
	{ "stats", 1, 1, true, 0, stats },
	{ "quit", 1, 1, true, 0, quit },
};

static void run_line(struct kv_call *c)
{
	const struct command *cmd = NULL;
	struct words ws;
	u32 i;

	kv_split(c->line, c->line_bytes, &ws);
	kv_line_done(c);
	c->s->state = KV_TEXT_WORD;
	c->s->cmd = (struct kv_command){ .quiet = ws.noreply };
	for (i = 0; ws.n && i < sizeof(commands) / sizeof(commands[0]); i++)
		if (kv_is_word(&ws.w[0], commands[i].name))
			cmd = &commands[i];
	if (cmd && ws.n >= cmd->least && ws.n <= cmd->most && !(cmd->answers && ws.noreply))
		cmd->run(c, &ws, cmd->arg);
	else
		say_always(c, "ERROR\r\n");
}

/* ---- get, gets, gat, gats ---- */

static void say_value(struct kv_call *c, struct kv_item *it)
{
	char head[KV_KEY_MAX + 64];
	int n = 6 + it->key_bytes;

	memcpy(head, "VALUE ", 6);
	memcpy(head + 6, it->data, it->key_bytes);
	n += snprintf(head + n, sizeof(head) - (size_t)n, " %u %u", it->flags, it->value_bytes);
	if (c->s->cmd.with_cas)
		n += snprintf(head + n, sizeof(head) - (size_t)n, " %llu",
			      (unsigned long long)it->cas);
	n += snprintf(head + n, sizeof(head) - (size_t)n, "\r\n");
	kv_say_item(c, head, (u32)n, it);
	kv_say(c, "\r\n", 2);
}

/* Not the first word: of gat, the first one is a time. false: it is none of these. */
static bool look_at(struct kv_call *c, const struct word *w)
{
	struct kv_command *cmd = &c->s->cmd;
	struct kv_item *it;
	struct kv_key key;
	s64 seconds;

	if (cmd->touches && !cmd->has_time) {
		cmd->has_time = true;
		if (!kv_seconds(w, &seconds))
			return false;
		cmd->expires_ns = kv_expiry(c->r, seconds);
		return true;
	}
	if (!key_of(w, &key))
		return false;
	cmd->answered++;
	it = cmd->touches ? kv_touch(c->r, key, cmd->expires_ns) : kv_get(c->r, key);
	if (it)
		say_value(c, it);
	return true;
}

static bool take_key(struct kv_call *c)
{
	enum kv_taken taken = kv_take_line(c, true);
	bool last;
	struct word w;

	if (taken == KV_MORE)
		return false;
	last = taken == KV_WHOLE && c->line[c->line_bytes - 1] == '\n';
	w = (struct word){ (const char *)c->line, kv_without_end(c->line, c->line_bytes) };
	w.bytes -= w.bytes && w.at[w.bytes - 1] == ' ';
	kv_line_done(c);
	if (taken == KV_LONG || (w.bytes && !look_at(c, &w))) {
		say(c, bad_format);
		c->s->state = last ? KV_TEXT_WORD : KV_TEXT_SKIP_LINE;
	} else if (last) {
		c->s->state = KV_TEXT_WORD;
		say(c, c->s->cmd.answered ? "END\r\n" : "ERROR\r\n");
	}
	return true;
}

/* The first word of a line, with the space behind it: is it one that keys follow? */
static bool begins_get(struct kv_call *c)
{
	const struct word w = { (const char *)c->line, c->line_bytes - 1 };
	bool gets = kv_is_word(&w, "gets"), gat = kv_is_word(&w, "gat"), gats = kv_is_word(&w, "gats");

	if (!gets && !gat && !gats && !kv_is_word(&w, "get"))
		return false;
	kv_line_done(c);
	c->s->cmd = (struct kv_command){ .with_cas = gets || gats, .touches = gat || gats };
	c->s->state = KV_TEXT_KEYS;
	return true;
}

/* ---- A step ---- */

static bool skip_line(struct kv_call *c)
{
	enum kv_taken taken = kv_take_line(c, false);

	kv_line_done(c);
	if (taken == KV_WHOLE)
		c->s->state = KV_TEXT_WORD;
	return taken != KV_MORE;
}

static bool take_line(struct kv_call *c, bool word)
{
	switch (kv_take_line(c, word)) {
	case KV_MORE:
		return false;
	case KV_LONG:
		kv_line_done(c);
		say_always(c, "CLIENT_ERROR line too long\r\n");
		c->s->state = KV_TEXT_SKIP_LINE;
		return true;
	default:
		break;
	}
	if (c->line[c->line_bytes - 1] == '\n')
		run_line(c);
	else if (!begins_get(c))
		c->s->state = KV_TEXT_LINE;
	return true;
}

bool kv_text_step(struct kv_call *c)
{
	switch (c->s->state) {
	case KV_TEXT_KEYS:
		return take_key(c);
	case KV_TEXT_VALUE:
		return take_value(c);
	case KV_TEXT_SKIP_LINE:
		return skip_line(c);
	default:
		return take_line(c, c->s->state == KV_TEXT_WORD);
	}
}
