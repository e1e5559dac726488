// SPDX-License-Identifier: GPL-2.0-or-later
// What the files of the event loop share.
#ifndef BASE_LOOP_IMPL_H
#define BASE_LOOP_IMPL_H

#include "base/loop.h"

enum { LOOP_SIGNALS = 65 }; /* signal numbers are 1 to 64 */

struct loop {
	int epoll_fd;
	int signal_fd;  /* -1 until the first loop_signal() */
	int inotify_fd; /* -1 until the first loop_add_watch() */
	bool in_round;  /* what is removed now is only marked, and freed after the round */
	bool has_removed;
	bool stop;
	struct loop_fd *fds;
	struct loop_watch *watches;
	struct loop_timer **heap; /* the earliest first */
	struct loop_timer *due;   /* of this round, in order */
	size_t timers, timers_cap;
	uint64_t timers_added;
	sigset_t blocked, mask_before;
	struct {
		loop_signal_fn *fn;
		void *ctx;
	} signals[LOOP_SIGNALS];
};

/* Milliseconds for epoll_wait(): until the first timer, rounded up; -1 without one. */
int loop_timer_wait(const struct loop *l);
/* Calls back for all timers that are due now. */
void loop_timer_round(struct loop *l);
void loop_timer_free_all(struct loop *l);

void loop_watch_free_removed(struct loop *l);
void loop_watch_free_all(struct loop *l);
void loop_signal_free(struct loop *l);

#endif
