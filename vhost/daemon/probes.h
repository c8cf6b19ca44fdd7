/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * USDT probes of provider ringpaced. A disabled one is a nop. Arguments: the
 * queue's number in its device, the items that its party has moved so far, and
 * where named one more.
 */
#ifndef RINGPACED_PROBES_H
#define RINGPACED_PROBES_H

#include <sys/sdt.h>

#define PROBE_KICK(queue, items)	DTRACE_PROBE2(ringpaced, kick, queue, items)
#define PROBE_ARMED(queue, items, k)	DTRACE_PROBE3(ringpaced, armed, queue, items, k)
#define PROBE_DOUBLE_CHECK(queue, items) \
	DTRACE_PROBE2(ringpaced, double_check, queue, items)
#define PROBE_BLOCK(queue, items)	DTRACE_PROBE2(ringpaced, block, queue, items)
#define PROBE_WAKE(queue, items)	DTRACE_PROBE2(ringpaced, wake, queue, items)
#define PROBE_SLEEP(queue, items, ns)	DTRACE_PROBE3(ringpaced, sleep, queue, items, ns)
#define PROBE_CALL(queue, items)	DTRACE_PROBE2(ringpaced, call, queue, items)

#endif /* RINGPACED_PROBES_H */
