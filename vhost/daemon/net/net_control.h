/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The control protocol's requests about ports (docs/control.md). */
#ifndef RINGPACED_NET_CONTROL_H
#define RINGPACED_NET_CONTROL_H

#include "args.h"
#include "net.h"

/* The port that "device" names, or NULL; no error, it may be another device. */
struct port *net_control_port(const struct net *n, const json_t *args);
/* Adds "ports", "pacers" and "switches" to the result of `list`. */
void net_control_list(const struct net *n, json_t *result);
/* The result, or NULL with @e filled in. */
json_t *net_control_stats(struct port *p, const json_t *args, struct ctl_error *e);
json_t *net_control_backlog(const struct net *n, const json_t *args, struct ctl_error *e);
json_t *net_control_set(struct port *p, const json_t *args, struct ctl_error *e);
json_t *net_control_move(struct net *n, const json_t *args, struct ctl_error *e);
json_t *net_control_macs(struct net *n, const json_t *args, struct ctl_error *e);
json_t *net_control_flush(struct net *n, const json_t *args, struct ctl_error *e);

#endif /* RINGPACED_NET_CONTROL_H */
