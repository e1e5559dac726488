// SPDX-License-Identifier: GPL-2.0-or-later
// YAML output: its looks, what is quoted, and that a reader gets the same tree.
#include "json/yaml.h"

// clang-format off
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on

#include <yaml.h>

static struct json *parse(struct arena *a, const char *z)
{
	struct err e;
	struct json *v = json_parse(a, z, strlen(z), &e);

	if (!v)
		fail_msg("%s: %s", z, e.text);
	return v;
}

static void write_yaml(struct buf *out, const struct json *v)
{
	struct err e;

	if (yaml_write(out, v, &e) < 0)
		fail_msg("%s", e.text);
}

static void assert_yaml(const char *json, const char *want)
{
	CLEANUP_ARENA struct arena a = {0};
	CLEANUP_BUF struct buf b = {0};

	write_yaml(&b, parse(&a, json));
	assert_string_equal(buf_z(&b), want);
}

static yaml_event_t next_event(yaml_parser_t *from)
{
	yaml_event_t event;

	if (!yaml_parser_parse(from, &event))
		fail_msg("line %zu: %s", from->problem_mark.line + 1, from->problem);
	return event;
}

/* Quoted is a string; what is plain may only be what looks the same to every reader. */
static struct json *scalar(struct arena *a, const yaml_event_t *event)
{
	const char *p = (const char *)event->data.scalar.value;
	size_t n = event->data.scalar.length;
	struct err e;

	if (event->data.scalar.style != YAML_PLAIN_SCALAR_STYLE)
		return json_string(a, p, n);
	assert_true(n > 0);
	if (str_is((struct str){p, n}, "true") || str_is((struct str){p, n}, "false") ||
		str_is((struct str){p, n}, "null") || p[0] == '-' || (p[0] >= '0' && p[0] <= '9'))
		return json_parse(a, p, n, &e);
	return json_string(a, p, n);
}

static struct json *read_value(struct arena *a, yaml_parser_t *from, yaml_event_type_t *end)
{
	yaml_event_t event = next_event(from), key;
	struct json *v = NULL, *child;

	*end = event.type;
	switch (event.type) {
	case YAML_SCALAR_EVENT:
		v = scalar(a, &event);
		assert_non_null(v);
		break;
	case YAML_SEQUENCE_START_EVENT:
		v = json_array(a);
		while ((child = read_value(a, from, end)))
			json_add(a, v, child);
		assert_int_equal(*end, YAML_SEQUENCE_END_EVENT);
		break;
	case YAML_MAPPING_START_EVENT:
		v = json_object(a);
		for (key = next_event(from); key.type != YAML_MAPPING_END_EVENT;) {
			assert_int_equal(key.type, YAML_SCALAR_EVENT);
			assert_true(json_is(scalar(a, &key), JSON_STRING));
			child = read_value(a, from, end);
			assert_non_null(child);
			json_set_str(a, v, json_str(scalar(a, &key)), child);
			yaml_event_delete(&key);
			key = next_event(from);
		}
		yaml_event_delete(&key);
		break;
	default:
		break;
	}
	yaml_event_delete(&event);
	return v;
}

static void expect_event(yaml_parser_t *from, yaml_event_type_t type)
{
	yaml_event_t event = next_event(from);

	assert_int_equal(event.type, type);
	yaml_event_delete(&event);
}

static void assert_comes_back(const struct json *v)
{
	CLEANUP_ARENA struct arena a = {0};
	CLEANUP_BUF struct buf b = {0}, x = {0}, y = {0};
	yaml_event_type_t end;
	yaml_parser_t from;

	write_yaml(&b, v);
	assert_true(yaml_parser_initialize(&from));
	yaml_parser_set_input_string(&from, (const unsigned char *)b.p, b.len);
	expect_event(&from, YAML_STREAM_START_EVENT);
	expect_event(&from, YAML_DOCUMENT_START_EVENT);
	json_write(&x, v, JSON_MINIMAL);
	json_write(&y, read_value(&a, &from, &end), JSON_MINIMAL);
	assert_string_equal(buf_z(&x), buf_z(&y));
	expect_event(&from, YAML_DOCUMENT_END_EVENT);
	expect_event(&from, YAML_STREAM_END_EVENT);
	yaml_parser_delete(&from);
}

