/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * rp-dataplane in a VM: a libvirt domain of the embedded driver, with a card at port b of the
 * service's ringpaced. Orders go by virtio-serial, whose end here is the same socket of the
 * service's directory that the program itself would listen on. Functions return 0, or -1
 * after fail().
 */
#ifndef DATAPLANE_VM_H
#define DATAPLANE_VM_H

#include "dataplane/service.h"

#define DP_VM_NAME_MAX	24u

/* NULL when the lane can do it, else why not. */
const char *dp_vm_check(const struct service_options *o);
/* The domain's name without the prefix; one for each directory. */
void dp_vm_name(const struct service *s, char name[DP_VM_NAME_MAX]);
/* Defines and starts it. dp_vm_remove() undoes it in both cases. */
int dp_vm_start(const struct service *s, const struct service_options *o, const char *name);
/* Harmless when there is none. */
int dp_vm_remove(const char *name);

#endif /* DATAPLANE_VM_H */
