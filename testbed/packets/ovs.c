// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Open vSwitch with DPDK as a forwarder: a bridge with a flow from each of two
 * vhost-user ports to the other.
 *
 * Its database, its daemon and their sockets are our own, in the run directory, and live
 * as long as the benchmark; ports come and go with each measurement, since the thread
 * that polls them is only there while there are any. The datapath is the one in user
 * space under its type "dummy", in which the bridge's own port is no tap of the host's:
 * it needs neither rights nor huge pages, and nobody sees an interface of ours.
 */
#include <stdlib.h>
#include <unistd.h>

#include "packets/forwarder.h"

#define PROGRAM		"/usr/lib/openvswitch-switch-dpdk/ovs-vswitchd-dpdk"
#define SCHEMA		"/usr/share/openvswitch/vswitch.ovsschema"
#define PACKAGE		"openvswitch-switch-dpdk"
#define BRIDGE		"br0"
/* Its ports' names are those of their sockets. */
#define PORTS		"ovs"		/* .name below */
#define QUIET		"-vconsole:warn"

/*
 * Without huge pages, which a host has to be set up for, DPDK's memory is of the kind that
 * is made at the start; OVS adds --in-memory, which that is not, unless --legacy-mem says so.
 * A pool that all ports share would have 262144 buffers, which take half a minute to make of
 * small pages; one of a port has 20000.
 */
#define DPDK_ARGS	"other_config:dpdk-extra=--no-huge --legacy-mem -m 512 --no-pci --no-telemetry"
#define DPDK_POOLS	"other_config:per-port-memory=true"

/* Where it looks for what is its own: neither to find nor to change what is the host's. */
static int set_directories(void)
{
	static const char *const names[] = {
		"OVS_RUNDIR", "OVS_LOGDIR", "OVS_DBDIR", "OVS_SYSCONFDIR",
	};
	const char *dir = run_dir();
	size_t i;

	for (i = 0; dir && i < sizeof(names) / sizeof(*names); i++)
		if (setenv(names[i], dir, 1))
			return fail("cannot set %s: %m", names[i]);
	return dir ? 0 : -1;
}

static const char *database(void)
{
	static char remote[200];

	snprintf(remote, sizeof(remote), "unix:%s", run_path("ovs-db.sock"));
	return remote;
}

/* A command of OVS's, with its arguments, which NULL ends. */
static int call(struct forwarder *f, const char *const argv[])
{
	if (!child_run((char *const *)argv, f->log))
		return 0;
	return stopped() ? -1 : fail("bench packets: %s failed: %s", argv[0], log_tail(f->log));
}

static int await_file(struct forwarder *f, pid_t pid, const char *path)
{
	u64 end = now_ns() + FORWARDER_START_NS;

	while (access(path, F_OK)) {
		if (!child_alive(pid) || now_ns() > end)
			return fail("Open vSwitch does not start: %s", log_tail(f->log));
		if (!nap_ms(5))
			return -1;
	}
	return 0;
}

static int start_database(struct forwarder *f)
{
	const char *const create[] = { "ovsdb-tool", "create", run_path("ovs.db"), SCHEMA, NULL };
	char remote[220];
	const char *const serve[] = {
		"ovsdb-server", create[2], remote, "--unixctl", run_path("ovs-db.ctl"), QUIET, NULL
	};

	snprintf(remote, sizeof(remote), "--remote=p%s", database());
	if (call(f, create))
		return -1;
	f->database = child_start((char *const *)serve, f->log);
	return f->database < 0 ? -1 :
		await_file(f, f->database, run_path("ovs-db.sock"));
}

/* In hexadecimal, a digit for four CPUs: of 0 a precision makes as many zeros as it says. */
static void say_mask(char *arg, size_t bytes, const char *key, int cpu)
{
	snprintf(arg, bytes, "other_config:%s=0x%x%.*d", key, 1u << cpu % 4, cpu / 4, 0);
}

