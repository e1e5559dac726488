// SPDX-License-Identifier: GPL-2.0-or-later
// Buffers, string slices, numbers, UTF-8, errors, arenas.
#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/utf8.h"

// clang-format off
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

static void buffers_grow(void **state)
{
	CLEANUP_BUF struct buf b = {0};
	CLEANUP_BUF struct buf empty = {0};

	(void)state;
	assert_string_equal(buf_z(&empty), "");
	assert_int_equal(buf_slice(&(struct buf){0}).n, 0);
	assert_non_null(buf_slice(&(struct buf){0}).p);
	buf_str(&b, "ab");
	buf_add(&b, "\0c", 2);
	buf_add(&b, NULL, 0);
	buf_char(&b, 'd');
	buf_pad(&b, '.', 3);
	buf_pad(&b, '.', 0);
	buf_printf(&b, "%d-%s", 42, "x");
	assert_int_equal(b.len, 12);
	assert_memory_equal(buf_z(&b), "ab\0cd...42-x", 13);
	for (int i = 0; i < 10000; i++)
		buf_printf(&b, "%05d", i);
	assert_int_equal(b.len, 12 + 50000);
	assert_memory_equal(b.p + b.len - 10, "0999809999", 10);
	assert_false(b.full);
	buf_clear(&b);
	assert_string_equal(buf_z(&b), "");
}

static void buffers_keep_their_bound(void **state)
{
	CLEANUP_BUF struct buf b = {.max = 8};

	(void)state;
	buf_str(&b, "12345678");
	assert_false(b.full);
	buf_char(&b, '9');
	assert_true(b.full);
	assert_string_equal(buf_z(&b), "12345678");
	buf_clear(&b);
	assert_false(b.full);
	buf_printf(&b, "%s", "123456789");
	assert_true(b.full);
	assert_int_equal(b.len, 0);
	buf_clear(&b);
	assert_null(buf_room(&b, 9));
	assert_null(buf_room(&b, SIZE_MAX));
	assert_non_null(buf_room(&b, 8));
	buf_clear(&b);
	buf_pad(&b, 'x', 9);
	assert_true(b.full);
	buf_free(&b);
	assert_false(b.full);
	buf_str(&b, "again");
	assert_string_equal(buf_z(&b), "again");
}

static void slices_compare(void **state)
{
	const struct str none = {NULL, 0};

	(void)state;
	assert_true(str_eq(none, STR("")));
	assert_true(str_eq((struct str){"a\0b", 3}, (struct str){"a\0b", 3}));
	assert_false(str_eq((struct str){"a\0b", 3}, (struct str){"a\0c", 3}));
	assert_false(str_eq(STR("a"), STR("ab")));
	assert_true(str_is(STR("abc"), "abc"));
	assert_false(str_is(STR("abc"), "abcd"));
	assert_true(str_starts(STR("abc"), "ab"));
	assert_true(str_starts(none, ""));
	assert_false(str_starts(none, "a"));
	assert_true(str_ends(STR("abc"), "bc"));
	assert_true(str_ends(none, ""));
	assert_false(str_ends(STR("c"), "bc"));
	assert_int_equal(str_of(NULL).n, 0);
}

static void slices_are_trimmed_and_cut(void **state)
{
	struct str s = STR(",a,,bc,"), part;
	static const char *const parts[] = {"", "a", "", "bc", ""};
	size_t n = 0;

	(void)state;
	while (str_cut(&s, ',', &part))
		assert_true(str_is(part, parts[n++]));
	assert_int_equal(n, ARRAY_LEN(parts));
	s = STR("");
	assert_true(str_cut(&s, ',', &part) && part.n == 0);
	assert_false(str_cut(&s, ',', &part));
	assert_true(str_is(str_trim(STR(" \t\r\n a b \v\f")), "a b"));
	assert_int_equal(str_trim(STR("  ")).n, 0);
	assert_int_equal(str_trim((struct str){NULL, 0}).n, 0);
	s = STR("  one\ttwo \n");
	assert_true(str_word(&s, &part) && str_is(part, "one"));
	assert_true(str_word(&s, &part) && str_is(part, "two"));
	assert_false(str_word(&s, &part));
}

static void numbers(void **state)
{
	static const char *const bad[] = {
		"", " 1", "1 ", "-1", "+1", "1x", "0x1", "1.0", "18446744073709551616"};
	static const char *const bad_hex[] = {"", "0x", "x1", "g", "0x0x1", "10000000000000000"};
	uint64_t n = 5;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_false(str_u64(str_of(bad[i]), UINT64_MAX, &n));
	for (size_t i = 0; i < ARRAY_LEN(bad_hex); i++)
		assert_false(str_hex(str_of(bad_hex[i]), UINT64_MAX, &n));
	assert_false(str_u64(STR("256"), 255, &n));
	assert_int_equal(n, 5);
	assert_true(str_u64(STR("255"), 255, &n) && n == 255);
	assert_true(str_u64(STR("18446744073709551615"), UINT64_MAX, &n) && n == UINT64_MAX);
	assert_true(str_u64(STR("007"), 9, &n) && n == 7);
	assert_true(str_hex(STR("0xfF"), 255, &n) && n == 255);
	assert_true(str_hex(STR("0X10"), 16, &n) && n == 16);
	assert_true(str_hex(STR("ffffffffffffffff"), UINT64_MAX, &n) && n == UINT64_MAX);
	assert_false(str_hex(STR("100"), 255, &n));
}

