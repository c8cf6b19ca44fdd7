// SPDX-License-Identifier: GPL-2.0-or-later
/* The state file: queues to JSON and back, and when it is written. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "log/log.h"
#include "net/net_state.h"
#include "state.h"

#define STATE_VERSION	1
/* More than 64 devices and as many ports, of 128 queues each, need. */
#define STATE_MAX_BYTES	(8 << 20)
#define PERIOD_S	5

/* ---- Bytes as text ---- */

static void to_hex(char *text, const u8 *data, u32 bytes)
{
	u32 i;

	text[0] = '\0';
	for (i = 0; i < bytes; i++)
		snprintf(text + 2 * i, 3, "%02x", data[i]);
}

static int hex_digit(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool from_hex(struct rp_learned *l, const char *text)
{
	size_t digits = text ? strlen(text) : 0;
	u32 i;

	if (!digits || digits % 2 || digits > 2 * sizeof(l->data))
		return false;
	for (i = 0; i < digits / 2; i++) {
		int high = hex_digit(text[2 * i]), low = hex_digit(text[2 * i + 1]);

		if (high < 0 || low < 0)
			return false;
		l->data[i] = (u8)(high << 4 | low);
	}
	l->bytes = (u32)digits / 2;
	return true;
}

/* FNV-1a of the array as it is printed: finds what was cut off or edited. */
static u64 checksum(const json_t *queues)
{
	char *text = json_dumps(queues, JSON_COMPACT | JSON_SORT_KEYS), *at;
	u64 h = 0xcbf29ce484222325ULL;

	for (at = text; at && *at; at++)
		h = (h ^ (u8)*at) * 0x100000001b3ULL;
	free(text);
	return h;
}

static void print_checksum(char text[17], u64 sum)
{
	snprintf(text, 17, "%016" PRIx64, sum);
}

/* ---- Reading ---- */

/* Of a device's queue, or of a port's. NULL: there is none. */
static struct rp_learned *find_learned(const struct devices *devices, const char *name, u64 queue)
{
	struct device *d = name ? devices_find(devices, name) : NULL;
	const struct port *p;

	if (d)
		return queue < d->queue_count ? &d->queues[queue].learned : NULL;
	p = name && devices->net ? net_find(devices->net, name) : NULL;
	return p && queue < 2 * p->opt.pairs ? net_learned(p, (u32)queue) : NULL;
}

/* A device, a port or a strategy that is not there any more is nothing bad. */
static bool load_queue(const struct devices *devices, const json_t *entry)
{
	const char *name = json_string_value(json_object_get(entry, "strategy"));
	const json_t *index = json_object_get(entry, "queue");
	int id = name ? rp_strategy_id_by_name(name) : -1;
	struct rp_learned l = { 0 }, *to;

	if (!json_is_integer(index) ||
	    !from_hex(&l, json_string_value(json_object_get(entry, "learned"))))
		return false;
	to = find_learned(devices, json_string_value(json_object_get(entry, "device")),
			  (u64)json_integer_value(index));
	if (to && id >= 0) {
		l.strategy = (u32)id;
		*to = l;
	}
	return true;
}

/* NULL, or why the file is ignored. */
static const char *load(struct state *s, const json_t *file)
{
	const json_t *queues = json_object_get(file, "queues"), *entry;
	const char *sum = json_string_value(json_object_get(file, "checksum"));
	char text[17];
	size_t i;

	if (json_integer_value(json_object_get(file, "version")) != STATE_VERSION)
		return "it is of another version";
	if (!json_is_array(queues) || !sum)
		return "it is no state file of ringpaced";
	print_checksum(text, checksum(queues));
	if (strcmp(sum, text))
		return "its checksum is wrong";
	json_array_foreach(queues, i, entry)
		if (!load_queue(s->devices, entry))
			return "one of its queues makes no sense";
	s->written = checksum(queues);
	return NULL;
}

/* A text to free(), or NULL with *@why filled in. */
static char *read_file(int fd, size_t *bytes, const char **why)
{
	struct stat st;
	char *text;
	ssize_t n;

	*why = "it is no regular file, or too long";
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_size > STATE_MAX_BYTES)
		return NULL;
	text = malloc((size_t)st.st_size + 1);
	n = text ? read(fd, text, (size_t)st.st_size) : -1;
	*why = "it cannot be read";
	if (n < 0) {
		free(text);
		return NULL;
	}
	*bytes = (size_t)n;
	return text;
}

