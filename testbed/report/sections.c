// SPDX-License-Identifier: GPL-2.0-or-later
/* What the report says: host, costs, runs, regimes, figures. */
#include <math.h>
#include <string.h>

#include "json.h"
#include "plot/plot.h"
#include "provenance.h"
#include "report/report.h"
#include "run_json.h"

#define COUNT(a)	(sizeof(a) / sizeof((a)[0]))

static void paragraph(FILE *to, const char *text)
{
	fputs("<p>", to);
	html_text(to, text);
	fputs("</p>\n", to);
}

static void heading(FILE *to, int level, const char *text)
{
	fprintf(to, "<h%d>", level);
	html_text(to, text);
	fprintf(to, "</h%d>\n", level);
}

/* ---- Where and when ---- */

static void write_provenance(FILE *to)
{
	json_t *v = json_object();
	char line[768];

	provenance_add(v);
	snprintf(line, sizeof(line), "Written on %s, %s; load average %.1f.",
		 json_string_value(json_object_get(v, "machine")),
		 json_string_value(json_object_get(v, "date")), json_number_at(v, "load_1min"));
	paragraph(to, line);
	paragraph(to, "P produces, C consumes, over a queue of L slots. All times are nanoseconds. "
		  "T is the time and E the CPU time of both sides per item.");
	json_decref(v);
}

/* ---- Costs ---- */

static void write_costs(FILE *to, const struct report *r)
{
	static const char *const heads[] = { "cost", "#ns", "meaning" };
	const struct profile *p = r->profile;
	struct html_table t;
	char line[160];

	heading(to, 2, "Costs of this host");
	if (!p) {
		paragraph(to, r->profile_why);
		return;
	}
	snprintf(line, sizeof(line), "Lane %s, measured %s.", p->lane, p->date);
	paragraph(to, line);
	html_table_begin(&t, to, heads, COUNT(heads));
#define ROW(name, ns, meaning)			\
	do {					\
		html_cell(&t, name);		\
		html_number(&t, ns, 0);		\
		html_cell(&t, meaning);		\
	} while (0)
	ROW("N_P", (double)p->np_ns, "P notifies C");
	ROW("N_C", (double)p->nc_ns, "C notifies P");
	ROW("S_P", (double)p->sp_ns, "P starts after a notification");
	ROW("S_C", (double)p->sc_ns, "C starts after a notification");
	ROW("Y_E", (double)p->ye_ns, "CPU time of a sleep");
	if (p->sleeps)
		ROW("Y, shortest", p->y_ns[0], "what the shortest sleep lasts");
#undef ROW
	html_table_end(&t);
}

/* ---- Runs ---- */

/* The model's regime and T; false when it cannot be asked. */
static bool modelled(const struct run_json *run, struct rp_model *m)
{
	struct rp_model_in in;

	if (run_json_model(run, &in))
		return false;
	rp_model_solve(&in, m);
	return true;
}

static void write_model_cells(struct html_table *t, const struct run_json *run)
{
	struct rp_model m;
	char range[64];

	if (!modelled(run, &m)) {
		html_cell(t, "-");
		html_number(t, UNKNOWN, 0);
		return;
	}
	html_cell(t, rp_regime_names[m.regime]);
	if (m.t_ps != RP_MODEL_NONE) {
		html_number(t, (double)m.t_ps / 1000, 0);
		return;
	}
	snprintf(range, sizeof(range), "%.0f to %.0f", (double)m.t_min_ps / 1000,
		 (double)m.t_max_ps / 1000);
	html_cell(t, range);
}

static void write_run(struct html_table *t, const struct run_json *run)
{
	const struct run_result *r = &run->r;
	char lane[48];

	snprintf(lane, sizeof(lane), "%s%s%s", run->lane, r->accel[0] &&
		 strcmp(r->accel, "none") ? ", " : "", strcmp(r->accel, "none") ? r->accel : "");
	html_cell(t, run->study[0] ? run->study : "-");
	html_cell(t, lane);
	html_cell(t, run_dir_names[r->params.dir]);
	html_cell(t, run->strategy);
	write_model_cells(t, run);
	html_number(t, r->t_ns, 0);
	html_number(t, r->e_ns, 0);
	html_number(t, r->cpu_p, 2);
	html_number(t, r->cpu_c, 2);
	html_number(t, r->kicks_per_s, 0);
	html_number(t, r->calls_per_s, 0);
	html_number(t, r->sleeps_p_per_s + r->sleeps_c_per_s, 0);
	html_number(t, r->batch, 1);
	html_number(t, r->lat_p98_ns, 0);
	html_number(t, r->wp_ns, 0);
	html_number(t, r->wc_ns, 0);
	html_number(t, r->lost, 0);
}

