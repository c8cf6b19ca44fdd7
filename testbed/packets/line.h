/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How far two CPUs are apart. A virtual machine's may be moved to another cache while a
 * benchmark runs; then all that goes from one CPU to the other takes several times as
 * long, whoever does it.
 */
#ifndef PACKETS_LINE_H
#define PACKETS_LINE_H

/*
 * A cache line's way from this thread, which must be pinned, to CPU @other and back, ns: the
 * least of some hundred means over 100 times, within 20 ms. UNKNOWN where @other
 * cannot be used. What runs there loses half of it meanwhile.
 */
double line_time_ns(int other);

#endif /* PACKETS_LINE_H */
