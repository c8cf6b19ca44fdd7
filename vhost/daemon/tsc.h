/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The rate of the time-stamp counter. */
#ifndef RINGPACED_TSC_H
#define RINGPACED_TSC_H

#include "rp.h"

/* Compares the counter with the kernel's clock for 50 ms. */
u64 tsc_measure_hz(void);

#endif /* RINGPACED_TSC_H */
