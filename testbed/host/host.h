/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How the host controller's answers look to people. */
#ifndef TESTBED_HOST_H
#define TESTBED_HOST_H

#include "json.h"

void host_print_status(const json_t *status, FILE *to);
/* What it would do next, of every tenant. */
void host_print_plan(const json_t *explained, FILE *to);
void host_print_reasons(const json_t *explained, FILE *to);

#endif /* TESTBED_HOST_H */
