// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * libFuzzer target: the input is an order to rp-dataplane as it comes, and once more as
 * the numbers in one that is well-formed, or nearly, with moves carried out between.
 * Beside crashes it finds a reply that is none, and moves that do not end.
 */
#include "../unit/dp_orders_bed.h"

int LLVMFuzzerTestOneInput(const u8 *data, size_t bytes);

int LLVMFuzzerTestOneInput(const u8 *data, size_t bytes)
{
	if (!bed)
		orders_bed_open();
	json_decref(orders_bed_ask_bytes((const char *)data, bytes));
	orders_bed_turns();
	orders_bed_play(data, bytes);
	return 0;
}
