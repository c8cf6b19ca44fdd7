/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Two domains of libvirt's own driver for tests: "test", of two vCPUs whose number follows, and
 * "other", which is only pinned.
 */
#ifndef VIRT_BED_H
#define VIRT_BED_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <libvirt/libvirt.h>
#include <stdio.h>
#include <unistd.h>

#include "virt.h"

#define URI	"test:///default"
#define NS_S	1000000000ULL
#define OTHER	"<domain type='test'><name>other</name><memory unit='MiB'>64</memory>" \
		"<vcpu>2</vcpu><os><type>hvm</type></os></domain>"

static const struct undo_kind *const kinds[] = { &virt_kind, &virt_agent_kind, &virt_hotplug_kind,
						 NULL };
static const struct undo_where where = { .libvirt = URI };
static struct undo undo;
static struct virt virt;
static virConnectPtr conn;
static virDomainPtr dom;
static struct conf_tenant conf, other;

static bool bed_connect(void)
{
	conn = virConnectOpen(URI);
	dom = conn ? virDomainLookupByName(conn, "test") : NULL;
	return dom && virDomainCreateXML(conn, OTHER, 0);
}

static void bed_begin(enum conf_vcpus by)
{
	conf = (struct conf_tenant){ .name = "web", .domain = "test", .vcpus = by };
	other = (struct conf_tenant){ .name = "job", .domain = "other" };
	undo_init(&undo, NULL, kinds, &where);
	virt_init(&virt, URI, 60 * NS_S, &undo);
	virt.retry_ns = NS_S / 200;
	virt_add(&virt, &conf);
	virt_add(&virt, &other);
	assert_int_equal(virt_start(&virt), 0);
}

/* All is given back. */
static void bed_end(void)
{
	assert_true(virt_stop(&virt, 20000));
	virt_fini(&virt);
	assert_int_equal(undo_some(&undo, NULL, NULL, true), 0);
	undo_fini(&undo);
}

static void want(u32 domain, u32 vcpus, bool hold)
{
	struct virt_want w = { .confine = true, .vcpus = vcpus, .hold_vcpus = hold };

	CPU_ZERO(&w.cpus);
	CPU_SET(1, &w.cpus);
	virt_want(&virt, domain, &w);
}

static enum hc_enforced pins(u32 domain)
{
	enum hc_enforced e;
	char why[160];

	while ((e = virt_state(&virt, domain, why)) == HC_PENDING)
		usleep(1000);
	return e;
}

static enum hc_enforced vcpus(u32 *online, char why[160])
{
	return virt_vcpus_state(&virt, 0, online, why);
}

static void await(enum hc_enforced wanted)
{
	char why[160];
	u32 online;

	while (vcpus(&online, why) != wanted)
		usleep(1000);
}

static void await_why(const char *what)
{
	char why[160];
	u32 online;

	while (vcpus(&online, why) != HC_FAILED || !strstr(why, what))
		usleep(1000);
}

#endif /* VIRT_BED_H */
