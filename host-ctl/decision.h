/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A decision and its reasons, for people and for programs. */
#ifndef HOST_CTL_DECISION_H
#define HOST_CTL_DECISION_H

#include <jansson.h>

#include "control.h"

/* One line, without an end of line; of host @h for the clock in GHz. As snprintf(). */
int hc_decision_text(const struct hc_decision *d, const struct hc_host *h, char *buf, size_t len);
/* New reference. */
json_t *hc_decision_json(const struct hc_decision *d, const struct hc_host *h);

#endif /* HOST_CTL_DECISION_H */
