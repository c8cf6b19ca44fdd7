// SPDX-License-Identifier: GPL-2.0-or-later
/* The snapshot of an L1 that has booted: taken once, shared by all. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "nested/machine.h"
#include "nested/state.h"

/* What it holds for: this boot of this host, this QEMU, this image. */
static int identity(const struct machine_image *image, char *id, size_t size)
{
	FILE *f = fopen("/proc/sys/kernel/random/boot_id", "re");
	char boot[64] = "";
	struct stat st;
	int rc = -1;

	if (f && fscanf(f, "%63s", boot) == 1 && !stat(image->qemu, &st)) {
		snprintf(id, size, "%s\n%s %lld\n%s\n%d\n", boot, image->qemu, (long long)st.st_mtime,
			 image->disk, MACHINE_VERSION);
		rc = 0;
	}
	if (f)
		fclose(f);
	return rc;
}

static bool fits(const struct nested *n, const char *id)
{
	char have[1024];
	FILE *f = fopen(nested_path(n, "identity"), "re");
	size_t len = f ? fread(have, 1, sizeof(have) - 1, f) : 0;

	if (f)
		fclose(f);
	have[len] = 0;
	return !strcmp(have, id);
}

static int write_identity(const struct nested *n, const char *id)
{
	FILE *f = fopen(nested_path(n, "identity"), "we");
	bool ok = f && fputs(id, f) >= 0;

	if (f && fclose(f))
		ok = false;
	return ok ? 0 : fail("cannot write %s: %m", nested_path(n, "identity"));
}

static int take(struct nested *n, const struct machine_image *image,
		const struct nested_config *c, const char *id)
{
	struct ctl monitor;
	int rc;

	if (nested_make(n) || machine_start(n, image, image->disk, NULL, &monitor))
		return -1;
	rc = machine_wait_boot(n, c) || machine_save(n, &monitor, nested_path(n, "state")) ||
	     machine_wait_end(n) || write_identity(n, id);
	ctl_close(&monitor);
	return rc ? -1 : 0;
}

/* Waits for another process that takes it. Closing the descriptor unlocks. */
static int lock(const struct nested_config *c)
{
	char path[200];
	u64 start = now_ns();
	int fd;

	snprintf(path, sizeof(path), "%s/snapshot.lock", nested_root());
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0)
		return fail("cannot open %s: %m", path);
	while (flock(fd, LOCK_EX | LOCK_NB)) {
		nested_progress(c, "another process takes the snapshot", start);
		if (nap_ms(100))
			continue;
		close(fd);
		return -1;
	}
	nested_progress_end(c);
	return fd;
}

const char *snapshot_get(const struct machine_image *image, const struct nested_config *c)
{
	static struct nested n;
	char id[1024];
	int fd, rc = 0;

	/* No name of an L1 has a dot. */
	if (identity(image, id, sizeof(id)) || nested_name_set(&n, ".snapshot"))
		return NULL;
	fd = lock(c);
	if (fd < 0)
		return NULL;
	if (!fits(&n, id)) {
		/* Of one that was killed while it took it, QEMU may be there. */
		rc = nested_end(&n) || take(&n, image, c, id);
		if (rc)
			nested_end(&n);
	}
	close(fd);
	return rc ? NULL : n.dir;
}
