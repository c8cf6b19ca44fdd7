// SPDX-License-Identifier: GPL-2.0-or-later
/* The files that a server of HTTP has, read when it starts. */
#include "site.h"

#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <linux/openat2.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define FILES_FIRST	64u
#define HEAD_BYTES	256u

struct reading {
	struct site *site;
	int root_fd;
	const char *root;
	u64 used, limit;		/* of the site's memory */
	u32 room;			/* in the table */
	char *why;
	u32 why_bytes;
};

static const struct {
	const char *end, *type;
} types[] = {
	{ ".html", "text/html; charset=utf-8" }, { ".htm", "text/html; charset=utf-8" },
	{ ".css", "text/css; charset=utf-8" }, { ".js", "text/javascript; charset=utf-8" },
	{ ".txt", "text/plain; charset=utf-8" }, { ".json", "application/json" },
	{ ".xml", "application/xml" }, { ".csv", "text/csv; charset=utf-8" },
	{ ".svg", "image/svg+xml" }, { ".png", "image/png" }, { ".jpg", "image/jpeg" },
	{ ".jpeg", "image/jpeg" }, { ".gif", "image/gif" }, { ".webp", "image/webp" },
	{ ".ico", "image/vnd.microsoft.icon" }, { ".woff2", "font/woff2" },
	{ ".pdf", "application/pdf" }, { ".wasm", "application/wasm" },
	{ ".gz", "application/gzip" }, { ".mp4", "video/mp4" },
};

static const char *type_of(const char *path)
{
	const char *name = strrchr(path, '/'), *end = strrchr(name ? name : path, '.');
	u32 i;

	for (i = 0; end && i < sizeof(types) / sizeof(types[0]); i++)
		if (!strcasecmp(end, types[i].end))
			return types[i].type;
	return "application/octet-stream";
}

void site_date(char text[SITE_DATE_BYTES], s64 seconds)
{
	time_t at = seconds;
	struct tm tm;

	/* A year of five digits has no such form. */
	if (!gmtime_r(&at, &tm) || tm.tm_year < 0 || tm.tm_year > 9999 - 1900)
		gmtime_r(&(time_t){ 0 }, &tm);
	strftime(text, SITE_DATE_BYTES, "%a, %d %b %Y %H:%M:%S GMT", &tm);
}

static int refuse(struct reading *r, const char *form, ...) __attribute__((format(printf, 2, 3)));
static int refuse(struct reading *r, const char *form, ...)
{
	va_list args;

	va_start(args, form);
	vsnprintf(r->why, r->why_bytes, form, args);
	va_end(args);
	return -1;
}

/* Of the site's memory; NULL: the limit is reached. */
static void *take(struct reading *r, u64 bytes)
{
	void *at = r->site->memory + r->used;

	if (bytes > r->limit - r->used) {
		refuse(r, "%s has more than %llu MiB: serve less, or allow more by --http-mib",
		       r->root, (unsigned long long)(r->limit >> 20));
		return NULL;
	}
	r->used += bytes;
	return at;
}

static const char *keep_text(struct reading *r, const char *text)
{
	char *at = take(r, strlen(text) + 1);

	return at ? strcpy(at, text) : NULL;
}

static int add(struct reading *r, const struct site_file *f)
{
	struct site *s = r->site;

	if (s->count == r->room) {
		u32 room = r->room ? 2 * r->room : FILES_FIRST;
		struct site_file *more = reallocarray(s->file, room, sizeof(*more));

		if (!more)
			return refuse(r, "no memory for a table of %u files", room);
		s->file = more;
		r->room = room;
	}
	s->file[s->count++] = *f;
	return 0;
}

static int read_all(struct reading *r, int fd, struct site_file *f)
{
	u8 *to = take(r, f->bytes);
	u64 n = 0;

	if (!to)
		return -1;
	f->data = to;
	while (n < f->bytes) {
		ssize_t got = read(fd, to + n, f->bytes - n);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return refuse(r, "%s%s cannot be read: %s", r->root, f->path,
				      got ? strerror(errno) : "it became shorter meanwhile");
		n += (u64)got;
	}
	return 0;
}

static int describe(struct reading *r, struct site_file *f, s64 modified)
{
	char head[HEAD_BYTES], date[SITE_DATE_BYTES];

	site_date(date, modified);
	snprintf(head, sizeof(head),
		 "Content-Type: %s\r\nContent-Length: %llu\r\nLast-Modified: %s\r\n",
		 type_of(f->path), (unsigned long long)f->bytes, date);
	f->head = keep_text(r, head);
	f->modified = keep_text(r, date);
	if (!f->head || !f->modified)
		return -1;
	f->head_bytes = (u32)strlen(head);
	return 0;
}

/* Its own path, and its directory's if it is the index there. */
static int add_paths(struct reading *r, struct site_file *f)
{
	static const char index[] = "/index.html";
	u32 n = (u32)sizeof(index) - 1;

	if (add(r, f))
		return -1;
	if (f->path_bytes < n || strcmp(f->path + f->path_bytes - n, index))
		return 0;
	f->path_bytes -= n - 1;
	return add(r, f);
}

