// SPDX-License-Identifier: GPL-2.0-or-later
// Passes as somebody waits for them: under the lock, again while a process holds what is to be
// given back.
#ifndef PCI_SESSION_H
#define PCI_SESSION_H

#include "pci/pass.h"
#include "pci/sriov_pass.h"

/* The last pass: what it decided from, what it did. session_end() frees it. */
struct session {
	struct pci_state state;
	struct plan plan;
	struct sriov_done vfs; /* done before the claims were planned */
	struct pass_result result;
	bool open;
};

/* One pass under the lock, which is waited for `lock_ms`; numbers of VFs that failed before are
 * left alone (sriov_run()). -1 when it could not be done; e->no is EWOULDBLOCK when another process
 * has the lock. */
int session_pass(struct session *s, const struct pci_node *n, const struct kmodules *k, int lock_ms,
	struct err *e);

/* One pass for somebody who waits for its outcome in observed/: 0 also when another process holds
 * the lock, since it does the pass then. *held: releases were left alone, and would be again. */
int session_try(const struct pci_node *n, const struct kmodules *k, bool *held, struct err *e);

/* The same as session_pass() for who has the lock already; `retry`: numbers of VFs that failed
 * before are tried too.
 */
int session_pass_locked(struct session *s, const struct pci_node *n, const struct kmodules *k,
	bool retry, struct err *e);

/* One pass, and more of them until nothing waits for a process or `timeout_ms` are over; the lock
 * is held for each pass only, and waited for as long. What failed before is tried once more. -1
 * when a pass could not be done. */
int session_run(struct session *s, const struct pci_node *n, const struct kmodules *k,
	int timeout_ms, struct err *e);
void session_end(struct session *s);

/* CLOCK_MONOTONIC in milliseconds. */
int64_t session_clock(void);

#endif
