// SPDX-License-Identifier: GPL-2.0-or-later
/* GET /metrics, by libmicrohttpd in the main loop. */
#include <errno.h>
#include <microhttpd.h>
#include <stdio.h>
#include <string.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "log/log.h"
#include "metrics/http.h"
#include "sock/sock.h"

#define CLIENT_MEMORY_BYTES	(16u << 10)

const char *const metrics_content_type[2] = {
	[METRICS_OPEN] = "application/openmetrics-text; version=1.0.0; charset=utf-8",
	[METRICS_CLASSIC] = "text/plain; version=0.0.4; charset=utf-8",
};

/* ---- Answers ---- */

static enum MHD_Result answer(struct MHD_Connection *c, u32 status, struct MHD_Response *r,
			      const char *header, const char *value)
{
	enum MHD_Result rc = MHD_NO;

	if (r && MHD_add_response_header(r, header, value) == MHD_YES)
		rc = MHD_queue_response(c, status, r);
	if (r)
		MHD_destroy_response(r);
	return rc;
}

static struct MHD_Response *constant(const char *text)
{
	return MHD_create_response_from_buffer(strlen(text), (void *)text, MHD_RESPMEM_PERSISTENT);
}

static enum MHD_Result answer_metrics(struct metrics_http *h, struct MHD_Connection *c)
{
	const char *accept = MHD_lookup_connection_value(c, MHD_HEADER_KIND, "Accept");
	enum metrics_format format = accept && strstr(accept, "application/openmetrics-text") ?
		METRICS_OPEN : METRICS_CLASSIC;
	struct MHD_Response *r;
	size_t bytes;
	char *text = h->make(h->of, format, &bytes);

	if (!text)
		return MHD_NO;
	r = MHD_create_response_from_buffer(bytes, text, MHD_RESPMEM_MUST_FREE);
	return answer(c, MHD_HTTP_OK, r, "Content-Type", metrics_content_type[format]);
}

static enum MHD_Result on_request(void *ctx, struct MHD_Connection *c, const char *url,
				  const char *method, const char *version, const char *data,
				  size_t *data_bytes, void **state)
{
	static const char plain[] = "text/plain; charset=utf-8";
	bool get = !strcmp(method, "GET") || !strcmp(method, "HEAD");

	/* A body is no business of ours; the answer is the same, and the connection ends. */
	if (*data_bytes) {
		*data_bytes = 0;
		return MHD_YES;
	}
	if (strcmp(url, "/metrics"))
		return answer(c, MHD_HTTP_NOT_FOUND, constant("only /metrics is here\n"),
			      "Content-Type", plain);
	if (!get)
		return answer(c, MHD_HTTP_METHOD_NOT_ALLOWED, constant("only GET\n"),
			      "Allow", "GET, HEAD");
	return answer_metrics(ctx, c);
}

/* ---- In the loop ---- */

static u32 clients(const struct metrics_http *h)
{
	return MHD_get_daemon_info(h->mhd, MHD_DAEMON_INFO_CURRENT_CONNECTIONS)->num_connections;
}

/*
 * Does what can be done, and sets the timer for what cannot yet. At its limit of
 * clients the library stops listening, and drops those that are late after the place
 * where it would begin again: who was the last to go must be followed by another run.
 */
static void work(struct metrics_http *h)
{
	struct itimerspec at = { 0 };
	MHD_UNSIGNED_LONG_LONG ms;
	u32 before;

	do {
		before = clients(h);
		MHD_run(h->mhd);
	} while (clients(h) < before);
	if (MHD_get_timeout(h->mhd, &ms) == MHD_YES) {
		at.it_value.tv_sec = (time_t)(ms / 1000);
		/* 0 would stop the timer. */
		at.it_value.tv_nsec = (long)(ms % 1000) * 1000000 + 1;
	}
	timerfd_settime(h->timer.fd, 0, &at, NULL);
}

static void on_events(struct loop_source *src, u32 events)
{
	work(container_of(src, struct metrics_http, events));
}

static void on_timer(struct loop_source *src, u32 events)
{
	u64 times;

	if (read(src->fd, &times, sizeof(times)) == sizeof(times))
		work(container_of(src, struct metrics_http, timer));
}

/* ---- Life ---- */

static int listen_inet(const struct metrics_address *a, char *why, size_t why_bytes)
{
	int fd = socket(a->addr.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int one = 1;

	if (fd >= 0 && setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) == 0 &&
	    bind(fd, (const struct sockaddr *)&a->addr, a->bytes) == 0 && listen(fd, 16) == 0)
		return fd;
	snprintf(why, why_bytes, "cannot listen on its address: %s", strerror(errno));
	if (fd >= 0)
		close(fd);
	return -1;
}

static void on_library_log(void *ctx, const char *fmt, va_list ap)
{
	char text[256];

	vsnprintf(text, sizeof(text), fmt, ap);
	log_debug("metrics: %s", text);
}

/* @fd is the library's from now on, also when it fails. */
static int start_library(struct metrics_http *h, int fd)
{
	const union MHD_DaemonInfo *info;

	h->mhd = MHD_start_daemon(MHD_USE_EPOLL | MHD_USE_ERROR_LOG, 0, NULL, NULL, on_request, h,
		MHD_OPTION_EXTERNAL_LOGGER, on_library_log, NULL,
		MHD_OPTION_LISTEN_SOCKET, fd,
		MHD_OPTION_CONNECTION_LIMIT, METRICS_CLIENTS_MAX,
		MHD_OPTION_CONNECTION_TIMEOUT, METRICS_TIMEOUT_S,
		MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CLIENT_MEMORY_BYTES,
		MHD_OPTION_END);
	if (!h->mhd) {
		close(fd);
		return -ENOMEM;
	}
	info = MHD_get_daemon_info(h->mhd, MHD_DAEMON_INFO_EPOLL_FD);
	if (!info)
		return -EINVAL;
	h->events.fd = info->epoll_fd;
	return 0;
}

static int watch(struct metrics_http *h)
{
	int rc;

	h->timer.fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	if (h->timer.fd < 0)
		return -errno;
	h->events.ready = on_events;
	h->timer.ready = on_timer;
	rc = loop_add(h->loop, &h->timer, EPOLLIN);
	return rc == 0 ? loop_add(h->loop, &h->events, EPOLLIN) : rc;
}

int metrics_http_start(struct metrics_http *h, const struct metrics_address *a,
		       struct loop *loop, metrics_maker *make, const void *of, gid_t gid, char *why,
		       size_t why_bytes)
{
	int fd, rc;

	memset(h, 0, sizeof(*h));
	h->timer.fd = -1;
	h->loop = loop;
	h->make = make;
	h->of = of;
	fd = a->unix_path ? sock_listen(a->unix_path, gid, why, why_bytes) :
			    listen_inet(a, why, why_bytes);
	if (fd < 0)
		return -1;
	h->unix_path = a->unix_path;
	rc = start_library(h, fd);
	if (rc == 0)
		rc = watch(h);
	if (rc == 0)
		return 0;
	snprintf(why, why_bytes, "cannot serve HTTP: %s", strerror(-rc));
	metrics_http_stop(h);
	return -1;
}

void metrics_http_stop(struct metrics_http *h)
{
	if (h->timer.fd >= 0) {
		loop_del(h->loop, &h->timer);
		close(h->timer.fd);
	}
	if (h->mhd) {
		if (h->events.ready)
			loop_del(h->loop, &h->events);
		MHD_stop_daemon(h->mhd);
	}
	if (h->unix_path)
		unlink(h->unix_path);
	memset(h, 0, sizeof(*h));
	h->timer.fd = -1;
}
