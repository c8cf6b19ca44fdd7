/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where threads may meet: dp_point() stands before every access to what several
 * threads write. It is nothing, but in the test that tries interleavings, which
 * switches between threads there.
 */
#ifndef DP_POINT_H
#define DP_POINT_H

#ifdef DP_INTERLEAVE
void dp_point(void);
#else
static inline void dp_point(void)
{
}
#endif

#endif /* DP_POINT_H */
