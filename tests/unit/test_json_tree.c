// SPDX-License-Identifier: GPL-2.0-or-later
// JSON trees: look-ups, building and changing, comparing, writing.
#include "json/json.h"

// clang-format off
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on

static struct json *parse(struct arena *a, const char *z)
{
	struct err e;
	struct json *v = json_parse(a, z, strlen(z), &e);

	if (!v)
		fail_msg("%s: %s", z, e.text);
	return v;
}

static void assert_minimal(const struct json *v, const char *want)
{
	CLEANUP_BUF struct buf b = {0};

	json_write(&b, v, JSON_MINIMAL);
	assert_string_equal(buf_z(&b), want);
}

static void types(void **state)
{
	CLEANUP_ARENA struct arena a = {0};
	const struct json *v = parse(&a, "[null,true,0,\"\",[],{}]");
	int type = JSON_NULL;

	(void)state;
	json_each (element, v) {
		assert_int_equal(json_type(element), type);
		for (int other = JSON_NULL; other <= JSON_OBJECT; other++)
			assert_int_equal(json_is(element, (enum json_type)other), other == type);
		type++;
	}
	assert_int_equal(type, JSON_OBJECT + 1);
	assert_int_equal(json_type(NULL), JSON_NULL);
	assert_false(json_is(NULL, JSON_NULL));
}

static void members_by_key(void **state)
{
	CLEANUP_ARENA struct arena a = {0};
	struct json *v =
		parse(&a, "{\"a\":{\"b\":{\"c\":\"deep\"}},\"x\\u0000y\":1,\"x\":2,\"\":3}");
	int64_t n;

	(void)state;
	assert_string_equal(json_z(json_path(v, "a", "b", "c", NULL)), "deep");
	assert_null(json_path(v, "a", "z", "c", NULL));
	assert_null(json_path(v, "a", "b", "c", "d", NULL));
	assert_null(json_path(NULL, "a", NULL));
	assert_null(json_get(v, "A"));
	assert_null(json_get(NULL, "a"));
	assert_null(json_get(parse(&a, "[1]"), "a"));
	assert_null(json_get(parse(&a, "\"a\""), "a"));
	assert_true(json_i64(json_get(v, "x"), &n) && n == 2);
	assert_true(json_i64(json_get(v, ""), &n) && n == 3);
	assert_true(json_i64(json_get_str(v, (struct str){"x\0y", 3}), &n) && n == 1);
}

static void strings(void **state)
{
	CLEANUP_ARENA struct arena a = {0};
	struct json *v = parse(&a, "[\"plain\",\"n\\u0000l\",\"\",7,{\"k\\u0000\":1,\"k\":2}]");

	(void)state;
	assert_true(str_is(json_str(json_item(v, 0)), "plain"));
	assert_string_equal(json_z(json_item(v, 0)), "plain");
	assert_true(str_eq(json_str(json_item(v, 1)), (struct str){"n\0l", 3}));
	assert_null(json_z(json_item(v, 1)));
	assert_non_null(json_str(json_item(v, 2)).p);
	assert_string_equal(json_z(json_item(v, 2)), "");
	assert_null(json_str(json_item(v, 3)).p);
	assert_null(json_z(json_item(v, 3)));
	assert_null(json_str(NULL).p);
	assert_null(json_z(NULL));
	v = json_item(v, 4);
	assert_null(json_key(v).p);
	assert_null(json_key_z(v));
	assert_null(json_key_z(NULL));
	assert_int_equal(json_key(json_first(v)).n, 2);
	assert_null(json_key_z(json_first(v)));
	assert_string_equal(json_key_z(json_item(v, 1)), "k");
}

static void integers(void **state)
{
	static const struct {
		const char *text;
		bool is_i64, is_u64;
		int64_t i;
		uint64_t u;
	} cases[] = {
		{"0", true, true, 0, 0},
		{"-0", true, false, 0, 0},
		{"42", true, true, 42, 42},
		{"-1", true, false, -1, 0},
		{"9223372036854775807", true, true, INT64_MAX, INT64_MAX},
		{"9223372036854775808", false, true, 0, (uint64_t)INT64_MAX + 1},
		{"-9223372036854775808", true, false, INT64_MIN, 0},
		{"-9223372036854775809", false, false, 0, 0},
		{"18446744073709551615", false, true, 0, UINT64_MAX},
		{"18446744073709551616", false, false, 0, 0},
		{"99999999999999999999999", false, false, 0, 0},
		{"1.0", false, false, 0, 0},
		{"1e3", false, false, 0, 0},
		{"1E+0", false, false, 0, 0},
		{"-1.5", false, false, 0, 0},
		{"\"1\"", false, false, 0, 0},
		{"true", false, false, 0, 0},
		{"[1]", false, false, 0, 0},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		CLEANUP_ARENA struct arena a = {0};
		const struct json *v = parse(&a, cases[i].text);
		int64_t n = 77;
		uint64_t u = 77;

		assert_int_equal(json_i64(v, &n), cases[i].is_i64);
		assert_true(n == (cases[i].is_i64 ? cases[i].i : 77));
		assert_int_equal(json_u64(v, &u), cases[i].is_u64);
		assert_true(u == (cases[i].is_u64 ? cases[i].u : 77));
	}
	assert_false(json_i64(NULL, &(int64_t){0}));
	assert_false(json_u64(NULL, &(uint64_t){0}));
}

