// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * libFuzzer target: the input is what a client says to the key-value server, behind one byte
 * for the pieces in which it comes and one for those in which answers are taken. Beside
 * crashes it counts when the pieces change what is answered.
 */
#include "../unit/kv_fixture.h"

int LLVMFuzzerTestOneInput(const u8 *data, size_t bytes);

static void play(struct client *c, const u8 *data, size_t bytes, u32 step, u32 takes)
{
	struct kv_store *st = kv_store_new(KV_MEMORY_MIN, 1);

	if (!st)
		abort();
	client_open(c, st);
	c->takes = takes;
	client_say(c, data, bytes, step);
	kv_session_end(&c->s);
}

/* Time, process and the bytes of memory may be others. */
static bool has_stats(const struct client *c)
{
	return c->out_bytes && memmem(c->out, c->out_bytes, "limit_maxbytes", 14);
}

static void end(struct client *c)
{
	kv_store_free(c->store);
	client_close(c);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t bytes)
{
	struct client whole, cut;

	if (bytes < 2)
		return 0;
	play(&whole, data + 2, bytes - 2, 0, 0);
	play(&cut, data + 2, bytes - 2, 1 + data[0], data[1]);
	if (!has_stats(&whole) &&
	    (whole.out_bytes != cut.out_bytes ||
	     (cut.out_bytes && memcmp(whole.out, cut.out, cut.out_bytes) != 0)))
		abort();
	end(&whole);
	end(&cut);
	return 0;
}
