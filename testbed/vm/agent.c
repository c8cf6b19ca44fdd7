// SPDX-License-Identifier: GPL-2.0-or-later
/* Finds out when the guest is ready, and why it is not. */
#include "vm/agent.h"

#include <string.h>

#include "vm/domain.h"

/*
 * Only the answer to our own request will do: the announcement that the agent
 * makes when it starts may come as well, and what is left unread would be the
 * next client's. A request that is sent early waits until the guest opens its
 * port.
 */
static bool is_hello(const json_t *v, int id)
{
	const json_t *result = json_object_get(v, "result");
	const char *program = json_string_value(json_object_get(result, "program"));

	return program && !strcmp(program, "rp-agent") &&
	       json_integer_value(json_object_get(v, "id")) == id;
}

int agent_open(struct ctl *c, virDomainPtr dom, const char *dir, u32 timeout_ms)
{
	u64 end = now_ns() + timeout_ms * 1000000ULL;
	char path[256], log[256];
	bool hello = false;
	json_t *v;
	int id;

	snprintf(path, sizeof(path), "%s/agent.sock", dir);
	snprintf(log, sizeof(log), "%s/serial.log", dir);
	if (ctl_open(c, path, 5000))
		return -1;
	id = ctl_send(c, "hello", NULL);
	if (id < 0)
		goto fail;
	while (!hello && !stopped() && now_ns() < end && vm_active(dom)) {
		v = ctl_next(c, 500);
		hello = is_hello(v, id);
		json_decref(v);
	}
	if (hello)
		return 0;
	if (!stopped())
		fail("the agent in VM %s did not answer: %s; the console's last line (%s): %s",
		     vm_name(dom), vm_active(dom) ? "the guest did not boot in time" :
		     "the VM went off", log, log_tail(log));
fail:
	ctl_close(c);
	return -1;
}
