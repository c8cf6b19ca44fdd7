// SPDX-License-Identifier: GPL-2.0-or-later
/* The argument of --switch, and what ports of a switch have of their own. */
#include <string.h>

#include "net.h"
#include "nicopt.h"
#include "optval.h"

#define AGE_S_DEFAULT	300u
#define AGE_S_MAX	1000000u
/* How long a full port holds others up when the user says nothing. */
#define FULL_NS_DEFAULT	1000000u
#define VLAN_DEFAULT	1u
#define MACS_DEFAULT	1024u

static const char *add_port(const char *name, struct switch_options *s, struct net_options *o)
{
	int i = net_option_port(o, name);
	struct port_options *p;

	if (i < 0)
		return "ports: there is no such port before it";
	if (net_option_taken(o, (u32)i))
		return "ports: a port has one link, or is in one switch";
	p = &o->port[i];
	p->in_switch = true;
	if (!p->vlan_set)
		p->vlan.untagged = VLAN_DEFAULT;
	if (!p->macs)
		p->macs = MACS_DEFAULT;
	if (!p->full_set)
		p->pacing.full_ns = FULL_NS_DEFAULT;
	s->port[s->port_count++] = (u32)i;
	return NULL;
}

static const char *parse_ports(char *list, struct switch_options *s, struct net_options *o)
{
	const char *why = NULL;
	char *name, *save;

	for (name = strtok_r(list, "+", &save); name && !why; name = strtok_r(NULL, "+", &save))
		why = add_port(name, s, o);
	return why;
}

static const char *parse_key(char *key, struct switch_options *s, struct net_options *o)
{
	char *value = strchr(key, '=');

	if (!value)
		return "expected KEY=VALUE after the name";
	*value++ = '\0';
	if (!strcmp(key, "ports"))
		return parse_ports(value, s, o);
	if (!strcmp(key, "age-s"))
		return opt_u32(value, 1, AGE_S_MAX, &s->age_s) ? NULL :
			"age-s: not in 1..1000000";
	if (!strcmp(key, "pacer")) {
		s->pacers = net_parse_pacer_list(value, s->pacer);
		return s->pacers ? NULL : "pacer: expected N[+N...], in 0..63 each";
	}
	return "unknown key: only ports, age-s, pacer are known";
}

const char *net_parse_switch(char *arg, struct net_options *o)
{
	struct switch_options *s = &o->sw[o->switch_count];
	const char *why = NULL;
	char *key, *save;
	u32 i;

	if (o->switch_count == NET_SWITCHES_MAX)
		return "more than 32 switches";
	*s = (struct switch_options){ .age_s = AGE_S_DEFAULT, .pacers = 1 };
	key = strtok_r(arg, ",", &save);
	if (!key || !session_name_ok(key))
		return "the name must be 1 to 31 letters, digits, '-', '_' or '.'";
	for (i = 0; i < o->switch_count; i++)
		if (!strcmp(o->sw[i].name, key))
			return "the name is taken";
	strcpy(s->name, key);
	while (!why && (key = strtok_r(NULL, ",", &save)))
		why = parse_key(key, s, o);
	if (!why && s->port_count < 2)
		why = "ports=A+B[+...] is missing: two ports at least";
	o->switch_count += !why;
	return why;
}

static const char *check_pacers(const struct net_options *o, const u8 *pacer, u32 count)
{
	u32 i;

	for (i = 0; i < count; i++)
		if (pacer[i] >= o->pacer_count)
			return "pacer: there is no such pacer";
	return NULL;
}

const char *net_check(const struct net_options *o, const char **who)
{
	const char *why;
	u32 i;

	for (i = 0; i < o->switch_count; i++) {
		*who = o->sw[i].name;
		why = check_pacers(o, o->sw[i].pacer, o->sw[i].pacers);
		if (why)
			return why;
	}
	for (i = 0; i < o->port_count; i++) {
		*who = o->port[i].name;
		if ((o->port[i].vlan_set || o->port[i].macs) && !o->port[i].in_switch)
			return "vlan, trunk and macs are for a port that is in a switch";
		why = check_pacers(o, o->port[i].pacer, o->port[i].pacers);
		if (why)
			return why;
	}
	return nic_check_switches(o, who);
}