static void looks(void **state)
{
	(void)state;
	assert_yaml(
		"{\"apiVersion\":\"devices.harvesterhci.io/v1beta1\",\"kind\":\"PCIDevice\","
		"\"metadata\":{\"name\":\"node1-000001100\",\"labels\":{},"
		"\"annotations\":{\"harvesterhci.io/pcideviceDriver\":\"igbvf\"}},"
		"\"status\":{\"address\":\"0000:01:10.0\",\"vendorId\":\"8086\","
		"\"deviceId\":\"10de\",\"numaNode\":-1,"
		"\"description\":\"Ethernet controller: Intel Corporation X540\","
		"\"conditions\":[{\"type\":\"Offered\",\"status\":\"True\"},{\"type\":\"X\"}]}}",
		"apiVersion: devices.harvesterhci.io/v1beta1\n"
		"kind: PCIDevice\n"
		"metadata:\n"
		"  name: node1-000001100\n"
		"  labels: {}\n"
		"  annotations:\n"
		"    harvesterhci.io/pcideviceDriver: igbvf\n"
		"status:\n"
		"  address: \"0000:01:10.0\"\n"
		"  vendorId: \"8086\"\n"
		"  deviceId: \"10de\"\n"
		"  numaNode: -1\n"
		"  description: \"Ethernet controller: Intel Corporation X540\"\n"
		"  conditions:\n"
		"  - type: Offered\n"
		"    status: \"True\"\n"
		"  - type: X\n");
}

static void scalars_and_empties(void **state)
{
	CLEANUP_BUF struct buf b = {0};

	(void)state;
	assert_yaml("[null,true,false,0,-0,1.0,1e400,[],{},[[1,2],[]],\"\"]",
		"- null\n- true\n- false\n- 0\n- -0\n- 1.0\n- 1e400\n- []\n- {}\n"
		"- - - 1\n    - 2\n  - []\n- \"\"\n");
	assert_yaml("{}", "{}\n");
	assert_yaml("[]", "[]\n");
	assert_yaml("7", "7\n");
	write_yaml(&b, NULL);
	assert_string_equal(buf_z(&b), "null\n");
}

static const char *const ambiguous[] = {"", "y", "Y", "n", "N", "yes", "Yes", "YES", "no", "No",
	"NO", "on", "On", "ON", "off", "Off", "OFF", "true", "True", "TRUE", "tRuE", "false",
	"False", "FALSE", "null", "Null", "NULL", "~", "0", "7", "-7", "+7", "8086", "007", "0o17",
	"0x1F", "0b101", "1_000", "0000:01", "0000:01:10.0", "190:20:30", "190:20:30.15", "1.5",
	"1.", ".5", "-.5", "1e5", "1.5e+3", "10e4", "12e03", "685.230_15e+03", ".inf", "-.Inf",
	"+.INF", ".nan", ".NaN", "2001-12-14", "2001-12-14t21:59:43.10-05:00", "=", "<<", " x",
	"x ", "\tx", "x\t", "x\ty", "a: b", "a:", ":a", "a #b", "#a", "- a", "-", "? a", "?", "!a",
	"&a", "*a", "|", ">", "%a", "@a", "`a", "'a'", "\"a\"", "{a}", "[a]", ",a", "}", "]", "---",
	"--- a", "...", "a\nb", "a\n", "\n", "a\rb", "\x1b[0m", "a\x7f", "\302\205",
	"a\342\200\250", "a\342\200\251", "a\357\273\277", "a\357\277\276", "\\", "10de", "1-2"};

