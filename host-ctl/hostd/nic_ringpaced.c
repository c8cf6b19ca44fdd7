// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Weights of a NIC in software: a port of ringpaced with nic=NAME (docs/packets.md), by
 * its order `weight`, which also tells what is in force. Flows are counted where the port
 * steers (RSS): groups by which anything came since the last look.
 */
#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "nic.h"
#include "now.h"

#define FLOWS_NS	1000000000ULL
#define GROUPS_MAX	1024u
#define ANSWER_S	2
#define ANSWER_MAX	16384u

static u64 counter(const json_t *o, const char *key)
{
	json_int_t v = json_integer_value(json_object_get(o, key));

	return v > 0 ? (u64)v : 0;
}

static struct nic_queue *find(struct nic *n, u64 id)
{
	u32 i;

	for (i = 0; i < n->queues; i++)
		if (n->queue[i].id == id)
			return &n->queue[i];
	return NULL;
}

/* ---- Weights ---- */

static void on_weight(void *ctx, const json_t *result, const char *code)
{
	const json_t *queues = json_object_get(result, "queues"), *o;
	struct nic_answer a = { .why = "" };
	struct nic *n = ctx;
	size_t i;

	/* Then it is the kernel's, from the next round on. */
	if (code && !strcmp(code, "no-device") && if_nametoindex(n->name)) {
		n->ops = nic_kernel_ops(n->queue[0].id);
		n->looked_ns = 0;
		return;
	}
	if (!json_is_array(queues))
		snprintf(a.why, sizeof(a.why), "ringpaced has no NIC of that name (%.32s), nor is "
			 "there such an interface", code ? code : "an answer of another kind");
	json_array_foreach(queues, i, o) {
		const struct nic_queue *q = find(n, counter(o, "queue"));
		u64 weight = counter(o, "weight");

		if (!q || weight > UINT32_MAX)
			continue;
		a.queue[q - n->queue].there = weight;
		a.queue[q - n->queue].has = (u32)weight;
		a.queue[q - n->queue].packets = counter(o, "packets");
		a.queue[q - n->queue].bytes = counter(o, "bytes");
	}
	nic_take(n, &a);
}

/* Arguments, to be freed. */
static char *order(const struct nic *n, bool set)
{
	json_t *args = json_pack("{s:s}", "device", n->name), *weights;
	char number[16];
	u32 i;

	if (!set)
		return link_args(args);
	weights = json_object();
	for (i = 0; i < n->queues; i++) {
		/* One that is not there would have all refused. */
		if (!n->queue[i].there)
			continue;
		snprintf(number, sizeof(number), "%u", n->queue[i].id);
		json_object_set_new(weights, number, json_integer(n->queue[i].asked));
	}
	json_object_set_new(args, "weight", weights);
	return link_args(args);
}

/* ---- Flows ---- */

static bool remember(struct nic *n, const json_t *packets, u32 groups)
{
	u64 *group = realloc(n->group, groups * sizeof(*group));
	u32 i;

	if (!group)
		return false;
	n->group = group;
	n->groups = groups;
	for (i = 0; i < groups; i++)
		group[i] = (u64)json_integer_value(json_array_get(packets, i));
	return true;
}

static void on_flows(void *ctx, const json_t *result, const char *code)
{
	const json_t *port = json_array_get(json_object_get(result, "ports"), 0);
	const json_t *table = json_object_get(port, "groups");
	const json_t *packets = json_object_get(port, "group_packets");
	size_t groups = json_array_size(packets);
	struct nic *n = ctx;
	bool known = groups && groups == n->groups;
	u32 i;

	if (groups > GROUPS_MAX || groups != json_array_size(table))
		groups = 0;
	for (i = 0; i < n->queues; i++)
		n->queue[i].flows = groups && known ? 0 : NIC_FLOWS_UNKNOWN;
	for (i = 0; i < groups && known; i++) {
		struct nic_queue *q = find(n, (u64)json_integer_value(json_array_get(table, i)));

		if (q && (u64)json_integer_value(json_array_get(packets, i)) != n->group[i])
			q->flows++;
	}
	if (!groups || !remember(n, packets, (u32)groups))
		n->groups = 0;
}

