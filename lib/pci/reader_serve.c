// SPDX-License-Identifier: GPL-2.0-or-later
// The reader's own life.
#include "base/sandbox.h"
#include "pci/reader_impl.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

ssize_t reader_config_here(
	const struct root *r, const char *address, uint8_t *out, size_t cap, struct err *e)
{
	CLEANUP_CLOSE int fd = -1;
	char path[64];
	size_t len = 0;

	snprintf(path, sizeof(path), "sys/bus/pci/devices/%.*s/config", PCI_ADDR_CAP, address);
	fd = root_open(r, path, O_RDONLY | O_NONBLOCK, 0);
	if (fd < 0)
		return err_sys(e, "open config space of %s", address);
	while (len < cap) {
		ssize_t n = pread(fd, out + len, cap - len, (off_t)len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_sys(e, "read config space of %s", address);
		if (n == 0)
			break;
		len += (size_t)n;
	}
	return (ssize_t)len;
}

static void close_from_to(unsigned first, unsigned last)
{
	unsigned highest = (unsigned)sysconf(_SC_OPEN_MAX) - 1;

	if (first > last || syscall(SYS_close_range, first, last, 0) == 0)
		return;
	for (unsigned fd = first; fd <= last && fd <= highest; fd++)
		close((int)fd);
}

/* A lock that the other process has is not to be held by this one. */
static void close_all_but(int one, int other)
{
	unsigned low = (unsigned)(one < other ? one : other);
	unsigned high = (unsigned)(one < other ? other : one);

	close_from_to(3, low - 1);
	close_from_to(low + 1, high - 1);
	close_from_to(high + 1, ~0u);
}

/* Its end is the end of its socket: SIGTERM to all of a service must not take it from a daemon that
 * is still at work. */
static int detach(int parent)
{
	sigset_t all;

	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, NULL);
	prctl(PR_SET_NAME, "vfiobox-reader", 0, 0, 0);
	prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	return getppid() == parent ? 0 : -1;
}

static int confine(struct err *e)
{
	const struct sandbox box = {
		.capabilities = 1ull << CAP_SYS_PTRACE | 1ull << CAP_DAC_READ_SEARCH |
				1ull << CAP_SYS_ADMIN,
		.calls = SANDBOX_CALLS_LOOK,
	};
	struct sandbox_result ignored;

	return sandbox_enter(&box, &ignored, e);
}

static void answer_holders(
	const struct root *r, const struct reader_request *q, struct arena *mem, struct buf *out)
{
	struct holder *h;
	size_t n;
	struct err e;

	if (holders_find(r, q->dev, q->n, mem, &h, &n, &e) < 0)
		reader_answer_failed(out, &e);
	else
		reader_answer_holders(out, h, n);
}

static void answer_config(const struct root *r, const struct reader_request *q, struct buf *out)
{
	uint8_t bytes[PCI_CONFIG_SIZE];
	struct err e;
	ssize_t n = reader_config_here(r, q->dev[0]->name, bytes, sizeof(bytes), &e);

	if (n < 0)
		reader_answer_failed(out, &e);
	else
		reader_answer_config(out, bytes, (size_t)n);
}

static void answer(const struct root *r, const void *bytes, size_t len, struct buf *out)
{
	CLEANUP_ARENA struct arena mem = {0};
	struct reader_request q;
	struct err e;

	if (reader_request_parse(&q, bytes, len, &mem, &e) < 0)
		reader_answer_failed(out, &e);
	else if (q.kind == READER_HOLDERS)
		answer_holders(r, &q, &mem, out);
	else
		answer_config(r, &q, out);
}

static void send_answer(int fd, struct buf *out)
{
	struct err e;

	if (write(fd, out->p, out->len) >= 0)
		return;
	err_sys(&e, "send the reader's answer");
	reader_answer_failed(out, &e);
	if (write(fd, out->p, out->len) < 0)
		_exit(1);
}

/* openat2 is not in its filter, so that nothing can be opened to write: paths are walked. */
void reader_serve(const struct root *r, int fd, int parent)
{
	struct root own = *r;
	struct buf out = {0};
	char *bytes = mem_alloc(READER_REQUEST_MAX + 1);
	struct err e = {0};

	own.by_walk = true;
	if (detach(parent) < 0)
		_exit(1);
	close_all_but(fd, own.fd);
	if (confine(&e) < 0) {
		reader_answer_failed(&out, &e);
		send_answer(fd, &out);
		_exit(1);
	}
	reader_answer_config(&out, (const uint8_t *)"", 0); /* it is ready */
	for (;;) {
		ssize_t n;

		send_answer(fd, &out);
		do
			n = read(fd, bytes, READER_REQUEST_MAX + 1);
		while (n < 0 && errno == EINTR);
		if (n <= 0)
			_exit(n < 0);
		answer(&own, bytes, (size_t)n, &out);
	}
}
