/* SPDX-License-Identifier: GPL-2.0-or-later */
/* bench packets: its plan, what was measured, and the report. */
#ifndef PACKETS_PACKETS_H
#define PACKETS_PACKETS_H

#include "bench/options.h"
#include "json.h"
#include "packets/guests.h"

#define PACKETS_LOADS	8u
/* The load whose rate the others are shares of. */
#define PACKETS_PEAK	"64/b32"

/* Who takes part, in this order in tables. */
enum packets_who { WHO_RINGPACED, WHO_TESTPMD, WHO_RINGPACED32, WHO_OVS, PACKETS_WHO };

struct packets_contender {
	const char *name;
	enum forwarder_id id;
	u32 batch;		/* 0: as the guests' burst */
};

extern const struct packets_contender packets_who[PACKETS_WHO];
extern const struct forward_load packets_loads[PACKETS_LOADS];

struct packets_args {
	struct forwarder_params f;
	u32 rounds;
	u32 queue_len;		/* of the guests' rings, slots */
	double seconds;
	u32 loads;		/* bits of packets_loads[] */
	struct peers peers;
	u64 peak_pps;		/* 0: as measured */
	bool json, markdown;
};

/* A measurement; ->sample of what was not measured is not looked at. */
struct packets_run {
	const struct packets_args *args;
	struct forwarder forwarder[FORWARDERS];
	double peak_pps;	/* UNKNOWN until there is one */
	double line_ns;		/* the least of all samples' so far; UNKNOWN */
	struct sample sample[PACKETS_LOADS][PACKETS_WHO][BENCH_ROUNDS_MAX];
};

/* Does contender @who take part in load @load of this run? */
bool packets_measures(const struct packets_run *r, u32 load, u32 who);
/* Were the CPUs farther apart before or after @s than at other times of this run? */
bool packets_is_far(const struct packets_run *r, const struct sample *s);

/* How far the CPUs were apart in all of a round: as at the best time of this run, or farther. */
enum packets_state { PACKETS_NEAR, PACKETS_FAR, PACKETS_MIXED, PACKETS_STATES };

/*
 * The state of the rounds that count: near if there are such, else far, and *@rounds is
 * their number; mixed, and 0, if no round was of one state.
 */
enum packets_state packets_state(const struct packets_run *r, u32 load, u32 *rounds);
/* The median over the rounds that count of the double at @field; UNKNOWN if there is none. */
double packets_median(const struct packets_run *r, u32 load, u32 who, size_t field);
#define packets_median_of(r, load, who, field) \
	packets_median(r, load, who, offsetof(struct sample, field))

/* All rounds of a load. 0, or -1 after fail() or when stopped(). */
int packets_measure(struct packets_run *r, u32 load);

json_t *packets_result(const struct packets_run *r);
void packets_print(const json_t *result);
void packets_print_markdown(const json_t *result);

#endif /* PACKETS_PACKETS_H */
