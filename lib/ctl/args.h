/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Arguments of requests, strictly read. */
#ifndef RP_CTL_ARGS_H
#define RP_CTL_ARGS_H

#include "ctl/envelope.h"

/* Is @key one of @keys, which NULL ends? */
bool args_known(const char *key, const char *const *keys);
/* NULL, with @e filled in, if it is not there or no string. */
const char *args_string(const json_t *args, const char *key, struct ctl_error *e);
/*
 * The others leave *@out alone if @key is not there; false, with @e filled in, if its value
 * is none of such, or none in @min..@max.
 */
bool args_u64(const json_t *args, const char *key, u64 min, u64 max, u64 *out,
	      struct ctl_error *e);
bool args_u32(const json_t *args, const char *key, u32 min, u32 max, u32 *out,
	      struct ctl_error *e);
bool args_bool(const json_t *args, const char *key, bool *out, struct ctl_error *e);
/* That it is not there is an error, too. */
bool args_required_u64(const json_t *args, const char *key, u64 min, u64 max, u64 *out,
		       struct ctl_error *e);

#endif /* RP_CTL_ARGS_H */
