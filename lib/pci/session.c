// SPDX-License-Identifier: GPL-2.0-or-later
// Passes as somebody waits for them.
#include "pci/session.h"

#include <errno.h>
#include <poll.h>
#include <time.h>
#include <unistd.h>

enum { LOOK_AGAIN_MS = 250 };

int64_t session_clock(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* The functions with the VFs that are wanted. */
static int read_state(struct session *s, const struct pci_node *n, bool retry, struct err *e)
{
	if (pci_state_read(&s->state, n, e) < 0)
		return -1;
	sriov_run(&s->state, retry, &s->vfs);
	if (!s->vfs.changed)
		return 0;
	pci_state_free(&s->state);
	if (pci_state_read(&s->state, n, e) == 0)
		return 0;
	sriov_done_free(&s->vfs);
	return -1;
}

int session_pass_locked(struct session *s, const struct pci_node *n, const struct kmodules *k,
	bool retry, struct err *e)
{
	*s = (struct session){0};
	if (read_state(s, n, retry, e) < 0)
		return -1;
	plan_make(&s->plan, &s->state, NULL);
	sriov_recall(&s->vfs, &s->plan);
	s->open = true;
	return pass_run(&s->state, &s->plan, k, &s->result, e);
}

static int one_pass(struct session *s, const struct pci_node *n, const struct kmodules *k,
	int lock_ms, bool retry, struct err *e)
{
	CLEANUP_CLOSE int lock = store_lock(n->store, "pcid", lock_ms, e);

	*s = (struct session){0};
	return lock < 0 ? -1 : session_pass_locked(s, n, k, retry, e);
}

int session_pass(struct session *s, const struct pci_node *n, const struct kmodules *k, int lock_ms,
	struct err *e)
{
	return one_pass(s, n, k, lock_ms, false, e);
}

int session_try(const struct pci_node *n, const struct kmodules *k, bool *held, struct err *e)
{
	struct session s;
	int rc = session_pass(&s, n, k, 0, e);

	*held = rc == 0 && s.plan.releases_held;
	session_end(&s);
	return rc < 0 && e->no != EWOULDBLOCK ? -1 : 0;
}

static const char *what_it_waits_for(const struct session *s)
{
	for (size_t i = 0; i < s->plan.nics; i++) {
		const struct nic_step *t = &s->plan.nic[i];

		if (!t->done && reason_waits(t->reason))
			return t->message;
	}
	for (size_t i = 0; i < s->plan.units; i++) {
		for (size_t j = 0; j < s->plan.unit[i].n; j++) {
			const struct member *m = &s->plan.unit[i].member[j];

			if (!m->done && m->message && reason_waits(m->reason))
				return m->message;
		}
	}
	return NULL;
}

int session_run(struct session *s, const struct pci_node *n, const struct kmodules *k,
	int timeout_ms, struct err *e)
{
	int64_t deadline = session_clock() + timeout_ms, left = timeout_ms;
	bool told = false, retry = true;

	for (;;) {
		const char *why;

		if (one_pass(s, n, k, left > 0 ? (int)left : 0, retry, e) < 0) {
			session_end(s);
			return -1;
		}
		left = deadline - session_clock();
		why = what_it_waits_for(s);
		if (!why || left <= 0)
			return 0;
		if (!told)
			pci_progress(
				n, "%s; waiting up to %lld s", why, (long long)(left + 999) / 1000);
		told = true;
		retry = false;
		session_end(s);
		poll(NULL, 0, left < LOOK_AGAIN_MS ? (int)left : LOOK_AGAIN_MS);
		left = deadline - session_clock();
	}
}

void session_end(struct session *s)
{
	if (!s->open)
		return;
	plan_free(&s->plan);
	pci_state_free(&s->state);
	sriov_done_free(&s->vfs);
	s->open = false;
}
