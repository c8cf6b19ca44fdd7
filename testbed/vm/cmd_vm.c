// SPDX-License-Identifier: GPL-2.0-or-later
/* `ringpace vm`: test VMs that stay until the user destroys them. */
#include <argp.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cmd.h"
#include "ctl.h"
#include "json.h"
#include "vm/accel.h"
#include "vm/agent.h"
#include "vm/conn.h"
#include "vm/console.h"
#include "vm/domain.h"

#define STOP_MS		30000

enum {
	OPT_ACCEL = 256, OPT_CONNECT, OPT_TEMPLATE, OPT_SOCKET, OPT_VCPUS, OPT_MEMORY,
	OPT_PAIRS, OPT_QUEUE_LEN, OPT_ITEM_BYTES, OPT_WAIT, OPT_JSON,
};

static const struct argp_option options[] = {
	{ NULL, 0, NULL, 0, "For define:", 1 },
	{ "template", OPT_TEMPLATE, "FILE", 0,
	  "domain XML with @WORDS@; a copy lies beside the command: domain.xml.in", 0 },
	{ "accel", OPT_ACCEL, "NAME", 0, "kvm, tcg, or auto (default: kvm if a guest boots in it)", 0 },
	{ "device-socket", OPT_SOCKET, "PATH", 0,
	  "where the device's backend listens (pc0.sock in the VM's directory)", 0 },
	{ "vcpus", OPT_VCPUS, "N", 0, "virtual CPUs (1)", 0 },
	{ "memory-mib", OPT_MEMORY, "MIB", 0, "memory, MiB (256)", 0 },
	{ "queue-pairs", OPT_PAIRS, "N", 0, "queue pairs of the device, 1..64 (1)", 0 },
	{ "queue-len", OPT_QUEUE_LEN, "SLOTS", 0, "ring size, a power of two, at most 1024 (1024)", 0 },
	{ "item-bytes", OPT_ITEM_BYTES, "BYTES", 0, "size of an item, bytes (64)", 0 },
	{ NULL, 0, NULL, 0, "For all:", 2 },
	{ "connect", OPT_CONNECT, "URI", 0,
	  "use a libvirt daemon, e.g. qemu:///session; default: the driver built into this command", 0 },
	{ "wait", OPT_WAIT, NULL, 0, "start: return when the guest's agent answers", 0 },
	{ "json", OPT_JSON, NULL, 0, "list: one JSON array", 0 },
	{ 0 }
};

struct args;

struct action {
	const char *name;
	bool named;		/* takes the name of a VM */
	int (*run)(struct args *a, virConnectPtr conn);
};

struct args {
	const struct action *action;
	struct vm_config vm;
	const char *accel, *uri, *socket;
	bool wait, json;
	char console[128];	/* of the console to attach to, after closing libvirt */
};

/* A VM's directory of sockets and log. */
static int vm_dir(const char *name, char *dir, size_t size)
{
	char leaf[VM_NAME_MAX + 8];
	const char *path;

	snprintf(leaf, sizeof(leaf), "vm-%s", name);
	path = vm_cache_path(leaf);
	if (!path)
		return -1;
	snprintf(dir, size, "%s", path);
	if (mkdir(dir, 0700) && errno != EEXIST)
		return fail("cannot make the directory %s: %m", dir);
	/* One that an earlier define opened up, with another connection. */
	if (chmod(dir, 0700))
		return fail("cannot change the directory %s: %m", dir);
	return vm_conn_share_dir(dir);
}

static int do_define(struct args *a, virConnectPtr conn)
{
	char dir[256], socket[300];
	virDomainPtr dom;

	if (vm_dir(a->vm.name, dir, sizeof(dir)) || accel_choose(a->accel, &a->vm.kvm))
		return -1;
	snprintf(socket, sizeof(socket), "%s/pc0.sock", dir);
	a->vm.dir = dir;
	a->vm.device_socket = a->socket ?: socket;
	dom = vm_define(conn, &a->vm);
	if (!dom)
		return -1;
	printf("defined %s (%s)\nlog     %s/serial.log\ndevice  %s\n", a->vm.name,
	       a->vm.kvm ? "kvm" : "tcg", dir, a->vm.device_socket);
	virDomainFree(dom);
	return 0;
}

static int with_agent(virDomainPtr dom, struct ctl *c, u32 timeout_ms)
{
	char dir[256];

	if (!vm_metadata(dom, "dir", dir, sizeof(dir)))
		return fail("the VM %s has no directory in its metadata; define it again",
			    vm_name(dom));
	return agent_open(c, dom, dir, timeout_ms);
}

