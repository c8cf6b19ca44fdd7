/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The runs of a chain as one result, for programs and for people. */
#ifndef CHAIN_REPORT_H
#define CHAIN_REPORT_H

#include <jansson.h>

#include "util.h"

/*
 * @runs: of each round every strategy, @n of them. One run is the result itself;
 * more are an object with all of them and each strategy's medians. New reference.
 */
json_t *chain_result(json_t *runs, u32 n);
/* Tables on stdout, of what chain_result() made. */
void chain_print(const json_t *result);

#endif /* CHAIN_REPORT_H */
