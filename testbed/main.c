// SPDX-License-Identifier: GPL-2.0-or-later
/* `ringpace`: finds the subcommand and runs it. */
#include <argp.h>
#include <stdio.h>
#include <string.h>

#include "cmd.h"
#include "util.h"

static void usage(FILE *to)
{
	u32 i;

	fprintf(to, "Usage: ringpace COMMAND [OPTION...]\n"
		"Paces virtqueues: experiments with a producer and a consumer on the two\n"
		"sides of a VM boundary.\n\nCommands:\n");
	for (i = 0; cmds[i]; i++)
		fprintf(to, "  %-10s %s\n", cmds[i]->name, cmds[i]->summary);
	fprintf(to, "\n`ringpace COMMAND --help` tells a command's options, their units and an\n"
		"example. Exit codes: 0 done, 1 failed, 2 wrong use.\n");
}

static const struct cmd *find(const char *name)
{
	u32 i;

	for (i = 0; cmds[i]; i++)
		if (!strcmp(cmds[i]->name, name))
			return cmds[i];
	return NULL;
}

int main(int argc, char **argv)
{
	const struct cmd *cmd;
	char title[64];

	if (argc < 2) {
		usage(stderr);
		return EXIT_USAGE;
	}
	if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "help")) {
		usage(stdout);
		return 0;
	}
	cmd = find(argv[1]);
	if (!cmd) {
		fail("no command %s; see `ringpace --help`", argv[1]);
		return EXIT_USAGE;
	}
	argp_err_exit_status = EXIT_USAGE;
	snprintf(title, sizeof(title), "ringpace %s", cmd->name);
	argv[1] = title;
	return cmd->run(argc - 1, argv + 1);
}
