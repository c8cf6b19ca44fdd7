/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The disk with what was built here, and the key. */
#ifndef TESTBED_NESTED_ARTIFACTS_H
#define TESTBED_NESTED_ARTIFACTS_H

#include "nested/nested.h"

/* Makes key, key.pub and known_hosts. -1 after fail(). */
int artifacts_key(const struct nested *n);
/* Makes built.img, a file system labelled ringpace. -1 after fail(). */
int artifacts_disk(const struct nested *n);

#endif /* TESTBED_NESTED_ARTIFACTS_H */
