// SPDX-License-Identifier: GPL-2.0-or-later
/* The table of neighbours. */
#include "arp.h"

#include <arpa/inet.h>

struct copy {
	u32 ip;
	u64 mac, since_ns, asked_ns;
};

void arp_init(struct arp_table *a)
{
	memset(a, 0, sizeof(*a));
	pthread_mutex_init(&a->lock, NULL);
}

static struct arp_entry *ways_of(struct arp_table *a, u32 ip)
{
	/* In host order neighbours differ in the low bits, which a product carries upwards. */
	return &a->entry[(ntohl(ip) * 0x9e3779b1U >> 16) % (ARP_ENTRIES / ARP_WAYS) * ARP_WAYS];
}

static struct copy read_entry(struct arp_entry *e)
{
	struct copy c;
	u32 before, after;

	do {
		/* Acquire: before the fields; pairs with the last store of write_entry(). */
		before = atomic_load_explicit(&e->version, memory_order_acquire);
		/* Acquire: before the second look; pairs with the stores of write_entry(). */
		c.ip = atomic_load_explicit(&e->ip, memory_order_acquire);
		c.mac = atomic_load_explicit(&e->mac, memory_order_acquire);
		c.since_ns = atomic_load_explicit(&e->since_ns, memory_order_acquire);
		c.asked_ns = atomic_load_explicit(&e->asked_ns, memory_order_acquire);
		after = atomic_load_explicit(&e->version, memory_order_relaxed);
	} while (before & 1 || before != after);
	return c;
}

/* By who has the lock. Releases: whoever sees a field sees the odd version, too. */
static void write_entry(struct arp_entry *e, const struct copy *c)
{
	u32 v = atomic_load_explicit(&e->version, memory_order_relaxed);

	atomic_store_explicit(&e->version, v + 1, memory_order_relaxed);
	atomic_store_explicit(&e->ip, c->ip, memory_order_release);
	atomic_store_explicit(&e->mac, c->mac, memory_order_release);
	atomic_store_explicit(&e->since_ns, c->since_ns, memory_order_release);
	atomic_store_explicit(&e->asked_ns, c->asked_ns, memory_order_release);
	atomic_store_explicit(&e->version, v + 2, memory_order_release);
}

static struct arp_entry *entry_of(struct arp_table *a, u32 ip, struct copy *c)
{
	struct arp_entry *e = ways_of(a, ip);
	u32 i;

	for (i = 0; i < ARP_WAYS; i++, e++) {
		*c = read_entry(e);
		if (c->ip == ip)
			return e;
	}
	return NULL;
}

/* A free one, else the one that was confirmed longest ago. By who has the lock. */
static struct arp_entry *oldest(struct arp_table *a, u32 ip)
{
	struct arp_entry *e = ways_of(a, ip), *best = e;
	u32 i;

	for (i = 1; i < ARP_WAYS; i++)
		if (read_entry(&e[i]).since_ns < read_entry(best).since_ns)
			best = &e[i];
	return best;
}

/* Is it our turn to ask? By then another may have asked, or have got an answer. */
static bool ask(struct arp_table *a, u32 ip, u64 now_ns)
{
	struct copy c;
	struct arp_entry *e;
	bool ours = true;

	pthread_mutex_lock(&a->lock);
	e = entry_of(a, ip, &c);
	if (!e)
		c = (struct copy){ .ip = ip };
	else
		ours = now_ns - c.asked_ns >= ARP_ASK_NS;
	c.asked_ns = now_ns;
	if (ours)
		write_entry(e ? e : oldest(a, ip), &c);
	pthread_mutex_unlock(&a->lock);
	return ours;
}

enum arp_answer arp_find(struct arp_table *a, u32 ip, u8 mac[6], u64 now_ns)
{
	struct copy c;
	struct arp_entry *e = entry_of(a, ip, &c);
	bool known = e && c.mac, due;

	if (known)
		memcpy(mac, &c.mac, 6);
	/* Another thread's clock may be ahead. */
	due = !known || (s64)(now_ns - c.since_ns) > (s64)ARP_FRESH_NS;
	if (due && e && (s64)(now_ns - c.asked_ns) < (s64)ARP_ASK_NS)
		due = false;
	due = due && ask(a, ip, now_ns);
	if (known)
		return due ? ARP_KNOWN_ASK : ARP_KNOWN;
	return due ? ARP_ASK : ARP_WAIT;
}

void arp_learn(struct arp_table *a, u32 ip, const u8 mac[6], bool always, u64 now_ns)
{
	struct copy c, is = { .ip = ip, .since_ns = now_ns };
	struct arp_entry *e;

	memcpy(&is.mac, mac, 6);
	pthread_mutex_lock(&a->lock);
	e = entry_of(a, ip, &c);
	if (e || always)
		write_entry(e ? e : oldest(a, ip), &is);
	pthread_mutex_unlock(&a->lock);
}
