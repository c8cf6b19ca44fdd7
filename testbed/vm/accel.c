// SPDX-License-Identifier: GPL-2.0-or-later
/* Judges KVM by booting a guest in it. */
#include "vm/accel.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "vm/conn.h"
#include "vm/domain.h"

/*
 * ---- The remembered verdict: "BOOT-ID yes|no\n" ----
 *
 * One that is not certain holds for this process: a run asks more than once,
 * and each probe may take half a minute.
 */
static bool judged_here, kvm_here;

static bool boot_id(char id[64])
{
	FILE *f = fopen("/proc/sys/kernel/random/boot_id", "re");
	bool ok = f && fscanf(f, "%63s", id) == 1;

	if (f)
		fclose(f);
	return ok;
}

static bool recall(bool *kvm)
{
	const char *path = vm_cache_path("kvm-verdict");
	FILE *f = path ? fopen(path, "re") : NULL;
	char id[64], seen[64], word[8];
	bool ok = f && boot_id(id) && fscanf(f, "%63s %7s", seen, word) == 2 &&
		  !strcmp(id, seen);

	if (ok)
		*kvm = !strcmp(word, "yes");
	else if (judged_here)
		*kvm = kvm_here;
	if (f)
		fclose(f);
	return ok || judged_here;
}

static void remember(bool kvm)
{
	const char *path = vm_cache_path("kvm-verdict");
	FILE *f = path ? fopen(path, "we") : NULL;
	char id[64];

	if (f && boot_id(id))
		fprintf(f, "%s %s\n", id, kvm ? "yes" : "no");
	if (f)
		fclose(f);
}

/* ---- The probe ---- */

static bool file_has(const char *path, const char *what)
{
	char buf[4096];
	FILE *f = fopen(path, "re");
	size_t n = f ? fread(buf, 1, sizeof(buf) - 1, f) : 0;

	if (f)
		fclose(f);
	buf[n] = 0;
	return strstr(buf, what);
}

static bool device_opens(struct kvm_verdict *v)
{
	struct stat st;

	if (stat("/dev/kvm", &st)) {
		snprintf(v->why, sizeof(v->why), "there is no /dev/kvm");
		snprintf(v->todo, sizeof(v->todo),
			 "load kvm_intel or kvm_amd, enable virtualisation in the firmware");
		return false;
	}
	if (access("/dev/kvm", R_OK | W_OK)) {
		snprintf(v->why, sizeof(v->why), "/dev/kvm does not open: %s (mode %04o)",
			 strerror(errno), st.st_mode & 07777);
		snprintf(v->todo, sizeof(v->todo), "join the group kvm, or run make setup");
		return false;
	}
	return true;
}

/*
 * The agent of the guest announces itself on its port, which QEMU writes into
 * a file: then firmware, kernel, interrupts and user space have all worked.
 */
static pid_t start_probe(const char *log, const char *answer)
{
	const char *qemu = vm_built("qemu-system-x86_64", "qemu");
	const char *kernel = vm_built("guest/vmlinuz", "image");
	const char *initrd = vm_built("guest/initrd", "image");
	char chardev[256];

	if (!qemu || !kernel || !initrd)
		return -1;
	snprintf(chardev, sizeof(chardev), "file,id=agent,path=%s", answer);
	return child_start((char *[]) {
		(char *)qemu, "-accel", "kvm", "-cpu", "max", "-machine", "q35", "-m", "128",
		"-nodefaults", "-no-user-config", "-display", "none", "-no-reboot",
		"-serial", "stdio", "-kernel", (char *)kernel, "-initrd", (char *)initrd,
		"-append", "console=ttyS0 panic=-1", "-device", "virtio-serial-pci",
		"-chardev", chardev,
		"-device", "virtserialport,chardev=agent,name=org.ringpace.agent.0", NULL }, log);
}

static bool had_cpu(pid_t pid)
{
	struct timespec ts;
	clockid_t clock;

	return !clock_getcpuclockid(pid, &clock) && !clock_gettime(clock, &ts) &&
	       ts.tv_sec >= KVM_PROBE_CPU_S;
}

