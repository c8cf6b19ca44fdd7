// SPDX-License-Identifier: GPL-2.0-or-later
/* The table of figures: numbers, axes and curves as in the paper. */
#include "plot/plot.h"

#define US	0.001	/* ns in the CSV, microseconds on an axis */
#define MS	0.000001

const struct figure figures[] = {
	{
		.number = 2, .title = "Notifications: time per item (W_C = 2 µs)",
		.x_column = "wp_ns", .x_label = "W_P, µs", .y_label = "time per item T, µs",
		.x_scale = US, .y_scale = US, .fill = fill_notify_time,
		.curves = {
			{ "t_bw_ns", "busy waiting", CURVE_DOTTED },
			{ "t_notify_ns", "nFP, nFC", CURVE_LINE },
			{ "t_nss_best_ns", "nSS at its best", CURVE_DASHED },
		},
	}, {
		.number = 3, .title = "Notifications: energy per item (W_P = 2 µs)",
		.x_column = "wc_ns", .x_label = "W_C, µs", .y_label = "energy per item E, µs",
		.x_scale = US, .y_scale = US, .fill = fill_notify_energy,
		.curves = {
			{ "e_least_ns", "range of nFC, nFP", CURVE_BAND },
			{ "e_most_ns", NULL, CURVE_BAND },
			{ "e_bw_ns", "busy waiting", CURVE_LINE },
			{ "e_notify_ns", "nFC, nFP", CURVE_LINE },
			{ "e_nss_ns", "nSS", CURVE_DOTTED },
		},
	}, {
		.number = 4, .title = "Sleeping: T and E (Y_P = 150 µs)",
		.x_column = "yc_ns", .x_label = "Y_C, µs", .y_label = "per item, µs",
		.x_scale = US, .y_scale = US, .fill = fill_sleep_regimes,
		.curves = {
			{ "t_sim_ns", "T, simulated", CURVE_LINE },
			{ "e_sim_ns", "E, simulated", CURVE_LINE },
			{ "t_min_ns", "T, lower bound", CURVE_DASHED },
			{ "t_max_ns", "T, upper bound", CURVE_DASHED },
		},
	}, {
		.number = 5, .title = "This host's sleeps: length and CPU time",
		.x_column = "y_nominal_ns", .x_label = "nominal sleep, µs",
		.y_label = "effective Y, cost Y_E, µs", .log_x = true, .log_y = true,
		.x_scale = US, .y_scale = US, .fill = fill_probed_sleeps,
		.curves = {
			{ "y_ns", "Y, as it was", CURVE_LINE_POINTS },
			{ "ye_ns", "Y_E, CPU time of a sleep", CURVE_LINE_POINTS },
			{ "y_ideal_ns", "Y as asked for", CURVE_DOTTED },
		},
	}, {
		.number = 6, .title = "Sleeping: time, measured and predicted",
		.x_column = "yc_ns", .x_label = "Y_P = Y_C as measured, ms",
		.y_label = "time per item T, µs", .x_scale = MS, .y_scale = US,
		.fill = fill_sleep_time,
		.curves = {
			{ "t_measured_ns", "measured", CURVE_POINTS },
			{ "t_sim_ns", "simulator, means", CURVE_LINE },
			{ "t_sim_dist_ns", "simulator, sleep by sleep", CURVE_DASHED },
		},
	}, {
		.number = 7, .title = "Sleeping: batch, measured and predicted",
		.x_column = "yc_ns", .x_label = "Y_P = Y_C as measured, ms",
		.y_label = "items per sleep, b", .x_scale = MS,
		.fill = fill_sleep_batch,
		.curves = {
			{ "b_measured", "measured", CURVE_POINTS },
			{ "b_sim", "simulator, means", CURVE_LINE },
			{ "b_sim_dist", "simulator, sleep by sleep", CURVE_DASHED },
		},
	}, {
		.number = 8, .title = "Notifications: measured and predicted",
		.x_column = "wp_nominal_ns", .x_label = "W_P, µs (W_C = 2 µs)",
		.y_label = "time per item T, µs", .x_scale = US, .y_scale = US,
		.fill = fill_notify_sweep,
		.curves = {
			{ "t_measured_ns", "measured", CURVE_POINTS },
			{ "t_model_ns", "model", CURVE_LINE },
			{ "t_sim_dist_ns", "simulator, N and S one by one", CURVE_DASHED },
		},
	}, {
		.number = 9, .title = "Notifications of a fast consumer",
		.x_column = "wp_nominal_ns", .x_label = "W_P, µs (W_C = 2 µs)",
		.y_label = "notifications per item", .x_scale = US, .fill = fill_spurious,
		.curves = {
			{ "regular_per_item", "regular, measured", CURVE_POINTS },
			{ "spurious_per_item", "spurious, measured", CURVE_POINTS },
			{ "regular_sim_per_item", "regular, simulator", CURVE_LINE },
			{ "spurious_sim_per_item", "spurious, simulator", CURVE_DASHED },
		},
	}, {
		.number = 10, .title = "From C's giving up to P's next item (W_C = 2 µs)",
		.x_column = "wp_ns", .x_label = "W_P, µs", .y_label = "Δ, µs",
		.x_scale = US, .y_scale = US, .fill = fill_delta,
		.curves = { { "delta_ns", NULL, CURVE_LINE } },
	}, {
		.number = 13, .title = "Random W_C of mean 2 µs, simulated",
		.x_column = "wp_ns", .x_label = "W_P, µs", .y_label = "time per item T, µs",
		.y_from = 1.8, .x_scale = US, .y_scale = US, .fill = fill_random,
		.curves = {
			{ "t_model_ns", "constant (model)", CURVE_DOTTED },
			{ "t_normal_0_5_pct_ns", "normal, 0.5 %", CURVE_LINE },
			{ "t_normal_5_pct_ns", "normal, 5 %", CURVE_LINE },
			{ "t_normal_25_pct_ns", "normal, 25 %", CURVE_LINE },
			{ "t_normal_50_pct_ns", "normal, 50 %", CURVE_LINE },
			{ "t_exp_ns", "exponential", CURVE_DASHED },
		},
	}, {
		.number = 14, .title = "Choosing Y = Y_P = Y_C for D_{MAX} = 160 µs",
		.x_column = "y_ns", .x_label = "Y, µs", .y_label = "per item, µs",
		.x_scale = US, .y_scale = US, .fill = fill_sleep_choice,
		.curves = {
			{ "t_sim_ns", "T, simulated", CURVE_LINE },
			{ "e_sim_ns", "E, simulated", CURVE_LINE },
			{ "t_min_ns", "T, lower bound", CURVE_DASHED },
			{ "t_max_ns", "T, upper bound", CURVE_DASHED },
		},
	},
};

const u32 figures_count = sizeof(figures) / sizeof(figures[0]);
