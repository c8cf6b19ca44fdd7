// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The host controller's actuators and its state against a sysfs of files and processes
 * of its own: what is set, what is given back, also after a controller that was killed.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <dirent.h>
#include <pthread.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cpufreq.h"
#include "cores.h"
#include "cpulist.h"
#include "fake_host.h"
#include "native.h"
#include "quota.h"
#include "rapl.h"
#include "undo.h"
#include "vhost.h"

static const struct undo_kind *const kinds[] = {
	&clock_kind, &native_affinity_kind, &native_signal_kind, &native_freezer_kind, &quota_kind,
	NULL
};

static struct topo topo;
static struct undo undo;
static struct clock clk;
static char state_path[96];

static void open_undo(void)
{
	const struct undo_where where = { .sysfs = fake_root };

	undo_init(&undo, state_path, kinds, &where);
	clk = (struct clock){ .sysfs = fake_root, .topo = &topo, .undo = &undo };
}

static int begin(void **state)
{
	cpu_set_t cpus;

	fake_host();
	snprintf(state_path, sizeof(state_path), "%s/state", fake_root);
	assert_true(cpulist_parse("0-7", &cpus));
	assert_null(topo_read(&topo, fake_root, &cpus, true));
	open_undo();
	return 0;
}

static int end(void **state)
{
	undo_fini(&undo);
	fake_end();
	return 0;
}

static void test_topology(void **state)
{
	cpu_set_t cpus;
	struct topo t;

	assert_int_equal(topo.cores, 4);
	assert_int_equal(topo.threads, 2);
	assert_int_equal(topo.core[3].cpu[1], 7);
	assert_true(topo.clocks);
	assert_int_equal(topo.host.freqs, 4);
	assert_int_equal(topo.khz[0], 1200000);
	assert_int_equal(topo.khz[3], 2800000);
	assert_int_equal(topo.nominal, 2);
	/* Half of a core is a core of one thread; a CPU that is off is said. */
	assert_true(cpulist_parse("1,2,5", &cpus));
	assert_null(topo_read(&t, fake_root, &cpus, true));
	assert_int_equal(t.cores, 2);
	assert_int_equal(t.threads, 1);
	assert_true(cpulist_parse("7-8", &cpus));
	assert_non_null(strstr(topo_read(&t, fake_root, &cpus, true), "CPU 8 is not online"));
	/* Without cpufreq, or where it is not wanted, there is one clock. */
	assert_true(cpulist_parse("0-3", &cpus));
	assert_null(topo_read(&t, fake_root, &cpus, false));
	assert_false(t.clocks);
	assert_int_equal(t.host.freqs, 1);
	/* Clocks are only made up where there are none. */
	assert_null(topo_read(&t, fake_root, &cpus, CLOCKS_QUOTA));
	assert_true(t.clocks && !t.emulated && t.host.freqs == 4);
	fake_write_cpu(3, "cpufreq/cpuinfo_max_freq", "2600000");
	assert_null(topo_read(&t, fake_root, &cpus, CLOCKS_QUOTA));
	assert_true(t.clocks && t.emulated);
	assert_int_equal(topo_percent(&t, 0), 50);
	assert_int_equal(topo_percent(&t, t.nominal), 100);
	assert_int_equal(t.nominal, t.host.freqs - 1);
}

static void test_policies(void **state)
{
	struct hc_policy p;

	hc_policy_make_energy(&p, &topo.host, 4, 2);
	assert_null(hc_policy_check(&p, &topo.host));
	assert_int_equal(p.steps, 4 + 1 + 3);
	hc_policy_make_consolidate(&p, &topo.host, 3, 2, topo.nominal);
	assert_null(hc_policy_check(&p, &topo.host));
	assert_int_equal(p.steps, 4);
	hc_policy_make_energy(&p, &topo.host, 200, 1);
	assert_true(p.steps <= HC_STEPS_MAX);
	assert_int_equal(p.step[p.steps - 1].cores, 200);
	assert_int_equal(p.step[p.steps - 1].freq, 3);
}

