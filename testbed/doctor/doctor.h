/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What this host can do, why, and what to do about it. */
#ifndef TESTBED_DOCTOR_H
#define TESTBED_DOCTOR_H

#include "util.h"
#include "vm/accel.h"

enum finding_state {
	FOUND_OK,
	FOUND_LIMITED,		/* works, at a price that is told */
	FOUND_MISSING,
};

struct finding {
	const char *name;
	enum finding_state state;
	char why[256];
	char todo[200];		/* "" when there is nothing to do */
};

/* Shared by the checks, each made once: some take seconds. */
struct host {
	struct kvm_verdict kvm;
	bool qemu_patched;
	bool libvirt_works;
};

/* Sets state and both texts; @todo NULL: nothing. */
void found(struct finding *f, enum finding_state state, const char *todo,
	   const char *fmt, ...) __attribute__((format(printf, 4, 5)));

/*
 * Runs a program to its end, at most 20 s, and returns the first line of its
 * output that contains @want; "" when there is none. Static buffer.
 */
const char *output_line(char *const argv[], const char *want);

struct check {
	const char *name;
	void (*run)(const struct host *h, struct finding *f);
};

/* Both end with a NULL name. */
extern const struct check lane_checks[];
extern const struct check host_checks[];

#endif /* TESTBED_DOCTOR_H */
