/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The daemon around a world: its loop, its files, its sockets. */
#ifndef HOSTD_DAEMON_H
#define HOSTD_DAEMON_H

#include "hist/hist.h"
#include "metrics/http.h"
#include "sock/lines.h"
#include "syscalls.h"
#include "world.h"

struct daemon {
	const char *config;
	bool dry_run, restore, check;
	enum sandbox_mode seccomp;
	struct conf conf;		/* what cannot be changed by a reload is this one's */
	char lock_path[CONF_PATH_MAX], state_path[CONF_PATH_MAX], control_path[CONF_PATH_MAX];
	char learned_path[CONF_PATH_MAX];
	int lock_fd;
	struct loop loop;
	struct loop_source signals;
	struct loop_source turn;	/* a timer, for each half of a turn, or for both at once */
	bool asked;			/* the second half is next */
	struct undo undo;
	struct world *world;
	struct lines control;
	struct metrics_http metrics;
	struct metrics_address address;
	char address_text[CONF_PATH_MAX];
	u64 next_ns;			/* when the next turn is due */
	u64 learned_at;			/* when to write what was learned */
	u64 ticks, missed, reloads, refused;
	struct rp_hist late;		/* ns */
};

/* NULL, or one line of why: nothing was changed then. */
const char *daemon_reload(struct daemon *d);
/* 0 or -1, after a line in the log. */
int daemon_open(struct daemon *d);
/* Gives everything back; how much could not be. */
u32 daemon_restore(struct daemon *d);
void daemon_close(struct daemon *d);
/* 0 or -errno. */
int daemon_start_turns(struct daemon *d);
/* Processor time of this process. */
u64 daemon_cpu_ns(void);

/* Orders, with a struct daemon. */
extern const struct lines_owner orders_owner;
json_t *status_json(struct daemon *d);
json_t *explain_json(struct daemon *d, const char *tenant);
/* As metrics_maker. */
char *host_metrics(const void *daemon, enum metrics_format format, size_t *bytes);

extern const struct undo_kind *const daemon_kinds[];

#endif /* HOSTD_DAEMON_H */