/*
 * Did the guest fail by itself, rather than for want of time? What a busy host
 * was too slow for must not count until it boots again.
 */
static bool failed_by_itself(pid_t pid, const char *log)
{
	return !child_alive(pid) || had_cpu(pid) || file_has(log, "KVM internal error") ||
	       file_has(log, "kvm run failed");
}

int kvm_probe(struct kvm_verdict *v)
{
	const char *log = run_path("kvm-probe.log"), *answer = run_path("kvm-probe.answer");
	u64 start, end;
	bool certain;
	pid_t pid;

	memset(v, 0, sizeof(*v));
	if (!log || !answer || !device_opens(v))
		return 0;
	pid = start_probe(log, answer);
	if (pid < 0) {
		snprintf(v->why, sizeof(v->why), "nothing to boot in it yet");
		snprintf(v->todo, sizeof(v->todo), "make qemu image");
		return 0;
	}
	v->judged = true;
	start = now_ns();
	end = start + KVM_PROBE_S * NSEC_PER_SEC;
	while (!v->usable && child_alive(pid) && now_ns() < end && nap_ms(20))
		v->usable = file_has(answer, "rp-agent");
	if (v->usable) {
		v->boot_ms = (u32)((now_ns() - start) / 1000000);
		snprintf(v->why, sizeof(v->why), "a guest booted in %u ms", v->boot_ms);
	} else {
		snprintf(v->why, sizeof(v->why), "/dev/kvm opens, but a guest %s; last line: %.100s",
			 child_alive(pid) ? "did not boot in 30 s" : "ended", log_tail(log));
		snprintf(v->todo, sizeof(v->todo), "nothing on this host: TCG is used");
	}
	certain = v->usable || failed_by_itself(pid, log);
	child_stop(pid);
	unlink(log);
	unlink(answer);
	if (stopped())
		return -1;
	judged_here = true;
	kvm_here = v->usable;
	if (certain)
		remember(v->usable);
	else
		snprintf(v->todo, sizeof(v->todo), "try again when the host is less busy");
	return 0;
}

int accel_choose(const char *want, bool *kvm)
{
	struct kvm_verdict v;

	if (!want)
		want = getenv(VM_ACCEL_ENV);
	if (!want || !*want)
		want = "auto";
	*kvm = !strcmp(want, "kvm");
	if (*kvm || !strcmp(want, "tcg"))
		return 0;
	if (strcmp(want, "auto"))
		return fail("no accelerator %s: choose kvm, tcg or auto", want);
	/* A device that is not there needs no probe, and may appear. */
	if (access("/dev/kvm", R_OK | W_OK) || recall(kvm))
		return 0;
	if (kvm_probe(&v))
		return -1;
	*kvm = v.usable;
	return 0;
}

static int cover_device(void)
{
	const char *cover = run_path("no-kvm");
	int fd = cover ? open(cover, O_CREAT | O_RDONLY | O_CLOEXEC, 0400) : -1;

	if (fd < 0)
		return -1;
	close(fd);
	/* Read-only counts for root too; permissions would not. */
	return unshare(CLONE_NEWNS) || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	       mount(cover, "/dev/kvm", NULL, MS_BIND, NULL) ||
	       mount(NULL, "/dev/kvm", NULL, MS_REMOUNT | MS_BIND | MS_RDONLY, NULL) ? -1 : 0;
}

void accel_hide_broken_kvm(void)
{
	const char *wanted = getenv(VM_ACCEL_ENV);
	struct kvm_verdict v;
	bool kvm;

	/* Who insists knows better, and may have no time for a probe. */
	if (wanted && !strcmp(wanted, "kvm"))
		return;
	if (geteuid() || access("/dev/kvm", R_OK | W_OK))
		return;
	if (!recall(&kvm)) {
		if (kvm_probe(&v) || !v.judged)
			return;
		kvm = v.usable;
	}
	if (!kvm)
		cover_device();	/* no harm in failing, see above */
}
