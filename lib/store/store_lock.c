// SPDX-License-Identifier: GPL-2.0-or-later
// One instance of an applet per host.
#include "store/store_impl.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/utsname.h>
#include <unistd.h>

/* The number is of the holder's own process namespace: a pod's name goes with it. */
static void write_holder(int fd)
{
	struct utsname host;
	char text[128];
	ssize_t unused;
	int n;

	if (uname(&host) < 0)
		return;
	n = snprintf(text, sizeof(text), "%ld %.64s\n", (long)getpid(), host.nodename);
	unused = pwrite(fd, text, (size_t)n, 0);
	(void)unused; /* it only serves the message of others */
}

static int name_holder(int fd, const char *path, struct err *e)
{
	char text[128];
	ssize_t n = pread(fd, text, sizeof(text), 0);
	struct str rest = {text, n > 0 ? (size_t)n : 0}, pid, host;
	struct utsname here;
	uint64_t number;

	if (!str_word(&rest, &pid) || !str_u64(pid, INT32_MAX, &number))
		return err_set(e, "another process holds %s", path);
	if (str_word(&rest, &host) && uname(&here) == 0 && !str_is(host, here.nodename))
		return err_set(
			e, "process %.*s on %.*s holds %s", STR_ARG(pid), STR_ARG(host), path);
	return err_set(e, "process %.*s holds %s", STR_ARG(pid), path);
}

int store_lock(const struct store *s, const char *applet, int timeout_ms, struct err *e)
{
	CLEANUP_CLOSE int fd = -1;
	char path[STORE_PATH_CAP];
	int locked;

	if (!store_name_ok(str_of(applet)))
		return err_set(e, "\"%.253s\" cannot be the name of a lock", applet);
	snprintf(path, sizeof(path), "%s/%s.lock", s->run, applet);
	if (root_mkdirs(s->root, s->run, 0755) < 0)
		return err_sys(e, "make %s", s->run);
	fd = root_open(s->root, path, O_RDWR | O_CREAT, 0644);
	if (fd < 0)
		return err_sys(e, "open %s", path);
	if (store_flock(fd, LOCK_EX, timeout_ms) < 0) {
		if (errno != EWOULDBLOCK)
			return err_sys(e, "lock %s", path);
		name_holder(fd, path, e);
		e->no = EWOULDBLOCK;
		return -1;
	}
	if (ftruncate(fd, 0) == 0)
		write_holder(fd);
	locked = fd;
	fd = -1;
	return locked;
}
