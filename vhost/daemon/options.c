// SPDX-License-Identifier: GPL-2.0-or-later
/* The table of options, and what each of them does. */
#include <grp.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>

#include "log/log_limit.h"
#include "options.h"
#include "optval.h"

#define LOG_RATE_MAX	1000000u

/* ---- One function an option ---- */

static const char *set_device(struct options *o, char *arg)
{
	struct device_options *d = &o->dev[o->dev_count];
	const char *why;
	u32 i;

	if (o->dev_count == DEVICES_MAX)
		return "more than 64 devices";
	why = device_parse(arg, d);
	for (i = 0; !why && i < o->dev_count; i++)
		if (!strcmp(o->dev[i].name, d->name))
			why = "the name is taken";
	o->dev_count += !why;
	return why;
}

static const char *set_port(struct options *o, char *arg)
{
	return net_parse_port(arg, &o->net);
}

static const char *set_link(struct options *o, char *arg)
{
	return net_parse_link(arg, &o->net);
}

static const char *set_switch(struct options *o, char *arg)
{
	return net_parse_switch(arg, &o->net);
}

static const char *set_pacers(struct options *o, char *arg)
{
	return net_parse_pacers(arg, &o->net);
}

static const char *set_path(const char **path, const char *arg)
{
	*path = arg;
	return *arg ? NULL : "no path";
}

static const char *set_control(struct options *o, char *arg)
{
	return set_path(&o->control, arg);
}

static const char *set_state(struct options *o, char *arg)
{
	return set_path(&o->state, arg);
}

static const char *set_config(struct options *o, char *arg)
{
	return set_path(&o->config, arg);
}

static const char *set_check(struct options *o, char *arg)
{
	o->check = true;
	return NULL;
}

/* A reload may not ask for names: who knows them may need more than the sandbox lets through. */
static const char *set_group(struct options *o, char *arg)
{
	const struct group *g = o->running ? NULL : getgrnam(arg);

	o->group = arg;
	if (!g)
		return o->running ? NULL : "there is no such group";
	o->gid = g->gr_gid;
	return NULL;
}

static const char *set_user(struct options *o, char *arg)
{
	o->user = arg;
	return o->running || getpwnam(arg) ? NULL : "there is no such user";
}

static const char *set_level(struct options *o, char *arg)
{
	u32 i;

	for (i = 0; i < LOG_LEVELS; i++) {
		if (!strcmp(log_level_names[i], arg)) {
			o->log_level = i;
			return NULL;
		}
	}
	return "none of error, warn, info, debug";
}

static const char *set_rate(struct options *o, char *arg)
{
	return opt_u32(arg, 0, LOG_RATE_MAX, &o->log_rate) ? NULL :
		"not a number of lines in 0..1000000";
}

static const char *set_format(struct options *o, char *arg)
{
	bool json = !strcmp(arg, "json");

	o->log_format = json ? LOG_FORMAT_JSON : LOG_FORMAT_TEXT;
	return json || !strcmp(arg, "text") ? NULL : "neither text nor json";
}

static const char *set_metrics(struct options *o, char *arg)
{
	o->has_metrics = true;
	return metrics_parse_address(arg, &o->metrics);
}

static const char *set_public(struct options *o, char *arg)
{
	o->metrics_public = true;
	return NULL;
}

static const char *set_seccomp(struct options *o, char *arg)
{
	int mode = sandbox_mode_by_name(arg);

	if (mode < 0)
		return "none of on, off, log";
	o->seccomp = (enum sandbox_mode)mode;
	return NULL;
}

enum { OPT_LOG_RATE = 256, OPT_LOG_FORMAT, OPT_METRICS, OPT_METRICS_PUBLIC, OPT_CHECK, OPT_SECCOMP };

