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
	/*
	 * Instead of run(), of a benchmark with options of its own: as a command's
	 * (cmd.h), argv[0] being "ringpace bench NAME".
	 */
	int (*main)(int argc, char **argv);
};

extern const struct bench bench_ring;
extern const struct bench bench_packets;
extern const struct bench bench_guests;
extern const struct bench bench_grid;
extern const struct bench bench_step;
extern const struct bench bench_idle;
extern const struct bench bench_studies;
extern const struct bench bench_host;
extern const struct bench bench_dataplane;
extern const struct bench bench_estimator;

/*
 * What there is to do with a result: adds machine and date, keeps it with the raw
 * data, prints it. Takes the reference. The exit code.
 */
int bench_finish(const struct bench *b, json_t *result, bool json);
/* Where raw data are kept, "BUILD/bench"; NULL after fail(). Static. */
const char *bench_dir(void);

#endif /* TESTBED_BENCH_H */
