// SPDX-License-Identifier: GPL-2.0-or-later
// Errors as values.
#include "base/err.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

PRINTF(3, 0) static void start(struct err *e, int no, const char *fmt, va_list ap)
{
	e->no = no;
	e->hint[0] = 0;
	vsnprintf(e->text, sizeof(e->text), fmt, ap);
}

int err_sys(struct err *e, const char *fmt, ...)
{
	int no = errno;
	size_t n;
	va_list ap;

	va_start(ap, fmt);
	start(e, no, fmt, ap);
	va_end(ap);
	n = strlen(e->text);
	snprintf(e->text + n, sizeof(e->text) - n, ": %s", strerror(no));
	return -1;
}

int err_set(struct err *e, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	start(e, 0, fmt, ap);
	va_end(ap);
	return -1;
}

int err_wrap(struct err *e, const char *fmt, ...)
{
	char old[sizeof(e->text)];
	size_t n, keep;
	va_list ap;

	memcpy(old, e->text, sizeof(old));
	va_start(ap, fmt);
	vsnprintf(e->text, sizeof(e->text), fmt, ap);
	va_end(ap);
	n = strlen(e->text);
	if (n + 2 < sizeof(e->text)) {
		memcpy(e->text + n, ": ", 3);
		keep = strnlen(old, sizeof(e->text) - n - 3);
		memcpy(e->text + n + 2, old, keep);
		e->text[n + 2 + keep] = 0;
	}
	return -1;
}

int err_hint(struct err *e, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(e->hint, sizeof(e->hint), fmt, ap);
	va_end(ap);
	return -1;
}
