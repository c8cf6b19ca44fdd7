/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Files of this host's for a guest that has no disk: an initramfs with more behind it, as
 * the kernel unpacks one archive after the other (Linux,
 * Documentation/driver-api/early-userspace/buffer-format.rst).
 */
#ifndef DATAPLANE_GUEST_FILES_H
#define DATAPLANE_GUEST_FILES_H

#include "util.h"

/* Of all files together: the guest has them in its memory. */
#define GUEST_FILES_MAX_BYTES	(64ULL << 20)

struct guest_file {
	const char *from;	/* a file, or a directory with what is below it; NULL ends them */
	const char *to;		/* "srv/www": below the guest's /, whose first part is made */
};

/*
 * Writes the archive @base and then @files to @path, mode 0600. Links below a directory, and
 * what else is neither file nor directory, are left out. *@bytes is what the files take. 0, or
 * -1 after fail().
 */
int guest_files_write(const char *path, const char *base, const struct guest_file *files,
		      u64 *bytes);

#endif /* DATAPLANE_GUEST_FILES_H */
