// SPDX-License-Identifier: GPL-2.0-or-later
/* The arguments of --port, --link and --pacers. */
#include <string.h>

#include "limitopt.h"
#include "net.h"
#include "nicopt.h"
#include "optval.h"
#include "vlanopt.h"
#include "worker.h"

/* D_MAX of a port when the user says nothing. */
#define DMAX_NS_DEFAULT	100000u
#define TIME_MAX_NS	1000000000u
#define FULL_MS_DEFAULT	100u
#define FULL_MS_MAX	3600000u
#define MACS_MAX	65536u

static const char *parse_strategy(const char *name, struct flow_params *p)
{
	int id = rp_strategy_id_by_name(name);

	if (id < 0)
		return "strategy: none that is known (adaptive, notify, sleep, busy, ...)";
	p->strategy = (u32)id;
	return NULL;
}

static const char *parse_ns(const char *value, u64 *ns, const char *why)
{
	u32 v;

	if (!opt_u32(value, 0, TIME_MAX_NS, &v))
		return why;
	*ns = v;
	return NULL;
}

static const char *parse_full(const char *value, struct port_options *opt)
{
	u32 ms;

	if (!opt_u32(value, 0, FULL_MS_MAX, &ms))
		return "full-ms: not in 0..3600000";
	opt->pacing.full_ns = ms * 1000000ULL;
	opt->full_set = true;
	return NULL;
}

static const char *parse_vlan(const char *value, struct port_options *opt)
{
	u32 vlan;

	if (!opt_u32(value, 1, VLAN_MAX, &vlan))
		return "vlan: not in 1..4094";
	opt->vlan.untagged = (u16)vlan;
	opt->vlan_set = true;
	return NULL;
}

static const char *parse_rss(const char *value, struct port_options *opt)
{
	u32 n;

	if (!opt_u32(value, 1, RSS_ENTRIES_MAX, &n) || n & (n - 1))
		return "rss: the entries of a table, a power of two in 1..512";
	opt->rss = n;
	return NULL;
}

u32 net_parse_pacer_list(char *list, u8 *pacer)
{
	char *one, *save;
	u32 n = 0, v;

	for (one = strtok_r(list, "+", &save); one; one = strtok_r(NULL, "+", &save)) {
		if (n == NET_PACERS_MAX || !opt_u32(one, 0, NET_PACERS_MAX - 1, &v))
			return 0;
		pacer[n++] = (u8)v;
	}
	return n;
}

static const char *parse_pacer(char *list, struct port_options *opt)
{
	opt->pacers = net_parse_pacer_list(list, opt->pacer);
	return opt->pacers ? NULL : "pacer: expected N[+N...], in 0..63 each";
}

static const char *parse_pacing(const char *key, const char *value, struct flow_params *p)
{
	if (!strcmp(key, "strategy"))
		return parse_strategy(value, p);
	if (!strcmp(key, "dmax-ns"))
		return parse_ns(value, &p->dmax_ns, "dmax-ns: not in 0..1000000000");
	if (!strcmp(key, "y-ns"))
		return parse_ns(value, &p->y_ns, "y-ns: not in 0..1000000000");
	if (!strcmp(key, "cpu-cap"))
		return opt_u32(value, 0, 100, &p->cpu_cap_percent) ? NULL :
			"cpu-cap: not in 0..100";
	if (!strcmp(key, "burst"))
		return opt_u32(value, 1, BATCH_PACKETS, &p->burst) ? NULL :
			"burst: not in 1..64";
	return "unknown key: only socket, tap, nic, pairs, pacer, mtu, rss, vlan, trunk, macs, "
	       "strategy, dmax-ns, y-ns, cpu-cap, burst, full-ms, rate-pps, rate-bps, burst-packets, "
	       "burst-bytes, weights, link-bps, queue-bytes, classes, nic-queue are known";
}

/* A port's kind is told by the key of its address. */
static const struct port_kind *const kinds[] = { &vhost_port_kind, &tap_port_kind, &nic_port_kind };

static const struct port_kind *kind_by_key(const char *key)
{
	u32 i;

	for (i = 0; i < sizeof(kinds) / sizeof(*kinds); i++)
		if (!strcmp(kinds[i]->address, key))
			return kinds[i];
	return NULL;
}

static const char *parse_address(const struct port_kind *kind, const char *value,
				 struct port_options *opt)
{
	if (opt->kind)
		return "a port has one socket, or one tap, or one nic";
	opt->kind = kind;
	opt->address = value;
	return NULL;
}

