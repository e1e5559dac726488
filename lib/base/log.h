// SPDX-License-Identifier: GPL-2.0-or-later
// Log lines in logfmt on standard error: level=info msg="bound" address=0000:01:10.0
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include "base/base.h"

enum log_level { LOG_ERROR, LOG_WARN, LOG_INFO, LOG_DEBUG };

/* Owned by the applet; `fd` is usually 2. Lines over `level` are dropped. */
struct log {
	int fd;
	enum log_level level;
	const char *applet;
};

/* msg, then pairs of key and value (const char *), then NULL. One write(2) per line; values are
 * quoted where logfmt needs it, control characters are escaped. A NULL value is left out. */
void log_line(const struct log *l, enum log_level level, const char *msg, ...)
	__attribute__((sentinel));

#endif
