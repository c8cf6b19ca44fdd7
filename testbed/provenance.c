// SPDX-License-Identifier: GPL-2.0-or-later
/* Names the machine, the date and the load that figures belong to. */
#include "provenance.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "json.h"

static void cpu_model(char *model, size_t size)
{
	FILE *f = fopen("/proc/cpuinfo", "re");
	char line[256], *colon;

	snprintf(model, size, "unknown CPU");
	while (f && fgets(line, sizeof(line), f)) {
		colon = strchr(line, ':');
		if (strncmp(line, "model name", 10) || !colon)
			continue;
		line[strcspn(line, "\n")] = 0;
		snprintf(model, size, "%s", colon + 2);
		break;
	}
	if (f)
		fclose(f);
}

void provenance_add(json_t *result)
{
	char model[192], machine[384], date[32];
	time_t t = time(NULL);
	struct utsname u;
	double load = 0;

	cpu_model(model, sizeof(model));
	uname(&u);
	snprintf(machine, sizeof(machine), "%s, %ld CPUs, Linux %s", model,
		 sysconf(_SC_NPROCESSORS_ONLN), u.release);
	strftime(date, sizeof(date), "%Y-%m-%dT%H:%M:%SZ", gmtime(&t));
	json_object_set_new(result, "machine", json_string(machine));
	json_object_set_new(result, "date", json_string(date));
	/* Other processes' load shows in the figures: keep it beside them. */
	if (getloadavg(&load, 1) == 1)
		json_object_set_new(result, "load_1min", json_number_or_null(load, 2));
}

void provenance_note(const json_t *result)
{
	double load = json_number_at(result, "load_1min");

	if (is_known(load) && load > 0.5 * (double)sysconf(_SC_NPROCESSORS_ONLN))
		printf("load average %.1f: other processes' work shows in these figures\n", load);
}
