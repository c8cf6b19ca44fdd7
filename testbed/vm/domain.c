// SPDX-License-Identifier: GPL-2.0-or-later
/* The life of a test VM: from the template to the plug. */
#include "vm/domain.h"

#include <dirent.h>
#include <errno.h>
#include <libvirt/virterror.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "virtio_pc.h"
#include "vm/conn.h"
#include "vm/xml.h"

#define TEMPLATE_MAX	65536

/*
 * tsc=reliable: no watchdog that under TCG would find the counter unstable,
 * since time stamps are taken from it. The rest saves boot time. pci=...: what KVM in
 * L1 shows is an AMD with a GART; the kernel would look for an AGP bridge on each of 256
 * buses, twice, and for root buses that ACPI does not tell of: 25 000 functions, each two
 * exits. loglevel: a character on the console is two exits, too.
 */
#define CMDLINE \
	"console=ttyS0 panic=-1 tsc=reliable mitigations=off audit=0 apparmor=0 " \
	"random.trust_cpu=on loglevel=4 pci=noearly,lastbus=0"

void vm_config_default(struct vm_config *c)
{
	*c = (struct vm_config) {
		.guest = "guest",
		.cmdline = "",
		.vcpus = 1,
		.memory_mib = 256,
		.queue_pairs = 1,
		.queue_len = 1024,
		.item_bytes = 64,
	};
}

