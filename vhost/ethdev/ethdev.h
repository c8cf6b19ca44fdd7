/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The plug-in's two files: DPDK's environment (eal.c), and a device (ethdev.c). */
#ifndef ETHDEV_H
#define ETHDEV_H

#include "ethdev_api.h"

/* As of struct ethdev_api. */
int eal_begin(const struct ethdev_begin *b, char *why, size_t why_bytes);
/* The first line of DPDK's log since eal_forget_lines(), for a line of why; "": there is none. */
const char *eal_first_line(void);
void eal_forget_lines(void);

#endif /* ETHDEV_H */
