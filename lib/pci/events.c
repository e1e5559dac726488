// SPDX-License-Identifier: GPL-2.0-or-later
// What tells the daemon to look.
#include "pci/events.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/inotify.h>
#include <sys/socket.h>
#include <unistd.h>

enum { RECEIVE_BUFFER = 1 << 20, MESSAGE_CAP = 16384, PATH_CAP = 512, MAX_WATCHES = 16 };

/* A directory that is watched: one of objects, or the nearest one above it that is there. */
struct watched {
	char path[PATH_CAP];
	struct loop_watch *watch;
	bool wanted;
};

struct events {
	const struct pci_node *node;
	struct loop *loop;
	events_fn *fn;
	void *ctx;
	int uevent, route, mounts, swaps;
	struct loop_fd *source[4];
	struct watched dir[MAX_WATCHES];
	size_t dirs;
	bool stale; /* a watched directory went or was mounted over: all are watched anew */
};

bool kernel_event_parse(struct kernel_event *k, struct str message)
{
	struct str line, key;

	*k = (struct kernel_event){0};
	if (!memchr(message.p, '@', strnlen(message.p, message.n)))
		return false;
	while (message.n && str_cut(&message, 0, &line)) {
		if (!str_cut(&line, '=', &key) || !line.p)
			continue;
		if (str_is(key, "ACTION"))
			k->action = line;
		else if (str_is(key, "SUBSYSTEM"))
			k->subsystem = line;
		else if (str_is(key, "DEVPATH"))
			k->path = line;
	}
	return k->action.n && k->subsystem.n;
}

/* Virtual interfaces and loop devices come and go with every container. */
static bool concerns_us(const struct kernel_event *k, enum urgency *u)
{
	*u = EVENT_LATER;
	if (str_is(k->subsystem, "pci")) {
		*u = EVENT_SOON;
		return true;
	}
	return (str_is(k->subsystem, "net") || str_is(k->subsystem, "block") ||
		       str_is(k->subsystem, "vfio") || str_is(k->subsystem, "iommu")) &&
	       !str_starts(k->path, "/devices/virtual/");
}

/* One message; false when there is none. Only the kernel (port 0) is listened to. */
static bool receive(int fd, char *text, size_t cap, ssize_t *n)
{
	struct sockaddr_nl from = {0};
	struct iovec part = {text, cap};
	struct msghdr m = {
		.msg_name = &from, .msg_namelen = sizeof(from), .msg_iov = &part, .msg_iovlen = 1};

	*n = recvmsg(fd, &m, MSG_DONTWAIT);
	if (*n < 0)
		return errno == ENOBUFS || errno == EINTR;
	if (from.nl_pid != 0)
		*n = 0;
	return true;
}

static void on_uevent(void *ctx, int fd, uint32_t bits)
{
	struct events *ev = ctx;
	char text[MESSAGE_CAP];
	ssize_t n;

	(void)bits;
	while (receive(fd, text, sizeof(text), &n)) {
		struct kernel_event k;
		enum urgency u = EVENT_SOON;

		if (n < 0)
			ev->fn(ev->ctx, EVENT_SOON); /* some were lost */
		else if (n && kernel_event_parse(&k, (struct str){text, (size_t)n}) &&
			 concerns_us(&k, &u))
			ev->fn(ev->ctx, u);
	}
}

static void on_route(void *ctx, int fd, uint32_t bits)
{
	struct events *ev = ctx;
	char text[MESSAGE_CAP];
	ssize_t n;

	(void)bits;
	while (receive(fd, text, sizeof(text), &n))
		;
	ev->fn(ev->ctx, EVENT_LATER);
}

/* proc_pid_mountinfo(5): a change of mounts is reported as POLLPRI and POLLERR. */
static void on_mounts(void *ctx, int fd, uint32_t bits)
{
	struct events *ev = ctx;

	(void)fd;
	(void)bits;
	ev->stale = true;
	ev->fn(ev->ctx, EVENT_LATER);
}

static void on_swaps(void *ctx, int fd, uint32_t bits)
{
	struct events *ev = ctx;

	(void)fd;
	(void)bits;
	ev->fn(ev->ctx, EVENT_LATER);
}

/* Temporary files begin with a dot. */
static void on_directory(void *ctx, uint32_t mask, const char *name)
{
	struct events *ev = ctx;

	const uint32_t gone =
		IN_IGNORED | IN_UNMOUNT | IN_DELETE_SELF | IN_MOVE_SELF | IN_Q_OVERFLOW;

	/* An attribute of the directory itself: its last link went when another took its place. */
	if ((mask & gone) || ((mask & IN_ATTRIB) && !name[0]))
		ev->stale = true;
	else if (name[0] == '.' || (mask & IN_ATTRIB))
		return;
	ev->fn(ev->ctx, EVENT_SOON);
}

static int netlink(int protocol, unsigned groups, struct err *e)
{
	struct sockaddr_nl to = {.nl_family = AF_NETLINK, .nl_groups = groups};
	int size = RECEIVE_BUFFER;
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, protocol);

	if (fd < 0) {
		err_sys(e, "open a netlink socket");
		return -1;
	}
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)) < 0)
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	if (bind(fd, (struct sockaddr *)&to, sizeof(to)) < 0) {
		err_sys(e, "listen to the kernel's events");
		close(fd);
		return -1;
	}
	return fd;
}

