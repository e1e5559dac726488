// SPDX-License-Identifier: GPL-2.0-or-later
// The event loop: descriptors and rounds.
#include "base/loop_impl.h"

#include <errno.h>
#include <sys/epoll.h>
#include <unistd.h>

struct loop_fd {
	struct loop_fd *next;
	int fd;
	bool removed;
	loop_fd_fn *fn;
	void *ctx;
};

struct loop *loop_new(struct err *e)
{
	int fd = epoll_create1(EPOLL_CLOEXEC);
	struct loop *l;

	if (fd < 0) {
		err_sys(e, "make an epoll descriptor");
		return NULL;
	}
	l = mem_alloc(sizeof(*l));
	l->epoll_fd = fd;
	l->signal_fd = l->inotify_fd = -1;
	sigemptyset(&l->blocked);
	return l;
}

void loop_free(struct loop *l)
{
	if (!l)
		return;
	loop_signal_free(l);
	loop_watch_free_all(l);
	loop_timer_free_all(l);
	while (l->fds) {
		struct loop_fd *next = l->fds->next;

		free(l->fds);
		l->fds = next;
	}
	close(l->epoll_fd);
	free(l);
}

struct loop_fd *loop_add_fd(
	struct loop *l, int fd, uint32_t events, loop_fd_fn *fn, void *ctx, struct err *e)
{
	struct loop_fd *f = mem_alloc(sizeof(*f));
	struct epoll_event event = {.events = events, .data.ptr = f};

	if (epoll_ctl(l->epoll_fd, EPOLL_CTL_ADD, fd, &event) < 0) {
		err_sys(e, "watch descriptor %d", fd);
		free(f);
		return NULL;
	}
	*f = (struct loop_fd){.next = l->fds, .fd = fd, .fn = fn, .ctx = ctx};
	l->fds = f;
	return f;
}

int loop_modify_fd(struct loop *l, struct loop_fd *f, uint32_t events, struct err *e)
{
	struct epoll_event event = {.events = events, .data.ptr = f};

	if (epoll_ctl(l->epoll_fd, EPOLL_CTL_MOD, f->fd, &event) < 0)
		return err_sys(e, "change the watch of descriptor %d", f->fd);
	return 0;
}

static void free_removed(struct loop *l)
{
	if (l->in_round || !l->has_removed)
		return;
	l->has_removed = false;
	for (struct loop_fd **at = &l->fds; *at;) {
		struct loop_fd *f = *at;

		if (f->removed) {
			*at = f->next;
			free(f);
		} else {
			at = &f->next;
		}
	}
	loop_watch_free_removed(l);
}

void loop_remove_fd(struct loop *l, struct loop_fd *f)
{
	if (!f || f->removed)
		return;
	epoll_ctl(l->epoll_fd, EPOLL_CTL_DEL, f->fd, NULL);
	f->removed = l->has_removed = true;
	free_removed(l);
}

static void round_of_events(struct loop *l, const struct epoll_event *events, int n)
{
	l->in_round = true;
	for (int i = 0; i < n; i++) {
		struct loop_fd *f = events[i].data.ptr;

		if (!f->removed)
			f->fn(f->ctx, f->fd, events[i].events);
	}
	loop_timer_round(l);
	l->in_round = false;
	free_removed(l);
}

int loop_run(struct loop *l, struct err *e)
{
	l->stop = false;
	while (!l->stop) {
		struct epoll_event events[64];
		int n = epoll_wait(l->epoll_fd, events, ARRAY_LEN(events), loop_timer_wait(l));

		if (n < 0 && errno != EINTR)
			return err_sys(e, "wait for events");
		round_of_events(l, events, n);
	}
	return 0;
}

void loop_stop(struct loop *l)
{
	l->stop = true;
}
