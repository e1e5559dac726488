// SPDX-License-Identifier: GPL-2.0-or-later
// Asking the reader.
#include "pci/reader.h"

#include "base/loop.h"
#include "pci/reader_impl.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

struct reader {
	int fd;
	pid_t pid;
	int timeout_ms;
	bool lost;
	char bytes[READER_ANSWER_MAX + 1]; /* of the last answer */
};

static int lose(struct reader *rd, const char *why, struct err *e)
{
	rd->lost = true;
	err_set(e, "ask the reader: %s", why);
	return err_hint(e, "a daemon ends and is started again to have a new one");
}

/* The length of a packet, or -1. */
static ssize_t receive(struct reader *rd, struct err *e)
{
	struct pollfd wait = {.fd = rd->fd, .events = POLLIN};
	uint64_t end = loop_now() + (uint64_t)rd->timeout_ms * 1000000, now;
	ssize_t n;

	do {
		now = loop_now();
		n = poll(&wait, 1, now < end ? (int)((end - now + 999999) / 1000000) : 0);
	} while (n < 0 && errno == EINTR);
	if (n == 0)
		return lose(rd, "no answer in time", e);
	do
		n = recv(rd->fd, rd->bytes, sizeof(rd->bytes), 0);
	while (n < 0 && errno == EINTR);
	return n > 0 ? n : lose(rd, "it has ended", e);
}

/* An answer that makes no sense is the last one that is heard. */
static int hear(struct reader *rd, enum reader_kind kind, struct arena *mem,
	struct reader_answer *a, struct err *e)
{
	ssize_t n = receive(rd, e);
	int rc;

	if (n < 0)
		return -1;
	rc = reader_answer_parse(a, kind, rd->bytes, (size_t)n, mem, e);
	if (rc < 0)
		rd->lost = true;
	return rc ? -1 : 0;
}

static int ask(struct reader *rd, enum reader_kind kind, const struct pci_dev *const *dev, size_t n,
	struct arena *mem, struct reader_answer *a, struct err *e)
{
	CLEANUP_BUF struct buf out = {0};
	ssize_t sent;

	if (rd->lost)
		return lose(rd, "it has ended, or is not to be trusted any more", e);
	reader_request_write(&out, kind, dev, n);
	do
		sent = send(rd->fd, out.p, out.len, MSG_NOSIGNAL);
	while (sent < 0 && errno == EINTR);
	if (sent < 0)
		return lose(rd, strerror(errno), e);
	return hear(rd, kind, mem, a, e);
}

/* It says first that it is ready, or why it is not. */
static int greet(struct reader *rd, struct err *e)
{
	CLEANUP_ARENA struct arena mem = {0};
	struct reader_answer ready;

	return hear(rd, READER_CONFIG, &mem, &ready, e);
}

struct reader *reader_start(const struct root *r, struct err *e)
{
	int pair[2], parent = getpid();
	struct reader *rd;
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0) {
		err_sys(e, "make a socket for the reader");
		return NULL;
	}
	pid = fork();
	if (pid == 0) {
		close(pair[0]);
		reader_serve(r, pair[1], parent);
	}
	close(pair[1]);
	if (pid < 0) {
		err_sys(e, "fork the reader");
		close(pair[0]);
		return NULL;
	}
	rd = mem_alloc(sizeof(*rd));
	rd->fd = pair[0];
	rd->pid = pid;
	rd->timeout_ms = READER_TIMEOUT_MS;
	if (greet(rd, e) == 0)
		return rd;
	reader_stop(rd);
	return NULL;
}

/* One that did not answer may not end either. */
void reader_stop(struct reader *rd)
{
	if (!rd)
		return;
	close(rd->fd);
	while (waitpid(rd->pid, NULL, rd->lost ? WNOHANG : 0) < 0 && errno == EINTR)
		;
	free(rd);
}

bool reader_alive(const struct reader *rd)
{
	struct pollfd now = {.fd = rd->fd};

	return !rd->lost && poll(&now, 1, 0) == 0;
}

int reader_fd(const struct reader *rd)
{
	return rd->fd;
}

void reader_set_timeout(struct reader *rd, int ms)
{
	rd->timeout_ms = ms;
}

struct holders {
	struct holder *p;
	size_t n;
};

static int ask_holders(struct reader *rd, const struct pci_dev *const *dev, size_t n,
	struct arena *mem, struct holders *all, struct err *e)
{
	struct reader_answer a;

	if (ask(rd, READER_HOLDERS, dev, n, mem, &a, e) < 0)
		return -1;
	all->p = mem_resize(all->p, (all->n + a.holders + 1) * sizeof(*all->p));
	if (a.holders)
		memcpy(all->p + all->n, a.holder, a.holders * sizeof(*all->p));
	all->n += a.holders;
	return 0;
}

/* A group whose functions come to be in two questions is there twice: still held. */
static int holders_by(struct reader *rd, const struct pci_dev *const *dev, size_t count,
	struct arena *mem, struct holders *all, struct err *e)
{
	for (size_t at = 0; at < count; at += READER_FUNCTIONS_MAX) {
		size_t n = count - at < READER_FUNCTIONS_MAX ? count - at : READER_FUNCTIONS_MAX;

		if (ask_holders(rd, dev + at, n, mem, all, e) < 0)
			return -1;
	}
	return 0;
}

int pci_holders(const struct pci_node *n, const struct pci_dev *const *dev, size_t count,
	struct arena *mem, struct holder **out, size_t *holders, struct err *e)
{
	struct holders all = {0};
	int rc;

	if (!n->reader)
		return holders_find(n->root, dev, count, mem, out, holders, e);
	rc = holders_by(n->reader, dev, count, mem, &all, e);
	*holders = all.n;
	*out = arena_alloc(mem, (all.n + 1) * sizeof(**out));
	if (all.n)
		memcpy(*out, all.p, all.n * sizeof(**out));
	free(all.p);
	return rc;
}

ssize_t pci_config_read(
	const struct pci_node *n, const char *address, uint8_t *out, size_t cap, struct err *e)
{
	CLEANUP_ARENA struct arena mem = {0};
	struct pci_dev d = {.group = PCI_NO_GROUP, .driver = ""};
	const struct pci_dev *one = &d;
	struct reader_answer a;

	if (!pci_addr_parse(str_of(address), &d.addr))
		return err_set(e, "\"%.20s\" is no PCI address", address);
	pci_addr_format(d.addr, d.name);
	if (!n->reader)
		return reader_config_here(n->root, d.name, out, cap, e);
	if (ask(n->reader, READER_CONFIG, &one, 1, &mem, &a, e) < 0)
		return -1;
	if (a.config.n < cap)
		cap = a.config.n;
	memcpy(out, a.config.p, cap);
	return (ssize_t)cap;
}
