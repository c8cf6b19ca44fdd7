/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How many lines of the log one device, port or part of the daemon may fill: a
 * guest that breaks its rings again and again must not fill the disk, nor hide
 * what is said of others. So each has a share of its own, by its name, which is
 * what a line begins with. Names that fall on the same share have it together;
 * they are the host's, no guest chooses them.
 */
#ifndef RP_LOG_LIMIT_H
#define RP_LOG_LIMIT_H

#include "rp.h"

#define LOG_SHARES	256u
#define LOG_BURST	100u	/* lines at once, of who was silent before */
#define LOG_PER_S	10u	/* the default */

struct log_share {
	u64 paid_ns;		/* until then its lines use its rate up */
	u64 kept;		/* lines that were not told since the last one that was */
};

struct log_limit {
	u32 per_s;		/* lines of each share; 0: no limit */
	struct log_share share[LOG_SHARES];
};

/* What of @line is a name: up to its first colon, else all. */
u32 log_name_bytes(const char *line, u32 bytes);
/*
 * May a line of @name be told, at @now_ns of a clock that does not go back? If so
 * @kept is how many were not, before it. One thread at a time.
 */
bool log_limit_take(struct log_limit *l, const char *name, u32 bytes, u64 now_ns, u64 *kept);

#endif /* RP_LOG_LIMIT_H */
