// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The host controller with two tenants on two CPUs:
 *
 *	guest ══ a, ringpaced, b ══ web: this process     job: a process that waits
 *
 * This process is a tenant itself: it has a bound, what it has not taken from b is its
 * backlog, and its CPU time is what a frame costs. The other one is a batch tenant. Each
 * step waits for what the controller does, however long that takes, while frames go on.
 */
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "net_bed.h"

static struct bed {
	struct net_rig *rig;
	pid_t job, hostd;
	char dir[200], config[240], control[240], log[240], log2[240];
	cpu_set_t before;
	bool taking;		/* web takes its frames */
} bed;

/* ---- The tenants ---- */

static void play(void)
{
	net_reclaim(&bed.rig->a, 0);
	net_send(&bed.rig->a, 0, 16);
	if (bed.taking)
		net_receive(&bed.rig->b, 0, SLOTS);
}

static char job_state(void)
{
	char path[64], text[512] = "", *at;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/stat", bed.job);
	f = fopen(path, "r");
	if (!f)
		return '?';
	if (!fgets(text, sizeof(text), f))
		text[0] = '\0';
	fclose(f);
	at = strrchr(text, ')');
	return at && at[1] ? at[2] : '?';
}

static int cpus_of(pid_t pid)
{
	cpu_set_t set;

	return sched_getaffinity(pid, sizeof(set), &set) ? -1 : CPU_COUNT(&set);
}

/* Batch jobs have a CPU, web has the other. */
static bool is_shared(void)
{
	return job_state() != 'T' && cpus_of(bed.job) == 1 && cpus_of(getpid()) == 1;
}

static bool is_webs(void)
{
	return job_state() == 'T' && cpus_of(getpid()) == 2;
}

static bool is_as_before(void)
{
	cpu_set_t web, job;

	return job_state() != 'T' && !sched_getaffinity(0, sizeof(web), &web) &&
	       !sched_getaffinity(bed.job, sizeof(job), &job) && CPU_EQUAL(&web, &bed.before) &&
	       CPU_EQUAL(&job, &bed.before);
}

/* With frames on their way; false: it takes too long. */
static bool comes(bool (*what)(void))
{
	u64 end = now_ns() + 2 * WAIT_NS;

	while (!what()) {
		if (now_ns() > end || !nap_ms(1))
			return false;
		play();
	}
	return true;
}

/* ---- The controller ---- */

static bool write_file(const char *name, const char *text)
{
	char path[300];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", bed.dir, name);
	f = fopen(path, "w");
	if (!f)
		return false;
	fputs(text, f);
	return !fclose(f);
}

static bool write_config(const char *web_port, const char *extra)
{
	char text[2048];
	int cpu[2], n = 0, i;

	for (i = 0; i < CPU_SETSIZE && n < 2; i++)
		if (CPU_ISSET(i, &bed.before))
			cpu[n++] = i;
	snprintf(text, sizeof(text),
		 "run-dir: %s/run\ncpus: %d,%d\nringpaced: %s\nclocks: no\nrapl: no\n"
		 /* A busy machine is slow, and no reason to do anything. */
		 "stale-ns: 5000000000\nblind-ns: 60000000000\ntimeout-ns: 30000000000\n"
		 "tenants:\n"
		 "  - {name: web, class: latency, pidfile: %s/web, ports: [%s],\n"
		 "     bound-ns: 2000000000, threads-per-core: 1, policy: consolidate}\n"
		 "  - {name: job, class: batch, pidfile: %s/job}\n%s",
		 bed.dir, cpu[0], cpu[1], bed.rig->daemon.control, bed.dir, web_port, bed.dir,
		 extra);
	return write_file("hostd.yaml", text);
}

static bool start_hostd(const char *more)
{
	char *argv[] = { (char *)own_program("ringpace-hostd"), "--config", bed.config,
			 (char *)more, NULL };

	bed.hostd = child_start(argv, bed.log);
	return bed.hostd > 0;
}

static json_t *ask(const char *cmd, json_t *args)
{
	struct ctl c;
	json_t *v = NULL;

	if (ctl_open(&c, bed.control, NET_DAEMON_TIMEOUT_MS)) {
		json_decref(args);
		return NULL;
	}
	v = ctl_call(&c, cmd, args, NET_DAEMON_TIMEOUT_MS);
	ctl_close(&c);
	return v;
}

static bool status_says(const char *key, bool value)
{
	json_t *v = ask("status", NULL);
	bool is = v && json_is_true(json_object_get(v, key)) == value;

	json_decref(v);
	return is;
}

static bool tells_table(void)
{
	json_t *v = ask("explain", json_pack("{s:s}", "tenant", "web"));
	json_t *table = json_object_get(json_array_get(json_object_get(v, "tenants"), 0), "table");
	bool tells = json_array_size(table) == 2 &&
		     json_number_value(json_object_get(json_array_get(table, 1), "threshold")) > 0;

	json_decref(v);
	return tells;
}

/* The newest decision about web rests on ringpaced. */
static bool is_seen(void)
{
	json_t *v = ask("explain", json_pack("{s:s}", "tenant", "web"));
	json_t *now = json_object_get(json_array_get(json_object_get(v, "tenants"), 0), "now");
	const char *sensor = json_string_value(json_object_get(now, "sensor"));
	const char *basis = json_string_value(json_object_get(now, "basis"));
	bool seen = sensor && basis && !strcmp(sensor, "ringpaced") && !strcmp(basis, "fresh");

	json_decref(v);
	return seen;
}