static void write_file(FILE *to, const char *name, const json_t *runs)
{
	static const char *const heads[] = {
		"case", "lane", "dir", "strategy", "regime", "#T model ns", "#T ns", "#E ns",
		"#CPU P", "#CPU C", "#kicks/s", "#calls/s", "#sleeps/s", "#batch", "#p98 ns",
		"#W_P ns", "#W_C ns", "#lost",
	};
	struct html_table t;
	struct run_json run;
	const json_t *v;
	size_t i;

	heading(to, 3, name);
	html_table_begin(&t, to, heads, COUNT(heads));
	json_array_foreach(runs, i, v)
		if (!run_json_read(v, &run))
			write_run(&t, &run);
	html_table_end(&t);
}

static void write_runs(FILE *to, const struct report *r)
{
	u32 i;

	heading(to, 2, "Runs");
	if (!r->files)
		paragraph(to, "There are none; \"ringpace casestudy --out DIR\" makes some.");
	else
		paragraph(to, "Regime and T model are the model's for the parameters as they were "
			  "measured, with default thresholds; batch is items per notification or "
			  "sleep of either side; p98 is of the latency.");
	for (i = 0; i < r->files; i++)
		write_file(to, r->file[i], r->runs[i]);
}

/* ---- Regimes ---- */

static const char *const meanings[RP_REGIMES] = {
	[RP_BW] = "Busy waiting: the speed of the slower side, both CPUs all the time.",
	[RP_SFC] = "C is faster and sleeps now and then; P never waits. As fast as P can be.",
	[RP_SFP] = "P is faster and sleeps now and then; C never waits. As fast as C can be.",
	[RP_SLS] = "Long sleeps: the queue runs full or empty meanwhile, and both sides wait. "
		   "Shorten Y or lengthen L.",
	[RP_NFC] = "C is faster and blocks; P pays for a notification each time. Let C sleep "
		   "instead.",
	[RP_NFP] = "P is faster and blocks; a large k_C makes notifications rare. Good.",
	[RP_NSCS] = "C is faster but starts so slowly that the queue runs full: P waits as well. "
		    "Lengthen L or lower k_C.",
	[RP_NSPS] = "P is faster but starts so slowly that the queue runs empty: C waits as well. "
		    "Lengthen L or lower k_C.",
	[RP_NSS] = "Both start too slowly for the queue and work by turns. Lengthen L.",
};

static void write_regimes(FILE *to, const struct report *r)
{
	static const char *const heads[] = { "regime", "#runs", "what it means" };
	u32 seen[RP_REGIMES] = { 0 }, i;
	struct html_table t;
	struct run_json run;
	struct rp_model m;
	const json_t *v;
	size_t j;

	if (!r->files)
		return;
	for (i = 0; i < r->files; i++)
		json_array_foreach(r->runs[i], j, v)
			if (!run_json_read(v, &run) && modelled(&run, &m))
				seen[m.regime]++;
	heading(to, 2, "Regimes");
	html_table_begin(&t, to, heads, COUNT(heads));
	for (i = 0; i < RP_REGIMES; i++) {
		if (!seen[i])
			continue;
		html_cell(&t, rp_regime_names[i]);
		html_number(&t, seen[i], 0);
		html_cell(&t, meanings[i]);
	}
	html_table_end(&t);
}

/* ---- Figures ---- */

/* Markup of gnuplot's labels is not for people. */
static void plain_title(const struct figure *f, char *to, size_t size)
{
	const char *p;
	size_t n = 0;

	for (p = f->title; *p && n + 1 < size; p++)
		if (*p != '{' && *p != '}')
			to[n++] = *p;
	to[n] = 0;
}

static void write_figure(FILE *to, const struct report *r, const struct figure *f)
{
	char path[600], title[160], caption[200];
	const char *why;

	snprintf(path, sizeof(path), "%s/fig-%02u.svg", r->figures_dir, f->number);
	plain_title(f, title, sizeof(title));
	snprintf(caption, sizeof(caption), "Figure %u: %s", f->number, title);
	fputs("<figure>", to);
	why = html_svg(to, path, caption);
	json_array_append_new(why ? r->missing : r->figures, json_integer(f->number));
	fputs("<figcaption>", to);
	html_text(to, caption);
	if (why) {
		fputs(". Not there (", to);
		html_text(to, why);
		fprintf(to, "): <code>ringpace plot %u</code> draws it.", f->number);
	}
	fputs("</figcaption></figure>\n", to);
}

static void write_figures(FILE *to, const struct report *r)
{
	u32 i;

	heading(to, 2, "Figures");
	paragraph(to, "As numbered in Lettieri, Maffione and Rizzo, A Study of I/O Performance of "
		  "Virtual Machines; drawn by \"ringpace plot\".");
	fputs("<div class=\"figures\">\n", to);
	for (i = 0; i < figures_count; i++)
		write_figure(to, r, &figures[i]);
	fputs("</div>\n", to);
}

void report_write(FILE *to, const struct report *r)
{
	html_page_begin(to, r->title);
	write_provenance(to);
	fputs("</header>\n<main>\n", to);
	write_costs(to, r);
	write_runs(to, r);
	write_regimes(to, r);
	write_figures(to, r);
	fputs("</main>\n", to);
	html_page_end(to);
}