static const char *const plain[] = {"a", "yess", "nope", "offset", "nullable", "trueish",
	"vfio-pci", "/dev/vfio/12", "_x", "intel.com/X540_ETHERNET_CONTROLLER_VIRTUAL_FUNCTION",
	"a:b", "a#b", "a b", "a, b", "a [b] {c}", "a'b", "a\"b", "a\\b", "a=b", "a-", "a?", "a|b",
	"kubevirt.io/x", "a \342\206\222 b", "na\303\257ve", "deadbeef", "NaN", "Inf", "e5"};

static void what_readers_could_mistake_is_quoted(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(ambiguous); i++) {
		CLEANUP_ARENA struct arena a = {0};
		CLEANUP_BUF struct buf b = {0};
		struct json *v = json_object(&a);

		write_yaml(&b, json_stringz(&a, ambiguous[i]));
		if (b.p[0] != '"' || b.p[b.len - 2] != '"')
			fail_msg("not quoted: %s", ambiguous[i]);
		assert_ptr_equal(memchr(b.p, '\n', b.len), b.p + b.len - 1);
		json_set_z(&a, v, ambiguous[i], ambiguous[i]);
		assert_comes_back(v);
	}
}

static void the_rest_is_plain(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(plain); i++) {
		CLEANUP_ARENA struct arena a = {0};
		CLEANUP_BUF struct buf b = {0};
		struct json *v = json_object(&a);

		write_yaml(&b, json_stringz(&a, plain[i]));
		assert_int_equal(b.len, strlen(plain[i]) + 1);
		assert_memory_equal(b.p, plain[i], b.len - 1);
		json_set_z(&a, v, plain[i], plain[i]);
		assert_comes_back(v);
	}
}

static void all_of_it_comes_back(void **state)
{
	CLEANUP_ARENA struct arena a = {0};
	CLEANUP_BUF struct buf all = {0};
	struct json *v = json_object(&a), *list = json_set(&a, v, "list", json_array(&a));

	(void)state;
	for (int c = 0; c < 128; c++) {
		char text[] = {'a', (char)c, 'b', ' ', 'c'};

		json_add(&a, list, json_string(&a, text, sizeof(text)));
		json_add(&a, list, json_string(&a, text + 1, 1));
		json_add(&a, list, json_string(&a, text + 1, 3));
		buf_char(&all, (char)c);
	}
	buf_str(&all, "\302\240\303\251\342\206\222\357\277\275\360\237\230\200");
	json_set_str(&a, v, buf_slice(&all), json_string(&a, all.p, all.len));
	buf_clear(&all);
	for (int i = 0; i < 400; i++)
		buf_str(&all, "a long text; ");
	json_set_str(&a, v, buf_slice(&all), json_string(&a, all.p, all.len));
	json_add(&a, list, parse(&a, "[[[],[[]]],{\"a\":[{\"b\":{}}]},null,[true,-1.5]]"));
	assert_comes_back(v);
	assert_comes_back(list);
}

static void deep_trees_come_back(void **state)
{
	CLEANUP_ARENA struct arena a = {0};
	struct json *v = json_array(&a), *at = v;

	(void)state;
	for (int i = 0; i < JSON_MAX_DEPTH / 2 - 1; i++) {
		at = json_add(&a, at, json_object(&a));
		at = json_set(&a, at, "k", json_array(&a));
	}
	assert_comes_back(v);
}

static void a_bound_is_an_error(void **state)
{
	CLEANUP_ARENA struct arena a = {0};
	CLEANUP_BUF struct buf b = {.max = 5};
	struct err e;

	(void)state;
	assert_int_equal(yaml_write(&b, parse(&a, "[\"1234567890\"]"), &e), -1);
	assert_string_equal(e.text, "write YAML: the text does not fit its bound");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(looks),
		cmocka_unit_test(scalars_and_empties),
		cmocka_unit_test(what_readers_could_mistake_is_quoted),
		cmocka_unit_test(the_rest_is_plain),
		cmocka_unit_test(all_of_it_comes_back),
		cmocka_unit_test(deep_trees_come_back),
		cmocka_unit_test(a_bound_is_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
