/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Benchmarks of `ringpace bench`. Adding one: a file in bench/, a declaration
 * here, a line in the table of cmd_bench.c.
 */
#ifndef TESTBED_BENCH_H
#define TESTBED_BENCH_H

#include "json.h"
#include "util.h"

struct bench_options {
	u32 rounds;
	double seconds;		/* of each measurement */
	bool json;
};

struct bench {
	const char *name;
	const char *summary;
	/*
	 * The figures as a JSON object (new reference), the important ones
	 * first; NULL after fail(). cmd_bench adds "machine" and "date".
	 */
	json_t *(*run)(const struct bench_options *o);
	void (*print)(const json_t *result);
};

extern const struct bench bench_ring;

#endif /* TESTBED_BENCH_H */
