/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TEST_NL_FIXTURE_H
#define TEST_NL_FIXTURE_H

#include <libmnl/libmnl.h>
#include <string.h>

#include "nic.h"
#include "rand.h"

/* A copy of a message: cut anywhere, or with a byte changed anywhere. */
static inline struct nlmsghdr *spoil(u64 copy[NL_MESSAGE_MAX / 8],
				     const u64 message[NL_MESSAGE_MAX / 8], bool cut, u64 *seed)
{
	struct nlmsghdr *nlh = memcpy(copy, message, NL_MESSAGE_MAX);
	u32 bytes = nlh->nlmsg_len - sizeof(*nlh);

	if (cut)
		nlh->nlmsg_len = sizeof(*nlh) + (u32)(test_rand(seed) % bytes);
	else
		((u8 *)(nlh + 1))[test_rand(seed) % bytes] ^= (u8)(1 + test_rand(seed) % 255);
	return nlh;
}

#endif /* TEST_NL_FIXTURE_H */
