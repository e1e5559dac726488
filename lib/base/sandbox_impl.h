// SPDX-License-Identifier: GPL-2.0-or-later
// The parts of a sandbox.
#ifndef BASE_SANDBOX_IMPL_H
#define BASE_SANDBOX_IMPL_H

#include "base/sandbox.h"

/* These enter one part each; no_new_privs is set already. */
int sandbox_landlock(const struct sandbox *s, struct sandbox_result *out, struct err *e);
int sandbox_seccomp(const struct sandbox *s, struct sandbox_result *out, struct err *e);

/* The tables of numbers for the filter. */
struct sandbox_table {
	const int *call;
	size_t n;
};
extern const struct sandbox_table sandbox_calls_always, sandbox_calls_never;
/* By the bit of enum sandbox_calls. */
enum { SANDBOX_CALL_SETS = 5 };
extern const struct sandbox_table sandbox_calls_of[SANDBOX_CALL_SETS];

#endif
