// SPDX-License-Identifier: GPL-2.0-or-later
/* The argument of --device. */
#include <string.h>

#include "device.h"
#include "optval.h"
#include "virtio_pc.h"

static const char *parse_key(char *key, struct device_options *opt)
{
	char *value = strchr(key, '=');

	if (!value)
		return "expected KEY=VALUE after the name";
	*value++ = '\0';
	if (!strcmp(key, "socket")) {
		opt->socket = value;
		return *value ? NULL : "socket: no path";
	}
	if (!strcmp(key, "pairs"))
		return opt_u32(value, 1, VIRTIO_PC_PAIRS_MAX, &opt->pairs) ?
			NULL : "pairs: not in 1..64";
	if (!strcmp(key, "item-bytes"))
		return opt_u32(value, VIRTIO_PC_ITEM_MIN_BYTES,
				 VIRTIO_PC_ITEM_MAX_BYTES, &opt->item_bytes) ?
			NULL : "item-bytes: not in 32..65536";
	return "unknown key: only socket, pairs, item-bytes are known";
}

const char *device_parse(char *arg, struct device_options *opt)
{
	const char *why;
	char *key, *save;

	memset(opt, 0, sizeof(*opt));
	opt->pairs = 1;
	opt->item_bytes = 64;
	key = strtok_r(arg, ",", &save);
	if (!key || !session_name_ok(key))
		return "the name must be 1 to 31 letters, digits, '-', '_' or '.'";
	strcpy(opt->name, key);
	while ((key = strtok_r(NULL, ",", &save))) {
		why = parse_key(key, opt);
		if (why)
			return why;
	}
	return opt->socket ? NULL : "socket=PATH is missing";
}
