/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which system calls are let through (seccomp(2)): a program's lists for the main thread,
 * which opens and closes, and a shorter one for threads that move packets and items.
 *
 * Both are compiled once, before there are threads. The main thread takes its own
 * when all is open and it has become who it is to be, which the C library does in
 * every thread; then threads that are there are asked to. One that is started later
 * has both lists, and what is let through is what both let through. no_new_privs
 * was set before. Numbers of calls are libseccomp's (SCMP_SYS). Memory to run code in is
 * never let through.
 */
#ifndef RP_SANDBOX_H
#define RP_SANDBOX_H

#include "rp.h"

enum sandbox_mode {
	SANDBOX_OFF,
	SANDBOX_ON,		/* another call ends the process, with a line in the log */
	SANDBOX_LOG,		/* the kernel logs others, and lets them through */
};

/* -1: there is none of that name. */
int sandbox_mode_by_name(const char *name);
struct sandbox_calls {
	const int *call;
	size_t count;
};

struct sandbox_rules {
	struct sandbox_calls thread;	/* of all threads */
	struct sandbox_calls main;	/* of main threads, too */
	const int *family;		/* of sockets that main threads may open */
	u32 families;
	const unsigned long *ioctl;	/* that they may ask for */
	u32 ioctls;
	bool refuse;			/* another call fails with EPERM, instead of ending all */
};

/*
 * Compiles the lists of @r, which stays the caller's; in a build with a sanitizer there are
 * none. 0, or -1 with one line of why.
 */
int sandbox_begin(enum sandbox_mode mode, const struct sandbox_rules *r, char *why,
		  size_t why_bytes);
/* From now on this thread is a main thread; 0, or -1 with one line of why. */
int sandbox_main(char *why, size_t why_bytes);
/* From now on this thread only moves packets or items; not before sandbox_main(). */
void sandbox_thread(void);

#endif /* RP_SANDBOX_H */
