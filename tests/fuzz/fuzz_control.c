// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * libFuzzer target: the input is what clients of ringpaced's control socket do, by
 * control_script.h, to a daemon that has just begun. Beside crashes it finds a line without
 * its reply, a reply that is none, a client that is kept, and a port that is not served as
 * was ordered.
 */
#include "../unit/control_script.h"

int LLVMFuzzerTestOneInput(const u8 *data, size_t bytes);

int LLVMFuzzerTestOneInput(const u8 *data, size_t bytes)
{
	script_play(data, bytes);
	return 0;
}
