// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * libvirt, loaded at the first call of one of its functions: its fifty
 * libraries take ten times as long to load as `ringpace model` takes to
 * answer. The callers use libvirt's own header, and this file defines what
 * they link to; the header's prototypes check the definitions. Adding a
 * function is adding a line. Without the library every function fails.
 */
#include <dlfcn.h>
#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>
#include <pthread.h>

#include "util.h"

static pthread_once_t once = PTHREAD_ONCE_INIT;
static void *library;

static void load(void)
{
	library = dlopen("libvirt.so.0", RTLD_LAZY | RTLD_LOCAL);
	if (!library)
		fail("cannot load libvirt: %s; install the package libvirt0", dlerror());
}

static void *symbol(const char *name)
{
	void *f;

	pthread_once(&once, load);
	f = library ? dlsym(library, name) : NULL;
	if (library && !f)
		fail("libvirt has no %s: it is too old", name);
	return f;
}

/* LATE(result, name, parameters, arguments, result of a failure) */
#define LATE(type, name, params, args, failed)				\
	type name params						\
	{								\
		static __typeof__(&name) real;				\
		__typeof__(&name) f = rp_load(&real);			\
									\
		if (!f) {						\
			f = (__typeof__(&name))symbol(#name);		\
			rp_store(&real, f);				\
		}							\
		return f ? f args : failed;				\
	}

#define LATE_VOID(name, params, args)					\
	void name params						\
	{								\
		__typeof__(&name) f = (__typeof__(&name))symbol(#name);	\
									\
		if (f)							\
			f args;						\
	}

LATE(int, virInitialize, (void), (), -1)
LATE(int, virGetVersion, (unsigned long *lib, const char *type, unsigned long *ver),
     (lib, type, ver), -1)
LATE_VOID(virSetErrorFunc, (void *data, virErrorFunc handler), (data, handler))
LATE(int, virEventRegisterDefaultImpl, (void), (), -1)
LATE(int, virEventRunDefaultImpl, (void), (), -1)
LATE(int, virEventAddTimeout,
     (int ms, virEventTimeoutCallback cb, void *data, virFreeCallback ff), (ms, cb, data, ff), -1)
LATE_VOID(virEventUpdateTimeout, (int timer, int ms), (timer, ms))
LATE(int, virEventRemoveTimeout, (int timer), (timer), -1)
LATE(virConnectPtr, virConnectOpen, (const char *name), (name), NULL)
LATE(int, virConnectClose, (virConnectPtr conn), (conn), -1)
LATE(int, virConnectListAllDomains,
     (virConnectPtr conn, virDomainPtr **domains, unsigned int flags), (conn, domains, flags), -1)
LATE(virDomainPtr, virDomainLookupByName, (virConnectPtr conn, const char *name), (conn, name),
     NULL)
LATE(virDomainPtr, virDomainDefineXMLFlags,
     (virConnectPtr conn, const char *xml, unsigned int flags), (conn, xml, flags), NULL)
LATE(int, virDomainUndefineFlags, (virDomainPtr dom, unsigned int flags), (dom, flags), -1)
LATE(int, virDomainCreate, (virDomainPtr dom), (dom), -1)
LATE(int, virDomainDestroy, (virDomainPtr dom), (dom), -1)
LATE(int, virDomainFree, (virDomainPtr dom), (dom), -1)
LATE(int, virDomainIsActive, (virDomainPtr dom), (dom), -1)
LATE(const char *, virDomainGetName, (virDomainPtr dom), (dom), NULL)
LATE(char *, virDomainGetXMLDesc, (virDomainPtr dom, unsigned int flags), (dom, flags), NULL)
LATE(char *, virDomainGetMetadata,
     (virDomainPtr dom, int type, const char *uri, unsigned int flags), (dom, type, uri, flags),
     NULL)
LATE(int, virDomainPinVcpu, (virDomainPtr dom, unsigned int vcpu, unsigned char *map, int len),
     (dom, vcpu, map, len), -1)
LATE(int, virDomainListGetStats,
     (virDomainPtr *doms, unsigned int stats, virDomainStatsRecordPtr **records,
      unsigned int flags), (doms, stats, records, flags), -1)
LATE_VOID(virDomainStatsRecordListFree, (virDomainStatsRecordPtr *records), (records))
LATE(int, virTypedParamsGetULLong,
     (virTypedParameterPtr params, int n, const char *name, unsigned long long *value),
     (params, n, name, value), -1)
