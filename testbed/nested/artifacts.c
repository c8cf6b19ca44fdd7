// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What L1 gets from here: programs, modules and the guest, laid out as they lie
 * beside this command, so that commands find them there as they do here.
 */
#include "nested/artifacts.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

#include "nested/machine.h"
#include "nested/state.h"
#include "vm/domain.h"

#define SLACK_BYTES	(16u << 20)	/* of the file system itself */

static const struct {
	const char *name;
	const char *target;	/* of make */
} built[] = {
	{ "ringpace", "all" }, { "ringpaced", "all" }, { "ringpace-hostd", "all" },
	{ "domain.xml.in", "all" },
	{ "qemu-system-x86_64", "qemu" }, { "vhost_pc.ko", "vhost-modules" },
	{ "virtio_pc.ko", "modules" }, { "guest/vmlinuz", "image" }, { "guest/initrd", "image" },
};

#define N_BUILT (sizeof(built) / sizeof(built[0]))

static int write_known_hosts(const struct nested *n)
{
	char line[512] = "";
	FILE *in = fopen(nested_path(n, "key.pub"), "re"), *out;
	int rc = -1;

	if (in && fgets(line, sizeof(line), in)) {
		out = fopen(nested_path(n, "known_hosts"), "we");
		if (out && fprintf(out, "ringpace-nested %s", line) > 0 && !fclose(out))
			rc = 0;
	}
	if (in)
		fclose(in);
	return rc ? fail("cannot write %s: %m", nested_path(n, "known_hosts")) : 0;
}

int artifacts_key(const struct nested *n)
{
	if (machine_tool(n, (char *[]) { "ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C",
			"ringpace", "-f", (char *)nested_path(n, "key"), NULL }))
		return -1;
	return write_known_hosts(n);
}

/* Adds the size to @bytes. */
static int copy_file(const char *from, const char *to, u64 *bytes)
{
	int in = open(from, O_RDONLY | O_CLOEXEC), out = -1, rc = -1;
	struct stat st;
	ssize_t done;
	off_t at = 0;

	if (in >= 0 && !fstat(in, &st))
		out = open(to, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, st.st_mode & 0777);
	while (out >= 0 && at < st.st_size) {
		done = sendfile(out, in, &at, (size_t)(st.st_size - at));
		if (done <= 0)
			break;
	}
	if (out >= 0 && at == st.st_size) {
		*bytes += (u64)at;
		rc = 0;
	}
	if (rc)
		fail("cannot copy %s to %s: %m", from, to);
	if (in >= 0)
		close(in);
	if (out >= 0)
		close(out);
	return rc;
}

static int copy_all(const struct nested *n, const char *stage, u64 *bytes)
{
	static const char *const keys[] = { "key", "key.pub" };
	const char *from;
	char to[320];
	u32 i;

	for (i = 0; i < N_BUILT; i++) {
		from = vm_built(built[i].name, built[i].target);
		snprintf(to, sizeof(to), "%s/%s", stage, built[i].name);
		if (!from || copy_file(from, to, bytes))
			return -1;
	}
	for (i = 0; i < 2; i++) {
		snprintf(to, sizeof(to), "%s/%s", stage, keys[i]);
		if (copy_file(nested_path(n, keys[i]), to, bytes))
			return -1;
	}
	return 0;
}

int artifacts_disk(const struct nested *n)
{
	const char *stage = run_path("built");
	char guest[224], size[24];
	u64 bytes = SLACK_BYTES;

	if (!stage)
		return -1;
	snprintf(guest, sizeof(guest), "%s/guest", stage);
	if (mkdir(stage, 0700) || mkdir(guest, 0755))
		return fail("cannot make the directory %s: %m", guest);
	if (copy_all(n, stage, &bytes))
		return -1;
	snprintf(size, sizeof(size), "%lluk", (unsigned long long)(bytes * 5 / 4 / 1024));
	return machine_tool(n, (char *[]) { "mke2fs", "-q", "-t", "ext4", "-F", "-L", "ringpace",
			"-O", "^has_journal", "-m", "0", "-E", "root_owner=0:0", "-d",
			(char *)stage, (char *)nested_path(n, "built.img"), size, NULL });
}
