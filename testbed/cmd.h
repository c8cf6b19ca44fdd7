/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Subcommands of `ringpace`. Adding one: a file cmd_NAME.c that defines its
 * struct cmd, a declaration here, a line in the table of cmds.c.
 */
#ifndef TESTBED_CMD_H
#define TESTBED_CMD_H

struct cmd {
	const char *name;
	const char *summary;	/* one line for `ringpace --help` */
	/*
	 * argv[0] is "ringpace NAME", ready for argp_parse(). Returns the exit
	 * code: 0 done, 1 failed, 2 wrong use.
	 */
	int (*run)(int argc, char **argv);
};

extern const struct cmd cmd_advise;
extern const struct cmd cmd_bench;
extern const struct cmd cmd_capture;
extern const struct cmd cmd_chain;
extern const struct cmd cmd_chainstudy;
extern const struct cmd cmd_ctl;
extern const struct cmd cmd_dataplane;
extern const struct cmd cmd_model;
extern const struct cmd cmd_sim;
extern const struct cmd cmd_casestudy;
extern const struct cmd cmd_doctor;
extern const struct cmd cmd_host;
extern const struct cmd cmd_nested;
extern const struct cmd cmd_pareto;
extern const struct cmd cmd_perf;
extern const struct cmd cmd_plot;
extern const struct cmd cmd_probe;
extern const struct cmd cmd_report;
extern const struct cmd cmd_run;
extern const struct cmd cmd_serve;
extern const struct cmd cmd_top;
extern const struct cmd cmd_validate;
extern const struct cmd cmd_vm;
extern const struct cmd cmd_load;

/* In the order of the help text; ends with NULL. */
extern const struct cmd *const cmds[];

#endif /* TESTBED_CMD_H */