static int start_domain(struct args *a, virDomainPtr dom)
{
	struct ctl c;

	if (vm_active(dom))
		return fail("the VM %s is running already", vm_name(dom));
	if (vm_start(dom))
		return -1;
	if (!a->wait)
		return 0;
	if (with_agent(dom, &c, VM_BOOT_MS))
		return -1;
	ctl_close(&c);
	return 0;
}

/* Asks the guest, which saves no state but ends its run in order. */
static int stop_domain(struct args *a, virDomainPtr dom)
{
	struct ctl c;

	if (!vm_active(dom))
		return fail("the VM %s is not running", vm_name(dom));
	if (with_agent(dom, &c, STOP_MS))
		return -1;
	ctl_send(&c, "poweroff", NULL);
	if (!vm_wait_off(dom, STOP_MS) && !stopped())
		fail("the VM %s did not power off in %d s; pull the plug: ringpace vm destroy %s",
		     vm_name(dom), STOP_MS / 1000, vm_name(dom));
	ctl_close(&c);
	return vm_active(dom) ? -1 : 0;
}

static int destroy_domain(struct args *a, virDomainPtr dom)
{
	return vm_active(dom) ? vm_destroy(dom) : fail("the VM %s is not running", vm_name(dom));
}

static int undefine_domain(struct args *a, virDomainPtr dom)
{
	char file[300], dir[256];
	static const char *const leaf[] = { "serial.log", "agent.sock", "pc0.sock" };
	u32 i;

	if (vm_active(dom))
		return fail("the VM %s is running; stop or destroy it first", vm_name(dom));
	if (vm_undefine(dom) || vm_dir(a->vm.name, dir, sizeof(dir)))
		return -1;
	for (i = 0; i < 3; i++) {
		snprintf(file, sizeof(file), "%s/%s", dir, leaf[i]);
		unlink(file);
	}
	rmdir(dir);
	return 0;
}

static int console_domain(struct args *a, virDomainPtr dom)
{
	if (!vm_active(dom))
		return fail("the VM %s is not running", vm_name(dom));
	return console_pty(dom, a->console, sizeof(a->console));
}

static int on_domain(struct args *a, virConnectPtr conn,
		     int (*fn)(struct args *a, virDomainPtr dom))
{
	virDomainPtr dom = vm_find(conn, a->vm.name);
	int rc;

	if (!dom)
		return -1;
	rc = fn(a, dom);
	virDomainFree(dom);
	return rc;
}