const struct option_def option_defs[] = {
	{ "config", 'f', "FILE", "Do what this file says (docs/operations.md), and again on SIGHUP",
	  set_config, SHAPE_NONE, NULL, true },
	{ "check", OPT_CHECK, NULL, "Only say whether options and file are good", set_check,
	  SHAPE_NONE, NULL, true },
	{ "device", 'd', "NAME,socket=PATH[,...]", "Serve this device", set_device,
	  SHAPE_ENTRIES, "devices", false },
	{ "port", 'p', "NAME,socket=PATH|tap=IFNAME|nic=WIRE[,...]",
	  "Serve this virtio-net port, this tap, or a NIC with this wire", set_port, SHAPE_ENTRIES, "ports", false },
	/* Pacers before switches, which name one. */
	{ "pacers", 'w', "CPU[,CPU...]|xN",
	  "Serve ports by a thread on each of these CPUs, or by N that are not pinned (x1)",
	  set_pacers, SHAPE_LIST, NULL, true },
	{ "link", 'L', "A,B", "Link these two ports, which were named before", set_link,
	  SHAPE_LISTS, "links", false },
	{ "switch", 'S', "NAME,ports=A+B[+...][,...]",
	  "Switch between these ports, which were named before", set_switch, SHAPE_ENTRIES,
	  "switches", false },
	{ "control", 'c', "PATH", "Take orders on this Unix socket", set_control, SHAPE_TEXT,
	  NULL, true },
	{ "group", 'g', "GROUP", "Let this group use the sockets, too (mode 0660, else 0600)",
	  set_group, SHAPE_TEXT, NULL, true },
	{ "user", 'u', "USER", "Become this user once sockets and taps are open; as root",
	  set_user, SHAPE_TEXT, NULL, true },
	{ "seccomp", OPT_SECCOMP, "on|off|log",
	  "Let through only the system calls that are needed (on), or log the others", set_seccomp,
	  SHAPE_TEXT, NULL, true },
	{ "state", 's', "FILE",
	  "Keep here what adaptive strategies have learned, for the next start", set_state,
	  SHAPE_TEXT, NULL, true },
	{ "log-level", 'l', "LEVEL", "error, warn, info (default) or debug; to stderr", set_level,
	  SHAPE_TEXT, NULL, false },
	{ "log-rate", OPT_LOG_RATE, "LINES",
	  "Most lines a second of each device or port, after 100 at once (10); 0: no limit",
	  set_rate, SHAPE_TEXT, NULL, false },
	{ "log-format", OPT_LOG_FORMAT, "text|json", "How lines of the log look; json: an object a line",
	  set_format, SHAPE_TEXT, NULL, true },
	{ "metrics", OPT_METRICS, "unix:PATH|HOST:PORT",
	  "Serve metrics by HTTP there, at /metrics; HOST is of the loopback", set_metrics,
	  SHAPE_TEXT, NULL, true },
	{ "metrics-public", OPT_METRICS_PUBLIC, NULL,
	  "Let --metrics have any address: whoever reaches it reads all metrics", set_public,
	  SHAPE_NONE, NULL, true },
};

const u32 option_count = sizeof(option_defs) / sizeof(*option_defs);
_Static_assert(sizeof(option_defs) / sizeof(*option_defs) <= OPTIONS_MAX, "room for each option");

/* ---- All of them ---- */

struct options *options_new(void)
{
	struct options *o = calloc(1, sizeof(*o));

	if (!o) {
		log_error("options: no memory");
		exit(EXIT_FAILURE);
	}
	o->gid = (gid_t)-1;
	o->net.cpu[0] = -1;
	o->net.pacer_count = 1;
	o->log_level = LOG_LEVEL_INFO;
	o->log_rate = LOG_PER_S;
	o->seccomp = SANDBOX_ON;
	return o;
}

void options_free(struct options *o)
{
	while (o && o->kept_count)
		free(o->kept[--o->kept_count]);
	if (o)
		free(o->kept);
	free(o);
}

/* A copy that lives as long as @o; NULL: no memory. */
static char *keep(struct options *o, const char *text)
{
	char **kept = reallocarray(o->kept, o->kept_count + 1, sizeof(*kept));

	if (!kept)
		return NULL;
	o->kept = kept;
	kept[o->kept_count] = strdup(text);
	return kept[o->kept_count] ? kept[o->kept_count++] : NULL;
}

const char *options_say(struct options *o, u32 def, const char *text, enum option_origin from)
{
	char *said = keep(o, text), *parsed = keep(o, text);

	if (!said || !parsed)
		return "no memory";
	o->from[def] = from;
	o->text[def] = option_defs[def].section ? NULL : said;
	return option_defs[def].set(o, parsed);
}

const char *options_check(const struct options *o, const char **who)
{
	u32 i, k;

	*who = NULL;
	if (o->has_metrics && !o->metrics.unix_path && !o->metrics.loopback && !o->metrics_public)
		return "--metrics: an address that others can reach needs --metrics-public, too";
	/* With a file they may come later. */
	if (!o->dev_count && !o->net.port_count && !o->config)
		return "no --device and no --port: there is nothing to serve";
	for (i = 0; i < o->dev_count; i++)
		for (k = 0; k < o->net.port_count; k++) {
			*who = o->dev[i].name;
			if (!strcmp(*who, o->net.port[k].name))
				return "the name of a device and of a port";
		}
	*who = NULL;
	return net_check(&o->net, who);
}

void options_apply_log(const struct options *o)
{
	log_set_format(o->log_format);
	log_set_level(o->log_level);
	log_set_rate(o->log_rate);
}
