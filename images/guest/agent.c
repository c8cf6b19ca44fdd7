// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * rp-agent, the test guest's agent: the port, the envelope, the commands.
 *
 * The host is the agent's user and may send anything: a bad line gets an error
 * and nothing else happens. The port's driver blocks a writer while nobody is
 * connected, so an answer waits for the host rather than get lost.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/reboot.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "agent.h"
#include "ctl/envelope.h"

#define PORT_NAME	"org.ringpace.agent.0"
#define PORT_CLASS	"/sys/class/virtio-ports"

static int port_fd = -1;
static pthread_mutex_t write_lock = PTHREAD_MUTEX_INITIALIZER;

static void send_line(json_t *line)
{
	char *text = json_dumps(line, JSON_COMPACT);
	size_t left = text ? strlen(text) : 0;
	const char *at = text;
	ssize_t n;

	json_decref(line);
	if (!text)
		return;
	/* In place of the terminating 0. */
	text[left++] = '\n';
	pthread_mutex_lock(&write_lock);
	while (left) {
		n = write(port_fd, at, left);
		if (n < 0 && errno != EINTR)
			break;
		at += n > 0 ? n : 0;
		left -= n > 0 ? (size_t)n : 0;
	}
	pthread_mutex_unlock(&write_lock);
	free(text);
}

void request_free(struct request *r)
{
	json_decref(r->id);
	json_decref(r->args);
	memset(r, 0, sizeof(*r));
}

void reply_ok(const struct request *r, json_t *result)
{
	const struct ctl_error no_memory = { 0 };

	send_line(ctl_reply(r->id, result, &no_memory));
}

void reply_error(const struct request *r, const char *code, const char *fmt, ...)
{
	struct ctl_error e = { .code = code };
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(e.message, sizeof(e.message), fmt, ap);
	va_end(ap);
	send_line(ctl_reply(r->id, NULL, &e));
}

bool arg_u64(const struct request *r, const char *key, uint64_t max, uint64_t *to)
{
	const json_t *value = json_object_get(r->args, key);
	json_int_t n = json_integer_value(value);

	if (!value)
		return true;
	if (!json_is_integer(value) || n < 0 || (uint64_t)n > max) {
		reply_error(r, "bad-value", "%s: %s: not an integer in 0..%llu",
			    r->cmd, key, (unsigned long long)max);
		return false;
	}
	*to = (uint64_t)n;
	return true;
}

bool arg_name(const struct request *r, const char *key, const char *const *names,
	      unsigned int *to)
{
	const char *value = json_string_value(json_object_get(r->args, key));
	unsigned int i;

	for (i = 0; value && names[i]; i++)
		if (!strcmp(value, names[i])) {
			*to = i;
			return true;
		}
	reply_error(r, "bad-value", "%s: %s: must be one of %s, %s%s%s", r->cmd,
		    key, names[0], names[1], names[2] ? ", " : "",
		    names[2] ? names[2] : "");
	return false;
}

bool args_known(const struct request *r, const char *const *known)
{
	static const char *const envelope[] = { "v", "id", "cmd", NULL };
	const char *key;
	json_t *value;

	json_object_foreach(r->args, key, value) {
		const char *const *k = envelope;

		while (*k && strcmp(*k, key))
			k++;
		if (*k)
			continue;
		for (k = known; *k && strcmp(*k, key); k++)
			;
		if (!*k) {
			reply_error(r, "unknown-key", "%s: no key %.64s", r->cmd, key);
			return false;
		}
	}
	return true;
}

static json_t *hello(void)
{
	struct utsname u;

	uname(&u);
	return json_pack("{s:s,s:i,s:s}", "program", "rp-agent", "protocol", 1,
			 "kernel", u.release);
}

static void cmd_hello(const struct request *r)
{
	reply_ok(r, hello());
}

static void cmd_poweroff(const struct request *r)
{
	struct timespec flush = { .tv_nsec = 100000000 };

	runs_stop_all();
	reply_ok(r, json_object());
	/* The device has no way to tell when the host has read the answer. */
	nanosleep(&flush, NULL);
	sync();
	reboot(RB_POWER_OFF);
}

static const char *const no_keys[] = { NULL };
static const char *const info_keys[] = { "device", NULL };
static const char *const run_keys[] = {
	"device", "pair", "dir", "strategy", "duration_ns", "w_ns", "y_ns", "k",
	"burst", "item_bytes", "queue_len", "max_items", "trace", "dmax_ns",
	"cpu_cap_percent", "w_dist", NULL
};
static const char *const trace_keys[] = { "device", "pair", "dir", "max", NULL };
static const char *const test_keys[] = { "args", NULL };

static const struct command {
	const char *name;
	const char *const *keys;
	void (*run)(const struct request *r);
	bool (*keep)(struct request *r);	/* in place of run */
} commands[] = {
	{ "hello", no_keys, .run = cmd_hello },
	{ "info", info_keys, .run = cmd_info },
	{ "run", run_keys, .keep = cmd_run },
	{ "stop", info_keys, .run = cmd_stop },
	{ "trace", trace_keys, .run = cmd_trace },
	{ "interrupts", info_keys, .run = cmd_interrupts },
	{ "pci", info_keys, .run = cmd_pci },
	{ "test", test_keys, .run = cmd_test },
	{ "poweroff", no_keys, .run = cmd_poweroff },
};

