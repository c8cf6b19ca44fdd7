// SPDX-License-Identifier: GPL-2.0-or-later
/* Opens libvirt: the driver embedded in this process, or a daemon. */
#include "vm/conn.h"

#include <errno.h>
#include <grp.h>
#include <libvirt/virterror.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "vm/accel.h"

/*
 * QEMU's monitor socket, ROOT/lib/qemu/domain-N-NAME/monitor.sock, must fit
 * into 107 bytes; libvirt cuts a domain's name to 20 characters for it.
 */
#define ROOT_MAX	56

static char root[192];		/* of the embedded driver; "" with a daemon */
static bool remote, session;
static bool embedded;		/* opened once, in this process */
static pthread_t loop_thread;
static bool loop_runs;
static int loop_timer = -1;
static char last_error[512];

/* ---- The event loop, which libvirt needs for monitors and streams ---- */

static void *event_loop(void *arg)
{
	while (rp_load_acquire(&loop_runs))
		virEventRunDefaultImpl();
	return NULL;
}

static void tick(int timer, void *opaque)
{
}

/* Signals stay with the main thread. */
static int loop_start(void)
{
	sigset_t all, old;
	int rc;

	/* A timer, so that the loop looks at its flag now and then. */
	loop_timer = virEventAddTimeout(200, tick, NULL, NULL);
	loop_runs = true;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	rc = pthread_create(&loop_thread, NULL, event_loop, NULL);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (!rc)
		return 0;
	loop_runs = false;
	return fail("cannot start libvirt's event thread: %s", strerror(rc));
}

static void loop_stop(void)
{
	if (!loop_runs)
		return;
	rp_store_release(&loop_runs, false);
	virEventUpdateTimeout(loop_timer, 0);	/* wakes the loop */
	pthread_join(loop_thread, NULL);
	virEventRemoveTimeout(loop_timer);
}

/* ---- Errors ---- */

/* libvirt would print each error; we print those that matter, with context. */
static void on_error(void *opaque, virErrorPtr err)
{
	snprintf(last_error, sizeof(last_error), "%s",
		 err && err->message ? err->message : "no reason given");
	for (char *p = last_error; (p = strchr(p, '\n')); )
		*p = ' ';
}

const char *vm_why(void)
{
	return last_error[0] ? last_error : "libvirt gives no reason";
}

const char *vm_libvirt_log(void)
{
	static char path[256];

	snprintf(path, sizeof(path), "%s/libvirt.log", root);
	return root[0] ? path : NULL;
}

const char *vm_qemu_log(const char *name)
{
	static char path[256];

	snprintf(path, sizeof(path), "%s/log/qemu/%s.log", root, name);
	return root[0] ? path : NULL;
}

bool vm_conn_is_remote(void)
{
	return remote;
}

const char *vm_conn_group(void)
{
	return remote && !session ? VM_QEMU_GROUP : NULL;
}

/*
 * In the directory are the sockets of device and agent: whoever reaches them
 * can make ringpaced and the guest do things.
 */
int vm_conn_share_dir(const char *dir)
{
	const struct group *g;

	if (!vm_conn_group())
		return 0;
	g = getgrnam(VM_QEMU_GROUP);
	if (!g)
		return fail("cannot let libvirt's QEMU into %s: there is no group %s; use a "
			    "session's daemon: qemu:///session", dir, VM_QEMU_GROUP);
	if (chown(dir, (uid_t)-1, g->gr_gid) || chmod(dir, 0770))
		return fail("cannot let libvirt's QEMU into %s: %m; be root or in the group %s, "
			    "or use a session's daemon: qemu:///session", dir, VM_QEMU_GROUP);
	return 0;
}

/* ---- Directories ---- */

static int make_dir(const char *path)
{
	if (!mkdir(path, 0700) || errno == EEXIST)
		return 0;
	return fail("cannot make the directory %s: %m", path);
}

/* "" after fail(). The cache's own parent may be missing in a bare home. */
static const char *cache_dir(void)
{
	static char dir[256];
	const char *base = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");

	if (base && *base)
		snprintf(dir, sizeof(dir), "%s", base);
	else
		snprintf(dir, sizeof(dir), "%s/.cache", home && *home ? home : "/tmp");
	if (make_dir(dir))
		return "";
	strncat(dir, "/ringpace", sizeof(dir) - strlen(dir) - 1);
	return make_dir(dir) ? "" : dir;
}

const char *vm_cache_path(const char *name)
{
	static char path[512];
	const char *dir = cache_dir();

	if (!*dir)
		return NULL;
	snprintf(path, sizeof(path), "%s/%s", dir, name);
	return path;
}

