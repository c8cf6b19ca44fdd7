// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * libFuzzer target: the input is an answer to the host controller. Beside crashes it counts
 * when of what is JSON other numbers are found than the library finds.
 */
#include <jansson.h>
#include <math.h>
#include <stdlib.h>

#include "../../host-ctl/hostd/scan.h"

#define DEPTH_MAX	64u

int LLVMFuzzerTestOneInput(const u8 *data, size_t bytes);

struct sum {
	u64 values;
	double numbers;
};

static void walk(struct scan *s, struct sum *sum, u32 depth)
{
	struct scan key, here = *s, at = *s;

	scan_skip(&at);
	if (at.at < here.at || at.at > here.end)
		abort();
	sum->values++;
	if (depth == DEPTH_MAX) {
		scan_skip(s);
	} else if (at = here, scan_enter(&at, '{')) {
		while (scan_member(&at, &key))
			walk(&at, sum, depth + 1);
		*s = at;
	} else if (at = here, scan_enter(&at, '[')) {
		while (scan_element(&at))
			walk(&at, sum, depth + 1);
		*s = at;
	} else {
		sum->numbers += scan_number(s);
	}
}

static void count(const json_t *v, struct sum *sum, u32 depth)
{
	double d = json_number_value(v);
	const char *key;
	json_t *x;
	size_t i;

	sum->values++;
	if (depth == DEPTH_MAX)
		return;
	sum->numbers += d > 0 ? d : 0;
	json_object_foreach((json_t *)v, key, x)
		count(x, sum, depth + 1);
	json_array_foreach(v, i, x)
		count(x, sum, depth + 1);
}

/* In memory of its own size, so that a read beyond it is noticed. */
int LLVMFuzzerTestOneInput(const u8 *data, size_t bytes)
{
	struct sum mine = { 0 }, theirs = { 0 };
	char *copy = malloc(bytes ? bytes : 1);
	struct scan s = scan_of(copy, bytes);
	json_t *v;

	if (!copy)
		abort();
	memcpy(copy, data, bytes);
	walk(&s, &mine, 0);
	/* Long numbers, such as 1 with 40 noughts, are no counters: they are left out. */
	v = json_loadb(copy, bytes, JSON_REJECT_DUPLICATES | JSON_DECODE_INT_AS_REAL | JSON_DECODE_ANY,
		       NULL);
	if (v) {
		count(v, &theirs, 0);
		if (mine.values != theirs.values || mine.numbers > theirs.numbers * (1 + 1e-9))
			abort();
	}
	json_decref(v);
	free(copy);
	return 0;
}