static void dispatch(struct request *r)
{
	size_t i;

	for (i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		const struct command *c = &commands[i];

		if (strcmp(c->name, r->cmd))
			continue;
		if (!args_known(r, c->keys))
			break;
		if (c->run)
			c->run(r);
		else if (c->keep(r))
			return;		/* the request lives on */
		break;
	}
	if (i == sizeof(commands) / sizeof(commands[0]))
		reply_error(r, "unknown-command", "no command %.64s", r->cmd);
	request_free(r);
}

static void handle_line(const char *line, size_t bytes)
{
	struct request r = { .cmd = "" };
	json_error_t error;
	json_t *id;

	r.args = json_loadb(line, bytes, JSON_REJECT_DUPLICATES, &error);
	id = json_object_get(r.args, "id");
	r.id = id ? json_incref(id) : json_null();
	if (!json_is_object(r.args)) {
		reply_error(&r, "bad-json", "not a JSON object: %.200s",
			    r.args ? "another value" : error.text);
	} else if (json_integer_value(json_object_get(r.args, "v")) != 1) {
		reply_error(&r, "bad-version", "v: only 1 is known");
	} else {
		r.cmd = json_string_value(json_object_get(r.args, "cmd"));
		if (r.cmd) {
			dispatch(&r);
			return;
		}
		reply_error(&r, "unknown-command", "cmd: missing, or not a string");
	}
	request_free(&r);
}

/* The lines in @buf are done; what is left moves to its begin. */
static size_t handle_lines(char *buf, size_t have)
{
	char *at = buf, *end;

	while ((end = memchr(at, '\n', have - (size_t)(at - buf)))) {
		if (end > at)
			handle_line(at, (size_t)(end - at));
		at = end + 1;
	}
	have -= (size_t)(at - buf);
	memmove(buf, at, have);
	return have;
}

static void line_too_long(void)
{
	const struct request r = { .id = json_null() };

	reply_error(&r, "bad-json", "a line of more than %d bytes", AGENT_LINE_MAX_BYTES);
}

/*
 * The connection cannot be closed from here. What follows too long a line is
 * skipped up to the line's end.
 */
static void serve(void)
{
	static char buf[AGENT_LINE_MAX_BYTES];
	const struct timespec unconnected = { .tv_nsec = 100000000 };
	struct pollfd pfd = { .fd = port_fd, .events = POLLIN };
	bool skipping = false;
	size_t have = 0;
	ssize_t n;

	for (;;) {
		poll(&pfd, 1, -1);
		n = pfd.revents & POLLIN ? read(port_fd, buf + have, sizeof(buf) - have) : 0;
		if (n <= 0) {
			/* Nobody is connected: half a line is nobody's. */
			have = 0;
			skipping = false;
			nanosleep(&unconnected, NULL);
			continue;
		}
		have += (size_t)n;
		if (skipping) {
			char *end = memchr(buf, '\n', have);

			skipping = !end;
			have = end ? have - (size_t)(end + 1 - buf) : 0;
			if (end)
				memmove(buf, end + 1, have);
		}
		have = handle_lines(buf, have);
		if (have == sizeof(buf)) {
			line_too_long();
			skipping = true;
			have = 0;
		}
	}
}

/* Without udev a port is found by the name that its sysfs entry shows. */
static int open_port(void)
{
	char path[512], name[64];
	struct dirent *entry;
	int fd = -1;
	DIR *dir = opendir(PORT_CLASS);
	FILE *f;

	while (dir && fd < 0 && (entry = readdir(dir))) {
		if (entry->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), PORT_CLASS "/%s/name", entry->d_name);
		f = fopen(path, "re");
		if (!f)
			continue;
		if (fgets(name, sizeof(name), f) &&
		    !strcmp(name, PORT_NAME "\n")) {
			snprintf(path, sizeof(path), "/dev/%s", entry->d_name);
			fd = open(path, O_RDWR | O_CLOEXEC);
		}
		fclose(f);
	}
	if (dir)
		closedir(dir);
	return fd;
}

static void usage(FILE *to)
{
	fputs("Usage: rp-agent [--help]\n"
	      "\n"
	      "Serves the virtio-serial port " PORT_NAME " in the test guest:\n"
	      "one JSON request a line, one answer a line. Times are nanoseconds.\n"
	      "\n"
	      "Example, on the host: "
	      "echo '{\"v\":1,\"id\":1,\"cmd\":\"info\"}' | socat - UNIX:agent.sock\n", to);
}

int main(int argc, char **argv)
{
	const struct request unasked = { .id = json_null() };

	if (argc == 2 && !strcmp(argv[1], "--help")) {
		usage(stdout);
		return 0;
	}
	if (argc > 1) {
		usage(stderr);
		return 2;
	}
	signal(SIGPIPE, SIG_IGN);
	port_fd = open_port();
	if (port_fd < 0) {
		fprintf(stderr, "rp-agent: cannot open port %s: %s: does the VM have it?\n",
			PORT_NAME, errno ? strerror(errno) : "not found");
		return 1;
	}
	reply_ok(&unasked, hello());
	serve();
}
