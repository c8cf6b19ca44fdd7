// SPDX-License-Identifier: GPL-2.0-or-later
/* A ringpaced and an rp-dataplane that outlive the command. */
#include "dataplane/service.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "dataplane/vm.h"
#include "json.h"

#define MEMBERS	2u
#define STATE	"state.json"
#define VM	"vm"		/* in the state: the VM's name, in place of rp-dataplane's pid */
#define STOP_NS	(10 * NSEC_PER_SEC)

/* In the order in which they are started; they end in the opposite one. */
static const char *const member[MEMBERS] = { "ringpaced", "rp-dataplane" };
static const char *const control_of[MEMBERS] = { "ringpaced.ctl", "dataplane.ctl" };
static const char *const log_of[MEMBERS] = { "ringpaced.log", "rp-dataplane.log" };
static const char *const others[] = { "a.sock", "b.sock", "hostd.ctl", "serial.log", "initrd",
	STATE };

const char *service_path(const struct service *s, const char *name)
{
	static char path[4][192];
	static u32 next;
	char *p = path[next++ % 4];

	snprintf(p, sizeof(path[0]), "%s/%s", s->dir, name);
	return p;
}

int service_in(struct service *s, const char *dir)
{
	const char *base = getenv("XDG_RUNTIME_DIR");
	char cwd[sizeof(s->dir)] = "";
	int n;

	/* Whoever is told the path, QEMU say, may be elsewhere. */
	if (dir && *dir != '/' && !getcwd(cwd, sizeof(cwd)))
		return fail("dataplane: --dir %s: %m", dir);
	n = dir ? snprintf(s->dir, sizeof(s->dir), "%s%s%s", cwd, *cwd ? "/" : "", dir) :
	    base && *base ? snprintf(s->dir, sizeof(s->dir), "%s/ringpace-dataplane", base) :
	    snprintf(s->dir, sizeof(s->dir), "/tmp/ringpace-dataplane-%d", (int)geteuid());
	/* A socket's path has at most 107 bytes. */
	return n < 90 ? 0 : fail("dataplane: %s: the path is too long for sockets in it: give "
				 "a shorter one by --dir", dir ? dir : base);
}

/* ---- Who runs ---- */

/* When the process was started, in the kernel's ticks; 0: there is none. */
static u64 start_of(pid_t pid)
{
	char path[32], stat[512];
	unsigned long long at = 0;
	const char *end;
	size_t n = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	f = fopen(path, "re");
	if (f) {
		n = fread(stat, 1, sizeof(stat) - 1, f);
		fclose(f);
	}
	stat[n] = '\0';
	/* The name in brackets may hold anything; a dead child waits in state Z. */
	end = strrchr(stat, ')');
	if (!end || end[1] != ' ' || end[2] == 'Z' || end[2] == 'X' ||
	    sscanf(end + 4, "%*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s "
		   "%*s %*s %llu", &at) != 1)
		return 0;
	return at;
}

/* The pid of member @i as far as it runs; 0: it does not. */
static pid_t pid_of(const struct service *s, u32 i)
{
	json_t *v = json_load_file(service_path(s, STATE), 0, NULL);
	const json_t *m = json_object_get(v, member[i]);
	pid_t pid = (pid_t)json_integer_value(json_object_get(m, "pid"));
	u64 start = (u64)json_integer_value(json_object_get(m, "start_ticks"));

	json_decref(v);
	return pid > 0 && start && start_of(pid) == start ? pid : 0;
}

/* Of the VM, if there is one by the state. */
static bool vm_of(const struct service *s, char name[DP_VM_NAME_MAX])
{
	json_t *v = json_load_file(service_path(s, STATE), 0, NULL);
	const char *text = json_string_value(json_object_get(v, VM));

	snprintf(name, DP_VM_NAME_MAX, "%s", text ? : "");
	json_decref(v);
	return *name;
}

