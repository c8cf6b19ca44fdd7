/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What all subcommands share: error lines, stopping, the run directory, child
 * processes, time, tables. Not thread-safe unless said so: the main thread
 * calls, workers compute.
 */
#ifndef TESTBED_UTIL_H
#define TESTBED_UTIL_H

#include <stdio.h>
#include <sys/types.h>

#include "rp.h"

#define EXIT_USAGE	2	/* wrong use */
#define EXIT_STOPPED	130	/* ended by Ctrl-C, as the shells say it */

#define NSEC_PER_SEC	1000000000ULL

/*
 * Prints "ringpace: ..." on stderr, one line: what failed, on what, why, what
 * to do. Returns -1, so that a caller can `return fail(...)`. Thread-safe.
 */
int fail(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/*
 * From here on fail() leaves its line, without "ringpace: ", in @line instead of
 * printing it: for who has the terminal, or decides itself whether it is worth
 * a word. NULL: print again. For a single thread.
 */
void fail_capture(char *line, size_t bytes);

/*
 * The same as a string, for functions that return NULL or why not, and leave
 * it to the caller what to make of it. Valid until the next call.
 */
const char *because(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* ---- Stopping ---- */

/*
 * From here on SIGINT, SIGTERM and SIGHUP only set a flag; whoever waits looks
 * at it through stopped(). SIGPIPE is ignored.
 */
void catch_signals(void);
/* Has the user asked us to stop? Thread-safe. */
bool stopped(void);

/* ---- The run directory ---- */

/*
 * A directory of mode 0700 for this process's sockets and logs, made at the
 * first call under $XDG_RUNTIME_DIR or /tmp, removed with its files at exit.
 * What processes that died without an exit left behind is removed too. NULL
 * after fail().
 */
const char *run_dir(void);
/* "DIR/name" in a static ring of four buffers, or NULL after fail(). */
const char *run_path(const char *name);

/* ---- Child processes ---- */

/*
 * Starts argv[0] (a path, or a name in $PATH) with stdin from /dev/null and
 * stdout and stderr to the file @log (NULL: ours). The child gets SIGTERM when
 * we die, and is stopped at our exit. Call it from the main thread only: the
 * kernel ties the death signal to the thread that forks. -1 after fail().
 */
pid_t child_start(char *const argv[], const char *log);
/* The same with @fd, which stays the caller's, as its stdin and stdout, and our stderr. */
pid_t child_start_on(char *const argv[], int fd);
/* False once it has ended (and is reaped). */
bool child_alive(pid_t pid);
/*
 * Starts, and waits for its end: its exit status, 128 + N for signal N, -1 after
 * fail() or when stopped(), which stops it.
 */
int child_run(char *const argv[], const char *log);
/*
 * The same, but lets it end when stopped(): for what soon ends by itself, and
 * stopped half-way would leave behind what nobody knows.
 */
int child_run_steady(char *const argv[], const char *log);
/* SIGTERM, after 2 s SIGKILL, reap. Harmless for one that has ended. */
void child_stop(pid_t pid);
/* The last line of a log, for error messages; "" if there is none. Static. */
const char *log_tail(const char *log);
/* The directory of this program, as of the others of its build. Static. */
const char *own_dir(void);
/*
 * Path of a program that was built beside this one, e.g. "ringpaced"; static
 * buffer. NULL after fail() when it is not there.
 */
const char *own_program(const char *name);

/* ---- Time ---- */

u64 now_ns(void);		/* CLOCK_MONOTONIC; thread-safe */
u64 thread_cpu_ns(void);	/* of the calling thread */
/* Sleeps; false if stopped() meanwhile. */
bool nap_ms(u32 ms);
/* Rate of the time-stamp counter, measured once (20 ms). Thread-safe after that. */
u64 tsc_hz(void);

/* Pins the calling thread; @cpu -1 does nothing. -1 after fail(). */
int pin_to_cpu(int cpu);
/* Likewise the thread @tid of this or another process, and none that it has started. */
int pin_task_to_cpu(pid_t tid, int cpu);
/* The @n-th CPU that this process may run on (modulo their number). */
int nth_cpu(u32 n);

/* ---- Numbers that may be unknown ---- */

/* An unknown quantity is NaN: it survives arithmetic and prints as null. */
#define UNKNOWN		__builtin_nan("")
#define is_known(x)	(!__builtin_isnan(x))

double median(double *v, u32 n);	/* sorts @v; UNKNOWN for n = 0 */

/* ---- Tables ---- */

/*
 * Columns are as wide as their widest cell, numbers right-aligned. Cells are
 * copied. The first row is the heading.
 */
struct table;
struct table *table_new(u32 columns);
void table_cell(struct table *t, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
/* A number with @decimals digits, "-" when unknown. */
void table_number(struct table *t, double v, int decimals);
void table_print(const struct table *t, FILE *to);
/* For a document. */
void table_print_markdown(const struct table *t, FILE *to);
/* The heading goes down the left side, every row becomes a column. */
void table_print_turned(const struct table *t, FILE *to);
void table_free(struct table *t);

#endif /* TESTBED_UTIL_H */
