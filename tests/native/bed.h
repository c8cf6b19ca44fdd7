/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A ringpaced and a driver's party on one queue, for test programs that do to
 * them what no lane would, and their TAP lines.
 */
#ifndef NATIVE_BED_H
#define NATIVE_BED_H

#include "json.h"
#include "native/backend.h"
#include "native/party.h"

#define BED_SLOTS	64
#define BED_ITEM_BYTES	64

struct bed {
	/* Set by the caller, before bed_open(). */
	u32 queue;		/* 0: fwd, the driver is P; 1: rev, the device is */
	enum rp_strategy_id driver, device;
	u64 dmax_ns;
	u64 driver_w_ns, device_w_ns;
	u32 burst;
	const char *state;	/* for --state of the daemon, or NULL */

	struct backend backend;
	struct fe fe;
	struct party party;
};

/* Both are there, and nothing moves. 0, or -1 after fail(); bed_close() undoes it. */
int bed_open(struct bed *b);
/* The device gets its strategy and work. 0, or -1 after fail(). */
int bed_set_device(struct bed *b);
/* Both work. 0, or -1 after fail(). */
int bed_start(struct bed *b);
void bed_close(struct bed *b);

/* A number of the device's STATS; UNKNOWN: it has none. */
double bed_device_number(struct bed *b, const char *key);
/* Waits until the device has moved @items since it came; false: it takes too long. */
bool bed_wait_items(struct bed *b, double items);
/* With P, the driver, stopped: all that it published is completed, and no more. */
bool bed_drains(struct bed *b);

/* A TAP line; returns @good. */
bool bed_ok(bool good, const char *subject, const char *what);
/* The plan. The program's exit code. */
int bed_finish(void);

#endif /* NATIVE_BED_H */
