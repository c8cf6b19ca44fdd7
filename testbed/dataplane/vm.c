// SPDX-License-Identifier: GPL-2.0-or-later
/* The VM that has rp-dataplane in it. */
#include "dataplane/vm.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "dataplane/guest_files.h"
#include "vm/accel.h"
#include "vm/agent.h"
#include "vm/conn.h"
#include "vm/domain.h"

#define WORDS_MAX	300u	/* of all options; with its own, vm_define() has room for 512 bytes */
#define MEMORY_MIB	256u	/* beside hugepages */
#define HUGEPAGES	16u	/* of 2 MiB, and more for each thread's queues */
#define TABLE_PAGES	34u	/* of them for the forwarder's table */
#define CARD_SLOTS	1024u	/* as many as rp-dataplane uses */
#define CARD_TABLE	128u	/* entries of the table of QEMU's card */
#define TURN_NS		(20 * NSEC_PER_SEC)
#define FAILED		"dataplane: failed: "	/* the guest's init says it */

/* ---- What can be ---- */

/* Words of a kernel's command line, which the guest's shell sees, too. */
static bool is_plain(const char *word)
{
	return *word && strspn(word, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
			       "0123456789-_.,:/") == strlen(word);
}

/* Options that name files: the guest gets copies, and is told where these are. */
static const struct file_option {
	const char *option, *at, *what;
	mode_t type;
} file_options[] = {
	{ "--http-root", "/srv/www", "directory", S_IFDIR },
	{ "--routes", "/srv/routes", "file", S_IFREG },
};

#define FILE_OPTIONS	(sizeof(file_options) / sizeof(file_options[0]))

static const struct file_option *file_option(const char *option)
{
	u32 i;

	for (i = 0; i < FILE_OPTIONS; i++)
		if (!strcmp(file_options[i].option, option))
			return &file_options[i];
	return NULL;
}

static const char *check_option(const char *option, const char *value)
{
	const struct file_option *f = file_option(option);
	struct stat st;

	if (!strcmp(option, "--serial"))
		return "--serial: in the vm lane orders come by virtio-serial anyway";
	if (f && stat(value, &st))
		return because("%s %s: %s", option, value, strerror(errno));
	if (f)
		return (st.st_mode & S_IFMT) == f->type ? NULL :
			because("%s %s: that is no %s", option, value, f->what);
	return is_plain(value) ? NULL :
		because("%s: in the vm lane only letters, digits and -_.,:/ can be handed to the "
			"guest", value);
}

static const char *check_more(const struct service_options *o)
{
	const char *why = NULL;
	size_t bytes = 0;
	u32 i;

	for (i = 0; o->more[i] && !why; i += 2) {
		why = check_option(o->more[i], o->more[i + 1]);
		if (!file_option(o->more[i]))
			bytes += strlen(o->more[i]) + strlen(o->more[i + 1]) + 2;
	}
	return why ? : bytes > WORDS_MAX ? "the options are too long to be handed to the guest" :
		NULL;
}

const char *dp_vm_check(const struct service_options *o)
{
	static const struct vm_need needs[] = {
		{ "ringpaced", "ringpaced is not built: make all" },
		{ "qemu-system-x86_64", "QEMU with RSS for vhost-user is not built: make qemu" },
		{ "guest/vmlinuz", "the guest's image is not built: make image" },
		{ "dataplane/initrd", "the VM's image is not built: make image" },
		{ NULL, NULL }
	};
	const char *uri = getenv(VM_URI_ENV), *why;

	if (uri && *uri)
		return VM_URI_ENV ": the dataplane's VM is the embedded libvirt's alone";
	if (o->groups != CARD_TABLE)
		return "--groups: the table of a VM's card has 128 entries";
	return vm_built_all(needs, &why) ? check_more(o) : why;
}

void dp_vm_name(const struct service *s, char name[DP_VM_NAME_MAX])
{
	u32 hash = 2166136261u;
	const char *p;

	/* FNV-1a. */
	for (p = s->dir; *p; p++)
		hash = (hash ^ (u8)*p) * 16777619u;
	snprintf(name, DP_VM_NAME_MAX, "dataplane-%08x", hash);
}

