// SPDX-License-Identifier: GPL-2.0-or-later
/* Memory to be passed over a Unix socket. */
#include "sock/sealed.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#ifndef F_SEAL_FUTURE_WRITE
#define F_SEAL_FUTURE_WRITE	0x10
#endif
#define SIZE_SEALS	(F_SEAL_SHRINK | F_SEAL_GROW)

/* Written to now, so that no thread ever waits for its memory; false with errno. */
static bool map(struct sealed *s)
{
	void *mem;

	if (ftruncate(s->fd, (off_t)s->bytes))
		return false;
	mem = mmap(NULL, s->bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, s->fd, 0);
	s->mem = mem == MAP_FAILED ? NULL : mem;
	return s->mem;
}

int sealed_make(struct sealed *s, const char *name, size_t bytes, bool ours)
{
	int err;

	*s = (struct sealed){
		.bytes = bytes, .fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING),
	};
	if (s->fd < 0)
		return -errno;
	if (map(s)) {
		/* Older kernels do not have this one; nothing rests on it. */
		if (ours)
			fcntl(s->fd, F_ADD_SEALS, F_SEAL_FUTURE_WRITE);
		if (!fcntl(s->fd, F_ADD_SEALS, SIZE_SEALS | F_SEAL_SEAL))
			return 0;
	}
	err = -errno;
	if (s->mem)
		munmap(s->mem, bytes);
	close(s->fd);
	s->mem = NULL;
	return err;
}

void sealed_unmake(struct sealed *s)
{
	if (!s->mem)
		return;
	munmap(s->mem, s->bytes);
	close(s->fd);
	s->mem = NULL;
}

static const char *check(int fd, size_t least, size_t most, size_t *bytes)
{
	int seals = fcntl(fd, F_GET_SEALS);
	struct statfs fs;
	struct stat st;

	if (seals < 0)
		return "it is no memfd";
	if ((seals & SIZE_SEALS) != SIZE_SEALS)
		return "it is not sealed against changes of its size";
	if (fstatfs(fd, &fs) || fs.f_type != TMPFS_MAGIC)
		return "it is not of ordinary pages";
	if (fstat(fd, &st) || st.st_size < (off_t)least)
		return "it is too short";
	if (st.st_size > (off_t)most)
		return "it is too long";
	*bytes = (size_t)st.st_size;
	return NULL;
}

const char *sealed_open(int fd, size_t least, size_t most, bool write, void **mem,
			size_t *bytes)
{
	const char *why = check(fd, least, most, bytes);

	if (why)
		return why;
	*mem = mmap(NULL, *bytes, write ? PROT_READ | PROT_WRITE : PROT_READ, MAP_SHARED, fd, 0);
	return *mem == MAP_FAILED ? "it cannot be mapped" : NULL;
}
