// SPDX-License-Identifier: GPL-2.0-or-later
// The event loop of a daemon: descriptors (epoll), timers, signals (signalfd), watched directories
// (inotify). One thread; no wake-up at rest. No globals: a program may have several loops.
#ifndef BASE_LOOP_H
#define BASE_LOOP_H

#include "base/base.h"
#include "base/err.h"

#include <signal.h>

struct loop;

/* The sources. A handle is owned by the loop and valid until it is removed, until it has fired (a
 * timer), or until the loop is freed. Any callback may remove any source, its own too, add others,
 * and stop the loop; it must not run or free it. What is removed is not called any more, not in
 * the same round either. Removing NULL does nothing. */
struct loop_fd;
struct loop_timer;
struct loop_watch;

/* `ctx` is the caller's and passed through. `events`: EPOLLIN etc., <sys/epoll.h>. */
typedef void loop_fd_fn(void *ctx, int fd, uint32_t events);
typedef void loop_timer_fn(void *ctx);
typedef void loop_signal_fn(void *ctx, int signo);
/* `mask`: IN_* of <sys/inotify.h>; `name`: the entry, "" when the event is of the directory itself.
 * IN_Q_OVERFLOW goes to every watch: events were lost, look at everything. IN_IGNORED is the last
 * event of a watch: the directory is gone; the handle stays valid until it is removed. */
typedef void loop_watch_fn(void *ctx, uint32_t mask, const char *name);

/* NULL and `e` when the kernel gives no descriptor. */
struct loop *loop_new(struct err *e);
/* Closes the loop's own descriptors, never the caller's; drops signals that nobody was told of yet
 * and unblocks what the loop has blocked. NULL does nothing. */
void loop_free(struct loop *l);

/* Waits and calls back, round by round, until a round in which loop_stop() was called is done; 0,
 * or -1 and `e` when waiting itself fails. May be called again. A loop_stop() before loop_run()
 * does nothing. */
int loop_run(struct loop *l, struct err *e);
void loop_stop(struct loop *l);

/* Watches the caller's descriptor, which must stay open until the source is removed; one source per
 * descriptor. Level-triggered unless `events` has EPOLLET. EPOLLERR and EPOLLHUP always come. NULL
 * and `e` on error (EPERM: a regular file; EEXIST: watched already). */
struct loop_fd *loop_add_fd(
	struct loop *l, int fd, uint32_t events, loop_fd_fn *fn, void *ctx, struct err *e);
int loop_modify_fd(struct loop *l, struct loop_fd *f, uint32_t events, struct err *e);
void loop_remove_fd(struct loop *l, struct loop_fd *f);

/* CLOCK_MONOTONIC now, in nanoseconds. */
uint64_t loop_now(void);
/* A timer that fires once, at `deadline` (as loop_now()) or up to a few milliseconds later, never
 * earlier; equal deadlines fire in the order they were added. A deadline that has passed fires in
 * the next round. When the callback returns the handle is gone. O(log timers). */
struct loop_timer *loop_add_timer(struct loop *l, uint64_t deadline, loop_timer_fn *fn, void *ctx);
void loop_remove_timer(struct loop *l, struct loop_timer *t);

/* Blocks `signo` and calls back when it comes; several before the loop gets to it may be one. One
 * callback per signal: another call replaces it; a NULL `fn` gives the signal back as it was. -1
 * and `e` on error (EINVAL: no signal that can be caught). Children inherit the blocked mask,
 * through exec too: see loop_unblock(). */
int loop_signal(struct loop *l, int signo, loop_signal_fn *fn, void *ctx, struct err *e);
/* For a child between fork and exec: the signal mask as it was before the first loop_signal(). */
void loop_unblock(const struct loop *l);

/* Watches a directory by path, or by descriptor as "/proc/self/fd/N". `mask` as in inotify(7). A
 * loop watches a directory once (EEXIST). NULL and `e` on error (ENOTDIR; ENOSPC: the user's limit
 * of watches). */
struct loop_watch *loop_add_watch(struct loop *l, const char *path, uint32_t mask,
	loop_watch_fn *fn, void *ctx, struct err *e);
void loop_remove_watch(struct loop *l, struct loop_watch *w);

#endif
