// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * 24 ports in one ringpaced, 16 of them linked and 8 in a switch: all guests send and
 * receive at once, and a port that does nothing costs little memory. They come by a
 * reload and go by one, so memory is seen without them, with them, and after them.
 */
#include <stdlib.h>

#include "crowd.h"
#include "proc.h"

#define PORTS		24u
#define LINKED		16u
#define ROUNDS		40u
#define IDLE_MAX_BYTES	((u64)1 << (PROC_SANITIZED ? 24 : 20))

static const char *const name = "24 ports";

static bool write_ports(struct crowd *c)
{
	FILE *f = crowd_write(c);
	u32 i;

	if (!f)
		return false;
	fprintf(f, "pacers: x2\nports:\n");
	for (i = 0; i < PORTS; i++)
		crowd_write_port(f, i, "");
	fprintf(f, "links:\n");
	for (i = 0; i < LINKED; i += 2)
		fprintf(f, "  - [p%u, p%u]\n", i, i + 1);
	fprintf(f, "switches:\n  - {name: s, ports: [p16, p17, p18, p19, p20, p21, p22, p23]}\n");
	return crowd_written(f);
}

static bool write_none(struct crowd *c)
{
	FILE *f = crowd_write(c);

	if (!f)
		return false;
	fprintf(f, "pacers: x2\n");
	return crowd_written(f);
}

/* Memory of a port, from what there was before; a line about it. */
static bool is_small(const struct crowd *c, u64 before, const char *when)
{
	const u64 now = proc_memory_bytes(c->daemon.pid);
	const u64 each = now > before ? (now - before) / PORTS : 0;

	printf("# %s: %llu KiB a port, %llu KiB before and %llu KiB now\n", when,
	       (unsigned long long)each >> 10, (unsigned long long)before >> 10,
	       (unsigned long long)now >> 10);
	return before && now && each <= IDLE_MAX_BYTES;
}

static bool all_talk(struct crowd *c)
{
	bool good = true;
	u32 i;

	for (i = 0; i < ROUNDS && good; i++)
		good = crowd_exchange(c, SLOTS / 2);
	return good;
}

static void run(struct crowd *c)
{
	u64 before = proc_memory_bytes(c->daemon.pid);

	if (!ok(write_ports(c) && crowd_reload(c), name, "come by a reload"))
		return;
	ok(is_small(c, before, "without guests"), name, "cost at most 1 MiB each");
	if (!ok(crowd_enter(c, PORTS), name, "a guest at each"))
		return;
	ok(is_small(c, before, "with guests that do nothing"), name,
	   "with a guest, at most 1 MiB each");
	ok(crowd_introduce(c, LINKED, PORTS), name, "those in the switch know each other");
	ok(all_talk(c), name, "all talk at once, and all arrives");
	ok(crowd_clean(c), name, "whole, once, in order");
	ok(crowd_dropped(c) == 0, name, "nothing is dropped");
	ok(is_small(c, before, "after traffic"), name, "after traffic, at most 1 MiB each");
	crowd_leave(c);
	ok(write_none(c) && crowd_reload(c), name, "go by a reload");
	printf("# without them again: %llu KiB\n",
	       (unsigned long long)proc_memory_bytes(c->daemon.pid) >> 10);
}

int main(void)
{
	struct crowd *c = calloc(1, sizeof(*c));

	if (!c)
		abort();
	c->daemon.pid = -1;
	catch_signals();
	if (ok(write_none(c) && crowd_start(c), name, "a daemon without ports"))
		run(c);
	crowd_stop(c);
	free(c);
	return tests_done();
}
