// SPDX-License-Identifier: GPL-2.0-or-later
/* The applications that answer each byte with itself. */
#include "conn.h"
#include "udp.h"

static u32 echo_data(struct conn *c, const u8 *data, u32 bytes)
{
	return conn_send(c, data, bytes);
}

static void echo_ended(struct conn *c)
{
	conn_close(c);
}

const struct conn_app conn_echo = {
	.name = "echo",
	.data = echo_data,
	.ended = echo_ended,
};

static int same_again(void *app_arg, u8 *data, u32 bytes)
{
	return (int)bytes;
}

const struct udp_app udp_echo = { .name = "echo", .answer = same_again };