/* ---- libvirt ---- */

struct errand {
	const struct service *s;
	const struct service_options *o;	/* of start */
	const char *name;
	bool kvm;
	char initrd[192];		/* "": the image's */
	u64 file_bytes;			/* that it has beside that */
};

/* Others are soon done; a signal is no reason not to clean up. -1: without it. */
static int await_turn(void)
{
	const struct timespec nap = { .tv_nsec = 20000000 };
	const char *path = vm_cache_path("dataplane.lock");
	int fd = path ? open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600) : -1;
	u64 end = now_ns() + TURN_NS;

	while (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) && now_ns() < end)
		nanosleep(&nap, NULL);
	return fd;
}

static int errand(int (*run)(virConnectPtr conn, const struct errand *e), const struct errand *e)
{
	virConnectPtr conn = vm_connect(NULL, VM_STATE_KEPT);
	int rc = conn ? run(conn, e) : -1;

	vm_disconnect(conn);
	fflush(NULL);
	return rc ? 1 : 0;
}

/*
 * The embedded libvirt has its directory, that of `ringpace vm`, for itself until its process
 * has ended, and cannot be opened again by one that was refused. So a child of ours opens it,
 * one at a time: nobody has to wait while a VM boots.
 */
static int in_child(int (*run)(virConnectPtr conn, const struct errand *e),
		    const struct errand *e)
{
	int turn = await_turn(), status = 1;
	pid_t pid;

	/* Ours: it ends with us, and not with the child, which leaves without cleaning up. */
	run_dir();
	fflush(NULL);
	pid = fork();
	if (!pid)
		_exit(errand(run, e));
	if (pid < 0)
		fail("dataplane: cannot start a process for libvirt: %m");
	while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (turn >= 0)
		close(turn);
	return status ? -1 : 0;
}

/* ---- Up ---- */

static u32 hugepages(const struct service_options *o)
{
	u32 i, n = HUGEPAGES + 4 * o->threads;

	for (i = 0; o->more[i]; i += 2)
		if (!strcmp(o->more[i], "--routes"))
			return n + TABLE_PAGES;
	return n;
}

/*
 * What follows "--" the kernel hands to init, and that to rp-dataplane. A thread for each
 * CPU, unless told otherwise.
 */
static void words(const struct service_options *o, char *to, size_t size)
{
	bool cpus = false;
	int n;
	u32 i;

	n = snprintf(to, size, "no_timer_check hugepages=%u -- --threads %u --groups %u",
		     hugepages(o), o->threads, o->groups);
	for (i = 0; o->more[i]; i += 2) {
		const struct file_option *f = file_option(o->more[i]);

		cpus = cpus || !strcmp(o->more[i], "--cpus");
		n += snprintf(to + n, size - (size_t)n, " %s %s", o->more[i],
			      f ? f->at : o->more[i + 1]);
	}
	if (!cpus)
		snprintf(to + n, size - (size_t)n, " --cpus 0-%u", o->threads - 1);
}

/* What options name, in an archive of this VM's; of one given twice the last one counts. */
static int add_files(struct errand *e)
{
	struct guest_file file[FILE_OPTIONS + 1] = { 0 };
	const char *base = vm_built("dataplane/initrd", "image");
	u32 i, k, n = 0;

	for (i = 0; i < FILE_OPTIONS; i++) {
		file[n] = (struct guest_file){ .to = file_options[i].at + 1 };
		for (k = 0; e->o->more[k]; k += 2)
			if (!strcmp(e->o->more[k], file_options[i].option))
				file[n].from = e->o->more[k + 1];
		n += !!file[n].from;
	}
	if (!n)
		return 0;
	file[n].from = NULL;
	snprintf(e->initrd, sizeof(e->initrd), "%s", service_path(e->s, "initrd"));
	return base ? guest_files_write(e->initrd, base, file, &e->file_bytes) : -1;
}

