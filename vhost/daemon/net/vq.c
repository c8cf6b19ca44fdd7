// SPDX-License-Identifier: GPL-2.0-or-later
/* A virtqueue of a virtio-net device: packets out of it, and into it. */
#include <errno.h>
#include <poll.h>
#include <unistd.h>

#include "log/log.h"
#include "vq_dirty.h"
#include "vq_fill.h"

static struct vq *of_queue(struct port_queue *q)
{
	return (struct vq *)((char *)q - offsetof(struct vq, q));
}

void vq_init(struct vq *v, const char *port, u32 index)
{
	memset(v, 0, sizeof(*v));
	v->q.ops = &vq_ops;
	v->q.port = port;
	v->q.index = index;
	v->q.kick_fd = v->call_fd = v->err_fd = -1;
	v->suspect = &v->suspect_alone;
}

void vq_new_fds(struct vq *v, const struct queue_ring *ring)
{
	/* What was called through the old one may not have been heard. */
	if (ring->call_fd != v->call_fd)
		v->dev.call_owed = true;
	v->q.kick_fd = ring->kick_fd;
	v->call_fd = ring->call_fd;
	v->err_fd = ring->err_fd;
}

int vq_attach(struct vq *v, const struct queue_ring *ring, const struct offloads *can)
{
	int rc = rp_dev_init(&v->dev, &ring->vring, ring->mem, ring->event_idx,
			     ring->resume_idx);

	if (rc < 0)
		return rc;
	vq_new_fds(v, ring);
	v->can = *can;
	v->q.size = ring->vring.num;
	v->posted = v->asked = 0;
	v->short_of = 0;
	v->log = ring->log;
	v->log_used = ring->log_used;
	v->log_used_gpa = ring->log_used_gpa;
	/* rp_dev_init() has written there. */
	if (vq_logs(v))
		vq_dirty_state(v);
	/* A ring that is set up again does not give the peer another go at the pacer. */
	v->dev.broken = v->barred;
	rp_store(&v->q.broken, v->barred);
	v->err_owed = false;
	v->q.attached = true;
	return 0;
}

void vq_detach(struct vq *v)
{
	v->q.attached = false;
	v->q.kick_fd = v->call_fd = v->err_fd = -1;
}

void vq_forget(struct vq *v)
{
	v->barred = NULL;
}

/* ---- Of the thread that has the queue ---- */

/* Is the counter below its maximum, so that one more would not wait? */
static bool has_room(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLOUT };

	return poll(&p, 1, 0) == 1 && (p.revents & POLLOUT);
}

/*
 * Adds one to an eventfd of the peer's. A full one is pending anyway; false: it made us
 * wait, and the watchdog ended that. The file is the peer's as well, and may be KVM's: it
 * can be made to block again at any time, so that O_NONBLOCK, which is the file's, would
 * be a change of what is not ours and no help. @look: before the write, for one call more.
 */
static bool add_one(const struct vq *v, int fd, bool look)
{
	u64 one = 1;

	if (unlikely(look) && !has_room(fd))
		return true;
	if (likely(write(fd, &one, sizeof(one)) > 0) || errno != EINTR)
		return true;
	rp_store(v->suspect, true);
	return false;
}

static const char it_blocks[] = "its peer's eventfd is full, and blocks";

static void tell_error(struct vq *v)
{
	pthread_mutex_t *owner;

	if (v->err_fd < 0 || add_one(v, v->err_fd, true))
		return;
	owner = port_queue_own(&v->q);
	v->barred = it_blocks;
	port_queue_disown(owner);
}

void vq_check_broken(struct vq *v, const char *why)
{
	why = why ? why : v->dev.broken;
	if (likely(!why) || v->q.broken)
		return;
	v->dev.broken = why;
	rp_store(&v->q.broken, why);
	log_error("%s: queue %u: ring given up: %s", v->q.port, v->q.index, why);
	/* Who owns the queue must not wait for the peer, as others wait for the owner. */
	if (rp_load(&v->q.owner))
		rp_store(&v->err_owed, true);
	else
		tell_error(v);
}

