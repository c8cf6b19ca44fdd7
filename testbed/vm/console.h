/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A VM's serial console on this terminal. */
#ifndef TESTBED_VM_CONSOLE_H
#define TESTBED_VM_CONSOLE_H

#include <libvirt/libvirt.h>

#include "util.h"

/* The pty of @dom's serial port. -1 after fail(). */
int console_pty(virDomainPtr dom, char *path, size_t size);
/*
 * Joins stdin and stdout with the pty at @path until Ctrl-], the end of stdin,
 * the end of the VM, or a signal. 0, or -1 after fail().
 */
int console_attach(const char *path);

#endif /* TESTBED_VM_CONSOLE_H */
