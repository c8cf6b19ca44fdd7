// SPDX-License-Identifier: GPL-2.0-or-later
/* Shares of the log: the generic cell rate algorithm (ITU-T I.371), one number each. */
#include "clock.h"
#include "log/log_limit.h"

u32 log_name_bytes(const char *line, u32 bytes)
{
	const char *colon = memchr(line, ':', bytes);

	return colon ? (u32)(colon - line) : bytes;
}

static u32 hash(const char *name, u32 bytes)
{
	u32 h = 2166136261u;	/* FNV-1a */

	while (bytes--)
		h = (h ^ (u8)*name++) * 16777619u;
	return h;
}

bool log_limit_take(struct log_limit *l, const char *name, u32 bytes, u64 now_ns, u64 *kept)
{
	struct log_share *s = &l->share[hash(name, bytes) % LOG_SHARES];
	u64 line_ns, paid_ns = s->paid_ns > now_ns ? s->paid_ns : now_ns;

	*kept = 0;
	if (!l->per_s)
		return true;
	line_ns = NSEC_PER_SEC / l->per_s;
	if (paid_ns - now_ns > (LOG_BURST - 1) * line_ns) {
		s->kept++;
		return false;
	}
	s->paid_ns = paid_ns + line_ns;
	*kept = s->kept;
	s->kept = 0;
	return true;
}
