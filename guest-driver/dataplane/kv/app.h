/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The key-value server: memcached's protocols on connections, a store behind them. */
#ifndef DP_KV_APP_H
#define DP_KV_APP_H

struct conn_app;

/* With a struct kv_store, of as many threads as the dataplane has, as the station's app_arg. */
extern const struct conn_app conn_kv;

#endif /* DP_KV_APP_H */
