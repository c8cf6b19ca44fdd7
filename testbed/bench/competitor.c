// SPDX-License-Identifier: GPL-2.0-or-later
/* Names of competitors. */
#include "bench/competitor.h"

#include <stdlib.h>
#include <string.h>

#define Y_MAX_US	1000000u

static const u32 sleeps_us[] = { 20, 50, 100, 250 };

static bool add(struct competitors *c, const char *name, enum rp_strategy_id id, u64 y_ns)
{
	struct competitor *to = &c->of[c->n];

	if (c->n == COMPETITORS_MAX)
		return false;
	snprintf(to->name, sizeof(to->name), "%s", name);
	to->id = id;
	to->y_ns = y_ns;
	c->n++;
	return true;
}

static bool add_sleep(struct competitors *c, u32 y_us)
{
	char name[24];

	snprintf(name, sizeof(name), "sleep-%uus", y_us);
	return add(c, name, RP_SLEEP, y_us * 1000ULL);
}

void competitors_all(struct competitors *c)
{
	const struct rp_strategy_ops *ops;
	u32 id, i;

	c->n = 0;
	if (rp_strategy_by_id(RP_ADAPTIVE))
		add(c, rp_strategy_by_id(RP_ADAPTIVE)->name, RP_ADAPTIVE, 0);
	for (id = 0; id < RP_STRATEGIES; id++) {
		ops = rp_strategy_by_id(id);
		if (!ops || id == RP_ADAPTIVE)
			continue;
		for (i = 0; id == RP_SLEEP && i < sizeof(sleeps_us) / sizeof(*sleeps_us); i++)
			add_sleep(c, sleeps_us[i]);
		if (id != RP_SLEEP)
			add(c, ops->name, id, 0);
	}
}

/* "sleep-100us", "sleep": its length in us; 0: it is neither. */
static u32 sleep_us(const char *name)
{
	unsigned long us;
	char *end;

	if (!strcmp(name, "sleep"))
		return 50;
	if (strncmp(name, "sleep-", 6) || name[6] < '0' || name[6] > '9')
		return 0;
	us = strtoul(name + 6, &end, 10);
	return !strcmp(end, "us") && us <= Y_MAX_US ? (u32)us : 0;
}

const char *competitors_add(struct competitors *c, const char *name)
{
	int id = rp_strategy_id_by_name(name);
	u32 us = sleep_us(name), i;
	bool room;

	if (id < 0 && !us)
		return because("%s: no such strategy; those are adaptive, notify, busy, "
			       "sleep-NNus and the names of `ringpace run --help`", name);
	room = us ? add_sleep(c, us) : add(c, name, (enum rp_strategy_id)id, 0);
	if (!room)
		return because("more than %d strategies", COMPETITORS_MAX);
	for (i = 0; i + 1 < c->n; i++)
		if (!strcmp(c->of[i].name, c->of[c->n - 1].name))
			return because("%s: named twice", name);
	return NULL;
}

const char *competitors_parse(struct competitors *c, const char *list)
{
	char *copy = strdup(list), *rest = copy, *name;
	const char *why = NULL;

	if (!copy)
		abort();
	c->n = 0;
	while (!why && (name = strsep(&rest, ",")))
		why = competitors_add(c, name);
	free(copy);
	return why;
}

void competitor_apply(const struct competitor *c, struct run_params *p)
{
	p->strategy_p = p->strategy_c = c->id;
	p->yp_ns = p->yc_ns = c->y_ns;
}

bool competitor_heeds_dmax(const struct competitor *c)
{
	return c->id == RP_ADAPTIVE;
}
