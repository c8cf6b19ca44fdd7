/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Answers to `ringpace ctl` for people: docs/control.md tells what is in them. */
#ifndef CTL_PRINT_H
#define CTL_PRINT_H

#include <jansson.h>

/* An object as lines of name and value. */
void ctl_print_object(const json_t *v);
/* Of devices, their queues; ports; switches. */
void ctl_print_list(const json_t *v);
/* The addresses that a switch has learned. */
void ctl_print_macs(const json_t *v);
void ctl_print_weight(const json_t *v);
void ctl_print_stats(const json_t *v);
void ctl_print_trace(const json_t *v);

#endif /* CTL_PRINT_H */
