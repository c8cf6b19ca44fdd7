// SPDX-License-Identifier: GPL-2.0-or-later
/* Computes the figures of one hop. */
#include "chain/hop.h"

#include "chain/bottleneck.h"
#include "json.h"

static double ratio(double a, double b)
{
	return b > 0 ? a / b : UNKNOWN;
}

static double share(double v)
{
	return v < 0 ? 0 : v > 1 ? 1 : v;
}

/* What a queue's party did in the measured time. */
struct party_diff {
	double packets, sent, blocks, sleeps;
	double idle_ns;		/* blocked, asleep, or looking in vain */
};

static double diff(const json_t *a, const json_t *b, const char *key)
{
	return json_number_at(b, key) - json_number_at(a, key);
}

/* y_ns is a mean. */
static double asleep_ns(const json_t *stats)
{
	return json_number_at(stats, "y_ns") * json_number_at(stats, "sleeps");
}

static struct party_diff party_diff(const json_t *a, const json_t *b)
{
	return (struct party_diff){
		.packets = diff(a, b, "packets"), .sent = diff(a, b, "sent"),
		.blocks = diff(a, b, "blocks"), .sleeps = diff(a, b, "sleeps"),
		.idle_ns = diff(a, b, "block_ns") + diff(a, b, "spin_ns") +
			asleep_ns(b) - asleep_ns(a),
	};
}

static const char *text_at(const json_t *stats, const char *key)
{
	return json_string_value(json_object_get(json_object_get(stats, "pacing"), key));
}

double stage_lost(const struct worker_look *l)
{
	return l->outside ? (double)l->counts.received - (double)l->counts.sent :
		(double)l->counts.bad;
}

void stage_figures(const struct chain_looks *l, u32 i, double packets, double seconds,
		   struct chain_thread *t)
{
	const struct worker_look *a = &l->begin.party[i], *b = &l->end.party[i];
	double cpu_ns = b->cpu_ns - a->cpu_ns;
	double idle_ns = (double)(b->counts.in_wait_ns - a->counts.in_wait_ns) +
			 (double)(b->counts.out_wait_ns - a->counts.out_wait_ns);
	double waits = (double)(b->counts.in_waits - a->counts.in_waits) +
		       (double)(b->counts.out_waits - a->counts.out_waits);

	t->cpu = cpu_ns / 1e9 / seconds;
	t->cpu_ns = ratio(cpu_ns, packets);
	t->waits_per_s = b->outside ? UNKNOWN : waits / seconds;
	/*
	 * A wait that has not ended counts when it does: of an idle one nothing is known. A
	 * vCPU that halts gives its thread's CPU back.
	 */
	t->utilisation = !(packets > 0) ? UNKNOWN : b->outside ? share(t->cpu) :
		share(1 - idle_ns / 1e9 / seconds);
}

static void pacer_figures(const struct hop_look *a, const struct hop_look *b,
			  const struct party_diff *tx, const struct party_diff *rx,
			  struct chain_hop *h)
{
	double cpu_ns = b->pacer_cpu_ns - a->pacer_cpu_ns;

	h->pacer.cpu = cpu_ns / 1e9 / h->seconds;
	h->pacer.cpu_ns = ratio(cpu_ns, h->packets);
	h->pacer.waits_per_s = (b->pacer_waits - a->pacer_waits) / h->seconds;
	h->pacer.utilisation = h->packets > 0 ?
		share(1 - (tx->idle_ns + rx->idle_ns) / 1e9 / h->seconds) : UNKNOWN;
	h->sleeps_per_s = (tx->sleeps + rx->sleeps) / h->seconds;
	h->blocks_per_s = (tx->blocks + rx->blocks) / h->seconds;
}

/* What the strategies say; of those that say nothing, what the waits do. */
static void regimes(const struct chain *c, const struct chain_looks *l, u32 i,
		    const struct party_diff *tx, const struct party_diff *rx,
		    struct chain_hop *h)
{
	const struct worker_look *from_a = &l->begin.party[i], *from_b = &l->end.party[i];
	const struct worker_look *to_a = &l->begin.party[i + 1], *to_b = &l->end.party[i + 1];
	const struct hop_look *at = &l->end.hop[i];
	u32 id = chain_strategy_of(c, i)->id;

	h->regime_tx = text_at(at->tx, "regime");
	if (!h->regime_tx && !from_b->outside)
		h->regime_tx = bottleneck_regime(id, ratio(tx->blocks + tx->sleeps, h->packets),
			ratio((double)(from_b->counts.out_waits - from_a->counts.out_waits),
			      h->packets));
	h->regime_rx = text_at(at->rx, "regime");
	if (!h->regime_rx && !to_b->outside)
		h->regime_rx = bottleneck_regime(id,
			ratio((double)(to_b->counts.in_waits - to_a->counts.in_waits), h->packets),
			ratio(rx->blocks + rx->sleeps, h->packets));
	h->unmet = text_at(at->tx, "unmet") ?: text_at(at->rx, "unmet");
}

