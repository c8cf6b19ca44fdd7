// SPDX-License-Identifier: GPL-2.0-or-later
/* Which system calls are let through. */
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "log/log.h"
#include "log/log_format.h"
#include "sandbox/sandbox.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED	1
#else
#define SANITIZED	0
#endif

static const struct sandbox_rules *rules;
static struct sock_fprog main_prog, thread_prog;
static enum sandbox_mode sandbox;
static bool begun;		/* relaxed */

int sandbox_mode_by_name(const char *name)
{
	static const char *const names[] = {
		[SANDBOX_OFF] = "off", [SANDBOX_ON] = "on", [SANDBOX_LOG] = "log",
	};
	u32 i;

	for (i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (!strcmp(names[i], name))
			return (int)i;
	return -1;
}

/* ---- The lists ---- */

static int allow(scmp_filter_ctx f, const struct sandbox_calls *c)
{
	size_t i;
	int rc = 0;

	for (i = 0; i < c->count && rc == 0; i++)
		rc = seccomp_rule_add(f, SCMP_ACT_ALLOW, c->call[i], 0);
	return rc;
}

/* Memory, but none to run code in. */
static int allow_memory(scmp_filter_ctx f)
{
	const struct scmp_arg_cmp no_code = SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0);
	int rc = seccomp_rule_add_array(f, SCMP_ACT_ALLOW, SCMP_SYS(mmap), 1, &no_code);

	return rc ? rc : seccomp_rule_add_array(f, SCMP_ACT_ALLOW, SCMP_SYS(mprotect), 1, &no_code);
}

/* Some families of sockets, and what is asked of them and of devices. */
static int allow_some(scmp_filter_ctx f)
{
	int rc = 0;
	u32 i;

	for (i = 0; i < rules->families && rc == 0; i++) {
		const struct scmp_arg_cmp is = SCMP_A0(SCMP_CMP_EQ, (u64)rules->family[i]);

		rc = seccomp_rule_add_array(f, SCMP_ACT_ALLOW, SCMP_SYS(socket), 1, &is);
	}
	for (i = 0; i < rules->ioctls && rc == 0; i++) {
		/* The kernel looks at 32 bits of it. */
		const struct scmp_arg_cmp is = SCMP_A1(SCMP_CMP_MASKED_EQ, UINT32_MAX,
						       rules->ioctl[i]);

		rc = seccomp_rule_add_array(f, SCMP_ACT_ALLOW, SCMP_SYS(ioctl), 1, &is);
	}
	return rc;
}

/* The library writes a program to a file only. */
static int export(scmp_filter_ctx f, struct sock_fprog *prog)
{
	int fd = memfd_create("seccomp", MFD_CLOEXEC), rc;
	struct stat st;

	if (fd < 0)
		return -errno;
	rc = seccomp_export_bpf(f, fd);
	if (rc == 0 && fstat(fd, &st) < 0)
		rc = -errno;
	prog->filter = rc == 0 ? malloc((size_t)st.st_size) : NULL;
	if (rc == 0 && (!prog->filter ||
			pread(fd, prog->filter, (size_t)st.st_size, 0) != st.st_size))
		rc = -ENOMEM;
	if (rc == 0)
		prog->len = (unsigned short)((size_t)st.st_size / sizeof(*prog->filter));
	close(fd);
	return rc;
}

static int compile(struct sock_fprog *prog, bool is_main)
{
	scmp_filter_ctx f = seccomp_init(sandbox == SANDBOX_LOG ? SCMP_ACT_LOG :
					 rules->refuse ? SCMP_ACT_ERRNO(EPERM) : SCMP_ACT_TRAP);
	int rc;

	if (!f)
		return -ENOMEM;
	/* A tree instead of a chain of comparisons. */
	rc = seccomp_attr_set(f, SCMP_FLTATR_CTL_OPTIMIZE, 2);
	if (rc == 0)
		rc = allow(f, &rules->thread);
	if (rc == 0)
		rc = allow_memory(f);
	if (rc == 0 && is_main)
		rc = allow(f, &rules->main);
	if (rc == 0 && is_main)
		rc = allow_some(f);
	if (rc == 0)
		rc = export(f, prog);
	seccomp_release(f);
	return rc;
}

/* ---- What happens to the others ---- */

/* The call was not made. Dies of the signal, once the handler has returned. */
static void on_forbidden(int sig, siginfo_t *info, void *context)
{
	char line[120];
	int n = snprintf(line, sizeof(line), "%s: error: seccomp: system call %d is not "
			 "let through: ending (see --seccomp)\n", log_program, info->si_syscall);

	if (write(STDERR_FILENO, line, (size_t)n) < 0)
		n = 0;
	signal(SIGSYS, SIG_DFL);
	raise(SIGSYS);
}

int sandbox_begin(enum sandbox_mode mode, const struct sandbox_rules *r, char *why, size_t why_bytes)
{
	struct sigaction sa = { .sa_sigaction = on_forbidden, .sa_flags = SA_SIGINFO };
	int rc;

	rules = r;
	sandbox = SANITIZED ? SANDBOX_OFF : mode;
	if (sandbox == SANDBOX_OFF)
		return 0;
	rc = compile(&main_prog, true);
	if (rc == 0)
		rc = compile(&thread_prog, false);
	if (rc == 0 && sigaction(SIGSYS, &sa, NULL) < 0)
		rc = -errno;
	if (rc < 0)
		snprintf(why, why_bytes, "cannot set up seccomp: %s: without it, --seccomp off",
			 strerror(-rc));
	return rc < 0 ? -1 : 0;
}

int sandbox_main(char *why, size_t why_bytes)
{
	if (sandbox == SANDBOX_OFF)
		return 0;
	rp_store(&begun, true);
	if (!prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &main_prog))
		return 0;
	snprintf(why, why_bytes, "cannot use seccomp: %s: without it, --seccomp off",
		 strerror(errno));
	return -1;
}

void sandbox_thread(void)
{
	static _Thread_local bool done;

	if (!rp_load(&begun) || done)
		return;
	done = true;
	if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &thread_prog))
		log_error("seccomp: a thread goes on without: %s", strerror(errno));
}