#define ON_DOMAIN(name) \
static int do_##name(struct args *a, virConnectPtr conn) \
{ \
	return on_domain(a, conn, name##_domain); \
}

ON_DOMAIN(start)
ON_DOMAIN(stop)
ON_DOMAIN(destroy)
ON_DOMAIN(undefine)
ON_DOMAIN(console)

static void list_one(struct table *t, json_t *all, virDomainPtr dom, const char *owner)
{
	const char *state = vm_active(dom) ? "running" : "off";
	char dir[256] = "";

	vm_metadata(dom, "dir", dir, sizeof(dir));
	json_array_append_new(all, json_pack("{s:s, s:s, s:s, s:s}", "name", vm_name(dom),
					     "state", state, "owner", owner, "dir", dir));
	table_cell(t, "%s", vm_name(dom));
	table_cell(t, "%s", state);
	table_cell(t, "%s", owner);
	table_cell(t, "%s", dir);
}

static int do_list(struct args *a, virConnectPtr conn)
{
	static const char *const heading[] = { "name", "state", "owner", "directory" };
	struct table *t = table_new(4);
	json_t *all = json_array();
	virDomainPtr *doms;
	char owner[64];
	int i, n = virConnectListAllDomains(conn, &doms, 0);

	for (i = 0; i < 4; i++)
		table_cell(t, "%s", heading[i]);
	for (i = 0; i < n; i++) {
		if (vm_metadata(doms[i], "owner", owner, sizeof(owner)))
			list_one(t, all, doms[i], owner);
		virDomainFree(doms[i]);
	}
	if (n >= 0)
		free(doms);
	if (a->json)
		json_print(json_incref(all), stdout);
	else
		table_print(t, stdout);
	json_decref(all);
	table_free(t);
	return n < 0 ? fail("cannot list the VMs: %s", vm_why()) : 0;
}

static const struct action actions[] = {
	{ "define", true, do_define },
	{ "start", true, do_start },
	{ "stop", true, do_stop },
	{ "destroy", true, do_destroy },
	{ "undefine", true, do_undefine },
	{ "list", false, do_list },
	{ "console", true, do_console },
};

static const struct action *find_action(struct argp_state *state, const char *name)
{
	u32 i;

	for (i = 0; i < sizeof(actions) / sizeof(actions[0]); i++)
		if (!strcmp(actions[i].name, name))
			return &actions[i];
	argp_error(state, "%s: not one of define, start, stop, destroy, undefine, list, console",
		   name);
	return NULL;
}

static u32 number(struct argp_state *state, const char *opt, const char *arg)
{
	char *end;
	unsigned long v;

	errno = 0;
	v = strtoul(arg, &end, 10);
	if (*arg < '0' || *arg > '9' || *end || errno || v > 1 << 30)
		argp_error(state, "--%s %s: not a whole number", opt, arg);
	return (u32)v;
}

static error_t argument(struct args *a, char *arg, struct argp_state *state)
{
	if (!a->action)
		a->action = find_action(state, arg);
	else if (a->action->named && !a->vm.name)
		a->vm.name = arg;
	else
		argp_error(state, "%s: one argument too many", arg);
	return 0;
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct args *a = state->input;

	switch (key) {
	case OPT_ACCEL: a->accel = arg; break;
	case OPT_CONNECT: a->uri = arg; break;
	case OPT_TEMPLATE: a->vm.template_path = arg; break;
	case OPT_SOCKET: a->socket = arg; break;
	case OPT_VCPUS: a->vm.vcpus = number(state, "vcpus", arg); break;
	case OPT_MEMORY: a->vm.memory_mib = number(state, "memory-mib", arg); break;
	case OPT_PAIRS: a->vm.queue_pairs = number(state, "queue-pairs", arg); break;
	case OPT_QUEUE_LEN: a->vm.queue_len = number(state, "queue-len", arg); break;
	case OPT_ITEM_BYTES: a->vm.item_bytes = number(state, "item-bytes", arg); break;
	case OPT_WAIT: a->wait = true; break;
	case OPT_JSON: a->json = true; break;
	case ARGP_KEY_ARG: return argument(a, arg, state);
	case ARGP_KEY_END:
		if (!a->action)
			argp_error(state, "what to do? define, start, stop, destroy, undefine, "
				   "list or console");
		else if (a->action->named && !a->vm.name)
			argp_error(state, "%s: which VM?", a->action->name);
		break;
	default:
		return ARGP_ERR_UNKNOWN;
	}
	return 0;
}

static const struct argp argp = {
	.options = options,
	.parser = parse,
	.args_doc = "define|start|stop|destroy|undefine|console NAME\nlist",
	.doc = "Defines and runs test VMs with a virtio-pc device.\v"
	"define makes or changes a VM, start boots it, stop asks its guest to power off, destroy "
	"pulls the plug, undefine forgets it, console joins its serial line (Ctrl-] leaves).\n\n"
	"Example:\n\n"
	"  ringpace vm define t1 --memory-mib 512\n"
	"  ringpace vm start t1 --wait && ringpace vm console t1\n\n"
	"The device works while a ringpaced listens at the socket that define prints. VMs of a "
	"`ringpace run` are its own and end with it.",
};

static int run(int argc, char **argv)
{
	struct args a = { 0 };
	virConnectPtr conn;
	const char *why;
	int rc;

	vm_config_default(&a.vm);
	argp_parse(&argp, argc, argv, 0, NULL, &a);
	why = a.action->named ? vm_config_check(&a.vm) : NULL;
	if (why) {
		fail("%s %s: %s", a.action->name, a.vm.name, why);
		return EXIT_USAGE;
	}
	catch_signals();
	conn = vm_connect(a.uri, VM_STATE_KEPT);
	if (!conn)
		return 1;
	if (vm_conn_is_remote())
		vm_clean_domains(conn);
	rc = a.action->run(&a, conn);
	vm_disconnect(conn);
	if (!rc && a.console[0])
		rc = console_attach(a.console);
	return rc ? stopped() ? EXIT_STOPPED : 1 : 0;
}

const struct cmd cmd_vm = {
	.name = "vm",
	.summary = "define, start, stop and watch test VMs",
	.run = run,
};