/* Takes @args. */
static bool send_args(struct nic *n, u32 slot, const char *cmd, char *args)
{
	bool sent = args && link_send(n->link, slot, cmd, args);

	free(args);
	return sent;
}

static bool begin(struct nic *n, bool set)
{
	u64 now = now_ns();

	if (!link_up(n->link)) {
		nic_say(n, HC_NOBODY, "ringpaced cannot be reached");
		return false;
	}
	if (now >= n->flows_at &&
	    send_args(n, n->flows_slot, "backlog",
		      link_args(json_pack("{s:[s], s:b}", "devices", n->name, "groups", 1))))
		n->flows_at = now + FLOWS_NS;
	if (!send_args(n, n->weight_slot, "weight", order(n, set)))
		return false;
	n->setting = set;
	return true;
}

void nic_ringpaced_init(struct nic *n)
{
	n->weight_slot = (u32)link_slot(n->link, on_weight, n);
	n->flows_slot = (u32)link_slot(n->link, on_flows, n);
}

/* ---- Back ---- */

/* "SOCKET NIC QUEUE" */
static void target(const struct nic *n, u32 queue, char text[UNDO_TARGET_MAX])
{
	snprintf(text, UNDO_TARGET_MAX, "%s %s %u", n->link->path, n->name, queue);
}

/* A socket whose peer has time to answer, but not forever; -errno. */
static int open_socket(const char *path)
{
	const struct timeval patience = { ANSWER_S, 0 };
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), rc;

	if (fd < 0)
		return -errno;
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	snprintf(sa.sun_path, sizeof(sa.sun_path), "%s", path);
	if (!connect(fd, (struct sockaddr *)&sa, sizeof(sa)))
		return fd;
	rc = -errno;
	close(fd);
	return rc;
}

/* The answer to one line; NULL: there is none. */
static json_t *call(int fd, const char *line)
{
	size_t bytes = 0, size = strlen(line);
	static char buf[ANSWER_MAX];	/* one thread at a time gives back */
	ssize_t n;

	if (send(fd, line, size, MSG_NOSIGNAL) != (ssize_t)size)
		return NULL;
	while (bytes < sizeof(buf) && (n = recv(fd, buf + bytes, sizeof(buf) - bytes, 0)) > 0) {
		bytes += (size_t)n;
		if (memchr(buf, '\n', bytes))
			return json_loadb(buf, bytes, JSON_DISABLE_EOF_CHECK, NULL);
	}
	return NULL;
}

static enum undo_done restore(const struct undo_where *w, const char *text, const char *value)
{
	char path[CONF_PATH_MAX], nic[CONF_NAME_MAX], line[256];
	enum undo_done done = UNDO_FAILED;
	u32 queue, weight;
	json_t *v;
	int fd;

	if (sscanf(text, "%107s %31s %u", path, nic, &queue) != 3 || strpbrk(nic, "\"\\") ||
	    sscanf(value, "%u", &weight) != 1)
		return UNDO_GONE;
	fd = open_socket(path);
	/* One that was started since has the weights of its own file. */
	if (fd < 0)
		return fd == -ENOENT || fd == -ECONNREFUSED ? UNDO_GONE : UNDO_FAILED;
	snprintf(line, sizeof(line), "{\"v\":1,\"cmd\":\"weight\",\"device\":\"%s\",\"weight\":"
		 "{\"%u\":%u}}\n", nic, queue, weight);
	v = call(fd, line);
	close(fd);
	if (json_is_true(json_object_get(v, "ok")))
		done = UNDO_DONE;
	else if (v)
		done = UNDO_GONE;	/* it has no such NIC or queue any more */
	json_decref(v);
	return done;
}

const struct undo_kind nic_ringpaced_kind = { .name = "nic", .restore = restore,
						     .slow = true };

const struct nic_ops nic_ringpaced_ops = { .name = "ringpaced", .kind = &nic_ringpaced_kind,
					   .begin = begin, .target = target };