static void bools_and_number_texts(void **state)
{
	CLEANUP_ARENA struct arena a = {0};
	const struct json *v = parse(&a, "[true,false,\"true\",1e400,-0]");

	(void)state;
	assert_true(json_bool(json_item(v, 0), false));
	assert_false(json_bool(json_item(v, 1), true));
	assert_true(json_bool(json_item(v, 2), true));
	assert_false(json_bool(json_item(v, 2), false));
	assert_true(json_bool(NULL, true));
	assert_true(str_is(json_number_text(json_item(v, 3)), "1e400"));
	assert_true(str_is(json_number_text(json_item(v, 4)), "-0"));
	assert_null(json_number_text(json_item(v, 2)).p);
	assert_null(json_number_text(NULL).p);
}

static void walking(void **state)
{
	CLEANUP_ARENA struct arena a = {0};
	const struct json *v = parse(&a, "{\"a\":1,\"b\":[],\"c\":{\"d\":1}}");
	char keys[8] = "";
	size_t n = 0;

	(void)state;
	json_each (member, v)
		keys[n++] = json_key_z(member)[0];
	assert_string_equal(keys, "abc");
	assert_int_equal(json_count(v), 3);
	assert_null(json_first(json_get(v, "b")));
	assert_int_equal(json_count(json_get(v, "b")), 0);
	assert_null(json_first(json_get(v, "a")));
	assert_int_equal(json_count(json_get(v, "a")), 0);
	assert_null(json_first(NULL));
	assert_int_equal(json_count(NULL), 0);
	assert_string_equal(json_key_z(json_item(v, 2)), "c");
	assert_null(json_item(v, 3));
	assert_null(json_item(NULL, 0));
	json_each (member, NULL)
		fail();
}

static void building(void **state)
{
	CLEANUP_ARENA struct arena a = {0};
	struct json *v = json_object(&a), *list;

	(void)state;
	json_set_z(&a, v, "name", "x");
	json_set_z(&a, v, "absent", NULL);
	json_set_bool(&a, v, "yes", true);
	json_set_int(&a, v, "least", INT64_MIN);
	json_set(&a, v, "most", json_uint(&a, UINT64_MAX));
	json_set(&a, v, "none", json_null(&a));
	list = json_set(&a, v, "list", json_array(&a));
	json_add(&a, list, json_stringz(&a, "a"));
	json_add(&a, list, json_string(&a, "b\0c", 3));
	json_add(&a, list, json_boolean(&a, false));
	assert_null(json_add(&a, list, NULL));
	assert_null(json_add(&a, v, json_null(&a)));
	assert_null(json_set(&a, list, "k", json_null(&a)));
	assert_null(json_set(&a, NULL, "k", json_null(&a)));
	assert_minimal(v, "{\"name\":\"x\",\"yes\":true,\"least\":-9223372036854775808,"
			  "\"most\":18446744073709551615,\"none\":null,"
			  "\"list\":[\"a\",\"b\\u0000c\",false]}");
}

static void replacing_keeps_the_place(void **state)
{
	(void)state;
	for (int i = 0; i < 3; i++) {
		CLEANUP_ARENA struct arena a = {0};
		struct json *v = parse(&a, "{\"a\":1,\"b\":2,\"c\":3}"),
			    *old = json_item(v, (size_t)i);
		char key[2] = {(char)('a' + i), 0}, want[] = "{\"a\":1,\"b\":2,\"c\":3}";

		want[5 + 6 * i] = '9';
		assert_non_null(json_set(&a, v, key, json_int(&a, 9)));
		assert_minimal(v, want);
		assert_null(json_key(old).p);
		json_set_bool(&a, v, "d", false);
		assert_int_equal(json_count(v), 4);
		/* what was replaced can be put elsewhere */
		assert_ptr_equal(json_set(&a, v, "old", old), old);
		assert_int_equal(json_count(v), 5);
	}
}