static u32 vq_ready(struct port_queue *q)
{
	struct vq *v = of_queue(q);
	u32 n = rp_dev_avail(&v->dev);

	if (n > v->posted)
		v->posted = n;
	vq_check_broken(v, NULL);
	return n;
}

static bool vq_peer_wants(struct port_queue *q)
{
	struct vq *v = of_queue(q);

	return rp_dev_wants_call(&v->dev) || unlikely(rp_load(&v->err_owed));
}

static void vq_notify(struct port_queue *q)
{
	struct vq *v = of_queue(q);
	pthread_mutex_t *owner;

	if (v->call_fd >= 0 && unlikely(!add_one(v, v->call_fd, rp_load(v->suspect)))) {
		owner = port_queue_own(q);
		v->barred = it_blocks;
		vq_check_broken(v, it_blocks);
		port_queue_disown(owner);
	}
	if (unlikely(rp_load(&v->err_owed)) &&
	    __atomic_exchange_n(&v->err_owed, false, __ATOMIC_RELAXED))
		tell_error(v);
}

static bool vq_arm(struct port_queue *q, u32 k)
{
	struct vq *v = of_queue(q);
	u32 most = v->posted - v->posted / 4;
	bool hit;

	/* A driver may keep fewer buffers posted than the ring has slots. */
	if (port_queue_is_rx(&v->q) && k > most)
		k = most ? most : 1;
	v->asked = port_queue_is_rx(&v->q) ? k : 0;
	if (k < v->short_of)
		k = v->short_of;
	hit = rp_dev_arm(&v->dev, k);
	if (vq_logs(v))
		vq_dirty_state(v);
	vq_check_broken(v, NULL);
	return hit;
}

/* They did not come: perhaps the driver keeps fewer by now. If not, it will be seen. */
static void learn_posted(struct vq *v)
{
	if (v->asked && rp_dev_avail(&v->dev) < v->asked)
		v->posted /= 2;
	v->asked = 0;
}

static void vq_disarm(struct port_queue *q)
{
	struct vq *v = of_queue(q);

	learn_posted(v);
	rp_dev_disarm(&v->dev);
	if (vq_logs(v))
		vq_dirty_state(v);
}

static void publish(struct vq *v)
{
	if (vq_logs(v))
		vq_dirty_publish(v);
	else
		rp_dev_publish(&v->dev);
}

/* ---- TX: out of the guest ---- */

/* The checks are on the copy: the compiler must not read the original again. */
static inline void copy_hdr(struct virtio_net_hdr_v1 *h, const void *from)
{
	struct hdr_words w = hdr_load(from);

	__asm__ __volatile__("" : "+r"(w.front), "+r"(w.back));
	hdr_store(h, w);
}

/* A packet that is one descriptor, as small ones are; @s is its piece. */
static inline void add_plain(const struct vq *v, struct packet *p, struct rp_seg *s,
			     const struct rp_buf *buf)
{
	p->head = buf->head;
	p->seg = s;
	if (unlikely(buf->write || buf->bytes <= PACKET_HDR_BYTES)) {
		p->n_seg = 0;
		p->bytes = 0;
		p->drop = DROP_SIZE;
		return;
	}
	p->n_seg = 1;
	p->bytes = s->bytes = buf->bytes - PACKET_HDR_BYTES;
	s->base = (u8 *)buf->base + PACKET_HDR_BYTES;
	copy_hdr(&p->hdr, buf->base);
	p->drop = (u8)packet_check(&p->hdr, p->bytes, &v->can);
}

/* Takes the header's bytes off the front of @seg[0..n); what is left of n. */
static u32 split_hdr(u8 *hdr, const struct rp_seg *seg, u32 n, struct rp_seg *to)
{
	u32 left = PACKET_HDR_BYTES, used = 0, i, k;

	for (i = 0; i < n; i++) {
		k = seg[i].bytes < left ? seg[i].bytes : left;
		memcpy(hdr, seg[i].base, k);
		hdr += k;
		left -= k;
		if (seg[i].bytes > k)
			to[used++] = (struct rp_seg){ (u8 *)seg[i].base + k,
						      seg[i].bytes - k };
	}
	return used;
}

