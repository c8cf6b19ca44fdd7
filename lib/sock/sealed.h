/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Memory to be passed over a Unix socket, which who gets it cannot take away again from
 * under who made it: its size is sealed.
 */
#ifndef RP_SEALED_H
#define RP_SEALED_H

#include <stdbool.h>
#include <stddef.h>

struct sealed {
	void *mem;		/* NULL: none */
	size_t bytes;
	int fd;			/* to be passed */
};

/*
 * @bytes of zeros, of which memory is there already. @ours: others can map it to read only,
 * where the kernel has a seal for that. 0 or -errno; then there is nothing to undo.
 */
int sealed_make(struct sealed *s, const char *name, size_t bytes, bool ours);
/*
 * Maps what another process has made, whose bytes can be anything at any time. Safe to touch
 * whatever that one does: it stays as long as it is, and its pages can be had; of hugepages
 * there may be none left, which ends who touches them. NULL, or why not; munmap() undoes it.
 */
const char *sealed_open(int fd, size_t least, size_t most, bool write, void **mem,
			size_t *bytes);
/* Harmless when there is none. Who has got it keeps it. */
void sealed_unmake(struct sealed *s);

#endif /* RP_SEALED_H */