static void memory(void **state)
{
	CLEANUP_FREE char *z = mem_dup("a\0b", 3);
	CLEANUP_FREE char *empty = mem_dup(NULL, 0);
	CLEANUP_FREE char *text = mem_printf("%s-%04x", "n", 0x1a);
	CLEANUP_FREE void *nothing = mem_alloc(0);

	(void)state;
	assert_memory_equal(z, "a\0b", 4);
	assert_string_equal(empty, "");
	assert_string_equal(text, "n-001a");
	assert_non_null(nothing);
}

static void closing_keeps_errno(void **state)
{
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC), again;

	(void)state;
	again = fd;
	errno = ENOTTY;
	cleanup_close(&fd);
	cleanup_close(&again); /* EBADF */
	cleanup_close(&(int){-1});
	assert_int_equal(errno, ENOTTY);
	assert_int_equal(fcntl(again, F_GETFD), -1);
}

static void utf8(void **state)
{
	uint32_t got;
	char text[4];

	(void)state;
	for (uint32_t cp = 0; cp <= 0x10ffff; cp++) {
		size_t n;

		if (cp == 0xd800)
			cp = 0xe000;
		n = utf8_encode(cp, text);
		assert_true(utf8_decode(text, n, &got) == n && got == cp);
		for (size_t cut = 0; cut < n; cut++)
			assert_true(utf8_decode(text, cut, &got) == 0);
	}
	assert_true(utf8_is_control(0) && utf8_is_control(0x7f) && utf8_is_control(0x9b));
	assert_false(utf8_is_control(' ') || utf8_is_control(0xa0) || utf8_is_control(0x2028));
}

static void ill_formed_utf8(void **state)
{
	static const char *const bad[] = {"\200", "\277", "\300\200", "\301\277", "\340\237\277",
		"\360\217\277\277", "\355\240\200", "\355\277\277", "\364\220\200\200",
		"\365\200\200\200", "\377", "\303(", "\342\202(", "\360\237\230("};
	uint32_t cp = 1;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_int_equal(utf8_decode(bad[i], strlen(bad[i]), &cp), 0);
	assert_int_equal(cp, 1);
}

static void errors(void **state)
{
	struct err e;

	(void)state;
	errno = ENOENT;
	assert_int_equal(err_sys(&e, "open %s", "/x"), -1);
	assert_string_equal(e.text, "open /x: No such file or directory");
	assert_int_equal(e.no, ENOENT);
	assert_string_equal(e.hint, "");
	assert_int_equal(err_hint(&e, "make %s", "it"), -1);
	assert_int_equal(err_wrap(&e, "claim %d", 7), -1);
	assert_string_equal(e.text, "claim 7: open /x: No such file or directory");
	assert_int_equal(e.no, ENOENT);
	assert_string_equal(e.hint, "make it");
	assert_int_equal(err_set(&e, "%s", "plain"), -1);
	assert_string_equal(e.text, "plain");
	assert_int_equal(e.no, 0);
	assert_string_equal(e.hint, "");
}

static void long_errors_are_cut(void **state)
{
	CLEANUP_FREE char *text = mem_alloc(2000);
	struct err e;

	(void)state;
	memset(text, 'x', 1999);
	for (size_t n = 760; n < 770; n++) {
		text[n] = 0;
		err_set(&e, "%s", text);
		err_wrap(&e, "%s", "w");
		assert_int_equal(strlen(e.text), n + 3 > 767 ? 767 : n + 3);
		assert_memory_equal(e.text, "w: xxx", 6);
		err_set(&e, "%s", "inner");
		err_wrap(&e, "%s", text);
		assert_true(strlen(e.text) <= 767);
		errno = ENOENT;
		err_sys(&e, "%s", text);
		assert_int_equal(strlen(e.text), 767);
		text[n] = 'x';
	}
	err_hint(&e, "%s", text);
	assert_int_equal(strlen(e.hint), sizeof(e.hint) - 1);
}

static void arenas(void **state)
{
	CLEANUP_ARENA struct arena a = {0};
	char *big, *text;

	(void)state;
	for (size_t n = 0; n < 3000; n++) {
		char *p = arena_alloc(&a, n);

		assert_int_equal((uintptr_t)p % 16, 0);
		for (size_t i = 0; i < n; i++)
			assert_int_equal(p[i], 0);
		memset(p, 0xff, n);
	}
	big = arena_alloc(&a, 1 << 20);
	memset(big, 1, 1 << 20);
	assert_memory_equal(arena_dup(&a, "a\0b", 3), "a\0b", 4);
	assert_string_equal(arena_dup(&a, NULL, 0), "");
	assert_string_equal(arena_printf(&a, "%d %s", 5, "x"), "5 x");
	text = arena_printf(&a, "%1000d", 1);
	assert_int_equal(strlen(text), 1000);
	arena_free(&a);
	assert_null(a.last);
	assert_string_equal(arena_dup(&a, "again", 5), "again");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(buffers_grow),
		cmocka_unit_test(buffers_keep_their_bound),
		cmocka_unit_test(slices_compare),
		cmocka_unit_test(slices_are_trimmed_and_cut),
		cmocka_unit_test(numbers),
		cmocka_unit_test(memory),
		cmocka_unit_test(closing_keeps_errno),
		cmocka_unit_test(utf8),
		cmocka_unit_test(ill_formed_utf8),
		cmocka_unit_test(errors),
		cmocka_unit_test(long_errors_are_cut),
		cmocka_unit_test(arenas),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
