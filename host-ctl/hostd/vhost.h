/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The threads in which the kernel's vhost works for a process, such as a domain's QEMU. They
 * are named after it, "vhost-PID"; since Linux 6.4 they are threads of that process, before
 * they were the kernel's, which a pin of QEMU's threads reaches only through a cpuset.
 */
#ifndef HOSTD_VHOST_H
#define HOSTD_VHOST_H

#include <sched.h>

#include "undo.h"

/* Of a domain by its pidfile in @dir, which is where libvirt has it; 0: not known. */
pid_t vhost_process(const char *dir, const char *domain);
/* How they were is noted as of @owner. 0 or -errno; that there is none is no error. */
int vhost_confine(struct undo *undo, const char *owner, pid_t process, const cpu_set_t *cpus);

#endif /* HOSTD_VHOST_H */