void hop_figures(const struct chain *c, const struct chain_looks *l, u32 i, struct chain_hop *h)
{
	const struct hop_look *a = &l->begin.hop[i], *b = &l->end.hop[i];
	const struct worker_look *from = &l->last.party[i], *to = &l->last.party[i + 1];
	struct party_diff tx = party_diff(a->tx, b->tx), rx = party_diff(a->rx, b->rx);

	h->seconds = (double)(b->at_ns - a->at_ns) / 1e9;
	h->packets = rx.packets;
	h->sent = (double)from->counts.sent;
	h->received = (double)to->counts.received;
	h->reordered = to->outside ? UNKNOWN : (double)to->reordered;
	h->duplicates = to->outside ? UNKNOWN : (double)to->duplicates;
	h->bad = to->outside ? UNKNOWN : (double)to->counts.bad;
	h->stage_lost = i + 1 < c->hops ? stage_lost(to) : UNKNOWN;
	h->tx_kicks = ratio(b->tx_kicks - a->tx_kicks, h->packets);
	h->tx_calls = ratio(tx.sent, h->packets);
	h->rx_calls = ratio(rx.sent, h->packets);
	h->rx_kicks = ratio(b->rx_kicks - a->rx_kicks, h->packets);
	h->tx_fill = fill_mean(&l->fill.tx[i]);
	h->rx_fill = fill_mean(&l->fill.rx[i]);
	pacer_figures(a, b, &tx, &rx, h);
	stage_figures(l, i + 1, h->packets, h->seconds, &h->stage);
	regimes(c, l, i, &tx, &rx, h);
}

const char *chain_party_name(const struct chain *c, u32 i)
{
	static char ring[4][16];
	static u32 next;
	char *name = ring[next++ % 4];

	if (!i || i == c->hops)
		return i ? "sink" : "generator";
	snprintf(name, sizeof(ring[0]), "vm %u", i);
	return name;
}

/* ---- As JSON ---- */

json_t *thread_json(const struct chain_thread *t)
{
	return json_pack("{s:o, s:o, s:o, s:o}", "cpu", json_number_or_null(t->cpu, 4),
			 "cpu_ns_per_packet", json_number_or_null(t->cpu_ns, 1),
			 "waits_per_s", json_number_or_null(t->waits_per_s, 1),
			 "utilisation", json_number_or_null(t->utilisation, 4));
}

static json_t *pacer_json(const struct chain_hop *h)
{
	json_t *v = thread_json(&h->pacer);

	json_object_set_new(v, "sleeps_per_s", json_number_or_null(h->sleeps_per_s, 1));
	json_object_set_new(v, "blocks_per_s", json_number_or_null(h->blocks_per_s, 1));
	json_object_set_new(v, "unmet", h->unmet ? json_string(h->unmet) : json_null());
	return v;
}

/* NULL: it is no VM, or says nothing. */
static json_t *stage_told(const struct chain *c, u32 i)
{
	const struct chain_lane_ops *lane = c->p->lane;

	return lane->tell && i + 1 < c->hops ? lane->tell(c, i + 1) : NULL;
}

json_t *hop_json(const struct chain *c, const struct chain_looks *l, u32 i,
		 const struct chain_hop *h)
{
	json_t *v = json_pack("{s:i, s:s, s:s, s:s}", "hop", (int)i + 1,
			      "from", chain_party_name(c, i), "to", chain_party_name(c, i + 1),
			      "strategy", chain_strategy_of(c, i)->label);
	json_t *stage = thread_json(&h->stage);

#define NUMBER(key, value, decimals) \
	json_object_set_new(v, key, json_number_or_null(value, decimals))
	NUMBER("pps", h->packets / h->seconds, 0);
	NUMBER("sent", h->sent, 0);
	NUMBER("received", h->received, 0);
	NUMBER("lost", h->sent - h->received, 0);
	json_object_set(v, "dropped", json_object_get(l->last.hop[i].tx, "dropped"));
	NUMBER("bad", h->bad, 0);
	NUMBER("reordered", h->reordered, 0);
	NUMBER("duplicates", h->duplicates, 0);
	NUMBER("tx_kicks_per_packet", h->tx_kicks, 6);
	NUMBER("tx_calls_per_packet", h->tx_calls, 6);
	NUMBER("rx_calls_per_packet", h->rx_calls, 6);
	NUMBER("rx_kicks_per_packet", h->rx_kicks, 6);
	NUMBER("tx_fill", h->tx_fill, 4);
	NUMBER("rx_fill", h->rx_fill, 4);
#undef NUMBER
	json_object_set_new(v, "latency_ns", figures_quantiles(l->last.party[i + 1].hop,
							       &c->generator.clock));
	json_object_set_new(v, "regime", json_pack("{s:s?, s:s?}", "tx", h->regime_tx,
						   "rx", h->regime_rx));
	json_object_set_new(v, "pacer", pacer_json(h));
	json_object_set_new(stage, "name", json_string(chain_party_name(c, i + 1)));
	json_object_set_new(stage, "lost", json_number_or_null(h->stage_lost, 0));
	json_object_set_new(stage, "guest", stage_told(c, i) ?: json_null());
	json_object_set_new(v, "stage", stage);
	return v;
}
