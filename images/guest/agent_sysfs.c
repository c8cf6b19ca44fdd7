// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * rp-agent: commands that hand on what the guest's kernel knows of the device
 * and its driver does not count itself: interrupts, pci.
 */
#include <errno.h>
#include <inttypes.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent.h"

#define INTERRUPTS	"/proc/interrupts"
#define MISC_DEVICE	"/sys/class/misc/virtio-pc%" PRIu64 "/device"
#define CONFIG_BYTES	256

/* The device's name on the virtio bus, "virtio1"; false: the error was sent. */
static bool virtio_name(const struct request *r, char *name, size_t size)
{
	char path[64], target[PATH_MAX];
	uint64_t device = 0;
	ssize_t n;

	if (!arg_u64(r, "device", AGENT_DEVICES_MAX - 1, &device))
		return false;
	snprintf(path, sizeof(path), MISC_DEVICE, device);
	n = readlink(path, target, sizeof(target) - 1);
	if (n < 0) {
		reply_error(r, "no-device", "%s: device %" PRIu64 ": %s", r->cmd, device,
			    strerror(errno));
		return false;
	}
	target[n] = 0;
	snprintf(name, size, "%s", basename(target));
	return true;
}

/* Does a line of /proc/interrupts end in @name? */
static bool is_of(const char *line, const char *name)
{
	size_t have = strlen(line), want = strlen(name);

	return have > want && line[have - want - 1] == ' ' &&
	       !strcmp(line + have - want, name);
}

void cmd_interrupts(const struct request *r)
{
	char name[32], handler[40], line[4096];
	json_t *lines;
	FILE *f;

	if (!virtio_name(r, name, sizeof(name)))
		return;
	f = fopen(INTERRUPTS, "re");
	if (!f) {
		reply_error(r, "failed", "interrupts: " INTERRUPTS ": %s", strerror(errno));
		return;
	}
	/* As virtio's PCI transport calls the vectors of queues. */
	snprintf(handler, sizeof(handler), "%s-pc", name);
	lines = json_array();
	while (fgets(line, sizeof(line), f)) {
		line[strcspn(line, "\n")] = 0;
		if (is_of(line, handler))
			json_array_append_new(lines, json_string(line));
	}
	fclose(f);
	reply_ok(r, json_pack("{s:s,s:o}", "virtio", name, "lines", lines));
}

/* A file of the PCI device behind the virtio device; the bytes read, or -1. */
static ssize_t read_pci(const char *virtio, const char *name, char *buf, size_t size)
{
	char path[128];
	ssize_t n;
	FILE *f;

	/* The parent in sysfs: a symbolic link is followed before the "..". */
	snprintf(path, sizeof(path), "/sys/bus/virtio/devices/%s/../%s", virtio, name);
	f = fopen(path, "re");
	if (!f)
		return -1;
	n = (ssize_t)fread(buf, 1, size, f);
	fclose(f);
	return n;
}

void cmd_pci(const struct request *r)
{
	char name[32], bytes[CONFIG_BYTES], hex[2 * CONFIG_BYTES + 1], resource[4096];
	ssize_t n, i, len;

	if (!virtio_name(r, name, sizeof(name)))
		return;
	n = read_pci(name, "config", bytes, sizeof(bytes));
	len = read_pci(name, "resource", resource, sizeof(resource) - 1);
	if (n < 0 || len < 0) {
		reply_error(r, "failed", "pci: %s is on no PCI bus", name);
		return;
	}
	for (i = 0; i < n; i++)
		sprintf(hex + 2 * i, "%02x", (unsigned char)bytes[i]);
	hex[2 * n] = 0;
	resource[len] = 0;
	reply_ok(r, json_pack("{s:s,s:s,s:s}", "virtio", name, "config", hex,
			      "resource", resource));
}
