/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How often a peer has kicked: pacers never read its eventfd, so that counts. */
#ifndef RINGPACED_KICKS_H
#define RINGPACED_KICKS_H

#include "rp.h"

/* Since the eventfd @fd is there; -1: it is none, or cannot be looked at. */
s64 kicks_of(int fd);

#endif /* RINGPACED_KICKS_H */