static void test_clock(void **state)
{
	assert_int_equal(clock_set(&clk, 1, 0), 0);
	assert_string_equal(fake_cpu(1, "scaling_max_freq"), "1200000");
	assert_string_equal(fake_cpu(5, "scaling_max_freq"), "1200000");
	assert_string_equal(fake_cpu(5, "scaling_governor"), "performance");
	assert_string_equal(fake_cpu(5, "energy_performance_preference"), "performance");
	assert_string_equal(fake_cpu(2, "scaling_governor"), "schedutil");
	assert_int_equal(clock_set(&clk, 1, 2), 0);
	assert_string_equal(fake_cpu(1, "scaling_min_freq"), "2400000");
	/* A limit that somebody else has changed is set again. */
	fake_write_cpu(5, "cpufreq/scaling_max_freq", "2800000");
	assert_int_equal(clock_set(&clk, 1, 2), 0);
	assert_string_equal(fake_cpu(5, "scaling_max_freq"), "2400000");
	assert_int_equal(clock_turbo(&clk, true), 0);
	assert_string_equal(fake_read(SYSFS_CPU "/intel_pstate/no_turbo"), "0");
	clock_give_back(&clk, 1);
	assert_string_equal(fake_cpu(1, "scaling_min_freq"), "1200000");
	assert_string_equal(fake_cpu(5, "scaling_max_freq"), "2800000");
	assert_string_equal(fake_cpu(5, "scaling_governor"), "schedutil");
	assert_string_equal(fake_cpu(5, "energy_performance_preference"), "balance_power");
	assert_int_equal(clock_turbo(&clk, false), 0);
	assert_string_equal(fake_read(SYSFS_CPU "/intel_pstate/no_turbo"), "1");
	assert_int_equal(undo.count, 0);
}

/* What cannot be set is told, and what cannot be noted is not set. */
static void test_clock_fails(void **state)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/" SYSFS_CPU "/cpu6/cpufreq/scaling_max_freq", fake_root);
	remove(path);
	assert_true(clock_set(&clk, 2, 0) < 0);
	undo_file_close(&undo.file);
	undo.file.path = "/nonexistent/state";
	assert_true(clock_set(&clk, 3, 0) < 0);
	assert_string_equal(fake_cpu(3, "scaling_max_freq"), "2800000");
	assert_string_equal(fake_cpu(3, "scaling_governor"), "schedutil");
	undo.file.path = state_path;
}

/* A state file names files; only those that a controller sets are ever written. */
static void test_hostile_state(void **state)
{
	FILE *f = fopen(state_path, "w");

	fake_write("victim", "whole\n");
	fake_write("cgroup.freeze", "0\n");
	fprintf(f, "{\"version\":1,\"tenants\":{},\"changed\":["
		"{\"kind\":\"clock\",\"owner\":\"host\",\"target\":\"victim\",\"value\":\"x\"},"
		"{\"kind\":\"clock\",\"owner\":\"host\",\"target\":\"" SYSFS_CPU
		"/../../../victim\",\"value\":\"x\"},"
		"{\"kind\":\"freezer\",\"owner\":\"a\",\"target\":\"%s/victim\",\"value\":\"0\"},"
		"{\"kind\":\"freezer\",\"owner\":\"a\",\"target\":\"%s/cgroup.freeze\",\"value\":\"1\"},"
		"{\"kind\":\"affinity\",\"owner\":\"a\",\"target\":\"1/0\",\"value\":\"0\"},"
		"{\"kind\":\"signal\",\"owner\":\"a\",\"target\":\"-1/0\",\"value\":\"run\"}]}",
		fake_root, fake_root);
	fclose(f);
	assert_null(undo_load(&undo));
	assert_int_equal(undo.count, 6);
	assert_int_equal(undo_some(&undo, NULL, NULL, true), 0);
	assert_int_equal(undo.count, 0);
	assert_string_equal(fake_read("victim"), "whole");
	assert_string_equal(fake_read("cgroup.freeze"), "0");

	f = fopen(state_path, "w");
	fprintf(f, "{\"version\":1,\"tenants\":{},\"changed\":[{\"kind\":\"none\"}]}");
	fclose(f);
	assert_non_null(undo_load(&undo));
	assert_int_equal(undo.count, 0);
	f = fopen(state_path, "w");
	fprintf(f, "{\"version\":");
	fclose(f);
	assert_non_null(undo_load(&undo));
}

