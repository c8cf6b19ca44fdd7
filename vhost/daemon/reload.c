// SPDX-License-Identifier: GPL-2.0-or-later
/* Reading the file again, and doing what it says now. */
#include <stdio.h>
#include <string.h>

#include "net/net_reload.h"
#include "notify.h"
#include "reload.h"

static void tell(void *ctx, const char *line)
{
	struct reload *r = ctx;

	log_error("%s", line);
	if (!r->errors++)
		snprintf(r->why, sizeof(r->why), "%s", line);
}

/* Nothing is said differently that is fixed. Else tells. */
static bool fixed_alike(struct reload *r, const struct options *o)
{
	char line[160];
	u32 i;

	for (i = 0; i < option_count; i++) {
		const char *was = r->options->text[i], *is = o->text[i];

		if (!option_defs[i].fixed || option_defs[i].shape == SHAPE_NONE ||
		    !strcmp(was ? was : "", is ? is : ""))
			continue;
		snprintf(line, sizeof(line), "%s: cannot be changed while it runs: restart it, or "
			 "say what it was", option_defs[i].name);
		tell(r, line);
	}
	return !r->errors;
}

/* ---- Devices ---- */

static const struct device_options *said_of(const struct options *o, const char *name)
{
	u32 i;

	for (i = 0; i < o->dev_count; i++)
		if (!strcmp(o->dev[i].name, name))
			return &o->dev[i];
	return NULL;
}

static bool is_kept(const struct options *o, const struct device *d)
{
	const struct device_options *s = said_of(o, d->opt.name);

	return s && !strcmp(s->socket, d->opt.socket) && s->pairs == d->opt.pairs &&
	       s->item_bytes == d->opt.item_bytes;
}

/* Does a device or port of now have this socket? */
static bool is_held(const struct reload *r, const char *socket)
{
	const struct net *n = r->devices->net;
	u32 i;

	for (i = 0; i < r->devices->count; i++)
		if (!strcmp(r->devices->dev[i]->opt.socket, socket))
			return true;
	for (i = 0; i < n->port_count; i++)
		if (!strcmp(n->port[i]->opt.address, socket))
			return true;
	return false;
}

static bool add_device(struct reload *r, const struct device_options *d)
{
	char line[400];
	int n = snprintf(line, sizeof(line), "%s: ", d->name);

	if (!devices_add(r->devices, d, r->loop, r->options->gid, line + n,
			 sizeof(line) - (size_t)n)) {
		tell(r, line);
		return false;
	}
	log_info("%s: device opened", d->name);
	return true;
}

/* Ends what devices were opened from @from on. */
static void take_back(struct reload *r, u32 from)
{
	while (r->devices->count > from)
		devices_remove(r->devices, r->devices->dev[r->devices->count - 1]);
}

/* Those whose socket is free: false if one cannot be opened, and all are as they were. */
static bool open_devices(struct reload *r, const struct options *o)
{
	u32 i, before = r->devices->count;

	for (i = 0; i < o->dev_count; i++) {
		if (devices_find(r->devices, o->dev[i].name) || is_held(r, o->dev[i].socket) ||
		    add_device(r, &o->dev[i]))
			continue;
		take_back(r, before);
		return false;
	}
	r->added = r->devices->count - before;
	return true;
}

static void close_devices(struct reload *r, const struct options *o)
{
	u32 i = 0;

	while (i < r->devices->count) {
		struct device *d = r->devices->dev[i];

		if (is_kept(o, d)) {
			i++;
			continue;
		}
		log_info("%s: device closed", d->opt.name);
		devices_remove(r->devices, d);
		r->removed++;
	}
}

/* Those whose socket was another one's. */
static void reopen_devices(struct reload *r, const struct options *o)
{
	u32 i;

	for (i = 0; i < o->dev_count; i++)
		if (!devices_find(r->devices, o->dev[i].name))
			r->added += add_device(r, &o->dev[i]);
}

/* ---- All ---- */

static bool begin_ports(struct reload *r, struct net_change *c, const struct options *o)
{
	const char *held[DEVICES_MAX];
	char line[400];
	u32 i;

	for (i = 0; i < r->devices->count; i++)
		held[i] = r->devices->dev[i]->opt.socket;
	if (net_reload_begin(c, r->devices->net, &o->net, r->options->gid, held, i, line,
			     sizeof(line)) == 0)
		return true;
	tell(r, line);
	return false;
}

static void end_ports(struct reload *r, struct net_change *c)
{
	char line[400];

	net_reload_end(c, line, sizeof(line));
	r->added += c->added;
	r->removed += c->removed;
	r->changed = c->changed;
	if (!c->failed)
		return;
	if (!r->errors)
		snprintf(r->why, sizeof(r->why), "%s", line);
	r->errors += c->failed;
}

static bool apply(struct reload *r, struct options *o)
{
	struct net_change c;

	if (!fixed_alike(r, o))
		return false;
	/* Ports first: a socket that both want is not yet a device's. */
	if (!begin_ports(r, &c, o))
		return false;
	if (!open_devices(r, o)) {
		net_reload_abort(&c);
		return false;
	}
	close_devices(r, o);
	end_ports(r, &c);
	reopen_devices(r, o);
	options_apply_log(o);
	return true;
}

/* Goes first, as a long reason is cut. */
static void say_outcome(struct reload *r, const char *what)
{
	char why[sizeof(r->why)];

	if (!r->errors)
		return;
	log_error("reload: %s", what);
	snprintf(why, sizeof(why), "%s: %.450s", what, r->why);
	strcpy(r->why, why);
}

void reload_init(struct reload *r, struct options *first, struct devices *d, struct loop *loop)
{
	*r = (struct reload){ .first = first, .options = first, .devices = d, .loop = loop };
}

void reload_fini(struct reload *r)
{
	if (r->options != r->first)
		options_free(r->options);
}

int reload_run(struct reload *r)
{
	struct options *o;

	r->added = r->removed = r->changed = r->errors = 0;
	notify_reloading();
	o = options_reread(r->options, tell, r);
	if (o && apply(r, o)) {
		o->gid = r->options->gid;
		o->running = NULL;
		reload_fini(r);
		r->options = o;
		log_info("reload: %u added, %u removed, %u changed", r->added, r->removed,
			 r->changed);
		say_outcome(r, "not all was done");
	} else {
		options_free(o);
		say_outcome(r, "nothing was changed");
	}
	notify_ready(r->devices);
	return r->errors ? -1 : 0;
}