/* Its QEMU listens as long as it lives; one that has another client still does. */
static bool vm_runs(const struct service *s)
{
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	bool runs;

	snprintf(sa.sun_path, sizeof(sa.sun_path), "%.90s/%s", s->dir, control_of[1]);
	runs = fd >= 0 && (!connect(fd, (struct sockaddr *)&sa, sizeof(sa)) || errno == EAGAIN);
	if (fd >= 0)
		close(fd);
	return runs;
}

static bool member_runs(const struct service *s, u32 i)
{
	char name[DP_VM_NAME_MAX];

	return i == 1 && vm_of(s, name) ? vm_runs(s) : pid_of(s, i);
}

bool service_runs(const struct service *s)
{
	u32 i;

	for (i = 0; i < MEMBERS; i++)
		if (!member_runs(s, i))
			return false;
	return true;
}

/* ---- Starting ---- */

static int make_dir(const struct service *s)
{
	struct stat st;

	if (mkdir(s->dir, 0700) && errno != EEXIST)
		return fail("dataplane: cannot make the directory %s: %m", s->dir);
	if (lstat(s->dir, &st) || !S_ISDIR(st.st_mode) || st.st_uid != geteuid() ||
	    st.st_mode & 077)
		return fail("dataplane: %s is not a directory of yours with mode 0700: remove it, "
			    "or give another one by --dir", s->dir);
	return 0;
}

/* In the child: only async-signal-safe calls until exec. */
static void become(char *const argv[], int null, int log)
{
	/* No signal of the terminal's, and none when the command ends. */
	setsid();
	dup2(null, 0);
	dup2(log, 1);
	dup2(log, 2);
	execv(argv[0], argv);
	dprintf(2, "cannot run %s: %s\n", argv[0], strerror(errno));
	_exit(127);
}

static pid_t spawn(char *const argv[], const char *log)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	int fd = open(log, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	pid_t pid = null >= 0 && fd >= 0 ? fork() : -1;

	if (!pid)
		become(argv, null, fd);
	if (pid < 0)
		fail("dataplane: cannot run %s: %m", argv[0]);
	if (null >= 0)
		close(null);
	if (fd >= 0)
		close(fd);
	return pid;
}

static int write_state(const struct service *s, const json_t *state)
{
	if (json_dump_file(state, service_path(s, STATE), JSON_INDENT(2)))
		return fail("dataplane: cannot write %s: %m", service_path(s, STATE));
	return 0;
}

static int note(const struct service *s, json_t *state, u32 i, pid_t pid)
{
	json_object_set_new(state, member[i],
			    json_pack("{s:i, s:I}", "pid", (int)pid, "start_ticks",
				      (json_int_t)start_of(pid)));
	return write_state(s, state);
}

static int await_control(const struct service *s, u32 i, pid_t pid)
{
	u64 end = now_ns() + SERVICE_TIMEOUT_MS * 1000000ULL;

	while (access(service_path(s, control_of[i]), F_OK)) {
		if (waitpid(pid, NULL, WNOHANG) || now_ns() > end)
			return fail("dataplane: %s does not start: %s", member[i],
				    log_tail(service_path(s, log_of[i])));
		if (!nap_ms(2))
			return -1;
	}
	return 0;
}

static int start_member(const struct service *s, json_t *state, u32 i, char *const argv[])
{
	pid_t pid;

	if (!argv[0])
		return -1;
	pid = spawn(argv, service_path(s, log_of[i]));
	return pid < 0 || note(s, state, i, pid) ? -1 : await_control(s, i, pid);
}

static int start_ringpaced(const struct service *s, json_t *state,
			   const struct service_options *o)
{
	char program[512], port[2][300], control[192], *argv[] = {
		program, "--control", control, "--port", port[0], "--port", port[1],
		"--link", "a,b", NULL
	};

	snprintf(program, sizeof(program), "%s", own_program(member[0]) ? : "");
	snprintf(control, sizeof(control), "%s/%s", s->dir, control_of[0]);
	if (o->tap)
		snprintf(port[0], sizeof(port[0]), "a,tap=%s,pairs=%u", o->tap, o->threads);
	else
		snprintf(port[0], sizeof(port[0]), "a,socket=%s/a.sock", s->dir);
	snprintf(port[1], sizeof(port[1]), "b,socket=%s/b.sock,pairs=%u,rss=%u", s->dir,
		 o->threads, o->groups);
	return *program ? start_member(s, state, 0, argv) : -1;
}

