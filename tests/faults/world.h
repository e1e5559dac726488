// SPDX-License-Identifier: GPL-2.0-or-later
// The world of one scenario: the tree it starts from, fresh copies of it, runs of the program
// there.
#ifndef FAULTS_WORLD_H
#define FAULTS_WORLD_H

#include "base/buf.h"
#include "kernel.h"
#include "scenario.h"
#include "trace.h"
#include "view.h"

enum { WORLD_REFERENCES = 16, RUN_LIMIT = 30 };

/* What a run without faults leaves, from the same wishes. */
struct reference {
	char *key; /* the names of the wishes */
	int status;
	struct view view;
};

struct world {
	const struct scenario *scenario;
	const char *binary;
	char start[256]; /* the tree that the command starts from */
	char now[256];   /* the copy that is stepped through */
	char aside[256]; /* the copy of a reference */
	struct view host, before;
	struct buf changed; /* paths of `now` that its kernel has changed */
	struct reference reference[WORLD_REFERENCES];
	size_t references;
	uint64_t *well; /* digests of states that came to rest as they should */
	size_t wells, well_cap;
};

/* In `dir`, from the machine's tree. -1 when a step of the scenario's start fails. */
int world_open(struct world *w, const struct scenario *s, const char *machine, const char *dir,
	const char *binary, struct err *e);
void world_close(struct world *w);

/* Makes `now` the tree that the command starts from. */
int world_renew(struct world *w, struct err *e);

/* One run of "vfiobox `command`" in a tree; `t` says what is done to it, what it printed goes to
 * `said`. */
int world_run(struct world *w, const char *tree, const char *command, struct trace *t,
	struct buf *said, struct err *e);

/* Has the node come to rest from this state already? world_went_well() says that it has. */
bool world_is_known(const struct world *w, uint64_t state);
void world_went_well(struct world *w, uint64_t state);

/* The machine of a tree is switched off and on. */
int world_boot(struct world *w, const char *tree, struct err *e);

/* The reference to what is in `now`, made when it is first asked for; NULL and `e`. */
const struct reference *world_reference(
	struct world *w, const struct view *now, bool rebooted, struct err *e);

#endif