/* A packet of any shape. */
static void add_chain(struct vq *v, struct batch *b, const struct rp_chain *c)
{
	struct packet *p = &b->pkt[b->n];
	u8 hdr[PACKET_HDR_BYTES];

	b->n++;
	p->head = c->head;
	p->n_seg = 0;
	p->seg = &b->seg[b->n_seg];
	if (c->cut || c->out_bytes <= PACKET_HDR_BYTES) {
		p->bytes = 0;
		p->drop = DROP_SIZE;
		return;
	}
	p->n_seg = (u16)split_hdr(hdr, c->seg, c->n_out, &b->seg[b->n_seg]);
	b->n_seg += p->n_seg;
	p->bytes = c->out_bytes - PACKET_HDR_BYTES;
	b->bytes += p->bytes;
	copy_hdr(&p->hdr, hdr);
	p->drop = (u8)packet_check(&p->hdr, p->bytes, &v->can);
}

static u32 get_burst(struct vq *v, struct batch *b, u32 max)
{
	struct rp_buf buf[BATCH_PACKETS];
	u32 i, n = rp_dev_get_burst(&v->dev, buf, max), bytes = b->bytes;
	struct packet *p = &b->pkt[b->n];
	struct rp_seg *s = &b->seg[b->n_seg];

	for (i = 0; i < n && bytes < BATCH_BYTES; i++, p++) {
		add_plain(v, p, s, &buf[i]);
		s += p->n_seg;
		bytes += p->bytes;
	}
	b->n += i;
	b->n_seg = (u32)(s - b->seg);
	b->bytes = bytes;
	if (unlikely(i < n))
		rp_dev_unget(&v->dev, n - i);
	return i;
}

static bool get_chain(struct vq *v, struct batch *b)
{
	struct rp_chain c;

	if (!rp_dev_get(&v->dev, &c)) {
		vq_check_broken(v, NULL);
		return false;
	}
	add_chain(v, b, &c);
	return true;
}

static void vq_get(struct port_queue *q, struct batch *b, u32 max)
{
	struct vq *v = of_queue(q);
	const struct rp_dev *d = &v->dev;

	do {
		if (!get_burst(v, b, max - b->n) && !get_chain(v, b))
			return;
		/* One look at the driver's index a batch: more comes next turn. */
	} while (d->last_avail != d->avail_seen && b->n < max && b->bytes < BATCH_BYTES &&
		 b->n_seg + RP_CHAIN_MAX + max - b->n <= BATCH_SEGS);
}

static void vq_done(struct port_queue *q, const struct batch *b, u32 n)
{
	struct vq *v = of_queue(q);
	struct rp_dev_puts puts = rp_dev_puts_begin(&v->dev);
	struct port_sum sum = { 0 };
	u32 i;

	for (i = 0; i < n; i++) {
		const struct packet *p = &b->pkt[i];

		rp_dev_puts_add(&puts, p->head, 0);
		port_sum_done(&sum, q, p);
	}
	rp_dev_puts_end(&v->dev, &puts);
	if (b->n > n)
		rp_dev_unget(&v->dev, b->n - n);
	if (n)
		port_queue_add(q, &sum);
}

static void vq_publish(struct port_queue *q)
{
	publish(of_queue(q));
}

/* ---- RX: into the guest ---- */

/* The header of a packet in one buffer. */
static inline void write_hdr_of_one(u8 *to, const struct virtio_net_hdr_v1 *h)
{
	struct hdr_words w = hdr_load(h);

	w.back = (w.back & 0xffff) | 1u << 16;
	hdr_store(to, w);
}

/* A packet into one plain buffer. False: it is none for that. */
static inline bool put_plain(struct rp_dev_puts *puts, const struct packet *p,
			     const struct rp_buf *buf)
{
	u32 bytes = p->bytes + PACKET_HDR_BYTES;
	struct cursor from;
	u8 *to = buf->base;

	if (unlikely(!buf->write || buf->bytes < bytes))
		return false;
	write_hdr_of_one(to, &p->hdr);
	to += PACKET_HDR_BYTES;
	if (likely(p->n_seg == 1)) {
		copy_bytes(to, p->seg->base, p->bytes);
	} else {
		from = (struct cursor){ p->seg, 0 };
		copy_from(&from, to, p->bytes);
	}
	rp_dev_puts_add(puts, buf->head, bytes);
	return true;
}

