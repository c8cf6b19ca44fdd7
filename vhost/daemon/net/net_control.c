// SPDX-License-Identifier: GPL-2.0-or-later
/* The control protocol's requests about ports. */
#include <string.h>

#include "limitopt.h"
#include "net_control.h"
#include "net_describe.h"
#include "net_egress.h"
#include "net_switch.h"

struct port *net_control_port(const struct net *n, const json_t *args)
{
	const char *name = json_string_value(json_object_get(args, "device"));

	return n && name ? net_find(n, name) : NULL;
}

void net_control_list(const struct net *n, json_t *result)
{
	json_t *list = json_array();
	u32 i;

	for (i = 0; n && i < n->port_count; i++)
		json_array_append_new(list, describe_port(n->port[i]));
	json_object_set_new(result, "ports", list);
	json_object_set_new(result, "pacers", n ? describe_pacers(n) : json_array());
	json_object_set_new(result, "switches", n ? describe_switches(n) : json_array());
}

json_t *net_control_stats(struct port *p, const json_t *args, struct ctl_error *e)
{
	u64 queue;

	if (!args_required_u64(args, "queue", 0, 2 * p->opt.pairs - 1, &queue, e))
		return NULL;
	return json_pack("{s:o}", "stats", describe_port_stats(p, (u32)queue));
}

/* Those of `backlog` that the request names; NULL: all. False, with @e filled in: no names. */
static bool find_devices(const json_t *args, json_t **list, struct ctl_error *e)
{
	json_t *v;
	size_t i;

	*list = json_object_get(args, "devices");
	if (*list && !json_is_array(*list)) {
		ctl_fail(e, "bad-value", "devices: not a list of names");
		return false;
	}
	json_array_foreach(*list, i, v) {
		if (!json_is_string(v)) {
			ctl_fail(e, "bad-value", "devices: not a list of names");
			return false;
		}
	}
	return true;
}

json_t *net_control_backlog(const struct net *n, const json_t *args, struct ctl_error *e)
{
	bool groups = json_is_true(json_object_get(args, "groups"));
	json_t *list, *of = json_array(), *v;
	size_t i;

	if (!find_devices(args, &list, e)) {
		json_decref(of);
		return NULL;
	}
	json_array_foreach(list, i, v) {
		struct port *p = n ? net_find(n, json_string_value(v)) : NULL;

		json_array_append_new(of, p ? describe_port_backlog(p, groups) : json_null());
	}
	for (i = 0; !list && n && i < n->port_count; i++)
		json_array_append_new(of, describe_port_backlog(n->port[i], groups));
	return json_pack("{s:o}", "ports", of);
}

json_t *net_control_set(struct port *p, const json_t *args, struct ctl_error *e)
{
	static const char *const keys[] = {
		"v", "id", "cmd", "device", "strategy", "y_ns", "dmax_ns", "cpu_cap_percent",
		"k", "burst", NULL
	};
	struct limit_params limit = p->opt.limit;
	struct flow_params set = p->opt.pacing;
	bool new_limit = false;
	const char *key;
	json_t *value;

	json_object_foreach((json_t *)args, key, value) {
		new_limit |= limit_is_arg(key);
		if (args_known(key, keys) || limit_is_arg(key))
			continue;
		ctl_fail(e, "unknown-key", "set: a port has no \"%s\"", key);
		return NULL;
	}
	if (!args_flow_params(args, &set, e) || !limit_args(args, &limit, e))
		return NULL;
	if (new_limit)
		net_set_limit(p, &limit);
	if (memcmp(&set, &p->opt.pacing, sizeof(set)) || !new_limit)
		net_set(p, &set);
	return describe_port(p);
}

json_t *net_control_move(struct net *n, const json_t *args, struct ctl_error *e)
{
	struct port *p = net_control_port(n, args);
	bool egress = json_is_true(json_object_get(args, "egress"));
	u64 pair = 0, pacer = 0;

	if (!p) {
		ctl_fail(e, "no-device", "device: there is no such port");
		return NULL;
	}
	if (egress && !p->egress) {
		ctl_fail(e, "bad-value", "egress: only a port with nic=NAME has one");
		return NULL;
	}
	if ((!egress && !args_required_u64(args, "pair", 0, p->opt.pairs - 1, &pair, e)) ||
	    !args_required_u64(args, "pacer", 0, n->pacer_count - 1, &pacer, e))
		return NULL;
	if (egress) {
		net_egress_place(p, (u32)pacer);
		net_settle(n);
	} else {
		net_move(p, (u32)pair, (u32)pacer);
	}
	return describe_port(p);
}

/* The switch that is named, or NULL with @e filled in. */
static struct net_switch *find_switch(const struct net *n, const json_t *args,
				      struct ctl_error *e)
{
	const char *name = args_string(args, "switch", e);
	struct net_switch *s = n && name ? net_switch_find(n, name) : NULL;

	if (name && !s)
		ctl_fail(e, "no-switch", "switch: there is no \"%s\"", name);
	return s;
}

json_t *net_control_macs(struct net *n, const json_t *args, struct ctl_error *e)
{
	struct net_switch *s = find_switch(n, args, e);

	return s ? json_pack("{s:s, s:o}", "switch", s->name, "macs", describe_macs(s)) : NULL;
}

json_t *net_control_flush(struct net *n, const json_t *args, struct ctl_error *e)
{
	struct net_switch *s = find_switch(n, args, e);
	const struct port *p = NULL;
	u64 vlan = 0;

	if (!s || !args_u64(args, "vlan", 1, VLAN_MAX, &vlan, e))
		return NULL;
	if (json_object_get(args, "device")) {
		p = net_control_port(n, args);
		if (!p || p->sw != s) {
			ctl_fail(e, "no-device", "device: the switch has no such port");
			return NULL;
		}
	}
	return json_pack("{s:i}", "flushed", (int)net_switch_flush(s, p, (u16)vlan));
}