const char *vm_config_check(const struct vm_config *c)
{
	size_t n = strlen(c->name);

	if (!n || n > VM_NAME_MAX ||
	    strspn(c->name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-") != n)
		return "the name must have 1 to 32 letters, digits, - or _";
	if (c->vcpus < 1 || c->vcpus > 64)
		return "--vcpus is not in 1..64";
	if (c->memory_mib < 64 || c->memory_mib > 1 << 20)
		return "--memory-mib is not in 64..1048576 MiB";
	if (c->queue_pairs < 1 || c->queue_pairs > VIRTIO_PC_PAIRS_MAX)
		return "--queue-pairs is not in 1..64";
	if (c->queue_len > VM_QUEUE_MAX)
		return "--queue-len: the vm lane takes at most 1024 slots";
	if (c->queue_len < VIRTIO_PC_QUEUE_MIN || c->queue_len & (c->queue_len - 1))
		return "--queue-len is not a power of two in 2..1024 slots";
	if (c->item_bytes < VIRTIO_PC_ITEM_MIN_BYTES || c->item_bytes > VIRTIO_PC_ITEM_MAX_BYTES)
		return "--item-bytes is not in 32..65536 bytes";
	return NULL;
}

/*
 * Sanitized builds live one directory further down and use the same guest and
 * emulator. The path is resolved: libvirt and QEMU see files, not links into
 * the cache that a rebuild moves.
 */
const char *vm_built_find(const char *name)
{
	static const char *const up[] = { "", "../" };
	static char ring[4][512];
	static u32 next;
	char self[300], path[400], *slash, *out = ring[next++ % 4], *real;
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);
	u32 i;

	self[n > 0 ? n : 0] = 0;
	slash = strrchr(self, '/');
	if (slash)
		slash[1] = 0;
	for (i = 0; i < 2; i++) {
		snprintf(path, sizeof(path), "%s%s%s", self, up[i], name);
		real = realpath(path, NULL);
		if (!real)
			continue;
		snprintf(out, sizeof(ring[0]), "%s", real);
		free(real);
		return out;
	}
	return NULL;
}

bool vm_built_all(const struct vm_need *needs, const char **why)
{
	for (; needs->file; needs++)
		if (!vm_built_find(needs->file)) {
			*why = needs->why;
			return false;
		}
	return true;
}

const char *vm_built(const char *name, const char *target)
{
	const char *path = vm_built_find(name);

	if (!path)
		fail("build/%s is not there; make it with `make %s`", name, target);
	return path;
}

static char *read_text(const char *path)
{
	FILE *f = fopen(path, "re");
	char *text = calloc(1, TEMPLATE_MAX + 1);
	size_t n;

	if (!f || !text) {
		fail("cannot read the domain template %s: %m", path);
		free(text);
		text = NULL;
	} else {
		n = fread(text, 1, TEMPLATE_MAX + 1, f);
		if (n > TEMPLATE_MAX) {
			fail("the domain template %s has more than %d bytes", path, TEMPLATE_MAX);
			free(text);
			text = NULL;
		}
	}
	if (f)
		fclose(f);
	return text;
}

static const char *template_path(const struct vm_config *c)
{
	const char *path = c->template_path ?: getenv(VM_TEMPLATE_ENV);

	return path && *path ? path : vm_built("domain.xml.in", "all");
}

#define NUMBER(name, v) char name[16]; snprintf(name, sizeof(name), "%u", v)

/* The kernel's backend has no socket; what the template says is then a dead end. */
static void chardev_args(const struct vm_config *c, char *args, size_t size)
{
	if (c->device_socket)
		snprintf(args, size, "socket,id=ringpace-pc0,path=%s,reconnect=1", c->device_socket);
	else
		snprintf(args, size, "null,id=ringpace-pc0");
}

static const char *guest_initrd(const struct vm_config *c)
{
	char name[64];

	if (c->initrd)
		return c->initrd;
	snprintf(name, sizeof(name), "%s/initrd", c->guest);
	return vm_built(name, "image");
}

static char *domain_xml(const struct vm_config *c)
{
	const char *template = template_path(c);
	const char *kernel = vm_built("guest/vmlinuz", "image");
	const char *initrd = guest_initrd(c);
	const char *emulator = vm_built("qemu-system-x86_64", "qemu");
	char full[VM_NAME_MAX + sizeof(VM_PREFIX)], uuid[37], unknown[32], chardev[300];
	char cmdline[512];
	char *text, *xml;
	NUMBER(memory, c->memory_mib);
	NUMBER(vcpus, c->vcpus);
	NUMBER(vcpus_max, c->vcpus > 1 ? c->vcpus : 2);
	NUMBER(pairs, c->queue_pairs);
	NUMBER(len, c->queue_len);
	NUMBER(item, c->item_bytes);

	if (!template || !kernel || !initrd || !emulator)
		return NULL;
	snprintf(full, sizeof(full), VM_PREFIX "%s", c->name);
	xml_uuid(full, uuid);
	chardev_args(c, chardev, sizeof(chardev));
	snprintf(cmdline, sizeof(cmdline), CMDLINE "%s%s", *c->cmdline ? " " : "", c->cmdline);
	text = read_text(template);
	if (!text)
		return NULL;
	xml = xml_fill(text, (const struct xml_var[]) {
		{ "TYPE", c->kvm ? "kvm" : "qemu" }, { "NAME", full }, { "UUID", uuid },
		{ "OWNER", c->owned ? vm_owner_self() : "none" }, { "DIR", c->dir },
		{ "MEMORY_MIB", memory }, { "VCPUS", vcpus },
		{ "VCPUS_MAX", vcpus_max }, { "KERNEL", kernel }, { "INITRD", initrd },
		{ "CMDLINE", cmdline }, { "EMULATOR", emulator },
		{ "DEVICE_CHARDEV", chardev }, { "DEVICE_SOCKET", c->device_socket ?: "" },
		{ "DEVICE_BACKEND", c->device_socket ? "chardev=ringpace-pc0" : "vhost=on" },
		{ "NET_SOCKET_0", c->net_socket[0] ?: "" }, { "NET_SOCKET_1", c->net_socket[1] ?: "" },
		{ "QUEUE_PAIRS", pairs },
		{ "QUEUE_LEN", len }, { "ITEM_BYTES", item }, { NULL, NULL } }, unknown);
	free(text);
	if (!xml)
		fail("the domain template %s has an unknown word @%s@; the words are in the "
		     "template that came with ringpace", template, unknown);
	return xml;
}

virDomainPtr vm_define(virConnectPtr conn, const struct vm_config *c)
{
	char *xml = domain_xml(c);
	virDomainPtr dom;

	if (!xml)
		return NULL;
	dom = virDomainDefineXMLFlags(conn, xml, VIR_DOMAIN_DEFINE_VALIDATE);
	free(xml);
	if (!dom)
		fail("cannot define the VM %s: %s", c->name, vm_why());
	return dom;
}

const char *vm_name(virDomainPtr dom)
{
	const char *name = virDomainGetName(dom);

	return strncmp(name, VM_PREFIX, strlen(VM_PREFIX)) ? name : name + strlen(VM_PREFIX);
}

bool vm_metadata(virDomainPtr dom, const char *attr, char *out, size_t size)
{
	char *xml = virDomainGetMetadata(dom, VIR_DOMAIN_METADATA_ELEMENT, VM_METADATA_NS, 0);
	char key[32], *value, quote;
	size_t n;

	snprintf(key, sizeof(key), " %s=", attr);
	value = xml ? strstr(xml, key) : NULL;
	if (value) {
		value += strlen(key);
		quote = *value++;
		n = strcspn(value, quote == '"' ? "\"" : "'");
		snprintf(out, size, "%.*s", (int)n, value);
	}
	free(xml);
	return value;
}

virDomainPtr vm_find(virConnectPtr conn, const char *name)
{
	char full[128], owner[64];
	virDomainPtr dom;

	snprintf(full, sizeof(full), VM_PREFIX "%s", name);
	dom = virDomainLookupByName(conn, full);
	if (dom && vm_metadata(dom, "owner", owner, sizeof(owner)))
		return dom;
	if (dom)
		virDomainFree(dom);
	fail(dom ? "the domain %s is not Ringpace's: it lacks the metadata; not touched" :
		   "no VM %s; see `ringpace vm list`", dom ? full : name);
	return NULL;
}

int vm_start(virDomainPtr dom)
{
	const char *log = vm_qemu_log(virDomainGetName(dom));

	if (!virDomainCreate(dom))
		return 0;
	fail("cannot start the VM %s: %s", vm_name(dom), vm_why());
	if (log && *log_tail(log))
		fail("QEMU's last words (%s): %s", log, log_tail(log));
	return -1;
}

bool vm_active(virDomainPtr dom)
{
	return virDomainIsActive(dom) == 1;
}

/*
 * Right after the connection was opened libvirt may still be taking the VM
 * over; the plug is pulled all the same, and the call says that it is off.
 */
int vm_destroy(virDomainPtr dom)
{
	if (!virDomainDestroy(dom) || !vm_active(dom))
		return 0;
	return fail("cannot destroy the VM %s: %s", vm_name(dom), vm_why());
}

int vm_undefine(virDomainPtr dom)
{
	if (!virDomainUndefineFlags(dom, VIR_DOMAIN_UNDEFINE_NVRAM))
		return 0;
	return fail("cannot undefine the VM %s: %s", vm_name(dom), vm_why());
}

bool vm_wait_off(virDomainPtr dom, u32 timeout_ms)
{
	u64 end = now_ns() + timeout_ms * 1000000ULL;

	while (vm_active(dom))
		if (now_ns() > end || !nap_ms(50))
			return false;
	return true;
}

double vm_vcpu_ns(virDomainPtr dom)
{
	virDomainPtr doms[] = { dom, NULL };
	virDomainStatsRecordPtr *rec;
	unsigned long long ns;
	double v = UNKNOWN;

	if (virDomainListGetStats(doms, VIR_DOMAIN_STATS_VCPU, &rec, 0) < 1)
		return UNKNOWN;
	if (virTypedParamsGetULLong(rec[0]->params, rec[0]->nparams, "vcpu.0.time", &ns) == 1)
		v = (double)ns;
	virDomainStatsRecordListFree(rec);
	return v;
}
