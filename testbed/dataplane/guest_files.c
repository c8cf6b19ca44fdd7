// SPDX-License-Identifier: GPL-2.0-or-later
/* Archives of files, in the format newc of cpio. */
#include "dataplane/guest_files.h"

#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define ALIGNMENT	4	/* of heads, and of what is in files */

struct archive {
	FILE *out;
	u64 bytes;		/* of files */
	u32 ino;
};

/* Zeroes up to the next boundary. */
static void align(FILE *out)
{
	while (ftell(out) % ALIGNMENT)
		fputc(0, out);
}

static void head(struct archive *a, const char *name, u32 mode, time_t mtime, u32 bytes)
{
	/* ino, mode, nlink, uid, gid, mtime, bytes, 4 of devices, bytes of the name, a sum that is none */
	fprintf(a->out, "070701%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%s%c",
		++a->ino, mode, 1u, 0u, 0u, (u32)mtime, bytes, 0u, 0u, 0u, 0u,
		(u32)strlen(name) + 1, 0u, name, 0);
	align(a->out);
}

/* As many bytes as were said; who else writes to the file meanwhile is too late. */
static int contents(struct archive *a, const char *path, u64 bytes)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	char part[65536];
	ssize_t n = 1;

	if (fd < 0)
		return fail("dataplane: %s cannot be read: %m", path);
	while (bytes && n > 0) {
		n = read(fd, part, bytes < sizeof(part) ? bytes : sizeof(part));
		if (n > 0)
			bytes -= fwrite(part, 1, (size_t)n, a->out);
	}
	close(fd);
	align(a->out);
	if (n < 0)
		return fail("dataplane: %s cannot be read: %m", path);
	return bytes ? fail("dataplane: %s has become shorter while it was read", path) : 0;
}

static int add(struct archive *a, const FTSENT *e, const char *name)
{
	const struct stat *st = e->fts_statp;

	switch (e->fts_info) {
	case FTS_D:
		head(a, name, S_IFDIR | 0755, st->st_mtime, 0);
		return 0;
	case FTS_F:
		a->bytes += (u64)st->st_size;
		if (a->bytes > GUEST_FILES_MAX_BYTES)
			return fail("dataplane: %s: with it files have more than %llu MiB, which "
				    "is what the guest takes", e->fts_path,
				    GUEST_FILES_MAX_BYTES >> 20);
		head(a, name, S_IFREG | 0644, st->st_mtime, (u32)st->st_size);
		return contents(a, e->fts_accpath, (u64)st->st_size);
	case FTS_DNR:
	case FTS_ERR:
	case FTS_NS:
		return fail("dataplane: %s cannot be read: %s", e->fts_path,
			    strerror(e->fts_errno));
	default:
		return 0;
	}
}

static int by_name(const FTSENT **a, const FTSENT **b)
{
	return strcmp((*a)->fts_name, (*b)->fts_name);
}

static int add_all(struct archive *a, const struct guest_file *f)
{
	char *const path[] = { (char *)f->from, NULL };
	FTS *tree = fts_open(path, FTS_PHYSICAL | FTS_COMFOLLOW | FTS_NOCHDIR, by_name);
	char name[4096];
	int rc = 0;
	FTSENT *e;

	if (!tree)
		return fail("dataplane: %s: %m", f->from);
	while (!rc && (e = fts_read(tree))) {
		const char *rest = e->fts_path + strlen(f->from);

		snprintf(name, sizeof(name), "%s%s%s", f->to, e->fts_level ? "/" : "",
			 e->fts_level ? rest + strspn(rest, "/") : "");
		rc = add(a, e, name);
	}
	fts_close(tree);
	return rc;
}

/* The directory that @f is in, once. */
static void add_parent(struct archive *a, const struct guest_file *files,
		       const struct guest_file *f)
{
	size_t n = strcspn(f->to, "/");
	char name[64];

	for (; files != f; files++)
		if (!strncmp(files->to, f->to, n + 1))
			return;
	snprintf(name, sizeof(name), "%.*s", (int)n, f->to);
	head(a, name, S_IFDIR | 0755, 0, 0);
}

static int copy(FILE *out, const char *path)
{
	FILE *in = fopen(path, "re");
	char part[65536];
	size_t n;

	if (!in)
		return fail("dataplane: %s cannot be read: %m", path);
	while ((n = fread(part, 1, sizeof(part), in)))
		fwrite(part, 1, n, out);
	n = (size_t)ferror(in);
	fclose(in);
	align(out);
	return n ? fail("dataplane: %s cannot be read", path) : 0;
}

int guest_files_write(const char *path, const char *base, const struct guest_file *files,
		      u64 *bytes)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600), rc;
	struct archive a = { .out = fd < 0 ? NULL : fdopen(fd, "w") };
	const struct guest_file *f;

	if (!a.out)
		return fail("dataplane: %s cannot be written: %m", path);
	rc = copy(a.out, base);
	for (f = files; !rc && f->from; f++) {
		add_parent(&a, files, f);
		rc = add_all(&a, f);
	}
	head(&a, "TRAILER!!!", 0, 0, 0);
	*bytes = a.bytes;
	if (ferror(a.out) | fclose(a.out) && !rc)
		rc = fail("dataplane: %s cannot be written: the disk may be full", path);
	return rc;
}
