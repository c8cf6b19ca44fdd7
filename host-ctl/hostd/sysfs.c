// SPDX-License-Identifier: GPL-2.0-or-later
#include "sysfs.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

static int open_file(const char *root, const char *file, int flags)
{
	char path[1024];
	int fd;

	if ((size_t)snprintf(path, sizeof(path), "%s/%s", root, file) >= sizeof(path))
		return -ENAMETOOLONG;
	fd = open(path, flags | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

int sysfs_read(const char *root, const char *file, char text[SYSFS_TEXT])
{
	int fd = open_file(root, file, O_RDONLY);
	ssize_t n;

	if (fd < 0)
		return fd;
	n = read(fd, text, SYSFS_TEXT - 1);
	if (n < 0)
		n = -errno;
	close(fd);
	if (n < 0)
		return (int)n;
	while (n && isspace((unsigned char)text[n - 1]))
		n--;
	text[n] = '\0';
	return 0;
}

int sysfs_write(const char *root, const char *file, const char *text)
{
	int fd = open_file(root, file, O_WRONLY | O_TRUNC), rc = 0;
	size_t bytes = strlen(text);

	if (fd < 0)
		return fd;
	if (write(fd, text, bytes) != (ssize_t)bytes)
		rc = errno ? -errno : -EIO;
	close(fd);
	return rc;
}

int sysfs_u64(const char *root, const char *file, u64 *v)
{
	char text[SYSFS_TEXT], *end;
	int rc = sysfs_read(root, file, text);

	if (rc)
		return rc;
	*v = strtoull(text, &end, 10);
	return isdigit((unsigned char)text[0]) && !*end ? 0 : -EINVAL;
}
