// SPDX-License-Identifier: GPL-2.0-or-later
// The bounds of the JSON parser: depth, size, keys that come twice, many members.
#include "json/json.h"

// clang-format off
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on

#include <stdio.h>

/* Parses an exact copy on the heap, so that a read past the end is seen by the sanitizer. */
static struct json *parse(struct arena *a, const char *p, size_t n, struct err *e)
{
	char *exact = malloc(n ? n : 1);
	struct json *v;

	assert_non_null(exact);
	if (n)
		memcpy(exact, p, n);
	v = json_parse(a, exact, n, e);
	free(exact);
	return v;
}

static void assert_refused(struct str text, unsigned line, unsigned column, const char *expected)
{
	CLEANUP_ARENA struct arena a = {0};
	struct err e = {.no = 7};
	char whole[256];

	snprintf(whole, sizeof(whole), "line %u, column %u: expected %s", line, column, expected);
	assert_null(parse(&a, text.p, text.n, &e));
	assert_string_equal(e.text, whole);
	assert_int_equal(e.no, 0);
}

static void assert_reads(struct str text, const char *minimal, size_t n)
{
	CLEANUP_ARENA struct arena a = {0};
	CLEANUP_BUF struct buf out = {0};
	struct err e;
	const struct json *v = parse(&a, text.p, text.n, &e);

	if (!v)
		fail_msg("%.*s: %s", STR_ARG(text), e.text);
	json_write(&out, v, JSON_MINIMAL);
	assert_int_equal(out.len, n);
	assert_memory_equal(out.p, minimal, n);
}

static struct str repeat(struct buf *b, const char *unit, size_t n)
{
	buf_clear(b);
	for (size_t i = 0; i < n; i++)
		buf_str(b, unit);
	return buf_slice(b);
}

static void depth_is_bounded(void **state)
{
	CLEANUP_BUF struct buf b = {0};

	(void)state;
	repeat(&b, "[", JSON_MAX_DEPTH);
	buf_pad(&b, ']', JSON_MAX_DEPTH);
	assert_reads(buf_slice(&b), b.p, b.len);

	repeat(&b, "{\"a\":", JSON_MAX_DEPTH - 1);
	buf_str(&b, "{}");
	buf_pad(&b, '}', JSON_MAX_DEPTH - 1);
	assert_reads(buf_slice(&b), b.p, b.len);

	repeat(&b, "[", JSON_MAX_DEPTH + 1);
	buf_pad(&b, ']', JSON_MAX_DEPTH + 1);
	assert_refused(buf_slice(&b), 1, 513, "at most 512 nested arrays and objects, found '['");
	assert_refused(repeat(&b, "[{\"\":", 100000), 1, 256 * 5 + 1,
		"at most 512 nested arrays and objects, found '['");

	/* what is closed does not count */
	repeat(&b, "[[[]],", 1000);
	b.p[b.len - 1] = ' ';
	buf_pad(&b, ']', 1000);
	assert_refused(
		buf_slice(&b), 1, 510 * 6 + 3, "at most 512 nested arrays and objects, found '['");
	buf_clear(&b);
	buf_char(&b, '[');
	for (int i = 0; i < 2000; i++)
		buf_str(&b, "[[],{}],");
	buf_str(&b, "0]");
	assert_reads(buf_slice(&b), b.p, b.len);
}

static void size_is_bounded(void **state)
{
	CLEANUP_ARENA struct arena a = {0};
	CLEANUP_BUF struct buf b = {0};
	struct err e;

	(void)state;
	buf_char(&b, '"');
	buf_pad(&b, 'x', JSON_MAX_SIZE - 2);
	buf_char(&b, '"');
	assert_int_equal(json_str(json_parse(&a, b.p, b.len, &e)).n, JSON_MAX_SIZE - 2);
	buf_char(&b, ' ');
	assert_null(json_parse(&a, b.p, b.len, &e));
	assert_string_equal(
		e.text, "line 1, column 1: expected at most 67108864 bytes, found 67108865");
}

static void the_last_of_many_duplicates_wins(void **state)
{
	CLEANUP_ARENA struct arena a = {0};
	CLEANUP_BUF struct buf b = {0};
	const struct json *v;
	struct err e;
	int64_t n;

	(void)state;
	buf_str(&b, "{\"first\":0");
	for (int i = 0; i < 200000; i++)
		buf_printf(&b, ",\"k%d\":%d", i % 1000, i);
	buf_str(&b, ",\"last\":[1],\"first\":\"new\"}");
	v = parse(&a, b.p, b.len, &e);
	assert_int_equal(json_count(v), 1002);
	assert_string_equal(json_z(json_item(v, 0)), "new");
	assert_string_equal(json_key_z(json_item(v, 1001)), "last");
	for (size_t i = 0; i < 1000; i++) {
		assert_true(json_i64(json_item(v, i + 1), &n));
		assert_int_equal(n, 199000 + (int64_t)i);
	}
}

static void many_different_keys_are_kept_in_order(void **state)
{
	CLEANUP_BUF struct buf b = {0};

	(void)state;
	buf_char(&b, '{');
	for (unsigned i = 0; i < 200000; i++)
		buf_printf(&b, "%s\"%x\":%u", i ? "," : "", i * 2654435761U, i);
	buf_char(&b, '}');
	assert_reads(buf_slice(&b), b.p, b.len);
}

static void duplicates_at_every_place_and_size(void **state)
{
	struct err e;

	(void)state;
	for (unsigned n = 2; n < 40; n++) {
		for (unsigned twice = 0; twice < n; twice++) {
			CLEANUP_ARENA struct arena a = {0};
			CLEANUP_BUF struct buf b = {0};
			CLEANUP_BUF struct buf out = {0};
			CLEANUP_BUF struct buf want = {0};

			for (unsigned i = 0; i < n; i++) {
				buf_printf(&b, "%c\"%u\":%u", i ? ',' : '{', i, i);
				buf_printf(&want, "%c\"%u\":%s", i ? ',' : '{', i,
					i == twice ? "[{}]" : "");
				if (i != twice)
					buf_printf(&want, "%u", i);
			}
			buf_printf(&b, ",\"%u\":[{}]}", twice);
			buf_char(&want, '}');
			json_write(&out, parse(&a, b.p, b.len, &e), JSON_MINIMAL);
			assert_string_equal(buf_z(&out), buf_z(&want));
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(depth_is_bounded),
		cmocka_unit_test(size_is_bounded),
		cmocka_unit_test(the_last_of_many_duplicates_wins),
		cmocka_unit_test(many_different_keys_are_kept_in_order),
		cmocka_unit_test(duplicates_at_every_place_and_size),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