static int read_open(struct reading *r, int fd, const char *path)
{
	struct site_file f = { .path_bytes = (u32)strlen(path) };
	struct stat st;

	if (fstat(fd, &st))
		return refuse(r, "%s%s: %s", r->root, path, strerror(errno));
	/* It was one when the directory was read. */
	if (!S_ISREG(st.st_mode))
		return 0;
	f.bytes = (u64)st.st_size;
	f.path = keep_text(r, path);
	if (!f.path || read_all(r, fd, &f) || describe(r, &f, st.st_mtime))
		return -1;
	return add_paths(r, &f);
}

/* @path from the root's slash on. No link may lead out of the root, whoever changes it now. */
static int read_file(struct reading *r, const char *path)
{
	struct open_how how = {
		.flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK,
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS,
	};
	int fd, rc;

	if (strlen(path) >= SITE_PATH_BYTES)
		return refuse(r, "%s%s: its path has more than %u bytes", r->root, path,
			      SITE_PATH_BYTES - 1);
	fd = (int)syscall(SYS_openat2, r->root_fd, path + 1, &how, sizeof(how));
	if (fd < 0)
		return refuse(r, "%s%s cannot be opened: %s", r->root, path, strerror(errno));
	rc = read_open(r, fd, path);
	close(fd);
	return rc;
}

static int visit(struct reading *r, FTS *fts, FTSENT *e)
{
	if (e->fts_level > 0 && e->fts_name[0] == '.') {
		fts_set(fts, e, FTS_SKIP);
		return 0;
	}
	if (e->fts_info == FTS_DNR || e->fts_info == FTS_ERR || e->fts_info == FTS_NS)
		return refuse(r, "%s cannot be read: %s", e->fts_path, strerror(e->fts_errno));
	/* That of "/" is the one in front of the path already. */
	return e->fts_info == FTS_F ?
		read_file(r, e->fts_path + (r->root[1] ? strlen(r->root) : 0)) : 0;
}

static int walk(struct reading *r)
{
	char *const roots[] = { (char *)r->root, NULL };
	FTS *fts = fts_open(roots, FTS_PHYSICAL | FTS_COMFOLLOW | FTS_NOCHDIR, NULL);
	FTSENT *e;
	int rc = 0;

	if (!fts)
		return refuse(r, "%s: %s", r->root, strerror(errno));
	while (!rc && (e = fts_read(fts)))
		rc = visit(r, fts, e);
	fts_close(fts);
	return rc;
}

static int by_path(const void *a, const void *b)
{
	const struct site_file *x = a, *y = b;
	u32 n = x->path_bytes < y->path_bytes ? x->path_bytes : y->path_bytes;
	int rc = memcmp(x->path, y->path, n);

	return rc ? rc : (x->path_bytes > y->path_bytes) - (x->path_bytes < y->path_bytes);
}

/* From now on a write to it by mistake is a fault. */
static int seal(struct reading *r)
{
	struct site *s = r->site;
	u64 page = (u64)sysconf(_SC_PAGESIZE), used = (r->used + page - 1) & ~(page - 1);

	if (!s->count)
		return refuse(r, "%s has no files that can be served", r->root);
	qsort(s->file, s->count, sizeof(*s->file), by_path);
	if (used < s->memory_bytes)
		munmap(s->memory + used, s->memory_bytes - used);
	s->memory_bytes = used;
	if (mprotect(s->memory, used, PROT_READ))
		return refuse(r, "%s: mprotect: %s", r->root, strerror(errno));
	return 0;
}

static int fill(struct reading *r)
{
	struct site *s = r->site;
	int rc;

	/* Pages that nobody writes to are not there. */
	s->memory = mmap(NULL, r->limit, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (s->memory == MAP_FAILED)
		return refuse(r, "no memory for %llu MiB of files",
			      (unsigned long long)(r->limit >> 20));
	s->memory_bytes = r->limit;
	r->root_fd = open(r->root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (r->root_fd < 0)
		return refuse(r, "%s cannot be opened: %s", r->root, strerror(errno));
	rc = walk(r);
	close(r->root_fd);
	return rc ? rc : seal(r);
}

struct site *site_open(const char *root, u64 limit_bytes, char *why, u32 why_bytes)
{
	struct site *s = calloc(1, sizeof(*s));
	struct reading r = {
		.site = s, .root = strdup(root), .limit = limit_bytes, .why = why,
		.why_bytes = why_bytes,
	};
	u64 n;

	if (!s || !r.root) {
		snprintf(why, why_bytes, "no memory");
		free(s);
		free((char *)r.root);
		return NULL;
	}
	/* Paths begin with the slash behind it. */
	for (n = strlen(r.root); n > 1 && r.root[n - 1] == '/'; n--)
		((char *)r.root)[n - 1] = '\0';
	if (fill(&r)) {
		site_close(s);
		s = NULL;
	}
	free((char *)r.root);
	return s;
}

void site_close(struct site *s)
{
	if (s->memory && s->memory != MAP_FAILED)
		munmap(s->memory, s->memory_bytes);
	free(s->file);
	free(s);
}

const struct site_file *site_find(const struct site *s, const char *path, u32 bytes)
{
	const struct site_file key = { .path = path, .path_bytes = bytes };

	return bsearch(&key, s->file, s->count, sizeof(key), by_path);
}