/* A file of proc that tells of changes; -1 where there is none that can be waited for. */
static int add_file(struct events *ev, const char *path, loop_fd_fn *fn, struct loop_fd **source)
{
	int fd = root_open(ev->node->root, path, O_RDONLY, 0);
	struct err ignored;

	if (fd < 0)
		return -1;
	*source = loop_add_fd(ev->loop, fd, EPOLLPRI | EPOLLET, fn, ev, &ignored);
	if (*source)
		return fd;
	close(fd);
	return -1;
}

static int add_sockets(struct events *ev, struct err *e)
{
	struct err ignored;

	ev->uevent = netlink(NETLINK_KOBJECT_UEVENT, 1, e);
	if (ev->uevent < 0)
		return -1;
	ev->source[0] = loop_add_fd(ev->loop, ev->uevent, EPOLLIN, on_uevent, ev, e);
	if (!ev->source[0])
		return -1;
	ev->route = netlink(NETLINK_ROUTE,
		RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR | RTMGRP_IPV4_ROUTE | RTMGRP_IPV6_ROUTE,
		&ignored);
	if (ev->route >= 0)
		ev->source[1] = loop_add_fd(ev->loop, ev->route, EPOLLIN, on_route, ev, &ignored);
	return 0;
}

struct events *events_start(
	const struct pci_node *n, struct loop *loop, events_fn *fn, void *ctx, struct err *e)
{
	struct events *ev = mem_alloc(sizeof(*ev));

	*ev = (struct events){.node = n,
		.loop = loop,
		.fn = fn,
		.ctx = ctx,
		.uevent = -1,
		.route = -1,
		.mounts = -1,
		.swaps = -1};
	if (add_sockets(ev, e) < 0 || events_refresh(ev, e) < 0) {
		events_stop(ev);
		return NULL;
	}
	ev->mounts = add_file(ev, "proc/1/mountinfo", on_mounts, &ev->source[2]);
	ev->swaps = add_file(ev, "proc/swaps", on_swaps, &ev->source[3]);
	return ev;
}

static void drop_watches(struct events *ev)
{
	for (size_t i = 0; i < ev->dirs; i++)
		loop_remove_watch(ev->loop, ev->dir[i].watch);
	ev->dirs = 0;
}

void events_stop(struct events *ev)
{
	const int fds[] = {ev->uevent, ev->route, ev->mounts, ev->swaps};

	drop_watches(ev);
	for (size_t i = 0; i < ARRAY_LEN(fds); i++) {
		loop_remove_fd(ev->loop, ev->source[i]);
		if (fds[i] >= 0)
			close(fds[i]);
	}
	free(ev);
}

/* Below the root, through a descriptor: no link leads out of it. */
static struct loop_watch *watch(struct events *ev, const char *path, struct err *e)
{
	const uint32_t mask = IN_CREATE | IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE |
			      IN_DELETE_SELF | IN_MOVE_SELF | IN_ATTRIB | IN_ONLYDIR;
	CLEANUP_CLOSE int fd = root_open(ev->node->root, path, O_PATH | O_DIRECTORY, 0);
	char self[64];

	if (fd < 0) {
		err_sys(e, "watch %s", path);
		return NULL;
	}
	snprintf(self, sizeof(self), "/proc/self/fd/%d", fd);
	return loop_add_watch(ev->loop, self, mask, on_directory, ev, e);
}

static struct watched *find(struct events *ev, const char *path)
{
	for (size_t i = 0; i < ev->dirs; i++)
		if (!strcmp(ev->dir[i].path, path))
			return &ev->dir[i];
	return NULL;
}

/* The directory, or the nearest one above it that is there. */
static int want(struct events *ev, const char *dir, struct err *e)
{
	char path[PATH_CAP];
	struct watched *w;
	char *slash;

	snprintf(path, sizeof(path), "%s", dir);
	while (!root_exists(ev->node->root, path)) {
		slash = strrchr(path, '/');
		if (!slash || slash == path)
			return 0;
		*slash = 0;
	}
	w = find(ev, path);
	if (!w && ev->dirs < MAX_WATCHES) {
		w = &ev->dir[ev->dirs];
		snprintf(w->path, sizeof(w->path), "%s", path);
		w->watch = watch(ev, path, e);
		if (!w->watch)
			return e->no == ENOENT || e->no == EEXIST ? 0 : -1;
		ev->dirs++;
	}
	if (w)
		w->wanted = true;
	return 0;
}

static void drop_unwanted(struct events *ev)
{
	size_t left = 0;

	for (size_t i = 0; i < ev->dirs; i++) {
		if (ev->dir[i].wanted)
			ev->dir[left++] = ev->dir[i];
		else
			loop_remove_watch(ev->loop, ev->dir[i].watch);
	}
	ev->dirs = left;
}

int events_refresh(struct events *ev, struct err *e)
{
	static const char *const below[] = {"desired", "desired/local/pcideviceclaims",
		"desired/cluster/pcideviceclaims", "desired/local/sriovnetworkdevices",
		"desired/cluster/sriovnetworkdevices", "desired/cluster/vlanconfigs"};
	const struct store *s = ev->node->store;
	char path[PATH_CAP];

	if (ev->stale)
		drop_watches(ev);
	ev->stale = false;
	for (size_t i = 0; i < ev->dirs; i++)
		ev->dir[i].wanted = false;
	for (size_t i = 0; i < ARRAY_LEN(below); i++) {
		snprintf(path, sizeof(path), "%s/%s", s->state, below[i]);
		if (want(ev, path, e) < 0)
			return -1;
	}
	snprintf(path, sizeof(path), "%s/observed/plugins", s->run);
	if (want(ev, s->run, e) < 0 || want(ev, path, e) < 0)
		return -1;
	drop_unwanted(ev);
	return 0;
}