void state_load(struct state *s)
{
	int fd = s->path ? open(s->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK) : -1;
	const char *why = NULL;
	size_t bytes = 0;
	json_t *file;
	char *text;

	if (!s->path || (fd < 0 && errno == ENOENT))
		return;
	if (fd < 0) {
		log_warn("state: %s is ignored: %s", s->path, strerror(errno));
		return;
	}
	text = read_file(fd, &bytes, &why);
	close(fd);
	if (text) {
		file = json_loadb(text, bytes, JSON_REJECT_DUPLICATES, NULL);
		why = file ? load(s, file) : "it is not JSON";
		json_decref(file);
	}
	free(text);
	if (why)
		log_warn("state: %s is ignored, strategies learn anew: %s", s->path, why);
}

/* ---- Writing ---- */

static void add_queue(json_t *queues, const char *device, u32 queue, const struct rp_learned *l)
{
	char hex[2 * RP_LEARNED_BYTES + 1];

	if (!l || !l->bytes)
		return;
	to_hex(hex, l->data, l->bytes);
	json_array_append_new(queues, json_pack("{s:s, s:i, s:s, s:s}",
		"device", device, "queue", (int)queue,
		"strategy", rp_strategy_by_id(l->strategy)->name, "learned", hex));
}

static void add_device(json_t *queues, struct device *d)
{
	u32 i;

	for (i = 0; i < d->queue_count; i++) {
		queue_keep_learned(&d->queues[i]);
		add_queue(queues, d->opt.name, i, &d->queues[i].learned);
	}
}

static void add_port(json_t *queues, const struct port *p)
{
	u32 i;

	for (i = 0; i < 2 * p->opt.pairs; i++)
		add_queue(queues, p->opt.name, i, net_keep_learned(p, i));
}

static json_t *all_queues(const struct devices *devices)
{
	json_t *queues = json_array();
	u32 i;

	for (i = 0; i < devices->count; i++)
		add_device(queues, devices->dev[i]);
	for (i = 0; devices->net && i < devices->net->port_count; i++)
		add_port(queues, devices->net->port[i]);
	return queues;
}

/* 0 or -errno. The old file stays whole until the new one is. */
static int write_file(const char *path, const json_t *file)
{
	char *temporary = NULL;
	int fd, rc;

	if (asprintf(&temporary, "%s.new", path) < 0)
		return -ENOMEM;
	fd = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	rc = fd < 0 ? -errno : 0;
	if (!rc && (json_dumpfd(file, fd, JSON_COMPACT) || write(fd, "\n", 1) != 1 ||
		    fsync(fd)))
		rc = errno ? -errno : -EIO;
	if (fd >= 0)
		close(fd);
	if (!rc && rename(temporary, path))
		rc = -errno;
	if (rc && fd >= 0)
		unlink(temporary);
	free(temporary);
	return rc;
}

void state_save(struct state *s)
{
	char text[17];
	json_t *queues, *file;
	u64 sum;
	int rc = 0;

	if (!s->path)
		return;
	queues = all_queues(s->devices);
	sum = checksum(queues);
	print_checksum(text, sum);
	file = json_pack("{s:s, s:i, s:o, s:s}", "program", "ringpaced", "version",
			 STATE_VERSION, "queues", queues, "checksum", text);
	if (json_array_size(queues) && sum != s->written)
		rc = write_file(s->path, file);
	json_decref(file);
	if (!rc)
		s->written = sum;
	else if (!s->complained)
		log_warn("state: %s cannot be written: %s; a restart will learn anew",
			 s->path, strerror(-rc));
	s->complained = rc;
}

static void on_timer(struct loop_source *src, u32 events)
{
	struct state *s = container_of(src, struct state, timer);
	u64 times;

	if (read(src->fd, &times, sizeof(times)) == sizeof(times))
		state_save(s);
}

int state_watch(struct state *s, struct loop *loop)
{
	const struct itimerspec period = {
		.it_interval = { PERIOD_S, 0 }, .it_value = { PERIOD_S, 0 },
	};

	if (!s->path)
		return 0;
	s->timer.ready = on_timer;
	s->timer.fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	if (s->timer.fd < 0 || timerfd_settime(s->timer.fd, 0, &period, NULL))
		return -errno;
	return loop_add(loop, &s->timer, EPOLLIN);
}

void state_fini(struct state *s, struct loop *loop)
{
	if (s->timer.fd < 0)
		return;
	loop_del(loop, &s->timer);
	close(s->timer.fd);
	s->timer.fd = -1;
}