static void replacing_the_only_member(void **state)
{
	CLEANUP_ARENA struct arena a = {0};
	struct json *v = parse(&a, "{\"a\":1}"), *one = json_get(v, "a");

	(void)state;
	json_set_z(&a, v, "a", "x");
	json_set_z(&a, v, "b", "y");
	assert_minimal(v, "{\"a\":\"x\",\"b\":\"y\"}");
	assert_ptr_equal(json_set(&a, v, "a", one), one);
	assert_ptr_equal(json_set(&a, v, "a", one), one);
	assert_minimal(v, "{\"a\":1,\"b\":\"y\"}");
}

static void removing(void **state)
{
	CLEANUP_ARENA struct arena a = {0};
	struct json *v = parse(&a, "{\"a\":1,\"b\":2,\"c\":3}");

	(void)state;
	assert_false(json_remove(v, "x"));
	assert_false(json_remove(NULL, "x"));
	assert_true(json_remove(v, "b"));
	assert_minimal(v, "{\"a\":1,\"c\":3}");
	assert_true(json_remove(v, "c"));
	json_set_int(&a, v, "d", 4);
	assert_minimal(v, "{\"a\":1,\"d\":4}");
	assert_true(json_remove(v, "a"));
	assert_true(json_remove(v, "d"));
	assert_false(json_remove(v, "d"));
	assert_minimal(v, "{}");
	json_set_int(&a, v, "e", 5);
	assert_minimal(v, "{\"e\":5}");
}

static void a_value_in_two_places_is_copied(void **state)
{
	CLEANUP_ARENA struct arena a = {0};
	struct json *v = parse(&a, "{\"labels\":{\"a\":[1,{}]}}");
	struct json *labels = json_get(v, "labels"), *list = json_array(&a);

	(void)state;
	assert_ptr_not_equal(json_set(&a, v, "copy", labels), labels);
	json_add(&a, list, labels);
	json_add(&a, list, labels);
	json_set_z(&a, labels, "b", "later");
	assert_minimal(v, "{\"labels\":{\"a\":[1,{}],\"b\":\"later\"},\"copy\":{\"a\":[1,{}]}}");
	assert_minimal(list, "[{\"a\":[1,{}]},{\"a\":[1,{}]}]");
}

static void make_gets_or_replaces(void **state)
{
	CLEANUP_ARENA struct arena a = {0};
	struct json *v = parse(&a, "{\"metadata\":{\"name\":\"n\"},\"spec\":\"text\",\"z\":0}");

	(void)state;
	assert_ptr_equal(json_make(&a, v, "metadata"), json_get(v, "metadata"));
	json_set_int(&a, json_make(&a, v, "spec"), "n", 1);
	json_set_int(&a, json_make(&a, json_make(&a, v, "status"), "deep"), "n", 2);
	assert_null(json_make(&a, NULL, "x"));
	assert_minimal(v, "{\"metadata\":{\"name\":\"n\"},\"spec\":{\"n\":1},\"z\":0,"
			  "\"status\":{\"deep\":{\"n\":2}}}");
}

static void foreign_bytes_become_valid(void **state)
{
	CLEANUP_ARENA struct arena a = {0};
	struct json *v = json_object(&a);

	(void)state;
	json_set_z(&a, v, "v", "a\377\303\251\300\200\360\237\230z\355\240\200");
	json_set_int(&a, v, "k\200", 1);
	json_set_int(&a, v, "k\201", 2);
	assert_minimal(v,
		"{\"v\":\"a\357\277\275\303\251\357\277\275\357\277\275"
		"\357\277\275\357\277\275\357\277\275z\357\277\275\357\277\275\357\277\275\","
		"\"k\357\277\275\":2}");
}

static void copies_stand_alone(void **state)
{
	CLEANUP_ARENA struct arena a = {0}, b = {0};
	static const char text[] =
		"{\"a\":[1e400,-0,\"x\\u0000\",null,true,false,{},[]],\"b\\u0000\":{\"c\":\"d\"}}";
	struct json *copy = json_copy(&a, parse(&b, text)), *member;

	(void)state;
	member = json_copy(&a, json_first(parse(&b, text)));
	arena_free(&b);
	assert_minimal(copy, text);
	assert_null(json_key(member).p);
	assert_null(json_copy(&a, NULL));
}

