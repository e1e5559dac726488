// SPDX-License-Identifier: GPL-2.0-or-later
// Errors as values: what failed, on what, why, and what to do about it.
#ifndef BASE_ERR_H
#define BASE_ERR_H

#include "base/base.h"

/* Owned by the caller, no heap. `no` is the errno behind it, 0 when the reason is not the
 * kernel's. `text` reads "what on what: why"; `hint`, when set, says what to do next. */
struct err {
	int no;
	char text[768];
	char hint[256];
};

/* All return -1, so that a function can end with `return err_sys(e, "open %s", path);`. */

/* From errno: "<fmt>: <strerror>". */
int err_sys(struct err *e, const char *fmt, ...) PRINTF(2, 3);
/* A reason of our own. */
int err_set(struct err *e, const char *fmt, ...) PRINTF(2, 3);
/* Puts "<fmt>: " before what `e` says; keeps number and hint. */
int err_wrap(struct err *e, const char *fmt, ...) PRINTF(2, 3);
/* What the user can do. */
int err_hint(struct err *e, const char *fmt, ...) PRINTF(2, 3);

#endif