static const char *parse_key(char *key, struct port_options *opt)
{
	const struct port_kind *kind;
	char *value = strchr(key, '=');
	const char *why;

	if (!value)
		return "expected KEY=VALUE after the name";
	*value++ = '\0';
	kind = kind_by_key(key);
	if (kind)
		return parse_address(kind, value, opt);
	if (!strcmp(key, "pairs"))
		return opt_u32(value, 1, NET_PAIRS_MAX, &opt->pairs) ? NULL :
			"pairs: not in 1..64";
	if (!strcmp(key, "pacer"))
		return parse_pacer(value, opt);
	if (!strcmp(key, "mtu"))
		return opt_u32(value, NET_MTU_MIN, NET_MTU_MAX, &opt->mtu) ? NULL :
			"mtu: not in 68..65535";
	if (!strcmp(key, "rss"))
		return parse_rss(value, opt);
	if (!strcmp(key, "vlan"))
		return parse_vlan(value, opt);
	if (!strcmp(key, "trunk")) {
		opt->vlan_set = true;
		return vlan_parse_list(value, &opt->vlan);
	}
	if (!strcmp(key, "macs"))
		return opt_u32(value, 1, MACS_MAX, &opt->macs) ? NULL : "macs: not in 1..65536";
	if (!strcmp(key, "full-ms"))
		return parse_full(value, opt);
	if (limit_parse(key, value, &opt->limit, &why) || nic_parse(key, value, &opt->nic, &why))
		return why;
	return parse_pacing(key, value, &opt->pacing);
}

int net_option_port(const struct net_options *o, const char *name)
{
	u32 i;

	for (i = 0; i < o->port_count; i++)
		if (!strcmp(o->port[i].name, name))
			return (int)i;
	return -1;
}

/* Do the values go together? */
static const char *check(const struct port_options *opt)
{
	const struct rp_params rp = {
		.strategy = opt->pacing.strategy,
		.role = RP_CONSUMER,
		.queue_len = RP_VRING_MAX_NUM,
		.threshold = 1,
		.y_ns = opt->pacing.y_ns,
		.dmax_ns = opt->pacing.dmax_ns,
		.cpu_cap_percent = opt->pacing.cpu_cap_percent,
	};

	const char *why = opt->kind ? opt->kind->check(opt) : "socket=PATH, tap=NAME or nic=NAME is missing";

	if (!why)
		why = limit_check(&opt->limit);
	if (!why)
		why = nic_check(opt);
	if (why)
		return why;
	if (opt->vlan.untagged && vlan_allowed(&opt->vlan, opt->vlan.untagged))
		return "vlan, trunk: a VLAN's frames are either untagged or tagged";
	return rp_params_check(&rp);
}

const char *net_parse_port(char *arg, struct net_options *o)
{
	struct port_options *opt = &o->port[o->port_count];
	const char *why;
	char *key, *save;

	if (o->port_count == NET_PORTS_MAX)
		return "more than 64 ports";
	*opt = (struct port_options){
		.pairs = 1,
		.pacing = {
			.strategy = RP_ADAPTIVE,
			.dmax_ns = DMAX_NS_DEFAULT,
			.burst = BATCH_PACKETS,
			.full_ns = FULL_MS_DEFAULT * 1000000ULL,
		},
	};
	key = strtok_r(arg, ",", &save);
	if (!key || !session_name_ok(key))
		return "the name must be 1 to 31 letters, digits, '-', '_' or '.'";
	if (net_option_port(o, key) >= 0)
		return "the name is taken";
	strcpy(opt->name, key);
	while ((key = strtok_r(NULL, ",", &save))) {
		why = parse_key(key, opt);
		if (why)
			return why;
	}
	why = check(opt);
	o->port_count += !why;
	return why;
}

bool net_option_taken(const struct net_options *o, u32 port)
{
	u32 i;

	if (o->port[port].in_switch)
		return true;

	for (i = 0; i < o->link_count; i++)
		if (o->link[i][0] == port || o->link[i][1] == port)
			return true;
	return false;
}

const char *net_parse_link(char *arg, struct net_options *o)
{
	char *comma = strchr(arg, ',');
	int a, b;

	if (!comma || o->link_count == NET_PORTS_MAX)
		return "expected two ports, A,B";
	*comma = '\0';
	a = net_option_port(o, arg);
	b = net_option_port(o, comma + 1);
	if (a < 0 || b < 0)
		return "there is no such port before it";
	if (a == b || net_option_taken(o, (u32)a) || net_option_taken(o, (u32)b))
		return "a port has one link, to another port, or is in one switch";
	o->link[o->link_count][0] = (u32)a;
	o->link[o->link_count++][1] = (u32)b;
	return NULL;
}

const char *net_parse_pacers(char *arg, struct net_options *o)
{
	char *cpu, *save;
	u32 v;

	o->pacer_count = 0;
	if (*arg == 'x') {
		if (!opt_u32(arg + 1, 1, NET_PACERS_MAX, &o->pacer_count))
			return "expected x and a number in 1..64";
		for (v = 0; v < o->pacer_count; v++)
			o->cpu[v] = -1;
		return NULL;
	}
	for (cpu = strtok_r(arg, ",", &save); cpu; cpu = strtok_r(NULL, ",", &save)) {
		if (o->pacer_count == NET_PACERS_MAX)
			return "more than 64 pacers";
		if (!opt_u32(cpu, 0, INT32_MAX, &v) || !worker_cpu_ok((int)v))
			return "expected CPUs that the daemon may use, or xN";
		o->cpu[o->pacer_count++] = (int)v;
	}
	return o->pacer_count ? NULL : "no CPU";
}
