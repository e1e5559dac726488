// SPDX-License-Identifier: GPL-2.0-or-later
// A process forked before the sandbox that does only what takes privilege: it looks at the open
// files of other processes (Landlock takes that away, and it takes CAP_SYS_PTRACE), and reads
// config space beyond 64 bytes (CAP_SYS_ADMIN).
#ifndef PCI_READER_H
#define PCI_READER_H

#include "pci/configspace.h"
#include "pci/inuse.h"
#include "pci/node.h"

enum { READER_TIMEOUT_MS = 10000 };

struct reader;

/* Forks it; to be called while there is one thread, before sandbox_enter(). `r` is borrowed by both
 * processes. The reader has none of our other descriptors (no lock outlives us in it), ends with
 * us, ignores the signals that end us, and has given up all that it does not need. NULL and `e`. */
struct reader *reader_start(const struct root *r, struct err *e);
/* Waits for its end, which comes with its socket's. NULL does nothing. */
void reader_stop(struct reader *rd);

/* False once it has ended, or did not answer in time, or said what makes no sense: from then on
 * every question fails at once. A daemon in a sandbox cannot start another one: it ends and is
 * started again. */
bool reader_alive(const struct reader *rd);
/* Readable (EPOLLHUP) when the reader has ended; for the loop only. */
int reader_fd(const struct reader *rd);
/* Of one question; READER_TIMEOUT_MS when not set. */
void reader_set_timeout(struct reader *rd, int ms);

/* holders_find() of pci/inuse.h by the reader of `n`, in this process where it has none. -1 is "in
 * use" here too. */
int pci_holders(const struct pci_node *n, const struct pci_dev *const *dev, size_t count,
	struct arena *mem, struct holder **out, size_t *holders, struct err *e);

#endif