/* What the daemon is to find when it starts. */
static int configure(struct forwarder *f)
{
	char pmd[320], others[320];
	const char *const argv[] = {
		"ovs-vsctl", "--no-wait", "--db", database(), "--", "init", "--",
		"set", "Open_vSwitch", ".", "other_config:dpdk-init=true", DPDK_ARGS, DPDK_POOLS,
		pmd, others,
		"--", "add-br", BRIDGE, "--", "set", "Bridge", BRIDGE, "datapath_type=dummy",
		"fail_mode=secure", NULL
	};

	say_mask(pmd, sizeof(pmd), "pmd-cpu-mask", nth_cpu(1));
	say_mask(others, sizeof(others), "dpdk-lcore-mask", nth_cpu(0));
	return call(f, argv);
}

static int add_flows(struct forwarder *f)
{
	static const char *const flows[] = { "in_port=1,actions=output:2", "in_port=2,actions=output:1" };
	const char *bridge = run_path(BRIDGE ".mgmt");
	char target[200];
	int rc;
	u32 i;

	snprintf(target, sizeof(target), "unix:%s", bridge);
	rc = await_file(f, f->pid, bridge);
	for (i = 0; i < 2 && !rc; i++) {
		const char *const argv[] = { "ovs-ofctl", "add-flow", target, flows[i], NULL };

		rc = call(f, argv);
	}
	return rc;
}

static int start_daemon(struct forwarder *f)
{
	const char *const argv[] = {
		PROGRAM, database(), "--no-chdir", "--enable-dummy", "--unixctl",
		run_path("ovs.ctl"), QUIET, NULL
	};

	f->pid = child_start((char *const *)argv, f->log);
	return f->pid < 0 ? -1 : 0;
}

static int open_ovs(struct forwarder *f)
{
	if (access(PROGRAM, X_OK) || access(SCHEMA, R_OK))
		return fail("Open vSwitch with DPDK is not there: apt install " PACKAGE);
	return forwarder_paths(f) || set_directories() || start_database(f) ||
		configure(f) || start_daemon(f) || add_flows(f) ? -1 : 0;
}

static void close_ovs(struct forwarder *f)
{
	child_stop(f->pid);
	child_stop(f->database);
	f->pid = f->database = -1;
}

/*
 * ovs-vsctl returns when the daemon has done it. The ports are those with a socket that
 * the guest connects to; OVS has the same with the parts changed (dpdkvhostuserclient),
 * for VMs that outlive it.
 */
static int start(struct forwarder *f, const struct forward_load *l, u32 batch)
{
	char sleep[64];
	const char *const argv[] = {
		"ovs-vsctl", "--db", database(), "--timeout=60",
		"--", "set", "Open_vSwitch", ".", sleep,
		"--", "add-port", BRIDGE, PORTS "0",
		"--", "set", "Interface", PORTS "0", "type=dpdkvhostuser", "ofport_request=1",
		"--", "add-port", BRIDGE, PORTS "1",
		"--", "set", "Interface", PORTS "1", "type=dpdkvhostuser", "ofport_request=2",
		NULL
	};

	snprintf(sleep, sizeof(sleep), "other_config:pmd-maxsleep=%u",
		 l->percent ? f->params->ovs_sleep_us : 0);
	return call(f, argv) || forwarder_await(f, f->pid) ? -1 : 0;
}

static void stop(struct forwarder *f)
{
	const char *const argv[] = {
		"ovs-vsctl", "--db", database(), "--timeout=60",
		"--", "--if-exists", "del-port", BRIDGE, PORTS "0",
		"--", "--if-exists", "del-port", BRIDGE, PORTS "1", NULL
	};

	/* Who is to end ends the daemon. */
	if (!stopped())
		call(f, argv);
}

const struct forwarder_ops forwarder_ovs = {
	.name = "ovs",
	.open = open_ovs,
	.close = close_ovs,
	.start = start,
	.stop = stop,
};