static bool reload(bool good)
{
	json_t *v = ask("reload", NULL);

	json_decref(v);
	return !v == !good;
}

/* ---- Tests ---- */

static void looks_only(void)
{
	const char *name = "dry run";

	if (!ok(start_hostd("--dry-run") && comes(is_seen), name, "decides by the backlog"))
		return;
	ok(status_says("acting", false) && is_as_before(), name, "and changes nothing");
	ok(tells_table(), name, "tells its table of steps");
	child_stop(bed.hostd);
}

static void acts(void)
{
	const char *name = "two tenants";
	char *second[] = { (char *)own_program("ringpace-hostd"), "--config", bed.config, NULL };

	bed.taking = true;
	if (!ok(start_hostd(NULL) && status_says("acting", true), name, "it begins"))
		return;
	ok(child_run(second, bed.log2) == 1, name, "a second controller is refused");
	ok(strstr(log_tail(bed.log2), "another controller"), name, "and says why");
	ok(comes(is_shared), name, "at a light load one core is the batch job's");
	bed.taking = false;
	ok(comes(is_webs), name, "a backlog takes it, and the job stands");
	bed.taking = true;
	ok(comes(is_shared), name, "when it is gone the job has it again");
	bed.taking = false;
	ok(comes(is_webs), name, "and again");
}

static void reloads(void)
{
	const char *name = "reload";

	bed.taking = true;
	write_config("b", "nonsense: 1\n");
	ok(reload(false), name, "a bad file is refused");
	write_config("b", "decide-ns: 200000000\n");
	ok(reload(true) && comes(is_shared), name, "a good one is in effect");
	bed.taking = false;
	ok(comes(is_webs), name, "and it goes on");
}

static bool state_is_there(void)
{
	char path[240];

	snprintf(path, sizeof(path), "%s/run/state", bed.dir);
	return !access(path, F_OK);
}

static void is_killed(void)
{
	const char *name = "killed";

	kill(bed.hostd, SIGKILL);
	child_stop(bed.hostd);
	ok(is_webs(), name, "all stays as it was");
	ok(start_hostd(NULL) && status_says("acting", true) && is_webs(), name,
	   "the next one goes on there");
	bed.taking = true;
	ok(comes(is_shared), name, "and acts");
	kill(bed.hostd, SIGTERM);
	while (child_alive(bed.hostd))
		nap_ms(1);
	ok(is_as_before() && !state_is_there(), name, "a clean end gives all back");
}

/* Without a controller that could: by hand. */
static void is_restored(void)
{
	const char *name = "--restore";
	char *argv[] = { (char *)own_program("ringpace-hostd"), "--config", bed.config,
			 "--restore", NULL };

	bed.taking = false;
	ok(start_hostd(NULL) && comes(is_webs), name, "changes are there");
	kill(bed.hostd, SIGKILL);
	child_stop(bed.hostd);
	ok(child_run(argv, bed.log2) == 0 && is_as_before() && !state_is_there(), name,
	   "are given back");
}

/* ---- Setting up ---- */

static bool start(void)
{
	char text[16];

	sched_getaffinity(0, sizeof(bed.before), &bed.before);
	bed.rig = make_rig(2, 100);
	bed.rig->end[1].check_all = false;
	if (net_rig_open(bed.rig))
		return false;
	snprintf(bed.dir, sizeof(bed.dir), "%s/hostd", run_dir());
	if (mkdir(bed.dir, 0700))
		return false;
	snprintf(bed.config, sizeof(bed.config), "%s/hostd.yaml", bed.dir);
	snprintf(bed.control, sizeof(bed.control), "%s/run/control", bed.dir);
	snprintf(bed.log, sizeof(bed.log), "%s/log", bed.dir);
	snprintf(bed.log2, sizeof(bed.log2), "%s/log2", bed.dir);
	bed.job = fork();
	if (!bed.job)
		for (;;)
			pause();
	snprintf(text, sizeof(text), "%d\n", bed.job);
	write_file("job", text);
	snprintf(text, sizeof(text), "%d\n", getpid());
	return write_file("web", text) && write_config("b", "");
}

static void stop(void)
{
	static const char *const files[] = { "hostd.yaml", "log", "log2", "job", "web", "run/lock",
					     "run/state", "run/learned", "run", "" };
	char path[300];
	u32 i;

	child_stop(bed.hostd);
	kill(bed.job, SIGKILL);
	waitpid(bed.job, NULL, 0);
	for (i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		snprintf(path, sizeof(path), "%s/%s", bed.dir, files[i]);
		remove(path);
	}
	close_rig(bed.rig);
}

int main(void)
{
	cpu_set_t set;

	sched_getaffinity(0, sizeof(set), &set);
	if (CPU_COUNT(&set) < 2) {
		printf("1..0 # SKIP two CPUs are needed\n");
		return 0;
	}
	catch_signals();
	if (ok(start(), "two tenants", "are set up")) {
		looks_only();
		acts();
		reloads();
		is_killed();
		is_restored();
	}
	stop();
	return tests_done();
}
