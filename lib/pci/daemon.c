// SPDX-License-Identifier: GPL-2.0-or-later
// pcid as a daemon.
#include "pci/daemon.h"

#include "base/loop.h"
#include "pci/confine.h"
#include "pci/events.h"
#include "pci/reader.h"
#include "pci/session.h"

#include <stdio.h>
#include <sys/epoll.h>
#include <unistd.h>

#define MS UINT64_C(1000000)

enum {
	SOON_MS = 20,    /* a burst of uevents is one look */
	LATER_MS = 1000, /* containers mount and route all the time */
	RETRY_FIRST_MS = 100,
	RETRY_LAST_MS = 60000,
};

/* A directory, whatever its name is. */
struct place {
	bool there;
	dev_t dev;
	ino_t ino;
};

struct daemon {
	struct pci_node own; /* the caller's, with a reader */
	const struct pci_node *node;
	const struct kmodules *kmodules;
	struct loop *loop;
	struct events *events;
	struct loop_timer *look; /* the next pass, or NULL */
	uint64_t look_at;
	bool event;         /* something happened since the last pass */
	unsigned retry_ms;  /* while something waits: how long until the next try */
	char said[768];     /* the error of the last pass, said once */
	struct place state; /* the sandbox lets us into this one only */
	bool once;          /* it ends when nothing is left to do */
	const char *ends;   /* why it cannot go on */
	struct loop_fd *reader;
};

static void on_look(void *ctx);

static void look_in(struct daemon *d, uint64_t ms)
{
	uint64_t at = loop_now() + ms * MS;

	if (d->look && d->look_at <= at)
		return;
	loop_remove_timer(d->loop, d->look);
	d->look_at = at;
	d->look = loop_add_timer(d->loop, at, on_look, d);
}

static void on_event(void *ctx, enum urgency u)
{
	struct daemon *d = ctx;

	d->event = true;
	look_in(d, u == EVENT_SOON ? SOON_MS : LATER_MS);
}

static void on_signal(void *ctx, int signo)
{
	struct daemon *d = ctx;

	(void)signo;
	loop_stop(d->loop);
}

/* Once, until it is another one or gone. */
static void say_failure(struct daemon *d, const char *text)
{
	if (strcmp(d->said, text) != 0 && text[0])
		pci_progress(d->node, "%s", text);
	snprintf(d->said, sizeof(d->said), "%s", text);
}

static struct place place_of(const struct pci_node *n)
{
	struct stat st;

	if (root_stat(n->root, n->store->state, &st) < 0)
		return (struct place){0};
	return (struct place){true, st.st_dev, st.st_ino};
}

/* Another file system was mounted on the state directory, or another directory put in its place. */
static bool state_was_replaced(const struct daemon *d)
{
	struct place now = place_of(d->node);

	return d->state.there && now.there && (now.dev != d->state.dev || now.ino != d->state.ino);
}

static void end(struct daemon *d, const char *why)
{
	d->ends = why;
	loop_stop(d->loop);
}

static void on_reader(void *ctx, int fd, uint32_t bits)
{
	(void)fd;
	(void)bits;
	end(ctx, "the process that reads with privilege has ended; start the daemon again");
}

static bool waits_for_time(const struct session *s)
{
	for (size_t i = 0; i < s->plan.verdicts; i++)
		if (s->plan.verdict[i].reason == REASON_UNSETTLED)
			return true;
	return false;
}

static bool nic_waits(const struct session *s)
{
	for (size_t i = 0; i < s->plan.nics; i++)
		if (!s->plan.nic[i].done)
			return true;
	return false;
}

/* What failed, and what a process holds, is tried again; a refusal waits for an event. */
static bool waits(const struct session *s)
{
	return s->result.failed || s->result.waiting || waits_for_time(s) || nic_waits(s);
}

static void say_what_waits(struct daemon *d, const struct session *s)
{
	const char *first = "";

	for (size_t i = 0; i < s->plan.units; i++) {
		for (size_t j = 0; j < s->plan.unit[i].n; j++) {
			const struct member *m = &s->plan.unit[i].member[j];

			if (!m->done && m->message && !first[0])
				first = m->message;
		}
	}
	say_failure(d, first);
}

static int pass(struct daemon *d, bool *wait, struct err *e)
{
	struct session s;
	int rc;

	*wait = true;
	if (events_refresh(d->events, e) < 0)
		return -1;
	rc = session_pass_locked(&s, d->node, d->kmodules, d->event, e);
	if (rc == 0) {
		*wait = waits(&s);
		say_what_waits(d, &s);
	}
	session_end(&s);
	return rc;
}

static void on_look(void *ctx)
{
	struct daemon *d = ctx;
	bool event = d->event, wait;
	struct err e;

	d->look = NULL;
	if (state_was_replaced(d)) {
		end(d, "the state directory is another one now; start the daemon again");
		return;
	}
	if (pass(d, &wait, &e) < 0)
		say_failure(d, e.text);
	d->event = false;
	if (!wait) {
		d->retry_ms = 0;
		if (d->once)
			loop_stop(d->loop);
		return;
	}
	if (event || !d->retry_ms)
		d->retry_ms = RETRY_FIRST_MS;
	else if (d->retry_ms < RETRY_LAST_MS)
		d->retry_ms *= 2;
	look_in(d, d->retry_ms);
}

static int confine(struct daemon *d, struct err *e)
{
	CLEANUP_BUF struct buf text = {0};
	struct sandbox_result r;

	if (pci_confine(d->node, &r, e) < 0)
		return -1;
	d->state = place_of(d->node);
	sandbox_describe(&r, &text);
	pci_progress(d->node, "%s", buf_z(&text));
	return events_refresh(d->events, e);
}

static int start(struct daemon *d, struct err *e)
{
	d->own.reader = reader_start(d->node->root, e);
	if (!d->own.reader)
		return -1;
	d->loop = loop_new(e);
	if (!d->loop || loop_signal(d->loop, SIGTERM, on_signal, d, e) < 0 ||
		loop_signal(d->loop, SIGINT, on_signal, d, e) < 0)
		return -1;
	d->reader = loop_add_fd(d->loop, reader_fd(d->own.reader), EPOLLRDHUP, on_reader, d, e);
	if (!d->reader)
		return -1;
	d->events = events_start(d->node, d->loop, on_event, d, e);
	if (!d->events || confine(d, e) < 0)
		return -1;
	d->event = true;
	look_in(d, 0);
	return 0;
}

int daemon_run(const struct pci_node *n, const struct kmodules *k, bool once, struct err *e)
{
	CLEANUP_CLOSE int lock = store_lock(n->store, "pcid", 0, e);
	struct daemon d = {.own = *n, .kmodules = k, .once = once};
	int rc;

	d.node = &d.own;
	if (lock < 0)
		return -1;
	rc = start(&d, e);
	if (rc == 0)
		rc = loop_run(d.loop, e);
	if (rc == 0 && d.ends)
		rc = err_set(e, "%s", d.ends);
	if (d.events)
		events_stop(d.events);
	if (d.loop)
		loop_remove_fd(d.loop, d.reader);
	loop_free(d.loop);
	reader_stop(d.own.reader);
	return rc;
}
