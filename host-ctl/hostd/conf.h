/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the controller's file says (docs/host.md): its settings, and the tenants. */
#ifndef HOSTD_CONF_H
#define HOSTD_CONF_H

#include <sched.h>

#include "rp.h"

#define CONF_TENANTS_MAX	64u
#define CONF_PATH_MAX		108u	/* what a Unix socket's may have */
#define CONF_NAME_MAX		32u
#define CONF_PORTS_MAX		8u
#define CONF_QUEUES_MAX		64u
#define CONF_SHARE_MAX		100u
#define CONF_BYTES_MAX		(256u << 10)

enum conf_class { CONF_LATENCY, CONF_BATCH };
enum conf_policy { CONF_ENERGY, CONF_CONSOLIDATE };
/* How a domain's number of vCPUs follows: they are only pinned; live; by the guest's agent. */
enum conf_vcpus { CONF_PARK, CONF_HOTPLUG, CONF_AGENT };

struct conf_tenant {
	char name[CONF_NAME_MAX];
	u32 line;			/* where its entry begins */
	u32 class;			/* enum conf_class */
	/* What it is; exactly one is not "". */
	char domain[CONF_NAME_MAX * 2], pidfile[CONF_PATH_MAX], cgroup[CONF_PATH_MAX];
	char dataplane[CONF_PATH_MAX];	/* control socket of its rp-dataplane */
	u32 ports;
	char port[CONF_PORTS_MAX][CONF_NAME_MAX];	/* of ringpaced, that it receives by */
	u64 bound_ns;
	u32 policy;			/* enum conf_policy */
	u32 priority;
	u32 min_cores, max_cores;	/* 0: all */
	u32 threads_per_core;		/* 0: what the host has */
	u32 polls;			/* its CPU time says nothing of its work */
	u32 vcpus;			/* enum conf_vcpus */
	u32 emulator;			/* a domain's emulator is pinned, too */
	u32 cpu_shares;			/* 0: as they are */
	u32 quota_percent;		/* of a CPU, for each vCPU; 0: as it is */
	char nic[CONF_NAME_MAX];	/* port of ringpaced, or interface */
	u32 nic_share;			/* of its line; 0: none */
	u32 nic_queues, nic_queue[CONF_QUEUES_MAX];	/* numbers, or classes: major << 16 | minor */
};

/* A class of the kernel, and not the number of a queue? */
static inline bool conf_is_class(u32 queue)
{
	return queue >> 16;
}

struct conf {
	char run_dir[CONF_PATH_MAX - 16];
	char control[CONF_PATH_MAX];	/* "": in the run directory */
	char metrics[CONF_PATH_MAX];
	char sysfs[CONF_PATH_MAX];
	char libvirt[CONF_PATH_MAX];
	char ringpaced[CONF_PATH_MAX];	/* its control socket */
	char learned[CONF_PATH_MAX];	/* file of refined tables; "": in the run directory */
	cpu_set_t cpus;			/* that may be given to tenants; no other is touched */
	bool has_cpus;
	u32 clocks;			/* enum topo_clocks */
	u32 rapl;			/* energy is read */
	u64 fast_ns, metric_ns, decide_ns, stale_ns, blind_ns, hold_ns, libvirt_ns, timeout_ns;
	u32 tenants;
	struct conf_tenant tenant[CONF_TENANTS_MAX];
};

/* Told a line for everything that is wrong: FILE:LINE: key: what, and the way out. */
typedef void conf_tell(void *ctx, const char *line);

/* How many errors; @c is then not to be used. */
u32 conf_parse(const char *name, const char *text, size_t bytes, struct conf *c,
	       conf_tell *tell, void *ctx);
u32 conf_read(const char *path, struct conf *c, conf_tell *tell, void *ctx);

struct config;

/* What no key alone shows. Complains into @doc. */
void conf_check(struct config *doc, const struct conf *c);

#endif /* HOSTD_CONF_H */
