// SPDX-License-Identifier: GPL-2.0-or-later
// What an applet tells a person: results on standard output, the rest on standard error. Nothing in
// it can steer a terminal.
#ifndef BASE_SAY_H
#define BASE_SAY_H

#include "base/buf.h"
#include "base/err.h"

/* A line on standard error. */
void say(const char *fmt, ...) PRINTF(1, 2);

/* An error, with its hint; returns CLI_FAILED. */
int say_error(const char *applet, const struct err *e);

/* A wrong call: what is wrong, and the first line of the help; returns CLI_USAGE. */
int say_misuse(const char *applet, const char *help, const char *what);

/* To standard output, as it is (JSON, YAML), or as text. -1 when it cannot be written. */
int say_bytes(const struct buf *b, struct err *e);
int say_text(const struct buf *b, struct err *e);

#endif
