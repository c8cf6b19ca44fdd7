/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From a request's target to a path of the site. */
#ifndef DP_HTTP_TARGET_H
#define DP_HTTP_TARGET_H

#include "rp.h"

/*
 * Of "/a%20b/../c?d" or "http://host/c" the path, "/c": decoded, without query, empty,
 * "." and ".." segments. To @path, which has room for @bytes. How long it is; 0: the target
 * is none, leads out of the root, or has a NUL.
 */
u32 target_path(const char *target, u32 bytes, char *path);

#endif /* DP_HTTP_TARGET_H */