/* As many of @b from @i on as fit plain buffers; the next index. Adds them to @sum. */
static u32 put_burst(struct vq *v, struct batch *b, u32 i, struct port_sum *sum)
{
	struct rp_dev_puts puts = rp_dev_puts_begin(&v->dev);
	struct port_sum s = *sum;
	struct rp_buf buf[BATCH_PACKETS];
	u32 n = rp_dev_get_burst(&v->dev, buf, b->n - i), k, first = i;
	u32 posted = n + (u16)(v->dev.avail_seen - v->dev.last_avail);

	if (unlikely(posted > v->posted))
		v->posted = posted;
	for (k = 0; k < n && i < b->n; i++) {
		const struct packet *p = &b->pkt[i];

		if (unlikely(p->drop))
			continue;
		if (unlikely(!packet_fits(&p->hdr, &v->can)) || !put_plain(&puts, p, &buf[k]))
			break;
		port_sum_packet(&s, p);
		k++;
	}
	rp_dev_puts_end(&v->dev, &puts);
	*sum = s;
	if (k < n)
		rp_dev_unget(&v->dev, n - k);
	if (vq_logs(v))
		vq_dirty_burst(v, b, first, i, buf);
	return i;
}

/* The packet that is none for put_burst(). */
static enum put put_one(struct vq *v, struct batch *b, struct packet *p)
{
	const struct packet as_it_was = *p;
	struct rp_seg seg;
	enum put rc;

	if (p->drop)
		return PUT_DROP;
	if (packet_fits(&p->hdr, &v->can))
		return vq_put_any(v, p);
	if (p->hdr.gso_type)
		return vq_put_segments(v, p);
	if (!packet_finish(b, p, &seg)) {
		p->drop = DROP_OFFLOAD;
		return PUT_DROP;
	}
	rc = vq_put_any(v, p);
	/* The bounce buffer and @seg are for now only. */
	p->seg = as_it_was.seg;
	p->n_seg = as_it_was.n_seg;
	p->hdr = as_it_was.hdr;
	return rc;
}

/* Is it in vain to try again? Copying half of a packet each time costs others, too. */
static bool still_short(struct vq *v, const struct packet *p)
{
	if (!p->drop && p->bytes >= v->short_bytes && vq_ready(&v->q) < v->short_of)
		return true;
	v->short_of = 0;
	return false;
}

/* One that arrived in segments is no large one any more. */
static inline void sum_put(const struct vq *v, struct port_sum *s, const struct packet *p)
{
	if (p->drop)
		return;
	port_sum_packet(s, p);
	if (unlikely(p->hdr.gso_type) && !packet_fits(&p->hdr, &v->can))
		s->gso--;
}

static u32 vq_put(struct port_queue *q, struct batch *b, u32 from)
{
	struct vq *v = of_queue(q);
	struct port_sum sum = { 0 };
	u32 i = from;

	if (unlikely(v->short_of) && still_short(v, &b->pkt[from]))
		return from;
	while (i < b->n) {
		i = put_burst(v, b, i, &sum);
		if (i == b->n || put_one(v, b, &b->pkt[i]) == PUT_FULL)
			break;
		sum_put(v, &sum, &b->pkt[i++]);
	}
	if (!sum.packets)
		return i;
	port_queue_add(q, &sum);
	publish(v);
	return i;
}

static bool vq_backlog(struct port_queue *q, u32 *most, u32 *told)
{
	return rp_dev_backlog(&of_queue(q)->dev, most, told);
}

static bool vq_waiting(struct port_queue *q, u32 *n)
{
	return rp_dev_waiting(&of_queue(q)->dev, n);
}

const struct rp_port_ops vq_ops = {
	.get = vq_get,
	.done = vq_done,
	.publish = vq_publish,
	.put = vq_put,
	.backlog = vq_backlog,
	.waiting = vq_waiting,
	.ready = vq_ready,
	.peer_wants = vq_peer_wants,
	.notify = vq_notify,
	.arm = vq_arm,
	.disarm = vq_disarm,
};
