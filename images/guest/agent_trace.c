// SPDX-License-Identifier: GPL-2.0-or-later
/* rp-agent: commands that hand on what others print: trace, test. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent.h"
#include "trace/trace.h"
#include "virtio_pc.h"

#define DEBUGFS		"/sys/kernel/debug/virtio_pc"
#define TEST_PROGRAM	"/sbin/rp-guest-test"
#define TEST_OUT_BYTES	(256 * 1024)
#define TEST_ARGS_MAX	16

static FILE *open_queue_file(uint64_t device, uint64_t queue, const char *name)
{
	char path[128];

	snprintf(path, sizeof(path), DEBUGFS "/virtio-pc%" PRIu64 "/q%" PRIu64 "/%s",
		 device, queue, name);
	return fopen(path, "re");
}

static uint64_t count_lines(FILE *f)
{
	uint64_t n = 0;
	int c;

	while ((c = getc(f)) != EOF)
		n += c == '\n';
	rewind(f);
	return n;
}

/* The last @max events of the file. */
static json_t *read_events(FILE *f, uint64_t max)
{
	json_t *events = json_array();
	char line[128], name[32];
	uint64_t tsc, arg, n = count_lines(f);

	while (fgets(line, sizeof(line), f))
		if (n-- <= max &&
		    sscanf(line, "%" SCNu64 " %31s %" SCNu64, &tsc, name, &arg) == 3)
			json_array_append_new(events,
				json_pack("[I,s,I]", (json_int_t)tsc, name, (json_int_t)arg));
	return events;
}

/* A number of the queue's stats file, as JSON. */
static json_t *read_stat(FILE *f, const char *key)
{
	char line[128], name[64], value[32];

	rewind(f);
	while (fgets(line, sizeof(line), f))
		if (sscanf(line, "%63s %31s", name, value) == 2 && !strcmp(name, key))
			return json_integer(strtoll(value, NULL, 10));
	return json_null();
}

static json_t *trace_json(FILE *trace, FILE *stats, uint64_t max)
{
	return json_pack("{s:o,s:o,s:o,s:o}",
			 "tsc_hz", read_stat(stats, "tsc_hz"),
			 "clock_offset_tsc", read_stat(stats, "clock_offset_tsc"),
			 "clock_error_ns", read_stat(stats, "clock_error_ns"),
			 "events", read_events(trace, max));
}

void cmd_trace(const struct request *r)
{
	static const char *const dirs[] = { "fwd", "rev", NULL };
	uint64_t device = 0, pair = 0, max = RP_TRACE_EVENTS, queue;
	unsigned int dir = VIRTIO_PC_DIR_FWD;
	FILE *trace, *stats;

	if (!arg_u64(r, "device", AGENT_DEVICES_MAX - 1, &device) ||
	    !arg_u64(r, "pair", VIRTIO_PC_PAIRS_MAX - 1, &pair) ||
	    !arg_u64(r, "max", RP_TRACE_EVENTS, &max))
		return;
	if (json_object_get(r->args, "dir") && !arg_name(r, "dir", dirs, &dir))
		return;
	queue = dir == VIRTIO_PC_DIR_FWD ? VIRTIO_PC_FWD(pair) : VIRTIO_PC_REV(pair);
	trace = open_queue_file(device, queue, "trace");
	stats = open_queue_file(device, queue, "stats");
	if (trace && stats)
		reply_ok(r, trace_json(trace, stats, max));
	else
		reply_error(r, "no-queue", "trace: device %" PRIu64 " queue %" PRIu64 ": %s",
			    device, queue, strerror(errno));
	if (trace)
		fclose(trace);
	if (stats)
		fclose(stats);
}

/* argv from the request; false: the error was sent. */
static bool test_argv(const struct request *r, const char **argv)
{
	json_t *args = json_object_get(r->args, "args"), *value;
	size_t i;

	argv[0] = TEST_PROGRAM;
	argv[1] = NULL;
	if (!args)
		return true;
	if (!json_is_array(args) || json_array_size(args) > TEST_ARGS_MAX) {
		reply_error(r, "bad-value", "test: args: not an array of at most %d strings",
			    TEST_ARGS_MAX);
		return false;
	}
	json_array_foreach(args, i, value) {
		if (!json_is_string(value)) {
			reply_error(r, "bad-value", "test: args: not all strings");
			return false;
		}
		argv[i + 1] = json_string_value(value);
		argv[i + 2] = NULL;
	}
	return true;
}

/* Starts the program; its output's read end, or -1. */
static int test_start(const char **argv, pid_t *pid)
{
	int fds[2];

	if (pipe(fds))
		return -1;
	*pid = fork();
	if (!*pid) {
		dup2(fds[1], STDOUT_FILENO);
		dup2(fds[1], STDERR_FILENO);
		close(fds[0]);
		close(fds[1]);
		execv(argv[0], (char **)argv);
		_exit(127);
	}
	close(fds[1]);
	if (*pid < 0) {
		close(fds[0]);
		return -1;
	}
	return fds[0];
}

/* Reads to the end; keeps what fits, as ASCII, 0-terminated. */
static void read_output(int fd, char *out, size_t bytes)
{
	char rest[4096];
	size_t have = 0, i;
	ssize_t n;

	for (;;) {
		if (have < bytes - 1)
			n = read(fd, out + have, bytes - 1 - have);
		else
			n = read(fd, rest, sizeof(rest));
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		if (have < bytes - 1)
			have += (size_t)n;
	}
	for (i = 0; i < have; i++)
		if ((unsigned char)out[i] >= 0x80)
			out[i] = '?';
	out[have] = '\0';
}

void cmd_test(const struct request *r)
{
	const char *argv[TEST_ARGS_MAX + 2];
	char *out = malloc(TEST_OUT_BYTES);
	int fd, status = 0;
	pid_t pid;

	if (!out) {
		reply_error(r, "failed", "test: no memory");
		return;
	}
	if (test_argv(r, argv)) {
		fd = test_start(argv, &pid);
		if (fd < 0) {
			reply_error(r, "failed", "test: cannot start %s: %s", argv[0],
				    strerror(errno));
		} else {
			read_output(fd, out, TEST_OUT_BYTES);
			close(fd);
			waitpid(pid, &status, 0);
			reply_ok(r, json_pack("{s:i,s:s%}", "exit",
				WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status),
				"output", out, strlen(out)));
		}
	}
	free(out);
}
