// SPDX-License-Identifier: GPL-2.0-or-later
/* `ringpace bench`: measures, prints, and keeps the raw data of a benchmark. */
#include <argp.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "bench.h"
#include "cmd.h"
#include "provenance.h"

static const struct bench *const benches[] = {
	&bench_ring,
	&bench_packets,
	&bench_guests,
	&bench_grid,
	&bench_step,
	&bench_idle,
	&bench_studies,
	&bench_host,
	&bench_dataplane,
	&bench_estimator,
	NULL
};

enum {
	OPT_ROUNDS = 256, OPT_SECONDS, OPT_JSON,
};

static const struct argp_option options[] = {
	{ "rounds", OPT_ROUNDS, "N", 0, "measurements of each side, 1..99 (5)", 0 },
	{ "seconds", OPT_SECONDS, "S", 0, "length of one, 0.1..60 seconds (1)", 0 },
	{ "json", OPT_JSON, NULL, 0, "one JSON object", 0 },
	{ 0 }
};

struct args {
	const struct bench *bench;
	struct bench_options o;
};

static const struct bench *find(struct argp_state *state, const char *name)
{
	u32 i;

	for (i = 0; benches[i]; i++)
		if (!strcmp(benches[i]->name, name))
			return benches[i];
	argp_error(state, "%s: no such benchmark; see --help", name);
	return NULL;
}

/* The benchmark that @name names, if it has options of its own. */
static const struct bench *find_own(const char *name)
{
	u32 i;

	for (i = 0; name && benches[i]; i++)
		if (benches[i]->main && !strcmp(benches[i]->name, name))
			return benches[i];
	return NULL;
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct args *a = state->input;
	char *end = NULL;

	switch (key) {
	case OPT_ROUNDS:
		a->o.rounds = (u32)strtoul(arg, &end, 10);
		if (*end || a->o.rounds < 1 || a->o.rounds > 99)
			argp_error(state, "--rounds %s: not a number in 1..99", arg);
		break;
	case OPT_SECONDS:
		a->o.seconds = strtod(arg, &end);
		if (*end || !(a->o.seconds >= 0.1 && a->o.seconds <= 60))
			argp_error(state, "--seconds %s: not a number in 0.1..60", arg);
		break;
	case OPT_JSON:
		a->o.json = true;
		break;
	case ARGP_KEY_ARG:
		if (!a->bench && find_own(arg))
			argp_error(state, "%s: it has options of its own, and comes first: "
				   "ringpace bench %s ...", arg, arg);
		if (a->bench)
			argp_error(state, "%s: one benchmark at a time", arg);
		a->bench = find(state, arg);
		break;
	case ARGP_KEY_END:
		if (!a->bench)
			argp_error(state, "which benchmark? See --help");
		break;
	default:
		return ARGP_ERR_UNKNOWN;
	}
	return 0;
}

/* The list of benchmarks, for the end of the help text. */
static char *help(int key, const char *text, void *input)
{
	char *out = NULL;
	size_t len;
	FILE *f;
	u32 i;

	if (key != ARGP_KEY_HELP_POST_DOC)
		return (char *)text;
	f = open_memstream(&out, &len);
	if (!f)
		return (char *)text;
	fprintf(f, "Benchmarks:\n");
	for (i = 0; benches[i]; i++)
		fprintf(f, "  %-9s %s\n", benches[i]->name, benches[i]->summary);
	fprintf(f, "\n%s", text);
	fclose(f);
	return out;
}

static const struct argp argp = {
	.options = options,
	.parser = parse,
	.args_doc = "BENCHMARK",
	.doc = "Measures beside a peer, in alternating rounds, and reports medians. Raw data "
	"are kept in the build directory, under bench/. Run it on a quiet machine. The options "
	"here are ring's, packets' and estimator's; the others have their own: "
	"`ringpace bench grid --help`.\v"
	"Example:\n\n  ringpace bench ring --rounds 7 --json\n"
	"  ringpace bench grid --quick",
	.help_filter = help,
};

const char *bench_dir(void)
{
	static char path[512];

	snprintf(path, sizeof(path), "%s/bench", own_dir());
	if (mkdir(path, 0777) && errno != EEXIST) {
		fail("cannot make the directory %s for raw data: %m", path);
		return NULL;
	}
	return path;
}

static int keep(const struct bench *b, const json_t *result)
{
	const char *dir = bench_dir();
	char path[640];

	if (!dir)
		return -1;
	snprintf(path, sizeof(path), "%s/%s-%s.json", dir, b->name,
		 json_string_value(json_object_get(result, "date")));
	if (json_dump_file(result, path, JSON_INDENT(2) | JSON_REAL_PRECISION(15)))
		return fail("cannot write raw data to %s: %m", path);
	return 0;
}

int bench_finish(const struct bench *b, json_t *result, bool json)
{
	int rc;

	provenance_add(result);
	rc = keep(b, result) ? 1 : 0;
	if (json)
		json_print(json_incref(result), stdout);
	else
		b->print(result);
	json_decref(result);
	return rc;
}

static int run(int argc, char **argv)
{
	const struct bench *own = find_own(argv[1]);
	char name[64];
	struct args a = { .o = { .rounds = 5, .seconds = 1 } };
	json_t *result;

	if (own) {
		snprintf(name, sizeof(name), "%s %s", argv[0], own->name);
		argv[1] = name;
		return own->main(argc - 1, argv + 1);
	}
	argp_parse(&argp, argc, argv, 0, NULL, &a);
	catch_signals();
	result = a.bench->run(&a.o);
	if (!result)
		return stopped() ? EXIT_STOPPED : 1;
	return bench_finish(a.bench, result, a.o.json);
}

const struct cmd cmd_bench = {
	.name = "bench",
	.summary = "measure against peers, in the same run",
	.run = run,
};
