// SPDX-License-Identifier: GPL-2.0-or-later
/* What every kind of port has: queues and flows. */
#include <stdlib.h>
#include <string.h>

#include "port.h"

bool port_init(struct port *p, const struct port_options *o)
{
	p->opt = *o;
	p->opt.address = strdup(o->address);
	p->queue = calloc(2 * o->pairs, sizeof(*p->queue));
	p->flow = calloc(o->pairs, sizeof(*p->flow));
	return p->opt.address && p->queue && p->flow;
}

void port_begin(struct port *p)
{
	u32 i;

	for (i = 0; i < p->opt.pairs; i++)
		flow_init(&p->flow[i].flow, p->queue[2 * i + 1]);
}

void port_fini(struct port *p)
{
	free((char *)p->opt.address);
	free(p->queue);
	free(p->flow);
}
