// SPDX-License-Identifier: GPL-2.0-or-later
// What must hold, at the moment of a fault and when the node has come to rest after it.
#ifndef FAULTS_JUDGE_H
#define FAULTS_JUDGE_H

#include "base/buf.h"
#include "scenario.h"
#include "view.h"

/* Each judgement adds a line per thing that is wrong to `wrong`. */
struct judge {
	const struct scenario *scenario;
	const struct view *host;   /* before anything was claimed */
	const struct view *before; /* when the command started */
	bool rebooted;             /* overrides by hand are gone since */
	struct buf *wrong;
};

/* At any moment, also right after a SIGKILL: no claim is lost or half written, what is on vfio-pci
 * can be given back, what nobody wanted is untouched. */
void judge_moment(const struct judge *j, const struct view *now);

/* At rest: each group is where its claims want it, as a whole, with its records; observed/ is what
 * `reference` has, a run without faults from the same wishes. */
void judge_rest(const struct judge *j, const struct view *now, const struct view *reference);

/* The wishes that the command was to make or to drop are so. */
void judge_wishes_done(const struct judge *j, const struct view *now);

/* What was there before a restart is there after it; temporary files are left only where nothing
 * was written since. */
void judge_restart(const struct judge *j, const struct view *before, const struct view *after);

/* A failure is told: what failed, by path or address, and why. */
void judge_message(const struct judge *j, const char *said, const char *path, const char *why);

#endif
