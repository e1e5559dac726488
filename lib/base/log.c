// SPDX-License-Identifier: GPL-2.0-or-later
// Log lines in logfmt.
#include "base/log.h"

#include "base/buf.h"
#include "base/utf8.h"

#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

static bool is_plain(const char *v)
{
	size_t n = strlen(v);
	uint32_t cp;

	if (!n)
		return false;
	while (n) {
		size_t len = utf8_decode(v, n, &cp);

		if (!len || utf8_is_control(cp) || cp == ' ' || cp == '"' || cp == '=' ||
			cp == '\\')
			return false;
		v += len;
		n -= len;
	}
	return true;
}

static void add_quoted(struct buf *b, const char *v)
{
	size_t n = strlen(v);
	uint32_t cp = 0;

	buf_char(b, '"');
	while (n) {
		size_t len = utf8_decode(v, n, &cp);

		if (cp == '\n' && len) {
			buf_str(b, "\\n");
		} else if (!len || utf8_is_control(cp)) {
			len = len ? len : 1;
			for (size_t i = 0; i < len; i++)
				buf_printf(b, "\\x%02x", (unsigned)(unsigned char)v[i]);
		} else {
			if (cp == '"' || cp == '\\')
				buf_char(b, '\\');
			buf_add(b, v, len);
		}
		v += len;
		n -= len;
	}
	buf_char(b, '"');
}

static void add_pair(struct buf *b, const char *key, const char *v)
{
	if (b->len)
		buf_char(b, ' ');
	buf_str(b, key);
	buf_char(b, '=');
	if (is_plain(v))
		buf_str(b, v);
	else
		add_quoted(b, v);
}

void log_line(const struct log *l, enum log_level level, const char *msg, ...)
{
	static const char *const names[] = {"error", "warn", "info", "debug"};
	CLEANUP_BUF struct buf b = {0};
	const char *key;
	ssize_t unused;
	va_list ap;

	if (level > l->level)
		return;
	add_pair(&b, "level", names[level]);
	add_pair(&b, "applet", l->applet);
	add_pair(&b, "msg", msg);
	va_start(ap, msg);
	while ((key = va_arg(ap, const char *))) {
		const char *v = va_arg(ap, const char *);

		if (v)
			add_pair(&b, key, v);
	}
	va_end(ap);
	buf_char(&b, '\n');
	unused = write(l->fd, b.p, b.len);
	(void)unused;
}
