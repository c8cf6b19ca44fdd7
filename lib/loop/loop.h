/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A thread's event loop: file descriptors and what to do about them. */
#ifndef RP_LOOP_H
#define RP_LOOP_H

#include <sys/epoll.h>

#include "rp.h"

struct loop_source {
	int fd;
	void (*ready)(struct loop_source *src, u32 events);
};

struct loop {
	int epfd;	/* readable while a source is ready, for who waits elsewhere */
	bool stop;
};

#define container_of(ptr, type, member) \
	((type *)((char *)(ptr) - offsetof(type, member)))

/* All return 0 or -errno. */
int loop_init(struct loop *l);
int loop_add(struct loop *l, struct loop_source *src, u32 events);
int loop_mod(struct loop *l, struct loop_source *src, u32 events);
void loop_del(struct loop *l, struct loop_source *src);
/* Runs until ->stop. */
int loop_run(struct loop *l);
/* Sees to one source that is ready, if there is one, without waiting. */
int loop_step(struct loop *l);
void loop_fini(struct loop *l);

#endif /* RP_LOOP_H */
