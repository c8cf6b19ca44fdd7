/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * struct rp_status at a fixed size without pointers, as it crosses a system
 * call: the layout of struct virtio_pc_pacing, whose users assert that.
 */
#ifndef RP_STATUS_FLAT_H
#define RP_STATUS_FLAT_H

#include "pacing/report.h"

struct rp_status_flat {
	u32 known;		/* 0: the strategy says nothing, and the rest is 0 */
	u32 mode;
	u64 wait_ns;
#define X(name) u64 name;
	RP_STATUS_FIELDS(X)
#undef X
	u64 mode_changes;
	u64 mode_ns[RP_WAITS];
#define X(name) u64 name##_milli;
	RP_ARRIVAL_FIELDS(X)
#undef X
#define X(name) u32 conf_##name;
	RP_CONFIDENCE_FIELDS(X)
#undef X
	char regime[16];	/* "": not known */
	char unmet[128];
};

/* True where @type is that layout; @type has the fields by the same names. */
#define rp_status_flat_is(type)						\
	(sizeof(type) == sizeof(struct rp_status_flat) &&		\
	 offsetof(type, threshold) == offsetof(struct rp_status_flat, threshold) && \
	 offsetof(type, y_min_ns) == offsetof(struct rp_status_flat, y_min_ns) && \
	 offsetof(type, mode_ns) == offsetof(struct rp_status_flat, mode_ns) && \
	 offsetof(type, occupancy_milli) ==				\
		 offsetof(struct rp_status_flat, occupancy_milli) &&	\
	 offsetof(type, conf_y_min) == offsetof(struct rp_status_flat, conf_y_min) && \
	 offsetof(type, unmet) == offsetof(struct rp_status_flat, unmet))

/* Cut to @bytes, its end included. @from may be NULL: "". */
static inline void rp_status_flat_text(char *to, size_t bytes, const char *from)
{
	size_t n = from ? strlen(from) : 0;

	n = n < bytes ? n : bytes - 1;
	if (n)
		memcpy(to, from, n);
	to[n] = '\0';
}

/* As rp_party_status(), and may be called when that may. */
static inline void rp_party_status_flat(const struct rp_party *p, struct rp_status_flat *out)
{
	struct rp_status st;

	memset(out, 0, sizeof(*out));
	if (!rp_party_status(p, &st))
		return;
	out->known = 1;
	out->mode = st.mode;
	out->wait_ns = st.wait_ns;
	out->mode_changes = st.mode_changes;
#define X(name) out->name = st.name;
	RP_STATUS_FIELDS(X)
#undef X
#define X(name) out->name##_milli = st.name##_milli;
	RP_ARRIVAL_FIELDS(X)
#undef X
#define X(name) out->conf_##name = st.conf_##name;
	RP_CONFIDENCE_FIELDS(X)
#undef X
	memcpy(out->mode_ns, st.mode_ns, sizeof(out->mode_ns));
	rp_status_flat_text(out->regime, sizeof(out->regime), st.regime);
	rp_status_flat_text(out->unmet, sizeof(out->unmet), st.unmet);
}

/* Back; the texts stay @flat's. False: it says nothing. */
static inline bool rp_status_unflatten(const struct rp_status_flat *flat, struct rp_status *st)
{
	memset(st, 0, sizeof(*st));
	if (!flat->known)
		return false;
	st->regime = flat->regime[0] ? flat->regime : NULL;
	st->unmet = flat->unmet[0] ? flat->unmet : NULL;
	st->mode = (enum rp_wait)flat->mode;
	st->wait_ns = flat->wait_ns;
	st->mode_changes = flat->mode_changes;
#define X(name) st->name = (__typeof__(st->name))flat->name;
	RP_STATUS_FIELDS(X)
#undef X
#define X(name) st->name##_milli = flat->name##_milli;
	RP_ARRIVAL_FIELDS(X)
#undef X
#define X(name) st->conf_##name = flat->conf_##name;
	RP_CONFIDENCE_FIELDS(X)
#undef X
	memcpy(st->mode_ns, flat->mode_ns, sizeof(st->mode_ns));
	return true;
}

#endif /* RP_STATUS_FLAT_H */
