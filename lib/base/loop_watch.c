// SPDX-License-Identifier: GPL-2.0-or-later
// Watched directories of the event loop, through one inotify descriptor.
#include "base/loop_impl.h"

#include <sys/epoll.h>
#include <sys/inotify.h>
#include <unistd.h>

struct loop_watch {
	struct loop_watch *next;
	int wd; /* -1: the kernel has none any more */
	bool removed;
	loop_watch_fn *fn;
	void *ctx;
};

static struct loop_watch *find(const struct loop *l, int wd)
{
	struct loop_watch *w = l->watches;

	while (w && (w->wd != wd || w->removed))
		w = w->next;
	return w;
}

/* New watches go before the first, so that they are not told of what was before them. */
static void tell_all(struct loop *l, uint32_t mask)
{
	for (struct loop_watch *w = l->watches; w; w = w->next)
		if (!w->removed && w->wd >= 0)
			w->fn(w->ctx, mask, "");
}

static void tell(struct loop *l, const struct inotify_event *event)
{
	struct loop_watch *w;

	if (event->mask & IN_Q_OVERFLOW) {
		tell_all(l, event->mask);
		return;
	}
	w = event->wd >= 0 ? find(l, event->wd) : NULL;
	if (!w)
		return;
	if (event->mask & IN_IGNORED)
		w->wd = -1;
	w->fn(w->ctx, event->mask, event->len ? event->name : "");
}

static void on_events(void *ctx, int fd, uint32_t events)
{
	_Alignas(struct inotify_event) char buf[4096];
	ssize_t n = read(fd, buf, sizeof(buf));
	size_t at = 0;

	(void)events;
	while (n > 0 && at < (size_t)n) {
		const struct inotify_event *event = (const void *)(buf + at);

		at += sizeof(*event) + event->len;
		tell(ctx, event);
	}
}

static int start(struct loop *l, struct err *e)
{
	if (l->inotify_fd >= 0)
		return 0;
	l->inotify_fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	if (l->inotify_fd < 0)
		return err_sys(e, "make an inotify descriptor");
	if (!loop_add_fd(l, l->inotify_fd, EPOLLIN, on_events, l, e)) {
		close(l->inotify_fd);
		l->inotify_fd = -1;
		return -1;
	}
	return 0;
}

struct loop_watch *loop_add_watch(struct loop *l, const char *path, uint32_t mask,
	loop_watch_fn *fn, void *ctx, struct err *e)
{
	struct loop_watch *w;
	int wd;

	if (start(l, e) < 0)
		return NULL;
	wd = inotify_add_watch(l->inotify_fd, path, mask | IN_ONLYDIR | IN_MASK_CREATE);
	if (wd < 0) {
		err_sys(e, "watch directory %s", path);
		return NULL;
	}
	w = mem_alloc(sizeof(*w));
	*w = (struct loop_watch){.next = l->watches, .wd = wd, .fn = fn, .ctx = ctx};
	l->watches = w;
	return w;
}

void loop_watch_free_removed(struct loop *l)
{
	for (struct loop_watch **at = &l->watches; *at;) {
		struct loop_watch *w = *at;

		if (w->removed) {
			*at = w->next;
			free(w);
		} else {
			at = &w->next;
		}
	}
}

void loop_remove_watch(struct loop *l, struct loop_watch *w)
{
	if (!w || w->removed)
		return;
	if (w->wd >= 0)
		inotify_rm_watch(l->inotify_fd, w->wd);
	w->wd = -1;
	w->removed = true;
	if (l->in_round)
		l->has_removed = true;
	else
		loop_watch_free_removed(l);
}

void loop_watch_free_all(struct loop *l)
{
	while (l->watches) {
		struct loop_watch *next = l->watches->next;

		free(l->watches);
		l->watches = next;
	}
	if (l->inotify_fd >= 0)
		close(l->inotify_fd);
}