static void equality(void **state)
{
	static const struct {
		const char *x, *y;
		bool equal;
	} cases[] = {
		{"{\"a\":1,\"b\":[{}]}", "{\"b\":[{}],\"a\":1}", true},
		{"{\"a\":{\"x\":1,\"y\":2}}", "{\"a\":{\"y\":2,\"x\":1}}", true},
		{"{\"a\":1,\"b\":2}", "{\"a\":2,\"b\":1}", false},
		{"{\"a\":1}", "{\"a\":1,\"b\":null}", false},
		{"{\"a\":1}", "{\"b\":1}", false},
		{"[1,2]", "[2,1]", false},
		{"[1]", "[1,1]", false},
		{"[]", "{}", false},
		{"[]", "[]", true},
		{"1.0", "1", false},
		{"1", "1", true},
		{"\"1\"", "1", false},
		{"\"\"", "\"\"", true},
		{"\"a\\u0000b\"", "\"a\\u0000c\"", false},
		{"true", "false", false},
		{"true", "true", true},
		{"null", "null", true},
		{"null", "false", false},
		{"{\"ab\":1,\"a\":2}", "{\"a\":2,\"ab\":1}", true},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		CLEANUP_ARENA struct arena a = {0};
		const struct json *x = parse(&a, cases[i].x), *y = parse(&a, cases[i].y);

		assert_int_equal(json_equal(x, y), cases[i].equal);
		assert_int_equal(json_equal(y, x), cases[i].equal);
		assert_true(json_equal(x, json_copy(&a, x)));
		assert_false(json_equal(x, NULL));
	}
	assert_true(json_equal(NULL, NULL));
}

static void large_objects_compare_irrespective_of_order(void **state)
{
	CLEANUP_ARENA struct arena a = {0};
	CLEANUP_BUF struct buf up = {0}, down = {0};

	(void)state;
	for (int i = 0; i < 50000; i++) {
		buf_printf(&up, "%c\"%d\":%d", i ? ',' : '{', i, i);
		buf_printf(&down, "%c\"%d\":%d", i ? ',' : '{', 49999 - i, 49999 - i);
	}
	buf_char(&up, '}');
	buf_char(&down, '}');
	assert_true(json_equal(parse(&a, buf_z(&up)), parse(&a, buf_z(&down))));
}

static void pretty(void **state)
{
	CLEANUP_ARENA struct arena a = {0};
	CLEANUP_BUF struct buf b = {0};

	(void)state;
	json_write(&b, parse(&a, "{\"a\":[1,[],{}],\"b\":{\"c\":\"d\"},\"e\":[[2]]}"), JSON_PRETTY);
	assert_string_equal(buf_z(&b), "{\n"
				       "  \"a\": [\n"
				       "    1,\n"
				       "    [],\n"
				       "    {}\n"
				       "  ],\n"
				       "  \"b\": {\n"
				       "    \"c\": \"d\"\n"
				       "  },\n"
				       "  \"e\": [\n"
				       "    [\n"
				       "      2\n"
				       "    ]\n"
				       "  ]\n"
				       "}");
}

static void every_code_point_comes_back(void **state)
{
	CLEANUP_ARENA struct arena a = {0};
	CLEANUP_BUF struct buf b = {0};
	CLEANUP_BUF struct buf all = {0};
	struct err e;

	(void)state;
	for (int c = 0; c < 128; c++)
		buf_char(&all, (char)c);
	buf_str(&all, "\302\200\337\277\340\240\200\355\237\277\356\200\200\357\277\277"
		      "\360\220\200\200\364\217\277\277");
	json_write(&b, json_string(&a, all.p, all.len), JSON_MINIMAL);
	assert_true(str_eq(json_str(json_parse(&a, b.p, b.len, &e)), buf_slice(&all)));
	assert_int_equal(b.len, all.len + 2 + 2 + 5 + 27 * 5); /* quotes, \" \\, short, \u00xx */
}

static void a_bound_is_kept(void **state)
{
	CLEANUP_ARENA struct arena a = {0};
	CLEANUP_BUF struct buf b = {.max = 10};

	(void)state;
	json_write(&b, parse(&a, "[\"1234567890\"]"), JSON_MINIMAL);
	assert_true(b.full);
	assert_true(b.len <= 10);
	assert_minimal(NULL, "null");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(types),
		cmocka_unit_test(members_by_key),
		cmocka_unit_test(strings),
		cmocka_unit_test(integers),
		cmocka_unit_test(bools_and_number_texts),
		cmocka_unit_test(walking),
		cmocka_unit_test(building),
		cmocka_unit_test(replacing_keeps_the_place),
		cmocka_unit_test(replacing_the_only_member),
		cmocka_unit_test(removing),
		cmocka_unit_test(a_value_in_two_places_is_copied),
		cmocka_unit_test(make_gets_or_replaces),
		cmocka_unit_test(foreign_bytes_become_valid),
		cmocka_unit_test(copies_stand_alone),
		cmocka_unit_test(equality),
		cmocka_unit_test(large_objects_compare_irrespective_of_order),
		cmocka_unit_test(pretty),
		cmocka_unit_test(every_code_point_comes_back),
		cmocka_unit_test(a_bound_is_kept),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
