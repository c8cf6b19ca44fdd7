/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Ports, the links and switches between them, and the pacers that serve them.
 *
 * Everything here is the main thread's. A TX queue that is attached is a
 * flow, always: into a switch, or into the peer's RX queue of the same pair, or,
 * if the peer has enabled fewer, into one that it shares, or into all of them if the
 * peer steers (net_rss.h); and if there is no peer
 * its packets are dropped. A message that concerns a queue takes the flows that use it from
 * their pacers; net_settle() then begins every flow whose queues are ready.
 */
#ifndef RINGPACED_NET_H
#define RINGPACED_NET_H

#include "pacer.h"
#include "port.h"

#define NET_PORTS_MAX		64u
#define NET_PACERS_MAX		64u
#define NET_PAIRS_MAX		64u
#define NET_SWITCHES_MAX	32u
#define NET_MTU_MIN		68u
#define NET_MTU_MAX		65535u

struct switch_options {
	char name[SESSION_NAME_MAX + 1];
	u32 port[SWITCH_PORTS_MAX];	/* by index */
	u32 port_count;
	u32 age_s;
	u8 pacer[NET_PACERS_MAX];	/* that its ports' pairs have in turn */
	u32 pacers;
};

struct net_options {
	struct port_options port[NET_PORTS_MAX];
	u32 port_count;
	u32 link[NET_PORTS_MAX][2];	/* ports, by index */
	u32 link_count;
	struct switch_options sw[NET_SWITCHES_MAX];
	u32 switch_count;
	int cpu[NET_PACERS_MAX];	/* of each pacer; -1: not pinned */
	u32 pacer_count;
};

struct net {
	struct loop *loop;
	struct watchdog watchdog;
	struct loop_source timer;	/* the watchdog's; .fd -1: none */
	u64 hz;				/* of the counter */
	u32 port_count;
	struct port *port[NET_PORTS_MAX];
	u32 switch_count;
	struct net_switch *sw[NET_SWITCHES_MAX];
	u32 pacer_count;
	struct pacer *pacer;
	u32 next_pacer;			/* of the next pair that is new */
};

/*
 * The arguments of --port (NAME,socket=PATH[,...]), --link (A,B), --switch
 * (NAME,ports=A+B[,...]) and --pacers (CPU[,CPU...] or a number of unpinned ones,
 * xN); parsed in place. NULL, or one line of what is wrong.
 */
const char *net_parse_port(char *arg, struct net_options *o);
const char *net_parse_link(char *arg, struct net_options *o);
const char *net_parse_switch(char *arg, struct net_options *o);
const char *net_parse_pacers(char *arg, struct net_options *o);
/* Do they go together? NULL, or one line of what is wrong, and the name of what. */
const char *net_check(const struct net_options *o, const char **who);
/* Pacers, N+N..., parsed in place: how many, at most NET_PACERS_MAX; 0: they are none. */
u32 net_parse_pacer_list(char *list, u8 *pacer);
/* A port's index by its name, or -1; and is it taken by a link or a switch? */
int net_option_port(const struct net_options *o, const char *name);
bool net_option_taken(const struct net_options *o, u32 port);

/* Threads, but no ports are open yet. 0 or -errno; net_fini() undoes it in both cases. */
int net_init(struct net *n, const struct net_options *o, u64 hz);
/* 0, or -1 with one line of why. */
int net_open(struct net *n, struct loop *loop, gid_t gid, char *why, size_t why_bytes);
/* ---- For net_init(), net_open() and a reload (net_reload.h) ---- */

/* 0 or -errno: then there is none. */
int net_start_pacers(struct net *n, const struct net_options *o);
int net_watch_pacers(struct net *n, char *why, size_t why_bytes);
/* Not open, and not yet in @n; NULL: no memory. */
struct port *net_new_port(struct net *n, const struct port_options *opt);
void net_free_port(struct port *p);
/* Links and switches that are not there yet, between the ports that are. 0 or -errno. */
int net_connect(struct net *n, const struct net_options *o);

/* Pacers that are there only make the system calls that they need from now on. */
void net_sandbox(struct net *n);
/* A process that shares memory with us has taken some away. */
void net_check_memory(struct net *n);
void net_fini(struct net *n);

/* Nobody is behind @p any more. */
void net_link_down(struct port *p);
/* Takes every flow from its pacer that uses queue @i of @p. */
void net_halt(struct port *p, u32 i);
/* Takes every flow from its pacer that @p's pacing is for. */
void net_halt_pacing(struct port *p);
/* How many pairs, from 0 on, can be received on. */
u32 net_rx_pairs(const struct port *p);
/* Begins what can run and does not. */
void net_settle(struct net *n);
/* The pacer that what @p sends on pair @i belongs to. */
struct pacer *net_place_of(struct port *p, u32 i);
/* Has what @p sends on pair @i served by another pacer. 0 or -errno. */
int net_move(struct port *p, u32 i, u32 pacer);
/* Has @p's pairs where @o says, after net_settle(); if it says nothing they stay, or are the switch's to place. */
void net_place(struct port *p, const struct port_options *o);
/* Other pacing for all of a port's queues; @set was checked. */
void net_set(struct port *p, const struct flow_params *set);
/* Another limit of what it sends; @set was checked. */
void net_set_limit(struct port *p, const struct limit_params *set);
/* The same, and net_settle() is the caller's to call. */
void net_take_limit(struct port *p, const struct limit_params *set);
struct port *net_find(const struct net *n, const char *name);

#endif /* RINGPACED_NET_H */
