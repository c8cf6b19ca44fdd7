// SPDX-License-Identifier: GPL-2.0-or-later
/* Sources and their queues: from replies to rows. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "json.h"
#include "kvhost/kvhost.h"
#include "top/top.h"

/* Of a daemon that is stopped or hangs; then it is left alone for a while. */
#define ANSWER_MS	500
#define RETRY_NS	(3 * NSEC_PER_SEC)

void top_init(struct top *t)
{
	memset(t, 0, sizeof(*t));
	t->search = true;
	t->rows = calloc(TOP_ROWS_MAX, sizeof(*t->rows));
	t->before = calloc(TOP_ROWS_MAX, sizeof(*t->before));
	if (!t->rows || !t->before)
		abort();
}

static struct top_source *add(struct top *t, const char *socket, bool kernel)
{
	struct top_source *s = &t->source[t->sources];

	if (t->sources == TOP_SOURCES_MAX || strlen(socket) >= sizeof(s->socket))
		return NULL;
	memset(s, 0, sizeof(*s));
	orders_init(&s->orders);
	strcpy(s->socket, socket);
	s->kernel = kernel;
	t->sources++;
	return s;
}

int top_add(struct top *t, const char *socket)
{
	struct top_source *s = add(t, socket, false);

	t->search = false;
	if (!s)
		return fail("--socket %s: the path has more than 107 bytes, or it is one of more than %u",
			    socket, TOP_SOURCES_MAX);
	s->given = true;
	return 0;
}

/* ---- Which sources there are ---- */

static void found(void *ctx, const char *socket, int pid)
{
	struct top *t = ctx;
	struct top_source *s = NULL;
	u32 i;

	for (i = 0; i < t->sources && !s; i++)
		if (!t->source[i].kernel && !strcmp(t->source[i].socket, socket))
			s = &t->source[i];
	if (!s && t->search)
		s = add(t, socket, false);
	if (!s)
		return;
	/* A new process behind an old path. */
	if (s->pid != pid)
		s->retry_ns = 0;
	s->pid = pid;
	s->found = true;
}

static void find_kernel(struct top *t)
{
	struct top_source *s = NULL;
	const char *why;
	u32 i;

	if (!t->search || !kvhost_available(&why))
		return;
	for (i = 0; i < t->sources; i++)
		if (t->source[i].kernel)
			s = &t->source[i];
	s = s ?: add(t, "", true);
	if (s)
		s->found = true;
}

static void find_sources(struct top *t)
{
	u32 i, kept = 0;

	for (i = 0; i < t->sources; i++)
		t->source[i].found = t->source[i].given;
	top_find(found, t);
	find_kernel(t);
	for (i = 0; i < t->sources; i++) {
		if (t->source[i].found)
			t->source[kept++] = t->source[i];
		else
			orders_close(&t->source[i].orders);
	}
	t->sources = kept;
}

/* ---- From a reply to a row ---- */

/* A copy without anything that a terminal would obey. */
static void copy_text(char *to, size_t bytes, const json_t *obj, const char *key)
{
	const char *s = json_string_value(json_object_get(obj, key));
	size_t i;

	for (i = 0; s && s[i] && i < bytes - 1; i++)
		to[i] = isprint((unsigned char)s[i]) ? s[i] : '?';
	to[i] = 0;
}

/* What the reply says is 0 where there is none. */
static double unless_0(double v)
{
	return v > 0 ? v : UNKNOWN;
}

static void read_queue(struct top_row *r, const json_t *q)
{
	r->rev = !strcmp(json_string_value(json_object_get(q, "dir")) ?: "", "rev");
	r->queue = (u32)json_integer_value(json_object_get(q, "queue"));
	r->queue_len = json_number_at(q, "queue_len");
	r->dmax_ns = unless_0(json_number_at(q, "dmax_ns"));
	copy_text(r->strategy, sizeof(r->strategy), q, "strategy");
	copy_text(r->broken, sizeof(r->broken), q, "broken");
}

/* A static strategy says nothing, and its mode is its name. */
static void read_static(struct top_row *r, const json_t *q)
{
	r->y_ns = r->k = r->predicted_t_ns = r->burst = r->occupancy = UNKNOWN;
	r->window = r->rev ? r->queue_len : UNKNOWN;
	r->regime[0] = r->mode[0] = r->unmet[0] = 0;
	if (!strcmp(r->strategy, "sleep")) {
		strcpy(r->mode, rp_wait_names[RP_WAIT_SLEEP]);
		r->y_ns = json_number_at(q, "y_ns");
	} else if (!strcmp(r->strategy, "notify")) {
		strcpy(r->mode, rp_wait_names[RP_WAIT_BLOCK]);
		r->k = json_number_at(q, "k");
	} else if (!strcmp(r->strategy, "busy")) {
		strcpy(r->mode, rp_wait_names[RP_WAIT_SPIN]);
	}
}

