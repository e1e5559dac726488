// SPDX-License-Identifier: GPL-2.0-or-later
// System calls that change files: what each is called, what kind it is, where its file is.
#ifndef FAULTS_CALLS_H
#define FAULTS_CALLS_H

#include "base/base.h"

#include <sys/types.h>
#include <sys/user.h>

struct sock_fprog;

enum call_kind {
	CALL_OPEN, /* to write, create or truncate */
	CALL_WRITE,
	CALL_RENAME,
	CALL_UNLINK,
	CALL_MAKE, /* a directory, link or node */
	CALL_SYNC,
	CALL_SIZE,
	CALL_MODE, /* owner, mode, times */
	CALL_LOCK,
	CALL_MODULE,
	CALL_KINDS
};

enum { CALL_PATH = 4096 };

struct call {
	const char *name;
	enum call_kind kind;
	char path[CALL_PATH]; /* as far as it is known; links in it are not resolved */
};

/* What a filter hands to the tracer: the calls of the table; opens that cannot write are left out
 * where that can be told from a register. The program lives until the next call. */
const struct sock_fprog *calls_filter(void);

/* The call a stopped process is about to make. False when it changes no file: an open to read, a
 * write to a socket, a terminal. */
bool calls_look(pid_t pid, const struct user_regs_struct *regs, struct call *out);

/* The bytes that a write is about to write, freed by the caller; {NULL, 0} when they cannot be read
 * or the call is another. */
struct str calls_bytes(pid_t pid, const struct user_regs_struct *regs);

/* An open that would truncate does not: sysfs does not know O_TRUNC. Changes `regs` or the
 * process's memory. */
void calls_strip_truncation(pid_t pid, struct user_regs_struct *regs);

/* "/proc/PID/fd/N" of the descriptor that the call works on. */
void calls_descriptor(pid_t pid, const struct user_regs_struct *regs, char out[static 64]);

#endif
