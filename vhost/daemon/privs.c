// SPDX-License-Identifier: GPL-2.0-or-later
/* Becoming somebody with fewer rights. */
#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "privs.h"
#include "rp.h"
#include "sock/sock.h"

static int fail(char *why, size_t why_bytes, const char *user, const char *what)
{
	snprintf(why, why_bytes, "--user %s: %s: %s", user, what, strerror(errno));
	return -1;
}

static bool is_kept(unsigned long cap, const int *keep, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		if ((unsigned long)keep[i] == cap)
			return true;
	return false;
}

/* All but those of @keep. */
static int drop_bounding_set(const int *keep, size_t n)
{
	unsigned long cap;

	for (cap = 0; prctl(PR_CAPBSET_READ, cap) >= 0; cap++)
		if (!is_kept(cap, keep, n) && prctl(PR_CAPBSET_DROP, cap) < 0)
			return -1;
	return 0;
}

int privs_begin(const char *user, char *why, size_t why_bytes)
{
	const struct passwd *pw = user ? getpwnam(user) : NULL;

	if (prctl(PR_SET_NO_NEW_PRIVS, 1UL, 0UL, 0UL, 0UL) < 0) {
		snprintf(why, why_bytes, "cannot set no_new_privs: %s", strerror(errno));
		return -1;
	}
	if (!user)
		return 0;
	if (!pw) {
		snprintf(why, why_bytes, "--user %s: there is no such user", user);
		return -1;
	}
	/* That user already, with the rights that were given to it. */
	if (pw->pw_uid == geteuid())
		return 0;
	if (geteuid()) {
		snprintf(why, why_bytes, "--user %s: only root can become another user: start it "
			 "as root, or as that user without --user", user);
		return -1;
	}
	sock_set_owner(pw->pw_uid);
	return drop_bounding_set(NULL, 0) < 0 ?
		fail(why, why_bytes, user, "cannot drop capabilities") : 0;
}

/* The user's groups and @gid. */
static int set_groups(const struct passwd *pw, gid_t gid)
{
	int n = 64;
	gid_t *groups = malloc(((size_t)n + 1) * sizeof(*groups));
	int rc = -1;

	if (groups && getgrouplist(pw->pw_name, pw->pw_gid, groups, &n) >= 0) {
		if (gid != (gid_t)-1)
			groups[n++] = gid;
		rc = setgroups((size_t)n, groups);
	} else if (groups) {
		errno = E2BIG;
	}
	free(groups);
	return rc;
}

/* Of this thread: those of others went with user 0. */
static int drop_capabilities(void)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = { 0 };

	return (int)syscall(SYS_capset, &head, none);
}

int privs_drop(const char *user, gid_t gid, char *why, size_t why_bytes)
{
	const struct passwd *pw = user ? getpwnam(user) : NULL;

	if (!user)
		return 0;
	if (!pw)
		return fail(why, why_bytes, user, "cannot be found any more");
	if (pw->pw_uid == geteuid())
		return 0;
	if (set_groups(pw, gid) < 0)
		return fail(why, why_bytes, user, "cannot take its groups");
	if (setresgid(pw->pw_gid, pw->pw_gid, pw->pw_gid) < 0 ||
	    setresuid(pw->pw_uid, pw->pw_uid, pw->pw_uid) < 0)
		return fail(why, why_bytes, user, "cannot become it");
	if (setresuid(0, 0, 0) == 0) {
		errno = EPERM;
		return fail(why, why_bytes, user, "there is a way back to root");
	}
	return drop_capabilities() < 0 ?
		fail(why, why_bytes, user, "cannot give up capabilities") : 0;
}

static int keep_capabilities(const int *keep, size_t n)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct cap[_LINUX_CAPABILITY_U32S_3] = { 0 };
	u32 mask[_LINUX_CAPABILITY_U32S_3] = { 0 }, i;

	if (syscall(SYS_capget, &head, cap) < 0)
		return -1;
	for (i = 0; i < n; i++)
		mask[keep[i] / 32] |= 1U << keep[i] % 32;
	for (i = 0; i < _LINUX_CAPABILITY_U32S_3; i++) {
		cap[i].permitted &= mask[i];
		cap[i].effective = cap[i].permitted;
		cap[i].inheritable = 0;
	}
	return (int)syscall(SYS_capset, &head, cap);
}

int privs_keep(const int *keep, size_t n, char *why, size_t why_bytes)
{
	const char *what = NULL;

	if (prctl(PR_SET_NO_NEW_PRIVS, 1UL, 0UL, 0UL, 0UL) < 0)
		what = "cannot set no_new_privs";
	/* Who may not drop from it has nothing to gain by it. */
	else if (prctl(PR_CAPBSET_READ, 0UL) >= 0 && drop_bounding_set(keep, n) < 0 && errno != EPERM)
		what = "cannot drop capabilities from the bounding set";
	else if (keep_capabilities(keep, n) < 0)
		what = "cannot give up capabilities";
	if (what)
		snprintf(why, why_bytes, "%s: %s", what, strerror(errno));
	return what ? -1 : 0;
}
