// SPDX-License-Identifier: GPL-2.0-or-later
/* What hardware, kernel and tools are there. */
#include <errno.h>
#include <libvirt/libvirt.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#include "doctor/doctor.h"
#include "vm/domain.h"

#define SLEEPS		201
#define SLEEP_GOAL_NS	5000	/* what the paper's case studies sleep */

/* The first word of a file of /proc or /sys; "" if there is none. */
static const char *word_of(const char *path)
{
	static char word[128];
	FILE *f = fopen(path, "re");

	if (!f || fscanf(f, "%127s", word) != 1)
		word[0] = 0;
	if (f)
		fclose(f);
	return word;
}

static bool has_cpu_flag(const char *flag)
{
	char line[4096], key[32];
	FILE *f = fopen("/proc/cpuinfo", "re");
	bool has = false;

	snprintf(key, sizeof(key), " %s", flag);
	while (f && !has && fgets(line, sizeof(line), f))
		has = !strncmp(line, "flags", 5) && strstr(line, key);
	if (f)
		fclose(f);
	return has;
}

static void check_cpus(const struct host *h, struct finding *f)
{
	cpu_set_t set;
	int n = sched_getaffinity(0, sizeof(set), &set) ? 1 : CPU_COUNT(&set);

	if (n < 2)
		found(f, FOUND_LIMITED, "allow this process two CPUs",
		      "one CPU: producer and consumer take turns on it");
	else
		found(f, FOUND_OK, NULL, "%d CPUs for this process", n);
}

static void check_tsc(const struct host *h, struct finding *f)
{
	double ghz = (double)tsc_hz() / 1e9;

	if (has_cpu_flag("constant_tsc") && has_cpu_flag("nonstop_tsc"))
		found(f, FOUND_OK, NULL, "%.3f GHz, constant and never stopping", ghz);
	else
		found(f, FOUND_LIMITED, "trust latencies only while the clock rate is fixed",
		      "%.3f GHz, but the CPU does not promise a constant rate", ghz);
}

