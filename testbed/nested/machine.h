/* SPDX-License-Identifier: GPL-2.0-or-later */
/* QEMU as L1: from the start to "it has booted", and the snapshot of that. */
#ifndef TESTBED_NESTED_MACHINE_H
#define TESTBED_NESTED_MACHINE_H

#include "ctl.h"
#include "nested/nested.h"

#define MACHINE_MIB	3072
#define MACHINE_VERSION	3	/* of QEMU's arguments: a snapshot belongs to one */

/* Files of the image, and the QEMU that emulates it; static strings. */
struct machine_image {
	const char *disk, *vmlinuz, *initrd, *qemu;
};

/* Runs a tool to its end; its last line tells why it failed. */
int machine_tool(const struct nested *n, char *const argv[]);

/* -1 after fail(): it is not built. */
int machine_image(struct machine_image *image);
/*
 * Makes n->dir, which must not be there, a disk on top of @disk, and starts
 * QEMU there; with @state it goes on from that file. The monitor is open in @c.
 */
int machine_start(struct nested *n, const struct machine_image *image, const char *disk,
		  const char *state, struct ctl *c);
/* Waits until L1 has booted. */
int machine_wait_boot(const struct nested *n, const struct nested_config *c);
/* Waits until the memory has been read. */
int machine_wait_state(const struct nested *n, struct ctl *c);
/* Writes the memory to @path and lets QEMU end. */
int machine_save(const struct nested *n, struct ctl *c, const char *path);
int machine_wait_end(const struct nested *n);
/* Plugs built.img in. */
int machine_plug(const struct nested *n, struct ctl *c);
/* The port that QEMU chose. */
int machine_port(struct nested *n, struct ctl *c);

/*
 * The snapshot's directory, made if there is none that fits; static. NULL after
 * fail(), or when stopped().
 */
const char *snapshot_get(const struct machine_image *image, const struct nested_config *c);

#endif /* TESTBED_NESTED_MACHINE_H */
