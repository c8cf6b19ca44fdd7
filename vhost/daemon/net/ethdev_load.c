// SPDX-License-Identifier: GPL-2.0-or-later
/* Addresses of DPDK's devices, and the plug-in for them. */
#include <ctype.h>
#include <dlfcn.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "ethdev_load.h"
#include "log/log.h"

#define PREFIX		"dpdk:"
#define ADDRESS_MAX	255u

static struct {
	const struct ethdev_api *api;	/* NULL: not loaded */
	bool begun, sealed;
	struct ethdev_begin want;
} ethdev;

/* ---- Addresses ---- */

bool ethdev_is_address(const char *address)
{
	return !strncmp(address, PREFIX, strlen(PREFIX));
}

/* Its name in DPDK, and how long that is. */
static const char *name_of(const char *address, size_t *bytes)
{
	const char *name = address + strlen(PREFIX);

	*bytes = strcspn(name, ";");
	return name;
}

/* DDDD:BB:DD.F, as DPDK calls the port itself. */
static bool is_pci(const char *name, size_t bytes)
{
	static const char form[] = "xxxx:xx:xx.x";
	size_t i;

	if (bytes != strlen(form))
		return false;
	for (i = 0; i < bytes; i++)
		if (form[i] == 'x' ? !isxdigit((unsigned char)name[i]) : name[i] != form[i])
			return false;
	return true;
}

static bool is_vdev(const char *name, size_t bytes)
{
	size_t i;

	if (!islower((unsigned char)*name))
		return false;
	for (i = 0; i < bytes; i++)
		if (!isalnum((unsigned char)name[i]) && name[i] != '_' && name[i] != '-')
			return false;
	return true;
}

const char *ethdev_check(const char *address)
{
	size_t bytes, i;
	const char *name = name_of(address, &bytes);

	if (strlen(address) > ADDRESS_MAX)
		return "nic: dpdk: more than 255 characters";
	for (i = 0; address[i]; i++)
		if (!isgraph((unsigned char)address[i]))
			return "nic: dpdk: a space, or what cannot be printed";
	if (!is_pci(name, bytes) && !is_vdev(name, bytes))
		return "nic: dpdk: expected a PCI address as 0000:03:00.0 or a driver's name as "
		       "net_tap0, and its arguments after that, with ';' between them";
	return NULL;
}

void ethdev_expect(const char *address)
{
	size_t bytes;
	const char *name = name_of(address, &bytes);

	ethdev.want.devices++;
	ethdev.want.bus |= is_pci(name, bytes);
}

void ethdev_seal(void)
{
	ethdev.sealed = true;
}

/* ---- The plug-in ---- */

static void log_dpdk(const char *line)
{
	log_warn("dpdk: %s", line);
}

/* Where it may be, from the program's directory: as built, and as installed. */
static const char *const places[] = { "", "../lib/ringpaced/" };

/* The program's directory, with a slash at its end. */
static bool own_dir(char *dir, size_t bytes)
{
	ssize_t n = readlink("/proc/self/exe", dir, bytes - 1);
	char *slash;

	if (n <= 0)
		return false;
	dir[n] = '\0';
	slash = strrchr(dir, '/');
	if (slash)
		slash[1] = '\0';
	return slash;
}

static void *open_plugin(char *why, size_t why_bytes)
{
	char dir[PATH_MAX], path[PATH_MAX + 64];
	void *lib;
	u32 i;

	for (i = 0; own_dir(dir, sizeof(dir)) && i < sizeof(places) / sizeof(*places); i++) {
		snprintf(path, sizeof(path), "%s%s%s", dir, places[i], ETHDEV_PLUGIN);
		if (access(path, F_OK) < 0)
			continue;
		lib = dlopen(path, RTLD_NOW | RTLD_LOCAL);
		if (!lib)
			snprintf(why, why_bytes, "the plug-in for DPDK cannot be loaded: %s", dlerror());
		return lib;
	}
	snprintf(why, why_bytes,
		 "there is no plug-in for DPDK, %s, neither beside ringpaced nor in ../lib/ringpaced: "
		 "install libdpdk-dev, build ringpaced again and make install", ETHDEV_PLUGIN);
	return NULL;
}

static const struct ethdev_api *load(char *why, size_t why_bytes)
{
	void *lib = open_plugin(why, why_bytes);
	const struct ethdev_api *api;

	if (!lib)
		return NULL;
	/* It stays: DPDK's threads run in it. */
	api = dlsym(lib, ETHDEV_API_SYMBOL);
	if (api && api->version == ETHDEV_API_VERSION)
		return api;
	snprintf(why, why_bytes, "the plug-in for DPDK is another ringpaced's: version %u, expected "
		 "%u: make install", api ? api->version : 0, ETHDEV_API_VERSION);
	return NULL;
}

static int begin(char *why, size_t why_bytes)
{
	if (ethdev.begun)
		return 0;
	if (ethdev.sealed) {
		snprintf(why, why_bytes, "DPDK is begun when ringpaced starts: restart it");
		return -1;
	}
	if (!ethdev.api)
		ethdev.api = load(why, why_bytes);
	ethdev.want.log = log_dpdk;
	if (!ethdev.api || ethdev.api->begin(&ethdev.want, why, why_bytes) < 0)
		return -1;
	ethdev.begun = true;
	return 0;
}

struct ethdev *ethdev_open(const char *address, u32 mtu, const struct ethdev_api **api,
			   struct ethdev_info *info, char *why, size_t why_bytes)
{
	if (begin(why, why_bytes) < 0)
		return NULL;
	*api = ethdev.api;
	return ethdev.api->open(address + strlen(PREFIX), mtu, !ethdev.sealed, info, why, why_bytes);
}
