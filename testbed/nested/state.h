/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the parts of the nested host share: its directory and its process. */
#ifndef TESTBED_NESTED_STATE_H
#define TESTBED_NESTED_STATE_H

#include "nested/nested.h"

/* A socket's path has 108 bytes; ssh adds 17 to its own while it makes it. */
#define NESTED_DIR_MAX	80

/* The directory of all of them, made; static, of vm_cache_path(). NULL after fail(). */
const char *nested_root(void);
/* "DIR/LEAF" in a static ring of eight buffers. */
const char *nested_path(const struct nested *n, const char *leaf);
/* Fills in name and directory, all else 0. -1 after fail(). */
int nested_name_set(struct nested *n, const char *name);
/* Makes the directory, which must not be there. */
int nested_make(const struct nested *n);
/*
 * QEMU's process, by the file that it wrote and by its arguments, which name
 * that file: a number that was given out again is not taken for it. 0: none.
 */
pid_t nested_qemu(const struct nested *n);
/* Writes state.json. */
int nested_store(const struct nested *n);
/* Ends its QEMU, if it runs, and removes the directory, if it is there. */
int nested_end(const struct nested *n);
/* "booting, 12 s" on a terminal, in one line that the next replaces. */
void nested_progress(const struct nested_config *c, const char *what, u64 start_ns);
void nested_progress_end(const struct nested_config *c);

#endif /* TESTBED_NESTED_STATE_H */
