// SPDX-License-Identifier: GPL-2.0-or-later
/* `ringpace doctor`: runs the checks and prints what they found. */
#include <argp.h>
#include <stdarg.h>
#include <string.h>
#include <unistd.h>

#include "cmd.h"
#include "doctor/doctor.h"
#include "json.h"
#include "vm/conn.h"
#include "vm/domain.h"

#define PROGRAM_MS	20000

static const char *const state_names[] = {
	[FOUND_OK] = "ok",
	[FOUND_LIMITED] = "limited",
	[FOUND_MISSING] = "missing",
};

void found(struct finding *f, enum finding_state state, const char *todo, const char *fmt, ...)
{
	va_list ap;

	f->state = state;
	snprintf(f->todo, sizeof(f->todo), "%s", todo ?: "");
	va_start(ap, fmt);
	vsnprintf(f->why, sizeof(f->why), fmt, ap);
	va_end(ap);
}

const char *output_line(char *const argv[], const char *want)
{
	static char line[256];
	const char *log = run_path("output");
	u64 end = now_ns() + PROGRAM_MS * 1000000ULL;
	pid_t pid = log ? child_start(argv, log) : -1;
	bool match = false;
	FILE *f;

	while (child_alive(pid) && now_ns() < end && nap_ms(5))
		;
	child_stop(pid);
	f = log ? fopen(log, "re") : NULL;
	while (f && !match && fgets(line, sizeof(line), f))
		match = strstr(line, want);
	if (f)
		fclose(f);
	if (log)
		unlink(log);
	line[match ? strcspn(line, "\n") : 0] = 0;
	return line;
}

static bool is_patched(void)
{
	const char *qemu = vm_built_find("qemu-system-x86_64");

	return qemu && *output_line((char *[]) { (char *)qemu, "-device", "virtio-pc-pci,help",
						 NULL }, "queue-pairs");
}

static bool libvirt_opens(void)
{
	virConnectPtr conn = vm_connect(NULL, VM_STATE_RUN);

	vm_disconnect(conn);
	return conn;
}

/* Probes that several checks look at. -1 when stopped. */
static int look_at_host(struct host *h, bool progress)
{
	h->qemu_patched = is_patched();
	if (progress)
		fprintf(stderr, "booting a guest to judge KVM ...");
	if (kvm_probe(&h->kvm))
		return -1;
	if (progress)
		fprintf(stderr, "\r\033[K");
	h->libvirt_works = libvirt_opens();
	return 0;
}

static json_t *finding_json(const struct finding *f)
{
	return json_pack("{s:s, s:s, s:b, s:s, s:s*}", "name", f->name, "state",
			 state_names[f->state], "available", f->state != FOUND_MISSING, "why",
			 f->why, "todo", f->todo[0] ? f->todo : NULL);
}

static void print_finding(const struct finding *f)
{
	printf("%-10s %-8s %s\n", f->name, state_names[f->state], f->why);
	if (f->todo[0])
		printf("%-10s %-8s to do: %s\n", "", "", f->todo);
}

/* Runs a list of checks; returns their JSON and prints them unless @json. */
static json_t *examine(const struct host *h, const struct check *checks, const char *title,
		       bool json)
{
	json_t *all = json_array();
	struct finding f;

	if (!json)
		printf("%-10s %-8s %s\n", title, "state", "why");
	for (; checks->name; checks++) {
		memset(&f, 0, sizeof(f));
		f.name = checks->name;
		checks->run(h, &f);
		json_array_append_new(all, finding_json(&f));
		if (!json)
			print_finding(&f);
	}
	return all;
}

static const struct argp_option options[] = {
	{ "json", 'j', NULL, 0, "one JSON object: {\"lanes\":[...],\"host\":[...]}", 0 },
	{ 0 }
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	if (key == 'j')
		*(bool *)state->input = true;
	else if (key == ARGP_KEY_ARG)
		argp_error(state, "%s: no such argument", arg);
	else
		return ARGP_ERR_UNKNOWN;
	return 0;
}

static const struct argp argp = {
	.options = options,
	.parser = parse,
	.doc = "Tells what this host can do: each lane, and what it stands on; why, and what to "
	"do about it.\v"
	"KVM is judged by booting a guest in it (up to 30 s), not by the existence of its device. "
	"Sleeps are in microseconds (us).\n\n"
	"Example:\n\n"
	"  ringpace doctor --json | jq -r '.lanes[] | select(.available) | .name'",
};

static int run(int argc, char **argv)
{
	struct host host = { .libvirt_works = false };
	json_t *lanes_found, *host_found;
	bool json = false;

	argp_parse(&argp, argc, argv, 0, NULL, &json);
	catch_signals();
	if (!run_dir())
		return 1;
	if (look_at_host(&host, isatty(STDERR_FILENO)))
		return EXIT_STOPPED;
	lanes_found = examine(&host, lane_checks, "lane", json);
	if (!json)
		printf("\n");
	host_found = examine(&host, host_checks, "host", json);
	if (json)
		json_print(json_pack("{s:O, s:O}", "lanes", lanes_found, "host", host_found), stdout);
	json_decref(lanes_found);
	json_decref(host_found);
	return 0;
}

const struct cmd cmd_doctor = {
	.name = "doctor",
	.summary = "tell what this host can do, and why not more",
	.run = run,
};
