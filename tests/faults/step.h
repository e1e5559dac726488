// SPDX-License-Identifier: GPL-2.0-or-later
// One kind of fault at every point of one scenario.
#ifndef FAULTS_STEP_H
#define FAULTS_STEP_H

#include "world.h"

struct fault {
	const char *name;
	enum fate fate;
	const char *why; /* what the program's libc, musl, says of the error */
	int error;       /* of FATE_ERROR */
	unsigned kinds;  /* of calls that can fail so, a bit per enum call_kind */
	bool device;     /* a device says it, or a disk: not for /run, which is memory */
	bool power;      /* the machine loses power: what was not synced goes, all starts anew */
	int loss;        /* enum disk_loss then */
	bool released;   /* afterwards the claims are released, then applied */
};

extern const struct fault faults[];
extern const size_t faults_count;

/* Runs the scenario to each point. Complaints, a line each and the point before them, go to
 * `wrong`. The number of points; -1 when it could not be done. `only`: this point alone, whose tree
 * is kept; 0: all. A state from which everything went well once is not started from again. */
long step_through(
	struct world *w, const struct fault *f, size_t only, struct buf *wrong, struct err *e);

/* The scenario has something that this fault is about. */
bool step_applies(const struct scenario *s, const struct fault *f);

#endif
