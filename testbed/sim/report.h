/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A simulation's result in the words of every lane's. */
#ifndef SIM_REPORT_H
#define SIM_REPORT_H

#include <jansson.h>

#include "lane.h"
#include "sim/sim.h"

/* @app_batch: items that one item of the simulation stands for. */
void sim_run_result(const struct sim_config *c, const struct sim_result *s, u32 app_batch,
		    struct run_result *r);
/* The object of run_result_json(), and what only a simulator knows. New reference. */
json_t *sim_result_json(const struct sim_config *c, const struct sim_result *s, u32 app_batch);
void sim_result_print(const struct sim_config *c, const struct sim_result *s, u32 app_batch);

#endif /* SIM_REPORT_H */
