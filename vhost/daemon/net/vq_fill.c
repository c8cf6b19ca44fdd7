// SPDX-License-Identifier: GPL-2.0-or-later
/* A packet into receive buffers of any shape and number, whole or in segments. */
#include "gso.h"
#include "vq_dirty.h"
#include "vq_fill.h"

/* Buffers of one packet; a driver's smallest ones hold 1500 bytes. */
#define RX_BUFFERS_MAX	128u

/* Writes @hdr to the front of the writable part, which has room for it. */
static void write_hdr(const struct rp_chain *c, const struct virtio_net_hdr_v1 *hdr)
{
	const struct rp_seg *s = &c->seg[c->n_out];
	const u8 *from = (const u8 *)hdr;
	u32 left = sizeof(*hdr), n;

	for (; left; s++) {
		n = s->bytes < left ? s->bytes : left;
		memcpy(s->base, from, n);
		from += n;
		left -= n;
	}
}

/* Fills a chain's writable part but its first @skip bytes; how much that was. */
static u32 fill_chain(const struct rp_chain *c, u32 skip, struct cursor *from, u32 left)
{
	u32 i, n, done = 0;

	for (i = c->n_out; i < (u32)c->n_out + c->n_in && done < left; i++) {
		const struct rp_seg *s = &c->seg[i];

		if (skip >= s->bytes) {
			skip -= s->bytes;
			continue;
		}
		n = s->bytes - skip < left - done ? s->bytes - skip : left - done;
		copy_from(from, (u8 *)s->base + skip, n);
		done += n;
		skip = 0;
	}
	return done;
}

/* Buffers that are filled, and not put yet: all of them, or none. */
struct taken {
	u32 n;
	u32 bytes[RX_BUFFERS_MAX];
	u16 head[RX_BUFFERS_MAX];
};

/* A frame into buffers of any shape and number, which are added to @t. */
static enum put fill_buffers(struct vq *v, struct packet *p, struct taken *t)
{
	struct virtio_net_hdr_v1 hdr = p->hdr;
	struct cursor from = { p->seg, 0 };
	u32 left = p->bytes, skip = sizeof(hdr), begin = t->n, done;
	struct rp_chain first, more, *c = &first;

	do {
		if (t->n == RX_BUFFERS_MAX || (t->n > begin && !v->can.mergeable)) {
			p->drop = DROP_TOO_BIG;
			return PUT_DROP;
		}
		if (!rp_dev_get(&v->dev, c))
			return PUT_FULL;
		t->head[t->n++] = c->head;
		if (unlikely(c->in_bytes < sizeof(hdr))) {
			vq_check_broken(v, "a receive buffer that is too small for a header");
			return PUT_FULL;
		}
		done = fill_chain(c, skip, &from, left);
		if (vq_logs(v))
			vq_dirty_chain(v, c, done + skip);
		t->bytes[t->n - 1] = done + skip;
		left -= done;
		skip = 0;
		c = &more;
	} while (left);
	hdr.num_buffers = (u16)(t->n - begin);
	write_hdr(&first, &hdr);
	if (vq_logs(v))
		vq_dirty_chain(v, &first, sizeof(hdr));
	return PUT_OK;
}

/* Puts what was taken for @p, or gives it back; @rc. */
static enum put end_buffers(struct vq *v, const struct packet *p, const struct taken *t,
			    enum put rc)
{
	u32 i;

	if (rc == PUT_OK) {
		for (i = 0; i < t->n; i++)
			rp_dev_put(&v->dev, t->head[i], t->bytes[i]);
		return rc;
	}
	rp_dev_unget(&v->dev, t->n);
	vq_check_broken(v, NULL);
	if (rc == PUT_FULL) {
		v->short_bytes = p->bytes;
		v->short_of = t->n + 1;
	}
	return rc;
}

enum put vq_put_any(struct vq *v, struct packet *p)
{
	struct taken t;

	t.n = 0;
	return end_buffers(v, p, &t, fill_buffers(v, p, &t));
}

enum put vq_put_segments(struct vq *v, struct packet *p)
{
	struct taken t;
	enum put rc = PUT_OK;
	struct packet s;
	struct gso g;

	if (!gso_begin(&g, p, &v->can)) {
		p->drop = DROP_OFFLOAD;
		return PUT_DROP;
	}
	if (g.n > v->q.size) {
		p->drop = DROP_TOO_BIG;
		return PUT_DROP;
	}
	/* Do not copy half of them, time and again. */
	if (rp_dev_avail(&v->dev) < g.n) {
		v->short_bytes = p->bytes;
		v->short_of = g.n;
		vq_check_broken(v, NULL);
		return PUT_FULL;
	}
	t.n = 0;
	while (rc == PUT_OK && gso_next(&g, &s))
		rc = fill_buffers(v, &s, &t);
	p->drop = s.drop;
	return end_buffers(v, p, &t, rc);
}
