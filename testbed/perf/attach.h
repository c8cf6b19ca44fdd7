/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What runs already, as a scene: a ringpaced, a VM, or both. */
#ifndef PERF_ATTACH_H
#define PERF_ATTACH_H

#include "ctl.h"
#include "lane.h"
#include "perf/scene.h"

struct attached {
	struct run_scene scene;
	struct ctl ctl;			/* of a ringpaced, or fd -1 */
	int kernel_device;		/* of vhost_pc, or -1 */
};

/*
 * @socket: a ringpaced's control socket, or NULL. @domain: a libvirt domain, or
 * NULL. Not both NULL; without @socket the domain's device must be the kernel's.
 * 0, or -1 after fail(); attached_close() undoes it in both cases. The scene
 * points into @a.
 */
int attached_open(struct attached *a, const char *socket, const char *domain);
void attached_close(struct attached *a);

#endif /* PERF_ATTACH_H */
