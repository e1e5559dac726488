// SPDX-License-Identifier: GPL-2.0-or-later
// What people and programs read: tables and log lines.
#include "base/log.h"
#include "base/table.h"

// clang-format off
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on

#include <unistd.h>

static void assert_table(const char *const *cells, size_t n, size_t columns, const char *want)
{
	CLEANUP_TABLE struct table t = {0};
	CLEANUP_BUF struct buf b = {0};

	table_head(&t, cells, columns);
	for (size_t i = columns; i < n; i++)
		table_cell(&t, cells[i]);
	table_print(&t, &b);
	assert_string_equal(buf_z(&b), want);
}
#define ASSERT_TABLE(columns, want, ...)                                                           \
	assert_table((const char *const[]){__VA_ARGS__},                                           \
		ARRAY_LEN(((const char *const[]){__VA_ARGS__})), columns, want)

static void tables_align(void **state)
{
	(void)state;
	ASSERT_TABLE(3, "ADDRESS       DRIVER  NOTE\n", "ADDRESS     ", "DRIVER", "NOTE");
	ASSERT_TABLE(3,
		"ADDRESS       CLASS  DRIVER\n"
		"0000:01:10.0  0200   igbvf\n"
		"a             b      c\n",
		"ADDRESS", "CLASS", "DRIVER", "0000:01:10.0", "0200", "igbvf", "a", "b", "c");
	ASSERT_TABLE(1, "A\nlonger\n", "A", "longer");
}

static void tables_have_no_trailing_blanks(void **state)
{
	(void)state;
	ASSERT_TABLE(3, "A  B  C\nx\n   y\n\n      z\n", "A", "B", "C", "x", "", "", "", "y", "",
		"", "", "", "", "", "z");
}

static void tables_count_characters(void **state)
{
	(void)state;
	ASSERT_TABLE(2, "N   M\n\303\251\342\206\222  x\nab  y\n", "N", "M", "\303\251\342\206\222",
		"x", "ab", "y");
}

static void tables_are_harmless(void **state)
{
	(void)state;
	ASSERT_TABLE(2, "A        B\n?[31mx?  y?z\n??w      ?\n", "A", "B", "\x1b[31mx\n", "y\x7fz",
		"\302\233\233w", "\303");
}

static void assert_logged(const char *text, int fd)
{
	char got[1024];
	ssize_t n = read(fd, got, sizeof(got) - 1);

	assert_true(n >= 0);
	got[n] = 0;
	assert_string_equal(got, text);
}

static void log_lines(void **state)
{
	int fds[2];
	struct log l = {.level = LOG_INFO, .applet = "pcid"};

	(void)state;
	assert_int_equal(pipe(fds), 0);
	l.fd = fds[1];
	log_line(&l, LOG_INFO, "bound", "address", "0000:01:10.0", NULL);
	assert_logged("level=info applet=pcid msg=bound address=0000:01:10.0\n", fds[0]);
	log_line(&l, LOG_ERROR, "cannot bind", "why", "a=b", "none", NULL, "empty", "", "quote",
		"say \"x\" \\", NULL);
	assert_logged("level=error applet=pcid msg=\"cannot bind\" why=\"a=b\" empty=\"\" "
		      "quote=\"say \\\"x\\\" \\\\\"\n",
		fds[0]);
	log_line(&l, LOG_WARN, "x\nlevel=error", "esc", "\x1b[0m\x7f", "c1", "\302\233z", "bad",
		"\377", "utf8", "\303\251\342\206\222", NULL);
	assert_logged("level=warn applet=pcid msg=\"x\\nlevel=error\" esc=\"\\x1b[0m\\x7f\" "
		      "c1=\"\\xc2\\x9bz\" bad=\"\\xff\" utf8=\303\251\342\206\222\n",
		fds[0]);
	log_line(&l, LOG_DEBUG, "dropped", NULL);
	l.level = LOG_DEBUG;
	log_line(&l, LOG_DEBUG, "kept", NULL);
	assert_logged("level=debug applet=pcid msg=kept\n", fds[0]);
	close(fds[0]);
	close(fds[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tables_align),
		cmocka_unit_test(tables_have_no_trailing_blanks),
		cmocka_unit_test(tables_count_characters),
		cmocka_unit_test(tables_are_harmless),
		cmocka_unit_test(log_lines),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
