// SPDX-License-Identifier: GPL-2.0-or-later
/* The table of subcommands. */
#include <stddef.h>

#include "cmd.h"

const struct cmd *const cmds[] = {
	&cmd_run,
	&cmd_casestudy,
	&cmd_bench,
	&cmd_chain,
	&cmd_chainstudy,
	&cmd_dataplane,
	&cmd_vm,
	&cmd_ctl,
	&cmd_top,
	&cmd_capture,
	&cmd_nested,
	&cmd_serve,
	&cmd_doctor,
	&cmd_model,
	&cmd_sim,
	&cmd_probe,
	&cmd_perf,
	&cmd_validate,
	&cmd_advise,
	&cmd_plot,
	&cmd_report,
	&cmd_pareto,
	&cmd_host,
	&cmd_load,
	NULL
};