/*
 * Settings of the embedded driver. QEMU runs as we do; it is confined by
 * nothing but that, since labels, namespaces and control groups are the host's
 * libvirt's to manage. Its output goes to a file: the log daemon is no part of
 * the embedded driver.
 */
static int write_conf(void)
{
	char path[256];
	FILE *f;

	snprintf(path, sizeof(path), "%s/etc", root);
	if (make_dir(path))
		return -1;
	strcat(path, "/qemu.conf");
	f = fopen(path, "we");
	if (!f)
		return fail("cannot write %s: %m", path);
	fprintf(f, "stdio_handler = \"file\"\n"
		"security_driver = \"none\"\n"
		"namespaces = [ ]\n"
		"cgroup_controllers = [ ]\n"
		"dynamic_ownership = 0\n"
		"remember_owner = 0\n"
		"user = \"+%d\"\n"
		"group = \"+%d\"\n", (int)geteuid(), (int)getegid());
	return fclose(f) ? fail("cannot write %s: %m", path) : 0;
}

/*
 * What libvirt found out about an emulator (seconds of probing) is kept for
 * all runs; libvirt checks by itself whether it still holds.
 */
static int share_capabilities(void)
{
	const char *kept = vm_cache_path("libvirt-cache");
	char path[256];

	if (!kept || make_dir(kept))
		return -1;
	snprintf(path, sizeof(path), "%s/cache", root);
	if (symlink(kept, path) && errno != EEXIST)
		return fail("cannot link %s: %m", path);
	return 0;
}

static int prepare_root(enum vm_state_dir state)
{
	const char *dir = state == VM_STATE_RUN ? run_path("libvirt") :
						  vm_cache_path("vm");

	if (!dir)
		return -1;
	if (strlen(dir) > ROOT_MAX)
		return fail("libvirt's state directory %s: %zu bytes are too many for the sockets "
			    "in it (at most %d); set XDG_CACHE_HOME to a shorter path", dir,
			    strlen(dir), ROOT_MAX);
	snprintf(root, sizeof(root), "%s", dir);
	return make_dir(root) || write_conf() || share_capabilities() ? -1 : 0;
}

/* ---- Open and close ---- */

static int init_once(void)
{
	static bool done;
	char outputs[280];

	if (done)
		return 0;
	/* Before the first call into libvirt, which reads it once. */
	if (root[0]) {
		unlink(vm_libvirt_log());	/* what is kept would grow for ever */
		snprintf(outputs, sizeof(outputs), "3:file:%s", vm_libvirt_log());
		setenv("LIBVIRT_LOG_OUTPUTS", outputs, 0);
	}
	virSetErrorFunc(NULL, on_error);
	if (virInitialize() < 0 || virEventRegisterDefaultImpl() < 0)
		return fail("cannot start libvirt: %s", vm_why());
	done = true;
	return 0;
}

/*
 * The embedded driver leaves threads of its own behind (they look at the host
 * for a domain that they found running) and does not wait for them. exit()
 * would run the libraries' destructors under their feet, which crashes now and
 * then: having opened the driver, a process ends without them.
 */
static void leave(int status, void *unused)
{
	if (!embedded)
		return;
	fflush(NULL);
	_exit(status);
}

/* Before main(): what is registered first runs last, after all our own. */
__attribute__((constructor)) static void leave_last(void)
{
	on_exit(leave, NULL);
}

virConnectPtr vm_connect(const char *uri, enum vm_state_dir state)
{
	char embed[256];
	virConnectPtr conn;

	if (!uri || !*uri)
		uri = getenv(VM_URI_ENV);
	remote = uri && *uri;
	session = remote && strstr(uri, "/session");
	root[0] = 0;
	if (!remote && prepare_root(state))
		return NULL;
	if (!remote)
		accel_hide_broken_kvm();
	snprintf(embed, sizeof(embed), "qemu:///embed?root=%s", root);
	embedded = embedded || !remote;
	if (init_once() || loop_start())
		return NULL;
	conn = virConnectOpen(remote ? uri : embed);
	if (conn)
		return conn;
	loop_stop();
	fail("cannot open libvirt (%s): %s%s", remote ? uri : embed, vm_why(),
	     remote ? "" : "; another ringpace may be using this directory: wait for it to end");
	return NULL;
}

void vm_disconnect(virConnectPtr conn)
{
	if (!conn)
		return;
	virConnectClose(conn);
	loop_stop();
}