static int start_dataplane(const struct service *s, json_t *state,
			   const struct service_options *o)
{
	char program[512], socket[192], control[192], steer[200], count[16], entries[16];
	char *argv[40] = {
		program, "--socket", socket, "--steer", steer, "--control", control,
		"--threads", count, "--groups", entries,
	};
	char *const *more = o->more;
	u32 n = 11;

	snprintf(program, sizeof(program), "%s", own_program(member[1]) ? : "");
	snprintf(socket, sizeof(socket), "%s/b.sock", s->dir);
	snprintf(control, sizeof(control), "%s/%s", s->dir, control_of[1]);
	snprintf(steer, sizeof(steer), "%s/%s,b", s->dir, control_of[0]);
	snprintf(count, sizeof(count), "%u", o->threads);
	snprintf(entries, sizeof(entries), "%u", o->groups);
	while (*more && n < 39)
		argv[n++] = *more++;
	return *program ? start_member(s, state, 1, argv) : -1;
}

static int start_vm(const struct service *s, json_t *state, const struct service_options *o)
{
	char name[DP_VM_NAME_MAX];

	dp_vm_name(s, name);
	json_object_set_new(state, VM, json_string(name));
	return write_state(s, state) ? : dp_vm_start(s, o, name);
}

int service_start(const struct service *s, const struct service_options *o)
{
	const char *why = o->vm ? dp_vm_check(o) : NULL;
	json_t *state;
	int rc;

	if (why)
		return fail("dataplane: lane vm: %s", why);
	if (make_dir(s))
		return -1;
	if (member_runs(s, 0) || member_runs(s, 1))
		return fail("dataplane: one runs in %s already: `ringpace dataplane stop` ends "
			    "it; or give another directory by --dir", s->dir);
	state = json_object();
	rc = start_ringpaced(s, state, o) ? :
		o->vm ? start_vm(s, state, o) : start_dataplane(s, state, o);
	json_decref(state);
	if (rc)
		service_stop(s);
	return rc;
}

/* ---- Stopping ---- */

static int end_member(const struct service *s, u32 i)
{
	char name[DP_VM_NAME_MAX];
	pid_t pid = pid_of(s, i);
	u64 end = now_ns() + STOP_NS;

	if (i == 1 && vm_of(s, name))
		return dp_vm_remove(name);
	if (!pid)
		return 0;
	if (kill(pid, SIGTERM))
		return fail("dataplane: cannot end %s (%d): %m", member[i], (int)pid);
	while (pid_of(s, i)) {
		struct timespec ts = { 0, 2000000 };

		/* Ours, if this command started it. */
		waitpid(pid, NULL, WNOHANG);
		if (now_ns() > end) {
			kill(pid, SIGKILL);
			end = ~0ULL;
		}
		clock_nanosleep(CLOCK_MONOTONIC, 0, &ts, NULL);
	}
	return 0;
}

int service_stop(const struct service *s)
{
	int rc = 0;
	u32 i;

	if (access(s->dir, F_OK))
		return 0;
	for (i = MEMBERS; i--;)
		rc |= end_member(s, i);
	if (rc)
		return -1;
	for (i = 0; i < MEMBERS; i++) {
		unlink(service_path(s, control_of[i]));
		unlink(service_path(s, log_of[i]));
	}
	for (i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		unlink(service_path(s, others[i]));
	/* What is not ours in it stays, and the directory with it. */
	if (rmdir(s->dir) && errno != ENOENT && errno != ENOTEMPTY)
		return fail("dataplane: cannot remove %s: %m", s->dir);
	return 0;
}
