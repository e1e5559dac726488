// SPDX-License-Identifier: GPL-2.0-or-later
// What an applet tells a person.
#include "base/say.h"

#include "base/cli.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

void say(const char *fmt, ...)
{
	CLEANUP_BUF struct buf line = {0};
	CLEANUP_FREE char *text = NULL;
	va_list ap;

	va_start(ap, fmt);
	text = mem_vprintf(fmt, ap);
	va_end(ap);
	buf_text(&line, str_of(text));
	fprintf(stderr, "%s\n", buf_z(&line));
}

int say_error(const char *applet, const struct err *e)
{
	say("%s: %s", applet, e->text);
	if (e->hint[0])
		say("  %s", e->hint);
	return CLI_FAILED;
}

int say_misuse(const char *applet, const char *help, const char *what)
{
	say("%s: %s\n%.*s\nsee '%s --help'", applet, what, (int)strcspn(help, "\n"), help, applet);
	return CLI_USAGE;
}

int say_bytes(const struct buf *b, struct err *e)
{
	size_t done = 0;

	while (done < b->len) {
		ssize_t n = write(STDOUT_FILENO, b->p + done, b->len - done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_sys(e, "write the output");
		done += (size_t)n;
	}
	return 0;
}

int say_text(const struct buf *b, struct err *e)
{
	CLEANUP_BUF struct buf clean = {0};

	buf_text(&clean, buf_slice(b));
	return say_bytes(&clean, e);
}