static void read_pacing(struct top_row *r, const json_t *p)
{
	copy_text(r->regime, sizeof(r->regime), p, "regime");
	copy_text(r->mode, sizeof(r->mode), p, "mode");
	copy_text(r->unmet, sizeof(r->unmet), p, "unmet");
	r->y_ns = !strcmp(r->mode, rp_wait_names[RP_WAIT_SLEEP]) ?
		json_number_at(p, "wait_ns") : UNKNOWN;
	r->k = json_number_at(p, "threshold");
	r->window = json_number_at(p, "window");
	r->predicted_t_ns = json_number_at(p, "predicted_t_ns");
	r->burst = json_number_at(p, "burst");
	r->occupancy = json_number_at(p, "occupancy");
}

static void read_stats(struct top_row *r, const json_t *s)
{
	r->counts = (struct top_counts) {
		.duration_ns = json_number_at(s, "duration_ns"),
		.cpu_ns = json_number_at(s, "cpu_ns"),
		.items = json_number_at(s, "items"),
		.received = json_number_at(s, "received"),
		.sent = json_number_at(s, "sent"),
		.sleeps = json_number_at(s, "sleeps"),
		.late = json_number_at(s, "late"),
		.timed = json_number_at(s, "lat_count"),
	};
	r->p98_ns = r->counts.timed > 0 ? json_number_at(s, "lat_p98_ns") : UNKNOWN;
}

/* Of the same queue of the same process, in the sample before. */
static const struct top_counts *counts_before(const struct top *t, const struct top_row *r)
{
	const struct top_row *b;
	u32 i;

	for (i = 0; i < t->n_before; i++) {
		b = &t->before[i];
		if (b->queue == r->queue && b->pid == r->pid && !strcmp(b->device, r->device) &&
		    !strcmp(b->socket, r->socket) && !strcmp(b->backend, r->backend))
			return &b->counts;
	}
	return NULL;
}

static int sample_queue(struct top *t, struct top_source *s, const json_t *dev, const json_t *q)
{
	struct top_row *r = &t->rows[t->n];
	json_t *reply, *stats;

	if (t->n == TOP_ROWS_MAX || (!json_is_true(json_object_get(q, "ready")) &&
				     json_is_null(json_object_get(q, "broken"))))
		return 0;
	memset(r, 0, sizeof(*r));
	strcpy(r->backend, s->kernel ? "vhost_pc" : "ringpaced");
	strcpy(r->socket, s->socket);
	r->pid = s->kernel ? (int)json_integer_value(json_object_get(dev, "pid")) : s->pid;
	copy_text(r->device, sizeof(r->device), dev, "device");
	read_queue(r, q);
	read_static(r, q);
	reply = orders_call(&s->orders, "stats", json_pack("{s:O, s:O}",
			    "device", json_object_get(dev, "device"),
			    "queue", json_object_get(q, "queue")), ANSWER_MS);
	if (!reply)
		return -1;
	stats = json_object_get(reply, "stats");
	read_stats(r, stats);
	if (json_is_object(json_object_get(stats, "pacing")))
		read_pacing(r, json_object_get(stats, "pacing"));
	json_decref(reply);
	top_rates(r, counts_before(t, r));
	t->n++;
	return 0;
}

static int sample_source(struct top *t, struct top_source *s)
{
	json_t *list = orders_call(&s->orders, "list", NULL, ANSWER_MS);
	const json_t *dev, *q;
	size_t i, j;
	int rc = list ? 0 : -1;

	json_array_foreach(json_object_get(list, "devices"), i, dev)
		json_array_foreach(json_object_get(dev, "queues"), j, q)
			/* A device of the kernel may go between two questions. */
			if (!rc && sample_queue(t, s, dev, q) && !s->kernel)
				rc = -1;
	json_decref(list);
	return rc;
}

static void try_source(struct top *t, struct top_source *s)
{
	int rc = 0;

	if (now_ns() < s->retry_ns)
		return;
	if (!s->open)
		rc = s->kernel ? orders_open_kernel(&s->orders) :
			orders_open_daemon(&s->orders, s->socket, 0);
	if (!rc) {
		s->open = true;
		rc = sample_source(t, s);
	}
	if (!rc) {
		s->error[0] = 0;
		return;
	}
	orders_close(&s->orders);
	s->open = false;
	s->retry_ns = now_ns() + RETRY_NS;
}

void top_sample(struct top *t)
{
	struct top_row *rows = t->before;
	u32 i;

	t->before = t->rows;
	t->n_before = t->n;
	t->rows = rows;
	t->n = 0;
	find_sources(t);
	for (i = 0; i < t->sources && !stopped(); i++) {
		fail_capture(t->source[i].error, sizeof(t->source[i].error));
		try_source(t, &t->source[i]);
		fail_capture(NULL, 0);
	}
}

const char *top_error(const struct top *t)
{
	u32 i;

	for (i = 0; i < t->sources; i++)
		if (t->source[i].error[0])
			return t->source[i].error;
	return NULL;
}

void top_free(struct top *t)
{
	u32 i;

	for (i = 0; i < t->sources; i++)
		orders_close(&t->source[i].orders);
	free(t->rows);
	free(t->before);
}