static void append(const char *text)
{
	FILE *f = fopen(state_path, "a");

	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

static const char *load_again(void)
{
	undo_fini(&undo);
	open_undo();
	return undo_load(&undo);
}

static u32 tenants_cores(const char *name)
{
	return (u32)json_integer_value(json_object_get(json_object_get(undo.tenants, name), "cores"));
}

/* Line by line: what came since, what has gone since, and one that was not written whole. */
static void test_state_file(void **state)
{
	struct stat st;
	u32 i;

	assert_true(undo_note(&undo, &clock_kind, "host", "a", "1"));
	assert_true(undo_note(&undo, &clock_kind, "host", "b", "2"));
	assert_true(undo_tenant(&undo, "web", json_pack("{s:i}", "cores", 2)));
	assert_true(undo_tenant(&undo, "kv", json_pack("{s:i}", "cores", 1)));
	assert_int_equal(undo_one(&undo, &clock_kind, "a"), UNDO_GONE);
	assert_true(undo_tenant(&undo, "web", json_pack("{s:i}", "cores", 5)));
	assert_true(undo_tenant(&undo, "kv", NULL));
	append("{\"tenant\":\"web\",\"has\":{\"cores\":9}}");
	assert_null(load_again());
	assert_int_equal(undo.count, 1);
	assert_true(undo_has(&undo, &clock_kind, "b"));
	assert_int_equal(tenants_cores("web"), 5);
	assert_null(json_object_get(undo.tenants, "kv"));
	/* It stays short, and one that somebody has removed comes back. */
	for (i = 0; i < 2 * UNDO_LINES_MAX; i++)
		assert_true(undo_tenant(&undo, "web", json_pack("{s:i}", "cores", (int)i)));
	assert_int_equal(stat(state_path, &st), 0);
	assert_true(st.st_size < 64 * UNDO_LINES_MAX);
	remove(state_path);
	assert_true(undo_tenant(&undo, "web", json_pack("{s:i}", "cores", 7)));
	assert_null(load_again());
	assert_int_equal(tenants_cores("web"), 7);
	assert_true(undo_has(&undo, &clock_kind, "b"));
	append("{\"note\":{\"kind\":\"clock\"}}\n");
	assert_non_null(load_again());
	undo_clear(&undo);
}

/* A child that waits, of this test's own, and its file. */
static pid_t start_child(struct conf_tenant *t)
{
	pid_t pid = fork();

	if (!pid) {
		/* Not left behind by a test that fails. */
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		for (;;)
			pause();
	}
	snprintf(t->name, sizeof(t->name), "job");
	snprintf(t->pidfile, sizeof(t->pidfile), "%s/pid", fake_root);
	fake_write("pid", "%d\n", pid);
	return pid;
}

static void end_child(pid_t pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

static char state_of(pid_t pid)
{
	char file[64], text[SYSFS_TEXT];

	snprintf(file, sizeof(file), "proc/%d/stat", pid);
	assert_int_equal(sysfs_read("/", file, text), 0);
	return strrchr(text, ')')[2];
}

/* Stopped: signals arrive when they like. */
static bool reaches(pid_t pid, char wanted)
{
	u32 i;

	for (i = 0; i < 20000; i++) {
		if (state_of(pid) == wanted)
			return true;
		usleep(1000);
	}
	return false;
}

static void test_native(void **state)
{
	struct conf_tenant conf = { .class = CONF_BATCH };
	struct native n = { .conf = &conf, .undo = &undo };
	pid_t pid = start_child(&conf);
	cpu_set_t before, one, now;
	u64 ns;

	sched_getaffinity(pid, sizeof(before), &before);
	CPU_ZERO(&one);
	CPU_SET(sched_getcpu(), &one);
	assert_int_equal(native_confine(&n, &one), HC_ENFORCED);
	sched_getaffinity(pid, sizeof(now), &now);
	assert_true(CPU_EQUAL(&now, &one));
	assert_int_equal(native_stop(&n, true), HC_ENFORCED);
	assert_true(reaches(pid, 'T'));
	assert_true(native_cpu_ns(&n, 1, &ns));
	assert_int_equal(native_stop(&n, false), HC_ENFORCED);
	assert_true(reaches(pid, 'S'));
	assert_int_equal(undo_some(&undo, NULL, NULL, false), 0);
	sched_getaffinity(pid, sizeof(now), &now);
	assert_true(CPU_EQUAL(&now, &before));

	/* One that is gone is nobody, and its notes go. */
	assert_int_equal(native_confine(&n, &one), HC_ENFORCED);
	end_child(pid);
	native_again(&n, 1);
	assert_int_equal(undo.count, 0);
	assert_int_equal(native_confine(&n, &one), HC_NOBODY);
	/* Whatever the file says. */
	fake_write("pid", "1\n-1\n0\n%d\n", getpid());
	assert_int_equal(native_confine(&n, &one), HC_NOBODY);
}

static bool is_on(pid_t pid, const cpu_set_t *cpus)
{
	cpu_set_t now;

	return !sched_getaffinity(pid, sizeof(now), &now) && CPU_EQUAL(&now, cpus);
}

/* Each second only that there are others is looked for; whoever moved away is found rarely. */
static void test_native_again(void **state)
{
	struct conf_tenant conf = { .class = CONF_BATCH };
	struct native n = { .conf = &conf, .undo = &undo };
	pid_t first = start_child(&conf), second;
	cpu_set_t before, one;
	u64 s = 1000000000, now = 100 * s;

	sched_getaffinity(first, sizeof(before), &before);
	CPU_ZERO(&one);
	CPU_SET(sched_getcpu(), &one);
	assert_int_equal(native_confine(&n, &one), HC_ENFORCED);
	sched_setaffinity(first, sizeof(before), &before);
	native_again(&n, now);
	assert_true(is_on(first, &one));
	sched_setaffinity(first, sizeof(before), &before);
	native_again(&n, now + s);
	native_again(&n, now + NATIVE_AGAIN_NS - 1);
	assert_true(is_on(first, &before));
	native_again(&n, now + NATIVE_AGAIN_NS);
	assert_true(is_on(first, &one));
	/* Another process, at once; and one that has ended is forgotten. */
	second = start_child(&conf);
	native_again(&n, now + NATIVE_AGAIN_NS + s);
	assert_true(is_on(second, &one));
	/* A sanitizer has a thread of its own in each. */
	assert_true(undo.count >= 2);
	end_child(first);
	end_child(second);
	native_again(&n, now + NATIVE_AGAIN_NS + 2 * s);
	assert_int_equal(undo.count, 0);
}

struct vhost_child {
	char name[32];
	int ready;
};

static void *name_itself(void *arg)
{
	const struct vhost_child *c = arg;

	prctl(PR_SET_NAME, c->name);
	while (write(c->ready, "x", 1) == 1)
		pause();
	return NULL;
}

/* One whose second thread is named as the kernel names those that work for @pid; 0: itself. */
static pid_t start_vhost(pid_t of)
{
	struct vhost_child c;
	pthread_t thread;
	int ready[2];
	char byte;
	pid_t pid;

	assert_int_equal(pipe(ready), 0);
	pid = fork();
	if (!pid) {
		snprintf(c.name, sizeof(c.name), "vhost-%d", of ? of : getpid());
		c.ready = ready[1];
		pthread_create(&thread, NULL, name_itself, &c);
		for (;;)
			pause();
	}
	assert_int_equal(read(ready[0], &byte, 1), 1);
	close(ready[0]);
	close(ready[1]);
	return pid;
}

/* CPUs of a process's first thread, and of its other one. */
static void affinity_of(pid_t pid, cpu_set_t *first, cpu_set_t *other)
{
	struct dirent *e;
	char path[64];
	DIR *dir;

	sched_getaffinity(pid, sizeof(*first), first);
	snprintf(path, sizeof(path), "/proc/%d/task", pid);
	dir = opendir(path);
	while ((e = readdir(dir)))
		if (atoi(e->d_name) > 0 && atoi(e->d_name) != pid)
			sched_getaffinity(atoi(e->d_name), sizeof(*other), other);
	closedir(dir);
}

/* Of a process's own threads that one which is named so; of others' none, whatever its name is. */
static void test_vhost(void **state)
{
	pid_t vm = start_vhost(0), liar = start_vhost(vm);
	cpu_set_t before, one, first, last;

	sched_getaffinity(vm, sizeof(before), &before);
	CPU_ZERO(&one);
	CPU_SET(sched_getcpu(), &one);
	fake_write("qemu/a.pid", "%d\n", vm);
	assert_int_equal(vhost_process(fake_root, "qemu/a"), 0);
	assert_int_equal(vhost_process(fake_root, "b"), 0);
	fake_write("a.pid", "%d\n", vm);
	assert_int_equal(vhost_process(fake_root, "a"), vm);
	assert_int_equal(vhost_confine(&undo, "web", vm, &one), 0);
	affinity_of(vm, &first, &last);
	assert_true(CPU_EQUAL(&first, &before) && CPU_EQUAL(&last, &one));
	affinity_of(liar, &first, &last);
	assert_true(CPU_EQUAL(&first, &before) && CPU_EQUAL(&last, &before));
	assert_int_equal(undo.count, CPU_EQUAL(&before, &one) ? 0 : 1);
	assert_int_equal(undo_some(&undo, NULL, NULL, false), 0);
	affinity_of(vm, &first, &last);
	assert_true(CPU_EQUAL(&last, &before));
	/* One that is gone is no error, and its note goes. */
	assert_int_equal(vhost_confine(&undo, "web", vm, &one), 0);
	end_child(vm);
	end_child(liar);
	assert_int_equal(vhost_confine(&undo, "web", vm, &one), 0);
	native_forget_gone(&undo, "web");
	assert_int_equal(undo.count, 0);
}

static void test_freezer(void **state)
{
	struct conf_tenant conf = { .name = "job" };
	struct native n = { .conf = &conf, .undo = &undo };

	snprintf(conf.cgroup, sizeof(conf.cgroup), "%s/cg", fake_root);
	fake_write("cg/cgroup.procs", "%s", "");
	fake_write("cg/cgroup.freeze", "0\n");
	assert_int_equal(native_stop(&n, true), HC_ENFORCED);
	assert_string_equal(fake_read("cg/cgroup.freeze"), "1");
	assert_int_equal(undo_some(&undo, NULL, NULL, false), 0);
	assert_string_equal(fake_read("cg/cgroup.freeze"), "0");
	fake_write("cg1/freezer.state", "THAWED\n");
	snprintf(conf.cgroup, sizeof(conf.cgroup), "%s/cg1", fake_root);
	assert_int_equal(native_stop(&n, true), HC_ENFORCED);
	assert_string_equal(fake_read("cg1/freezer.state"), "FROZEN");
	assert_int_equal(native_stop(&n, false), HC_ENFORCED);
	assert_string_equal(fake_read("cg1/freezer.state"), "THAWED");
}

static void test_quota(void **state)
{
	struct conf_tenant conf = { .name = "web" };
	struct quota q = { .conf = &conf, .undo = &undo };

	snprintf(conf.cgroup, sizeof(conf.cgroup), "%s/cg", fake_root);
	assert_int_equal(quota_set(&q, 50), HC_NOBODY);
	fake_write("cg/cgroup.procs", "%s", "");
	assert_int_equal(quota_set(&q, 50), HC_FAILED);
	assert_int_equal(undo.count, 0);
	/* v1, made meanwhile. */
	fake_write("cg/cpu.cfs_period_us", "100000\n");
	fake_write("cg/cpu.cfs_quota_us", "-1\n");
	quota_again(&q);
	assert_int_equal(q.state, HC_ENFORCED);
	assert_string_equal(fake_read("cg/cpu.cfs_period_us"), "10000");
	assert_string_equal(fake_read("cg/cpu.cfs_quota_us"), "5000");
	assert_int_equal(quota_set(&q, 120), HC_ENFORCED);
	assert_string_equal(fake_read("cg/cpu.cfs_quota_us"), "12000");
	assert_int_equal(quota_set(&q, 0), HC_ENFORCED);
	assert_string_equal(fake_read("cg/cpu.cfs_quota_us"), "-1");
	assert_string_equal(fake_read("cg/cpu.cfs_period_us"), "100000");
	assert_int_equal(undo.count, 0);
	/* v2, and what somebody else sets is set again. */
	fake_write("cg/cpu.max", "max 100000\n");
	assert_int_equal(quota_set(&q, 80), HC_ENFORCED);
	assert_string_equal(fake_read("cg/cpu.max"), "8000 10000");
	fake_write("cg/cpu.max", "max 100000\n");
	quota_again(&q);
	assert_string_equal(fake_read("cg/cpu.max"), "8000 10000");
	assert_int_equal(undo_some(&undo, NULL, NULL, false), 0);
	assert_string_equal(fake_read("cg/cpu.max"), "max 100000");
	assert_int_equal(undo.count, 0);
}

/* A note of a quota only ever sets a quota to a number. */
static void test_hostile_quota(void **state)
{
	static const char *const bad[][2] = {
		{ "cpu.max", "max" }, { "cpu.max", "max 1 2" }, { "cpu.max", "1000 x" },
		{ "cpu.cfs_quota_us", "max 1" }, { "cpu.cfs_quota_us", "" }, { "victim", "1" },
		{ "../cg/cpu.max", "max 1" },
	};
	char path[128];
	u32 i;

	fake_write("cg/victim", "whole");
	fake_write("cg/cpu.max", "whole");
	fake_write("cg/cpu.cfs_quota_us", "whole");
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		snprintf(path, sizeof(path), "%s/cg/%s", fake_root, bad[i][0]);
		assert_true(undo_note(&undo, &quota_kind, "web", path, bad[i][1]));
		assert_int_equal(undo_one(&undo, &quota_kind, path), UNDO_GONE);
	}
	assert_string_equal(fake_read("cg/victim"), "whole");
	assert_string_equal(fake_read("cg/cpu.max"), "whole");
	assert_string_equal(fake_read("cg/cpu.cfs_quota_us"), "whole");
}

/* A controller that is killed right after its changes, and the next one. */
static void test_killed(void **state)
{
	struct conf_tenant conf = { .class = CONF_BATCH };
	pid_t job = start_child(&conf), killed;
	cpu_set_t before, one, now;
	int status;

	sched_getaffinity(job, sizeof(before), &before);
	killed = fork();
	if (!killed) {
		struct native n = { .conf = &conf, .undo = &undo };

		CPU_ZERO(&one);
		CPU_SET(sched_getcpu(), &one);
		clock_set(&clk, 0, 1);
		native_confine(&n, &one);
		native_stop(&n, true);
		undo_tenant(&undo, "web", json_pack("{s:i}", "cores", 3));
		raise(SIGKILL);
	}
	waitpid(killed, &status, 0);
	assert_true(WIFSIGNALED(status));
	assert_string_equal(fake_cpu(4, "scaling_max_freq"), "1800000");
	assert_true(reaches(job, 'T'));

	undo_fini(&undo);
	open_undo();
	assert_null(undo_load(&undo));
	assert_int_equal(json_integer_value(json_object_get(json_object_get(undo.tenants, "web"),
							    "cores")), 3);
	/* What is changed again keeps what was before the first controller. */
	assert_int_equal(clock_set(&clk, 0, 2), 0);
	assert_int_equal(undo_some(&undo, NULL, NULL, true), 0);
	assert_string_equal(fake_cpu(4, "scaling_max_freq"), "2800000");
	assert_string_equal(fake_cpu(0, "scaling_governor"), "schedutil");
	sched_getaffinity(job, sizeof(now), &now);
	assert_true(CPU_EQUAL(&now, &before));
	assert_true(reaches(job, 'S'));
	undo_clear(&undo);
	assert_int_equal(access(state_path, F_OK), -1);
	end_child(job);
}

static void test_rapl(void **state)
{
	struct rapl r;

	rapl_init(&r, fake_root);
	assert_int_equal(r.zones, 2);
	rapl_read(&r, 1000000000);
	assert_true(rapl_joules(&r) == 0 && r.watts == 0);
	/* The first one wraps. */
	fake_write("class/powercap/intel-rapl:0/energy_uj", "100000\n");
	fake_write("class/powercap/intel-rapl:1/energy_uj", "400000\n");
	rapl_read(&r, 2000000000);
	assert_in_range(rapl_joules(&r) * 1e6 + 0.5, 500000, 500000);
	assert_in_range(r.watts * 1e6 + 0.5, 500000, 500000);
	rapl_init(&r, "/nonexistent");
	assert_int_equal(r.zones, 0);
}

static void test_cores(void **state)
{
	struct cores c = { .topo = &topo };
	const u16 wrong[] = { 1, 9 }, right[] = { 3, 2 };
	u16 core[TOPO_CORES_MAX];
	char text[CPULIST_TEXT];
	cpu_set_t cpus;

	cores_set(&c, 0, 2);
	cores_set(&c, 1, 1);
	assert_int_equal(cores_with(&c, 0, 3, core), 3);
	assert_int_equal(core[2], 3);
	assert_int_equal(cores_free(&c, 0, 3, core), 0);
	assert_int_equal(cores_free(&c, 0, 1, core), 2);
	cores_cpus(&c, core, 2, 2, &cpus);
	cpulist_print(&cpus, text);
	assert_string_equal(text, "1,3,5,7");
	/* What is asked for is not done by asking. */
	assert_int_equal(c.count[0], 2);
	assert_int_equal(cores_with(&c, 0, 4, core), 3);
	assert_false(cores_adopt(&c, 2, wrong, 2));
	cores_set(&c, 0, 0);
	assert_false(cores_adopt(&c, 0, right, 2));
	cores_set(&c, 1, 0);
	assert_true(cores_adopt(&c, 0, right, 2));
	assert_int_equal(c.core[0][0], 3);
}

#define TEST(f)	cmocka_unit_test_setup_teardown(f, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_topology), TEST(test_policies), TEST(test_clock), TEST(test_clock_fails),
		TEST(test_hostile_state), TEST(test_native), TEST(test_native_again), TEST(test_vhost),
		TEST(test_freezer), TEST(test_quota), TEST(test_hostile_quota), TEST(test_state_file), TEST(test_killed),
		TEST(test_rapl), TEST(test_cores),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
