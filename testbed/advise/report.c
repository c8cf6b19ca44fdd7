// SPDX-License-Identifier: GPL-2.0-or-later
/* Advice as JSON and in words. */
#include "advise/advise.h"
#include "json.h"

static const char *party_name(int role)
{
	return role == NOBODY ? NULL : role == RP_CONSUMER ? "C" : "P";
}

static json_t *string_or_null(const char *s)
{
	return s && *s ? json_string(s) : json_null();
}

/* ---- JSON ---- */

#define NUMBER(v, key, value) json_object_set_new(v, key, json_number_or_null(value, 0))

static json_t *choice_json(const struct choice *c)
{
	json_t *v = json_object();

	json_object_set_new(v, "strategy", json_string(rp_strategy_by_id(c->strategy)->name));
	json_object_set_new(v, "regime", string_or_null(c->regime));
	json_object_set_new(v, "queue_len", json_integer(c->queue_len));
	json_object_set_new(v, "kp", json_integer(c->kp));
	json_object_set_new(v, "kc", json_integer(c->kc));
	NUMBER(v, "y_ns", c->y_ns);
	NUMBER(v, "y_nominal_ns", c->y_nominal_ns);
	json_object_set_new(v, "t_ns", json_number_or_null(c->t_ns, 2));
	json_object_set_new(v, "e_ns", json_number_or_null(c->e_ns, 2));
	NUMBER(v, "d_ns", c->d_ns);
	json_object_set_new(v, "met", c->met == MET_UNKNOWN ? json_null() :
			    json_boolean(c->met == MET_YES));
	json_object_set_new(v, "why", string_or_null(c->why));
	return v;
}

static json_t *range_json(double low, double high)
{
	if (!is_known(low))
		return json_null();
	return low < high ? json_null() : json_number_or_null(low, 1);
}

static json_t *rates_json(const struct evidence *e)
{
	json_t *v = json_object();

	NUMBER(v, "items_per_s", e->items_per_s);
	NUMBER(v, "p_to_c_per_s", e->p_to_c_per_s);
	NUMBER(v, "spurious_per_s", e->spurious_per_s);
	NUMBER(v, "c_to_p_per_s", e->c_to_p_per_s);
	NUMBER(v, "sleeps_p_per_s", e->sleeps_p_per_s);
	NUMBER(v, "sleeps_c_per_s", e->sleeps_c_per_s);
	return v;
}

json_t *advice_json(const struct evidence *e, const struct advice *a)
{
	const struct finding *f = &a->f;
	json_t *v = json_object(), *choices = json_array();
	u32 i;

	json_object_set_new(v, "regime", string_or_null(f->regime));
	json_object_set_new(v, "regime_from", string_or_null(f->regime_from));
	json_object_set_new(v, "faster", string_or_null(party_name(f->faster)));
	json_object_set_new(v, "w_ns", json_number_or_null(f->w_ns, 1));
	json_object_set_new(v, "w_is_bound", json_boolean(f->w_is_bound));
	json_object_set_new(v, "w_from", string_or_null(f->w_from));
	json_object_set_new(v, "wp_ns", range_json(f->wp_low_ns, f->wp_high_ns));
	json_object_set_new(v, "wc_ns", range_json(f->wc_low_ns, f->wc_high_ns));
	json_object_set_new(v, "rates", rates_json(e));
	NUMBER(v, "dmax_ns", a->dmax_ns);
	NUMBER(v, "y_max_ns", a->y_max_ns);
	json_object_set_new(v, "met", a->recommended < 0 ?
			    (f->faster == NOBODY ? json_null() : json_false()) :
			    a->choice[a->recommended].met == MET_UNKNOWN ? json_null() : json_true());
	json_object_set_new(v, "recommend", a->recommended < 0 ? json_null() :
			    choice_json(&a->choice[a->recommended]));
	json_object_set_new(v, "why", json_string(a->why));
	for (i = 0; i < RP_STATIC_STRATEGIES; i++)
		json_array_append_new(choices, choice_json(&a->choice[i]));
	json_object_set_new(v, "choices", choices);
	json_object_set(v, "notes", f->notes);
	return v;
}

/* ---- In words ---- */

static void print_finding(const struct finding *f)
{
	printf("regime       ");
	if (f->regime[0])
		printf("%s (%s)\n", f->regime, f->regime_from);
	else
		printf("not known\n");
	printf("faster       %s\n", party_name(f->faster) ?: "not known");
	printf("max(W_P,W_C) ");
	if (is_known(f->w_ns))
		printf("%.0f ns (%s)\n", f->w_ns, f->w_from);
	else
		printf("not known\n");
}

static void print_choices(const struct advice *a)
{
	static const char *const heads[] = {
		"strategy", "regime", "L", "k_P", "k_C", "Y ns", "Y to ask for", "T ns", "E ns",
		"D ns", "holds D_MAX",
	};
	static const char *const met[] = { "no", "yes", "?" };
	struct table *t = table_new(sizeof(heads) / sizeof(heads[0]));
	u32 i;

	for (i = 0; i < sizeof(heads) / sizeof(heads[0]); i++)
		table_cell(t, "%s", heads[i]);
	for (i = 0; i < RP_STATIC_STRATEGIES; i++) {
		const struct choice *c = &a->choice[i];

		table_cell(t, "%s", rp_strategy_by_id(c->strategy)->name);
		table_cell(t, "%s", c->regime ?: "-");
		table_cell(t, "%u", c->queue_len);
		table_cell(t, "%u", c->kp);
		table_cell(t, "%u", c->kc);
		table_number(t, c->y_ns, 0);
		table_number(t, c->y_nominal_ns, 0);
		table_number(t, c->t_ns, 1);
		table_number(t, c->e_ns, 1);
		table_number(t, c->d_ns, 0);
		table_cell(t, "%s", met[c->met]);
	}
	putchar('\n');
	table_print(t, stdout);
	table_free(t);
	for (i = 0; i < RP_STATIC_STRATEGIES; i++)
		if (a->choice[i].why[0])
			printf("%s: %s\n", rp_strategy_by_id(i)->name, a->choice[i].why);
}

static void print_recommendation(const struct advice *a)
{
	const struct choice *c;

	if (a->recommended < 0) {
		printf("\nno recommendation: %s\n", a->why);
		return;
	}
	c = &a->choice[a->recommended];
	printf("\nrecommended: %s, L %u", rp_strategy_by_id(c->strategy)->name, c->queue_len);
	if (c->strategy == RP_NOTIFY)
		printf(", k_P %u, k_C %u", c->kp, c->kc);
	if (c->strategy == RP_SLEEP)
		printf(", Y_P = Y_C = %.0f ns", c->y_ns);
	if (is_known(c->y_nominal_ns))
		printf(" (ask for %.0f ns here)", c->y_nominal_ns);
	printf("\n  %s\n", a->why);
}

void advice_print(const struct evidence *e, const struct advice *a)
{
	const json_t *note;
	size_t i;

	print_finding(&a->f);
	if (a->f.faster != NOBODY)
		print_choices(a);
	print_recommendation(a);
	json_array_foreach(a->f.notes, i, note)
		printf("note: %s\n", json_string_value(note));
}
