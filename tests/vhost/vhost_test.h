/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the parts of the vhost device's test share: TAP, and their entries. */
#ifndef VHOST_TEST_H
#define VHOST_TEST_H

#include <stdbool.h>

void ok(bool good, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* The device at work: strategies, threads, thresholds, clocks, the log. */
void test_work(void);
/* Its counters, by schedules that determine them. */
void test_counters(void);
/* Tracepoints and debugfs. */
void test_observe(void);
void test_migration(void);
/* A call that is lost on its way. */
void test_lost(void);
/* Its event ring and its control file. */
void test_admin(void);
/* Drivers and VMMs that do as they should not. */
void test_hostile(void);
/* Life and death of devices and of the module. */
void test_life(void);

#endif /* VHOST_TEST_H */
