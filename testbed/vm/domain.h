/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Test VMs as libvirt domains, named "ringpace-NAME". A domain's metadata
 * (namespace VM_METADATA_NS) carry its owner: the process whose death makes it
 * a leftover, or "none" for one that a user defined. Only domains that carry
 * the element are ever listed, changed or cleaned.
 */
#ifndef TESTBED_VM_DOMAIN_H
#define TESTBED_VM_DOMAIN_H

#include <libvirt/libvirt.h>

#include "util.h"

#define VM_METADATA_NS	"urn:ringpace:vm:1"
#define VM_PREFIX	"ringpace-"
#define VM_NAME_MAX	32
#define VM_OWNER_ENV	"RINGPACE_OWNER"
#define VM_TEMPLATE_ENV	"RINGPACE_VM_TEMPLATE"
#define VM_QUEUE_MAX	1024	/* slots: QEMU's limit, below the device's own */

struct vm_config {
	const char *name;		/* without the prefix */
	const char *dir;		/* of its sockets and its serial log */
	const char *template_path;	/* NULL: the environment's, the built-in's copy */
	const char *guest;		/* whose initrd it boots: a directory beside the command */
	const char *initrd;		/* NULL: that one */
	const char *cmdline;		/* more words for the guest's kernel */
	const char *device_socket;	/* where the device's backend listens; NULL: the kernel's */
	const char *net_socket[2];	/* where those of network cards listen; NULL: it has none */
	bool kvm;
	bool owned;			/* a leftover once this process is dead */
	u32 vcpus, memory_mib;
	u32 queue_pairs, queue_len, item_bytes;
};

void vm_config_default(struct vm_config *c);
/* NULL when good, else why not. */
const char *vm_config_check(const struct vm_config *c);

/* Defines or redefines. NULL after fail(). */
virDomainPtr vm_define(virConnectPtr conn, const struct vm_config *c);
/* NULL after fail(), also for a domain that is not Ringpace's. */
virDomainPtr vm_find(virConnectPtr conn, const char *name);
int vm_start(virDomainPtr dom);
/* Pulls the plug; one that is off already is no error. */
int vm_destroy(virDomainPtr dom);
int vm_undefine(virDomainPtr dom);
bool vm_active(virDomainPtr dom);
/* Waits until it is off. False: not in that time, or stopped(). */
bool vm_wait_off(virDomainPtr dom, u32 timeout_ms);
/* Name without the prefix. */
const char *vm_name(virDomainPtr dom);
/* An attribute of its metadata, "owner" or "dir". False when it has none. */
bool vm_metadata(virDomainPtr dom, const char *attr, char *out, size_t size);
/* CPU time of vCPU 0's thread; UNKNOWN when it cannot be read. */
double vm_vcpu_ns(virDomainPtr dom);

/* A file built beside the command ("guest/initrd"); static. NULL: not there. */
const char *vm_built_find(const char *name);
/* Is each of @needs, which a NULL file ends, there? False: *@why is that of the first that is not. */
struct vm_need {
	const char *file, *why;
};
bool vm_built_all(const struct vm_need *needs, const char **why);
/* As vm_built_find(); NULL after fail(), which names the make @target. */
const char *vm_built(const char *name, const char *target);

/* ---- Leftovers ---- */

/* "PID:START", this process's mark; static. */
const char *vm_owner_self(void);
/* The mark that a process of QEMU has in its environment. False: none. */
bool vm_process_owner(pid_t pid, char *owner, size_t size);
/* Is @owner a mark, and of no living process? */
bool vm_owner_dead(const char *owner);
/*
 * Ends QEMU processes of the embedded driver whose owner is dead, found by
 * VM_OWNER_ENV in their environment. Returns how many.
 */
u32 vm_clean_processes(void);
/* Destroys and undefines domains of dead owners. Returns how many. */
u32 vm_clean_domains(virConnectPtr conn);

#endif /* TESTBED_VM_DOMAIN_H */
