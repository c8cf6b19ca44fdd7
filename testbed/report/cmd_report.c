// SPDX-License-Identifier: GPL-2.0-or-later
/* `ringpace report`: runs, parameters and figures on one page. */
#include <argp.h>
#include <errno.h>
#include <glob.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd.h"
#include "json.h"
#include "report/report.h"
#include "run_json.h"

#define FILES_MAX	256

enum { OPT_OUT = 256, OPT_TITLE, OPT_FIGURES, OPT_PROFILE, OPT_JSON };

static const struct argp_option options[] = {
	{ "out", OPT_OUT, "FILE.html", 0, "the page (report.html of the build)", 0 },
	{ "title", OPT_TITLE, "TEXT", 0, "its title (Ringpace report)", 0 },
	{ "figures", OPT_FIGURES, "DIR", 0, "where `ringpace plot` left its SVGs (plot/ of the "
	  "build)", 0 },
	{ "profile", OPT_PROFILE, "LANE|FILE", 0, "costs to show, ns (native, if there is one)", 0 },
	{ "json", OPT_JSON, NULL, 0, "say as one JSON object what is in the page", 0 },
	{ 0 }
};

struct args {
	const char *title, *profile;
	char out[512], figures[512];
	char *file[FILES_MAX];
	u32 files;
	bool json;
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct args *a = state->input;

	switch (key) {
	case OPT_OUT:
		if (!*arg || strlen(arg) >= sizeof(a->out))
			argp_error(state, "--out: no file name, or too long a one");
		strcpy(a->out, arg);
		break;
	case OPT_TITLE:
		a->title = arg;
		break;
	case OPT_FIGURES:
		snprintf(a->figures, sizeof(a->figures), "%s", arg);
		break;
	case OPT_PROFILE:
		a->profile = arg;
		break;
	case OPT_JSON:
		a->json = true;
		break;
	case ARGP_KEY_ARG:
		if (a->files == FILES_MAX)
			argp_error(state, "more than %d files", FILES_MAX);
		a->file[a->files++] = arg;
		break;
	default:
		return ARGP_ERR_UNKNOWN;
	}
	return 0;
}

static const struct argp argp = {
	.options = options,
	.args_doc = "[RUN.json...]",
	.parser = parse,
	.doc = "Writes one HTML page with the host, its costs, runs (of `ringpace run --json` and "
	"`ringpace casestudy`; casestudy-*.json in run/ of the build unless named), their regimes, "
	"and figures. It needs no script and nothing from elsewhere.\v"
	"Example:\n\n"
	"  ringpace casestudy --lane native --out run && ringpace plot all\n"
	"  ringpace report --out report.html run/casestudy-native.json\n\n"
	"Times on the page are ns.",
};

/* ---- Runs ---- */

static void find_files(struct args *a, glob_t *found)
{
	char pattern[512];
	size_t i;

	memset(found, 0, sizeof(*found));
	if (a->files)
		return;
	snprintf(pattern, sizeof(pattern), "%s/run/casestudy-*.json", own_dir());
	if (glob(pattern, 0, NULL, found))
		return;
	for (i = 0; i < found->gl_pathc && a->files < FILES_MAX; i++)
		a->file[a->files++] = found->gl_pathv[i];
}

static int check_runs(const char *path, const json_t *runs)
{
	struct run_json run;
	const char *why;
	const json_t *v;
	size_t i;

	json_array_foreach(runs, i, v) {
		why = run_json_read(v, &run);
		if (why)
			return fail("%s: run %zu cannot be used: %s", path, i, why);
	}
	return 0;
}

static int load_runs(const struct args *a, json_t **runs)
{
	const char *why;
	u32 i;

	for (i = 0; i < a->files; i++) {
		runs[i] = run_json_load(a->file[i], &why);
		if (!runs[i])
			return fail("%s", why);
		if (check_runs(a->file[i], runs[i]))
			return -1;
	}
	return 0;
}

/* ---- The page ---- */

/* Under another name first: whoever looks sees a whole page. */
static int write_page(const char *path, const char *page, size_t bytes)
{
	char temp[600];
	FILE *f;
	bool bad;

	snprintf(temp, sizeof(temp), "%s.%d", path, (int)getpid());
	f = fopen(temp, "we");
	if (!f)
		return fail("cannot write %s: %m", temp);
	bad = fwrite(page, 1, bytes, f) != bytes;
	bad |= fclose(f) != 0;
	if (!bad && !rename(temp, path))
		return 0;
	fail("cannot write %s: %m", path);
	unlink(temp);
	return -1;
}

static int make_page(const struct args *a, const struct report *r)
{
	char *page = NULL;
	size_t bytes = 0;
	FILE *f = open_memstream(&page, &bytes);
	int rc;

	if (!f)
		return fail("report: out of memory");
	report_write(f, r);
	rc = fclose(f) ? fail("report: out of memory") : write_page(a->out, page, bytes);
	free(page);
	return rc;
}

static void say(const struct args *a, const struct report *r)
{
	size_t runs = 0;
	u32 i;

	for (i = 0; i < r->files; i++)
		runs += json_array_size(r->runs[i]);
	if (a->json)
		json_print(json_pack("{s:s, s:i, s:i, s:O, s:O}", "report", a->out, "files",
				     (int)r->files, "runs", (int)runs, "figures", r->figures,
				     "missing", r->missing), stdout);
	else
		printf("%s: %zu runs of %u files, %zu figures (%zu missing)\n", a->out, runs,
		       r->files, json_array_size(r->figures), json_array_size(r->missing));
}

/* Exit code. */
static int report(struct args *a)
{
	json_t *runs[FILES_MAX] = { NULL };
	struct profile profile;
	char why[1024];
	struct report r = {
		.title = a->title ?: "Ringpace report", .files = a->files, .file = a->file,
		.runs = runs, .figures_dir = a->figures,
	};
	int rc = 0;
	u32 i;

	r.profile_why = profile_load(a->profile ?: "native", &profile);
	/* A copy: reading the runs may give other reasons. */
	snprintf(why, sizeof(why), "%s", r.profile_why ?: "");
	r.profile_why = r.profile_why ? why : NULL;
	if (!r.profile_why)
		r.profile = &profile;
	else if (a->profile)
		return fail("--profile: %s", r.profile_why), EXIT_USAGE;
	r.figures = json_array();
	r.missing = json_array();
	if (load_runs(a, runs))
		rc = EXIT_USAGE;
	else if (make_page(a, &r))
		rc = 1;
	else
		say(a, &r);
	for (i = 0; i < a->files; i++)
		json_decref(runs[i]);
	json_decref(r.figures);
	json_decref(r.missing);
	return rc;
}

static int run(int argc, char **argv)
{
	struct args a = { 0 };
	glob_t found;
	int rc;

	snprintf(a.out, sizeof(a.out), "%s/report.html", own_dir());
	snprintf(a.figures, sizeof(a.figures), "%s/plot", own_dir());
	argp_parse(&argp, argc, argv, 0, NULL, &a);
	find_files(&a, &found);
	rc = report(&a);
	globfree(&found);
	return rc;
}

const struct cmd cmd_report = {
	.name = "report",
	.summary = "put runs, parameters and figures on one HTML page",
	.run = run,
};
