/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The way into L1. */
#ifndef TESTBED_NESTED_SSH_H
#define TESTBED_NESTED_SSH_H

#include "nested/nested.h"

/*
 * Opens the connection that commands share; it ends with L1's QEMU. False when
 * nobody answers yet.
 */
bool ssh_open(const struct nested *n);

#endif /* TESTBED_NESTED_SSH_H */