static int bring_up(virConnectPtr conn, const struct errand *e)
{
	char socket[192], cmdline[WORDS_MAX + 112];
	struct vm_config vm;
	virDomainPtr dom;
	int rc;

	snprintf(socket, sizeof(socket), "%s", service_path(e->s, "b.sock"));
	words(e->o, cmdline, sizeof(cmdline));
	vm_config_default(&vm);
	vm.name = e->name;
	vm.dir = e->s->dir;
	vm.template_path = vm_built("dataplane/domain.xml.in", "all");
	vm.guest = "dataplane";
	vm.initrd = *e->initrd ? e->initrd : NULL;
	vm.cmdline = cmdline;
	vm.net_socket[0] = socket;
	vm.kvm = e->kvm;
	vm.vcpus = e->o->threads < 2 ? 2 : e->o->threads;
	/* Files are there twice while the guest unpacks them. */
	vm.memory_mib = MEMORY_MIB + 2 * hugepages(e->o) + 2 * (u32)(e->file_bytes >> 20);
	vm.queue_pairs = e->o->threads;
	vm.queue_len = CARD_SLOTS;
	dom = vm.template_path ? vm_define(conn, &vm) : NULL;
	if (!dom)
		return -1;
	rc = vm_start(dom);
	virDomainFree(dom);
	return rc;
}

/* Why its rp-dataplane does not run, if its console tells; static. */
static const char *failure(const struct service *s)
{
	static char line[256];
	FILE *f = fopen(service_path(s, "serial.log"), "re");
	bool found = false;

	while (f && !found && fgets(line, sizeof(line), f))
		found = !strncmp(line, FAILED, strlen(FAILED));
	if (f)
		fclose(f);
	line[strcspn(line, "\r\n")] = '\0';
	return found ? line + strlen(FAILED) : NULL;
}

static int not_up(const struct service *s, const struct ctl *c)
{
	const char *why = failure(s);

	if (stopped())
		return -1;
	if (why)
		return fail("dataplane: it does not start in the VM: %s", why);
	return fail("dataplane: the VM %s; its console's last line: %s",
		    c->gone ? "went off while it booted" : "did not boot in time",
		    log_tail(service_path(s, "serial.log")));
}

/* An order that is early waits in the port until somebody opens it. */
static int await_hello(const struct service *s)
{
	u64 end = now_ns() + VM_BOOT_MS * 1000000ULL;
	bool hello = false;
	struct ctl c;
	json_t *v;
	int id, rc;

	if (ctl_open(&c, service_path(s, "dataplane.ctl"), SERVICE_TIMEOUT_MS))
		return -1;
	id = ctl_send(&c, "hello", NULL);
	while (id >= 0 && !hello && !c.gone && !stopped() && !failure(s) && now_ns() < end) {
		v = ctl_next(&c, 500);
		hello = v && json_integer_value(json_object_get(v, "id")) == id;
		json_decref(v);
	}
	rc = hello ? 0 : not_up(s, &c);
	ctl_close(&c);
	return rc;
}

int dp_vm_start(const struct service *s, const struct service_options *o, const char *name)
{
	struct errand e = { .s = s, .o = o, .name = name };

	/* It may take a while. */
	if (accel_choose(NULL, &e.kvm) || add_files(&e))
		return -1;
	return in_child(bring_up, &e) ? : await_hello(s);
}

/* ---- Down ---- */

static int take_down(virConnectPtr conn, const struct errand *e)
{
	char full[DP_VM_NAME_MAX + sizeof(VM_PREFIX)];
	virDomainPtr dom;
	int rc;

	snprintf(full, sizeof(full), VM_PREFIX "%s", e->name);
	dom = virDomainLookupByName(conn, full);
	if (!dom)
		return 0;
	virDomainFree(dom);
	dom = vm_find(conn, e->name);
	if (!dom)
		return -1;
	rc = (vm_active(dom) && vm_destroy(dom)) || vm_undefine(dom) ? -1 : 0;
	virDomainFree(dom);
	return rc;
}

int dp_vm_remove(const char *name)
{
	const struct errand e = { .name = name };

	return in_child(take_down, &e);
}
