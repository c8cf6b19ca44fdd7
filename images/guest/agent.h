/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The agent in the test guest: takes requests as JSON lines on a virtio-serial
 * port and answers them (docs/control.md). One thread reads requests; each run
 * has a thread of its own, so that others can be started and stopped meanwhile.
 */
#ifndef AGENT_H
#define AGENT_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#define AGENT_LINE_MAX_BYTES	65536
#define AGENT_DEVICES_MAX	64

/* A request that is answered once: by reply_ok() or reply_error(). */
struct request {
	json_t *id;		/* owned */
	json_t *args;		/* owned: the whole request object */
	const char *cmd;	/* lives in args */
};

void request_free(struct request *r);
/* Steals @result. Any thread. */
void reply_ok(const struct request *r, json_t *result);
void reply_error(const struct request *r, const char *code, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/*
 * Arguments: an absent key leaves *@to as it is. False: the error was sent.
 */
bool arg_u64(const struct request *r, const char *key, uint64_t max, uint64_t *to);
/* An absent or unknown name is an error. @names ends with NULL. */
bool arg_name(const struct request *r, const char *key, const char *const *names,
	      unsigned int *to);
/* Refuses keys that are neither of the envelope nor in @known (ends with NULL). */
bool args_known(const struct request *r, const char *const *known);

/* Commands. run keeps the request (true) and answers later. */
void cmd_info(const struct request *r);
bool cmd_run(struct request *r);
void cmd_stop(const struct request *r);
void cmd_trace(const struct request *r);
void cmd_interrupts(const struct request *r);
void cmd_pci(const struct request *r);
void cmd_test(const struct request *r);

/* Ends all runs and waits for them. */
void runs_stop_all(void);

#endif /* AGENT_H */
