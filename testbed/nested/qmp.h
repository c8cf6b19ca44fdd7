/* SPDX-License-Identifier: GPL-2.0-or-later */
/* QEMU's monitor: requests, events are skipped. */
#ifndef TESTBED_NESTED_QMP_H
#define TESTBED_NESTED_QMP_H

#include "ctl.h"

/* Connects to the socket @path and leaves negotiation mode. -1 after fail(). */
int qmp_open(struct ctl *c, const char *path);
/*
 * Returns the command's result (a new reference), or NULL after fail(), silently
 * when stopped(). @args is an object or NULL, its reference is taken.
 */
json_t *qmp_call(struct ctl *c, const char *cmd, json_t *args);
/* The same where the result says nothing. */
int qmp_do(struct ctl *c, const char *cmd, json_t *args);

#endif /* TESTBED_NESTED_QMP_H */
