/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef RINGPACED_VERSION_H
#define RINGPACED_VERSION_H

#define RINGPACED_VERSION	"0.1"

#endif /* RINGPACED_VERSION_H */