static int by_value(const void *a, const void *b)
{
	const double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* Median of what a sleep of 1 ns lasts, with the least timer slack. */
static double least_sleep_ns(void)
{
	struct timespec ts = { 0, 1 };
	double v[SLEEPS];
	u64 begin;
	u32 i;

	prctl(PR_SET_TIMERSLACK, 1);
	for (i = 0; i < SLEEPS; i++) {
		begin = now_ns();
		clock_nanosleep(CLOCK_MONOTONIC, 0, &ts, NULL);
		v[i] = (double)(now_ns() - begin);
	}
	prctl(PR_SET_TIMERSLACK, 0);	/* back to the default */
	qsort(v, SLEEPS, sizeof(*v), by_value);
	return v[SLEEPS / 2];
}

static void check_sleep(const struct host *h, struct finding *f)
{
	int slack = prctl(PR_GET_TIMERSLACK);
	double ns = least_sleep_ns();

	if (ns <= SLEEP_GOAL_NS)
		found(f, FOUND_OK, NULL, "the shortest sleep lasts %.1f us (timer slack %d ns, set "
		      "to 1 in runs)", ns / 1e3, slack);
	else
		found(f, FOUND_LIMITED, "choose Y above it; results report the Y that happened",
		      "the shortest sleep lasts %.1f us (timer slack %d ns, set to 1 in runs)",
		      ns / 1e3, slack);
}

static void check_hugepages(const struct host *h, struct finding *f)
{
	const char *dir = "/sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages";
	long n = strtol(word_of(dir), NULL, 10);

	if (n > 0)
		found(f, FOUND_OK, NULL, "%ld pages of 2 MiB", n);
	else
		found(f, FOUND_LIMITED, "sysctl vm.nr_hugepages=64, where a run asks for them",
		      "none reserved; runs use ordinary pages");
}

static void check_kvm(const struct host *h, struct finding *f)
{
	found(f, h->kvm.usable ? FOUND_OK : FOUND_LIMITED, h->kvm.todo, "%s%s", h->kvm.why,
	      h->kvm.usable ? "" : "; VMs are emulated (tcg)");
}

static void check_qemu(const struct host *h, struct finding *f)
{
	const char *qemu = vm_built_find("qemu-system-x86_64"), *version;

	if (!qemu) {
		found(f, FOUND_MISSING, "make qemu", "QEMU with virtio-pc is not built");
		return;
	}
	version = output_line((char *[]) { (char *)qemu, "--version", NULL }, "version");
	if (h->qemu_patched)
		found(f, FOUND_OK, NULL, "%s, with virtio-pc", version);
	else
		found(f, FOUND_MISSING, "make qemu", "%s: no device virtio-pc-pci in it", qemu);
}

static void check_libvirt(const struct host *h, struct finding *f)
{
	unsigned long v = 0;

	virGetVersion(&v, NULL, NULL);
	if (h->libvirt_works)
		found(f, FOUND_OK, NULL, "%lu.%lu.%lu, its QEMU driver embedded in this command",
		      v / 1000000, v / 1000 % 1000, v % 1000);
	else
		found(f, FOUND_MISSING, "apt-get install libvirt-daemon-driver-qemu, or name a "
		      "daemon in RINGPACE_LIBVIRT_URI",
		      "%lu.%lu.%lu, but its QEMU driver does not open", v / 1000000,
		      v / 1000 % 1000, v % 1000);
}

static void check_vhost(const struct host *h, struct finding *f)
{
	if (!access("/dev/vhost-pc", F_OK))
		found(f, FOUND_OK, NULL, "/dev/vhost-pc is there");
	else if (!access("/sys/module/vhost", F_OK) || !access("/lib/modules", F_OK))
		found(f, FOUND_MISSING, "use ringpaced, the same device in user space",
		      "no /dev/vhost-pc: the module vhost_pc is not loaded");
	else
		found(f, FOUND_MISSING, "use ringpaced, the same device in user space",
		      "no /dev/vhost-pc, and this kernel loads no modules");
}

static bool in_path(const char *program)
{
	const char *path = getenv("PATH") ?: "/usr/bin:/bin";
	char one[512];
	size_t n;

	for (; *path; path += n + (path[n] == ':')) {
		n = strcspn(path, ":");
		snprintf(one, sizeof(one), "%.*s/%s", (int)n, path, program);
		if (!access(one, X_OK))
			return true;
	}
	return false;
}

static void check_perf(const struct host *h, struct finding *f)
{
	bool uprobes = !access("/sys/kernel/tracing/uprobe_events", W_OK) ||
		       !access("/sys/kernel/debug/tracing/uprobe_events", W_OK);

	if (!in_path("perf"))
		found(f, FOUND_LIMITED, "apt-get install linux-perf",
		      "no perf; runs count without it, USDT probes stay unread");
	else if (!uprobes)
		found(f, FOUND_LIMITED, "as root: mount -t tracefs tracefs /sys/kernel/tracing",
		      "perf is there, but user-space probes cannot be set");
	else
		found(f, FOUND_OK, NULL, "perf and user-space probes (USDT); perf_event_paranoid %s",
		      word_of("/proc/sys/kernel/perf_event_paranoid"));
}

static void check_cpufreq(const struct host *h, struct finding *f)
{
	char driver[64];
	const char *governor;

	snprintf(driver, sizeof(driver), "%.63s",
		 word_of("/sys/devices/system/cpu/cpu0/cpufreq/scaling_driver"));
	governor = word_of("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor");
	if (!driver[0])
		found(f, FOUND_LIMITED, NULL, "no cpufreq: the clock rate is the host's secret");
	else if (strcmp(governor, "performance"))
		found(f, FOUND_LIMITED, "cpupower frequency-set -g performance, for steady figures",
		      "%s, governor %s: W changes with the clock rate", driver, governor);
	else
		found(f, FOUND_OK, NULL, "%s, governor performance", driver);
}

const struct check host_checks[] = {
	{ "cpus", check_cpus },
	{ "tsc", check_tsc },
	{ "sleep", check_sleep },
	{ "hugepages", check_hugepages },
	{ "kvm", check_kvm },
	{ "qemu", check_qemu },
	{ "libvirt", check_libvirt },
	{ "vhost", check_vhost },
	{ "perf", check_perf },
	{ "cpufreq", check_cpufreq },
	{ NULL, NULL }
};
