// SPDX-License-Identifier: GPL-2.0-or-later
/* Parses --strategy. */
#include "chain/strategies.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "util.h"

#define Y_NS_DEFAULT	50000u
#define DMAX_NS_DEFAULT	100000u
#define BURST_MAX	64u
#define TIME_MAX_NS	NSEC_PER_SEC

static const char *begin(struct chain_strategies *s, const char *name)
{
	int id = rp_strategy_id_by_name(name);
	struct chain_strategy *to = &s->of[s->n];

	if (id < 0)
		return because("%s: no such strategy; those are notify, sleep, busy, adaptive and "
			       "the others of `ringpace run --help`", name);
	if (s->n == CHAIN_STRATEGIES_MAX)
		return because("more than %d strategies", CHAIN_STRATEGIES_MAX);
	*to = (struct chain_strategy){
		.id = (enum rp_strategy_id)id, .y_ns = Y_NS_DEFAULT,
		.dmax_ns = DMAX_NS_DEFAULT, .burst = BURST_MAX,
	};
	snprintf(to->label, sizeof(to->label), "%s", name);
	s->n++;
	return NULL;
}

static const char *number(const char *key, const char *value, u64 min, u64 max, u64 *to)
{
	char *end;

	errno = 0;
	*to = strtoull(value, &end, 10);
	if (*value < '0' || *value > '9' || *end || errno || *to < min || *to > max)
		return because("%s=%s: not a whole number in %llu..%llu", key, value,
			       (unsigned long long)min, (unsigned long long)max);
	return NULL;
}

static const char *option(struct chain_strategy *to, const char *key, const char *value)
{
	const char *why;
	u64 v = 0;

	if (!strcmp(key, "y-ns"))
		return number(key, value, 0, TIME_MAX_NS, &to->y_ns);
	if (!strcmp(key, "dmax-ns"))
		return number(key, value, 1, TIME_MAX_NS, &to->dmax_ns);
	if (!strcmp(key, "cpu-cap")) {
		why = number(key, value, 0, 100, &v);
		to->cpu_cap_percent = (u32)v;
		return why;
	}
	if (!strcmp(key, "burst")) {
		why = number(key, value, 1, BURST_MAX, &v);
		to->burst = (u32)v;
		return why;
	}
	return because("%s: no such option of a strategy; those are y-ns, dmax-ns, cpu-cap, burst",
		       key);
}

static const char *add(struct chain_strategies *s, char *word)
{
	struct chain_strategy *to = s->n ? &s->of[s->n - 1] : NULL;
	char *value = strchr(word, '=');
	size_t len;

	if (!value)
		return begin(s, word);
	if (!to)
		return because("%s: an option, but no strategy before it", word);
	len = strlen(to->label);
	if (len + strlen(word) + 2 > sizeof(to->label))
		return because("%s: too many options of one strategy", to->label);
	snprintf(to->label + len, sizeof(to->label) - len, ",%s", word);
	*value++ = '\0';
	return option(to, word, value);
}

const char *chain_strategies_add(struct chain_strategies *s, const char *list)
{
	char *copy = strdup(list), *rest = copy, *word;
	const char *why = NULL;

	if (!copy)
		abort();
	while (!why && (word = strsep(&rest, ",")))
		why = add(s, word);
	free(copy);
	return why;
}

const char *chain_strategies_twice(const struct chain_strategies *s)
{
	u32 i, k;

	for (i = 0; i < s->n; i++)
		for (k = 0; k < i; k++)
			if (!strcmp(s->of[i].label, s->of[k].label))
				return s->of[i].label;
	return NULL;
}
