// SPDX-License-Identifier: GPL-2.0-or-later
// The JSON parser: what it accepts and how that reads, what it refuses, where and why; bounds.
#include "json/json.h"

// clang-format off
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on

#include <stdio.h>

#define T(lit) .text = {lit, sizeof(lit) - 1}

/* The classes of RFC 8259 that a reader must refuse, and those that it may: invalid UTF-8, lone
 * surrogates, byte order marks. */
static const struct {
	struct str text;
	unsigned line, column;
	const char *expected;
} refused[] = {
	{T(""), 1, 1, "a value, found the end"},
	{T(" "), 1, 2, "a value, found the end"},
	{T("[1 true]"), 1, 4, "',' or ']', found 't'"},
	{T("[a\345]"), 1, 2, "a value or ']', found 'a'"},
	{T("[\"\": 1]"), 1, 4, "',' or ']', found ':'"},
	{T("[\"\"],"), 1, 5, "the end, found ','"},
	{T("[,1]"), 1, 2, "a value or ']', found ','"},
	{T("[1,,2]"), 1, 4, "a value, found ','"},
	{T("[\"x\",,]"), 1, 6, "a value, found ','"},
	{T("[\"x\"]]"), 1, 6, "the end, found ']'"},
	{T("[\"\",]"), 1, 5, "a value, found ']'"},
	{T("[\"x\""), 1, 5, "',' or ']', found the end"},
	{T("[x"), 1, 2, "a value or ']', found 'x'"},
	{T("[3[4]]"), 1, 3, "',' or ']', found '['"},
	{T("[\377]"), 1, 2, "a value or ']', found byte 0xff"},
	{T("[1:2]"), 1, 3, "',' or ']', found ':'"},
	{T("[,]"), 1, 2, "a value or ']', found ','"},
	{T("[-]"), 1, 3, "a digit, found ']'"},
	{T("[   , \"\"]"), 1, 5, "a value or ']', found ','"},
	{T("[\"a\",\n4\n,1,"), 3, 4, "a value, found the end"},
	{T("[1,]"), 1, 4, "a value, found ']'"},
	{T("[1,,]"), 1, 4, "a value, found ','"},
	{T("[\"\013a\"\014]"), 1, 3, "an escape in place of a control character, found byte 0x0b"},
	{T("[*]"), 1, 2, "a value or ']', found '*'"},
	{T("[1,"), 1, 4, "a value, found the end"},
	{T("[1,\n1\n,1"), 3, 3, "',' or ']', found the end"},
	{T("[{}"), 1, 4, "',' or ']', found the end"},
	{T("[fals]"), 1, 6, "\"false\", found ']'"},
	{T("[nul]"), 1, 5, "\"null\", found ']'"},
	{T("[tru]"), 1, 5, "\"true\", found ']'"},
	{T("tru"), 1, 4, "\"true\", found the end"},
	{T("123\000"), 1, 4, "the end, found byte 0x00"},
	{T("[++1234]"), 1, 2, "a value or ']', found '+'"},
	{T("[+1]"), 1, 2, "a value or ']', found '+'"},
	{T("[+Inf]"), 1, 2, "a value or ']', found '+'"},
	{T("[-01]"), 1, 4, "no digit after a leading zero, found '1'"},
	{T("[-1.0.]"), 1, 6, "',' or ']', found '.'"},
	{T("[-2.]"), 1, 5, "a digit, found ']'"},
	{T("[-NaN]"), 1, 3, "a digit, found 'N'"},
	{T("[.-1]"), 1, 2, "a value or ']', found '.'"},
	{T("[.2e-3]"), 1, 2, "a value or ']', found '.'"},
	{T("[0.1.2]"), 1, 5, "',' or ']', found '.'"},
	{T("[0.3e+]"), 1, 7, "a digit, found ']'"},
	{T("[0.3e]"), 1, 6, "a digit, found ']'"},
	{T("[0.e1]"), 1, 4, "a digit, found 'e'"},
	{T("[0E+]"), 1, 5, "a digit, found ']'"},
	{T("[0E]"), 1, 4, "a digit, found ']'"},
	{T("[0e+]"), 1, 5, "a digit, found ']'"},
	{T("[1.0e-]"), 1, 7, "a digit, found ']'"},
	{T("[1 000.0]"), 1, 4, "',' or ']', found '0'"},
	{T("[1eE2]"), 1, 4, "a digit, found 'E'"},
	{T("[2.e3]"), 1, 4, "a digit, found 'e'"},
	{T("[9.e+]"), 1, 4, "a digit, found 'e'"},
	{T("[Inf]"), 1, 2, "a value or ']', found 'I'"},
	{T("[NaN]"), 1, 2, "a value or ']', found 'N'"},
	{T("[\357\274\221]"), 1, 2, "a value or ']', found byte 0xef"},
	{T("[1+2]"), 1, 3, "',' or ']', found '+'"},
	{T("[0x42]"), 1, 3, "',' or ']', found 'x'"},
	{T("[0e+-1]"), 1, 5, "a digit, found '-'"},
	{T("[-123.123foo]"), 1, 10, "',' or ']', found 'f'"},
	{T("[123\345]"), 1, 5, "',' or ']', found byte 0xe5"},
	{T("[0\345]"), 1, 3, "',' or ']', found byte 0xe5"},
	{T("[-Infinity]"), 1, 3, "a digit, found 'I'"},
	{T("[- 1]"), 1, 3, "a digit, found byte 0x20"},
	{T("[-012]"), 1, 4, "no digit after a leading zero, found '1'"},
	{T("[-.123]"), 1, 3, "a digit, found '.'"},
	{T("[-1x]"), 1, 4, "',' or ']', found 'x'"},
	{T("[1ea]"), 1, 4, "a digit, found 'a'"},
	{T("[1e\345]"), 1, 4, "a digit, found byte 0xe5"},
	{T("[1.]"), 1, 4, "a digit, found ']'"},
	{T("[.123]"), 1, 2, "a value or ']', found '.'"},
	{T("[1.2a-3]"), 1, 5, "',' or ']', found 'a'"},
	{T("[1.8H-308]"), 1, 5, "',' or ']', found 'H'"},
	{T("[012]"), 1, 3, "no digit after a leading zero, found '1'"},
	{T("00"), 1, 2, "no digit after a leading zero, found '0'"},
	{T("-"), 1, 2, "a digit, found the end"},
	{T("1_000"), 1, 2, "the end, found '_'"},
	{T("[\"x\", truth]"), 1, 10, "\"true\", found 't'"},
	{T("{[: \"x\"}\n"), 1, 2, "a key in double quotes or '}', found '['"},
	{T("{\"x\", null}"), 1, 5, "':', found ','"},
	{T("{\"x\"::\"b\"}"), 1, 6, "a value, found ':'"},
	{T("{\360\237\207\250}"), 1, 2, "a key in double quotes or '}', found byte 0xf0"},
	{T("{\"a\":\"a\" 123}"), 1, 10, "',' or '}', found '1'"},
	{T("{key: 'value'}"), 1, 2, "a key in double quotes or '}', found 'k'"},
	{T("{\"\271\":\"0\",}"), 1, 3, "valid UTF-8, found byte 0xb9"},
	{T("{\"a\" b}"), 1, 6, "':', found 'b'"},
	{T("{:\"b\"}"), 1, 2, "a key in double quotes or '}', found ':'"},
	{T("{\"a\" \"b\"}"), 1, 6, "':', found '\"'"},
	{T("{\"a\":"), 1, 6, "a value, found the end"},
	{T("{\"a\""), 1, 5, "':', found the end"},
	{T("{1:1}"), 1, 2, "a key in double quotes or '}', found '1'"},
	{T("{null:null}"), 1, 2, "a key in double quotes or '}', found 'n'"},
	{T("{\"id\":0,,,}"), 1, 9, "a key in double quotes, found ','"},
	{T("{'a':0}"), 1, 2, "a key in double quotes or '}', found '''"},
	{T("{\"id\":0,}"), 1, 9, "a key in double quotes, found '}'"},
	{T("{\"a\":\"b\"}/**/"), 1, 10, "the end, found '/'"},
	{T("{\"a\":\"b\"}//"), 1, 10, "the end, found '/'"},
	{T("{\"a\":\"b\",,\"c\":\"d\"}"), 1, 10, "a key in double quotes, found ','"},
	{T("{a: \"b\"}"), 1, 2, "a key in double quotes or '}', found 'a'"},
	{T("{\"a\":\"a"), 1, 8, "a closing '\"', found the end"},
	{T("{ \"foo\" : \"bar\", \"a\" }"), 1, 22, "':', found '}'"},
	{T("{\"a\":\"b\"}#"), 1, 10, "the end, found '#'"},
	{T("[\"\\uD800\\\"]"), 1, 9, "the escape of a low surrogate after a high one, found '\\'"},
	{T("[\"\\uD800\\u\"]"), 1, 11, "four hexadecimal digits after \\u, found '\"'"},
	{T("[\"\\uD800\\u1x\"]"), 1, 12, "four hexadecimal digits after \\u, found 'x'"},
	{T("[\303\251]"), 1, 2, "a value or ']', found byte 0xc3"},
	{T("[\"\\\000\"]"), 1, 4, "one of \"\\/bfnrtu after a backslash, found byte 0x00"},
	{T("[\"\\x00\"]"), 1, 4, "one of \"\\/bfnrtu after a backslash, found 'x'"},
	{T("[\"\\\\\\\"]"), 1, 8, "a closing '\"', found the end"},
	{T("[\"\\\t\"]"), 1, 4, "one of \"\\/bfnrtu after a backslash, found byte 0x09"},
	{T("[\"\\\360\237\214\200\"]"), 1, 4,
		"one of \"\\/bfnrtu after a backslash, found byte 0xf0"},
	{T("[\"\\\"]"), 1, 6, "a closing '\"', found the end"},
	{T("[\"\\u00A\"]"), 1, 8, "four hexadecimal digits after \\u, found '\"'"},
	{T("[\"\\uD834\\uDd\"]"), 1, 13, "four hexadecimal digits after \\u, found '\"'"},
	{T("[\"\\uD800\\uD800\\x\"]"), 1, 9,
		"the escape of a low surrogate after a high one, found '\\'"},
	{T("[\"\\u\345\"]"), 1, 5, "four hexadecimal digits after \\u, found byte 0xe5"},
	{T("[\"\\a\"]"), 1, 4, "one of \"\\/bfnrtu after a backslash, found 'a'"},
	{T("[\"\\uqqqq\"]"), 1, 5, "four hexadecimal digits after \\u, found 'q'"},
	{T("[\"\\\345\"]"), 1, 4, "one of \"\\/bfnrtu after a backslash, found byte 0xe5"},
	{T("[\\u0020\"asd\"]"), 1, 2, "a value or ']', found '\\'"},
	{T("[\\n]"), 1, 2, "a value or ']', found '\\'"},
	{T("\""), 1, 2, "a closing '\"', found the end"},
	{T("['single quote']"), 1, 2, "a value or ']', found '''"},
	{T("abc"), 1, 1, "a value, found 'a'"},
	{T("[\"\\"), 1, 4, "one of \"\\/bfnrtu after a backslash, found the end"},
	{T("[\"a\000a\"]"), 1, 4, "an escape in place of a control character, found byte 0x00"},
	{T("[\"new\nline\"]"), 1, 6, "an escape in place of a control character, found byte 0x0a"},
	{T("[\"\t\"]"), 1, 3, "an escape in place of a control character, found byte 0x09"},
	{T("\"\\UA66D\""), 1, 3, "one of \"\\/bfnrtu after a backslash, found 'U'"},
	{T("\"\"x"), 1, 3, "the end, found 'x'"},
	{T("\"\\u00"), 1, 6, "four hexadecimal digits after \\u, found the end"},
	{T("\"\\u"), 1, 4, "four hexadecimal digits after \\u, found the end"},
	{T("\"\\uD800"), 1, 8, "the escape of a low surrogate after a high one, found the end"},
	{T("\"\\uD800\\"), 1, 8, "the escape of a low surrogate after a high one, found '\\'"},
	{T("<null>"), 1, 1, "a value, found '<'"},
	{T("\357\273\277"), 1, 1, "a value without a byte order mark before it, found byte 0xef"},
	{T("\357\273\277{}"), 1, 1, "a value without a byte order mark before it, found byte 0xef"},
	{T("\357\273{}"), 1, 1, "a value, found byte 0xef"},
	{T("[1]x"), 1, 4, "the end, found 'x'"},
	{T("[\"asd]"), 1, 7, "a closing '\"', found the end"},
	{T("a\303\245"), 1, 1, "a value, found 'a'"},
	{T("[True]"), 1, 2, "a value or ']', found 'T'"},
	{T("1]"), 1, 2, "the end, found ']'"},
	{T("{\"x\": true,"), 1, 12, "a key in double quotes, found the end"},
	{T("[][]"), 1, 3, "the end, found '['"},
	{T("]"), 1, 1, "a value, found ']'"},
	{T("\345"), 1, 1, "a value, found byte 0xe5"},
	{T("["), 1, 2, "a value or ']', found the end"},
	{T("[\000]"), 1, 2, "a value or ']', found byte 0x00"},
	{T("2@"), 1, 2, "the end, found '@'"},
	{T("{}}"), 1, 3, "the end, found '}'"},
	{T("{\"\":"), 1, 5, "a value, found the end"},
	{T("{\"a\":/*comment*/\"b\"}"), 1, 6, "a value, found '/'"},
	{T("{\"a\": true} \"x\""), 1, 13, "the end, found '\"'"},
	{T("['"), 1, 2, "a value or ']', found '''"},
	{T("[,"), 1, 2, "a value or ']', found ','"},
	{T("[{"), 1, 3, "a key in double quotes or '}', found the end"},
	{T("[\"a"), 1, 4, "a closing '\"', found the end"},
	{T("[\"a\""), 1, 5, "',' or ']', found the end"},
	{T("{"), 1, 2, "a key in double quotes or '}', found the end"},
	{T("{]"), 1, 2, "a key in double quotes or '}', found ']'"},
	{T("{,"), 1, 2, "a key in double quotes or '}', found ','"},
	{T("{["), 1, 2, "a key in double quotes or '}', found '['"},
	{T("{\"a"), 1, 4, "a closing '\"', found the end"},
	{T("{'a'"), 1, 2, "a key in double quotes or '}', found '''"},
	{T("[\"\\{[\"\\{"), 1, 4, "one of \"\\/bfnrtu after a backslash, found '{'"},
	{T("\351"), 1, 1, "a value, found byte 0xe9"},
	{T("*"), 1, 1, "a value, found '*'"},
	{T("{\"a\":\"b\"}#{}"), 1, 10, "the end, found '#'"},
	{T("[1"), 1, 3, "',' or ']', found the end"},
	{T("[ false, nul"), 1, 13, "\"null\", found the end"},
	{T("{\"asd\":\"asd\""), 1, 13, "',' or '}', found the end"},
	{T("[\342\201\240]"), 1, 2, "a value or ']', found byte 0xe2"},
	{T("[\014]"), 1, 2, "a value or ']', found byte 0x0c"},
	{T("\0131"), 1, 1, "a value, found byte 0x0b"},
	{T("\302\2401"), 1, 1, "a value, found byte 0xc2"},
	{T("1\n2"), 2, 1, "the end, found '2'"},
	{T("{\"a\":1 \"b\":2}"), 1, 8, "',' or '}', found '\"'"},
	{T("[1\n,\n  2 3]"), 3, 5, "',' or ']', found '3'"},
	{T("\r\n\r\n x"), 3, 2, "a value, found 'x'"},
	{T("nulll"), 1, 5, "the end, found 'l'"},
	{T("true false"), 1, 6, "the end, found 'f'"},
	{T("\"a\" \"b\""), 1, 5, "the end, found '\"'"},
	{T("--1"), 1, 2, "a digit, found '-'"},
	{T("\"\377\""), 1, 2, "valid UTF-8, found byte 0xff"},
	{T("\"\200\""), 1, 2, "valid UTF-8, found byte 0x80"},
	{T("\"\300\200\""), 1, 2, "valid UTF-8, found byte 0xc0"},
	{T("\"\301\277\""), 1, 2, "valid UTF-8, found byte 0xc1"},
	{T("\"\340\200\257\""), 1, 2, "valid UTF-8, found byte 0xe0"},
	{T("\"\340\237\277\""), 1, 2, "valid UTF-8, found byte 0xe0"},
	{T("\"\360\200\200\257\""), 1, 2, "valid UTF-8, found byte 0xf0"},
	{T("\"\360\217\277\277\""), 1, 2, "valid UTF-8, found byte 0xf0"},
	{T("\"\355\240\200\""), 1, 2, "valid UTF-8, found byte 0xed"},
	{T("\"\355\277\277\""), 1, 2, "valid UTF-8, found byte 0xed"},
	{T("\"\355\240\275\355\270\200\""), 1, 2, "valid UTF-8, found byte 0xed"},
	{T("\"\364\220\200\200\""), 1, 2, "valid UTF-8, found byte 0xf4"},
	{T("\"\365\200\200\200\""), 1, 2, "valid UTF-8, found byte 0xf5"},
	{T("\"\370\210\200\200\200\""), 1, 2, "valid UTF-8, found byte 0xf8"},
	{T("\"\303\""), 1, 2, "valid UTF-8, found byte 0xc3"},
	{T("\"\342\202\""), 1, 2, "valid UTF-8, found byte 0xe2"},
	{T("\"\360\237\230\""), 1, 2, "valid UTF-8, found byte 0xf0"},
	{T("\"\342\202"), 1, 2, "valid UTF-8, found byte 0xe2"},
	{T("\"\303\251\303(\""), 1, 4, "valid UTF-8, found byte 0xc3"},
	{T("{\"\377\":1}"), 1, 3, "valid UTF-8, found byte 0xff"},
	{T("[\342\202\254]"), 1, 2, "a value or ']', found byte 0xe2"},
	{T("[1,\"\376\"]"), 1, 5, "valid UTF-8, found byte 0xfe"},
	{T("[\"\\uDADA\"]"), 1, 9, "the escape of a low surrogate after a high one, found '\"'"},
	{T("[\"\\uDd1e\\uD834\"]"), 1, 3,
		"no low surrogate without a high one before it, found '\\'"},
	{T("[\"\\ud800abc\"]"), 1, 9, "the escape of a low surrogate after a high one, found 'a'"},
	{T("[\"\\uD888\\u1234\"]"), 1, 9,
		"the escape of a low surrogate after a high one, found '\\'"},
	{T("[\"\\uD888\\uE000\"]"), 1, 9,
		"the escape of a low surrogate after a high one, found '\\'"},
	{T("[\"\\uDFAA\"]"), 1, 3, "no low surrogate without a high one before it, found '\\'"},
	{T("[\"\\uD800\\n\"]"), 1, 9, "the escape of a low surrogate after a high one, found '\\'"},
	{T("{\"\\udc00\":1}"), 1, 3, "no low surrogate without a high one before it, found '\\'"},
	{T("[\000\"\000\351\000\"\000]\000"), 1, 2, "a value or ']', found byte 0x00"},
	{T("\377\376[\000\"\000"), 1, 1, "a value, found byte 0xff"},
	{T("\000[\000]"), 1, 1, "a value, found byte 0x00"},
};

/* NULL: written as it was read. */
static const struct {
	struct str text;
	const char *minimal;
} accepted[] = {
	{T("[[]   ]"), "[[]]"},
	{T("[\"\"]"), NULL},
	{T("[]"), NULL},
	{T("[\"a\"]"), NULL},
	{T("[false]"), NULL},
	{T("[null, 1, \"1\", {}]"), "[null,1,\"1\",{}]"},
	{T("[null]"), NULL},
	{T("[1\n]"), "[1]"},
	{T(" [1]"), "[1]"},
	{T("[1,null,null,null,2]"), NULL},
	{T("[2] "), "[2]"},
	{T("[123e65]"), NULL},
	{T("[0e+1]"), NULL},
	{T("[0e1]"), NULL},
	{T("[ 4]"), "[4]"},
	{T("[-0.000000000000000000000000000000000000000000000000000000000000000000000000000001]"),
		NULL},
	{T("[20e1]"), NULL},
	{T("[-0]"), NULL},
	{T("[-123]"), NULL},
	{T("[-1]"), NULL},
	{T("[-0.0]"), NULL},
	{T("[1E22]"), NULL},
	{T("[1E-2]"), NULL},
	{T("[1E+2]"), NULL},
	{T("[123e45]"), NULL},
	{T("[123.456e78]"), NULL},
	{T("[1e-2]"), NULL},
	{T("[1e+2]"), NULL},
	{T("[123]"), NULL},
	{T("[123.456789]"), NULL},
	{T("1e400"), NULL},
	{T("-0"), NULL},
	{T("1.0"), NULL},
	{T("0"), NULL},
	{T("100000000000000000000000000000000000001"), NULL},
	{T("[1e-999999999]"), NULL},
	{T("[0.4e00669999999999999999999999999999999999999999999999]"), NULL},
	{T("{\"asd\":\"sdf\", \"dfg\":\"fgh\"}"), "{\"asd\":\"sdf\",\"dfg\":\"fgh\"}"},
	{T("{\"asd\":\"sdf\"}"), NULL},
	{T("{\"a\":\"b\",\"a\":\"c\"}"), "{\"a\":\"c\"}"},
	{T("{\"a\":\"b\",\"a\":\"b\"}"), "{\"a\":\"b\"}"},
	{T("{}"), NULL},
	{T("{\"\":0}"), NULL},
	{T("{\"foo\\u0000bar\": 42}"), "{\"foo\\u0000bar\":42}"},
	{T("{ \"min\": -1.0e+28, \"max\": 1.0e+28 }"), "{\"min\":-1.0e+28,\"max\":1.0e+28}"},
	{T("{\"x\":[{\"id\": \"xxxx\"}], \"id\": \"x\"}"),
		"{\"x\":[{\"id\":\"xxxx\"}],\"id\":\"x\"}"},
	{T("{\"a\":[]}"), NULL},
	{T("{\"title\":\"\\u041f\\u043e\" }"), "{\"title\":\"\320\237\320\276\"}"},
	{T("{\n\"a\": \"b\"\n}"), "{\"a\":\"b\"}"},
	{T("{\"z\":1,\"a\":2,\"z\":3,\"m\":4,\"a\":{\"q\":[]}}"),
		"{\"z\":3,\"a\":{\"q\":[]},\"m\":4}"},
	{T("{\"a\\u0062\":1,\"ab\":2}"), "{\"ab\":2}"},
	{T("{\"\":1,\"\":2,\"\":{\"\":3,\"\":4}}"), "{\"\":{\"\":4}}"},
	{T("[\"\\u0060\\u012a\\u12AB\"]"), "[\"`\304\252\341\212\253\"]"},
	{T("[\"\\uD801\\udc37\"]"), "[\"\360\220\220\267\"]"},
	{T("[\"\\ud83d\\ude39\\ud83d\\udc8d\"]"), "[\"\360\237\230\271\360\237\222\215\"]"},
	{T("[\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"]"), "[\"\\\"\\\\/\\b\\f\\n\\r\\t\"]"},
	{T("[\"\\\\u0000\"]"), NULL},
	{T("[\"\\\"\"]"), NULL},
	{T("[\"a/*b*/c/*d//e\"]"), NULL},
	{T("[\"\\\\a\"]"), NULL},
	{T("[\"\\u0012\"]"), NULL},
	{T("[\"\\uFFFF\"]"), "[\"\357\277\277\"]"},
	{T("[\"asd\"]"), NULL},
	{T("[ \"asd\"]"), "[\"asd\"]"},
	{T("[\"\\uDBFF\\uDFFF\"]"), "[\"\364\217\277\277\"]"},
	{T("[\"new\\u00A0line\"]"), "[\"new\302\240line\"]"},
	{T("[\"\364\217\277\277\"]"), NULL},
	{T("[\"\357\277\277\"]"), NULL},
	{T("[\"\\u0000\"]"), NULL},
	{T("[\"\\u002c\"]"), "[\",\"]"},
	{T("[\"\317\200\"]"), NULL},
	{T("[\"\360\233\277\277\"]"), NULL},
	{T("[\"asd \"]"), NULL},
	{T("\" \""), NULL},
	{T("[\"\\uD834\\uDd1e\"]"), "[\"\360\235\204\236\"]"},
	{T("[\"\\u0821\"]"), "[\"\340\240\241\"]"},
	{T("[\"\\u0123\"]"), "[\"\304\243\"]"},
	{T("[\"\342\200\250\"]"), NULL},
	{T("[\"\342\200\251\"]"), NULL},
	{T("[\"\\u0061\\u30af\\u30EA\\u30b9\"]"), "[\"a\343\202\257\343\203\252\343\202\271\"]"},
	{T("[\"new\\u000Aline\"]"), "[\"new\\nline\"]"},
	{T("[\"\177\"]"), NULL},
	{T("[\"\\uA66D\"]"), "[\"\352\231\255\"]"},
	{T("[\"\\u005C\"]"), "[\"\\\\\"]"},
	{T("[\"\342\215\202\343\210\264\342\215\202\"]"), NULL},
	{T("[\"\\u0022\"]"), "[\"\\\"\"]"},
	{T("[\"\\uFDD0\"]"), "[\"\357\267\220\"]"},
	{T("[\"\\uFFFE\"]"), "[\"\357\277\276\"]"},
	{T("[\"\342\202\254\360\235\204\236\"]"), NULL},
	{T("[\"a\177a\"]"), NULL},
	{T("[\"\357\273\277\"]"), NULL},
	{T("[\"\302\200\337\277\340\240\200\355\237\277\356\200\200\360\220\200\200\"]"), NULL},
	{T("false"), NULL},
	{T("42"), NULL},
	{T("-0.1"), NULL},
	{T("null"), NULL},
	{T("\"asd\""), NULL},
	{T("true"), NULL},
	{T("\"\""), NULL},
	{T("[\"a\"]\n"), "[\"a\"]"},
	{T("[true]"), NULL},
	{T(" [] "), "[]"},
	{T("\t\r\n 1\t\r\n "), "1"},
	{T("{\"a\":{\"b\":{\"c\":[[[]]]}}}"), NULL},
};

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

static void refuses(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(refused); i++)
		assert_refused(
			refused[i].text, refused[i].line, refused[i].column, refused[i].expected);
}

static void accepts(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(accepted); i++) {
		const char *minimal = accepted[i].minimal;

		if (minimal)
			assert_reads(accepted[i].text, minimal, strlen(minimal));
		else
			assert_reads(accepted[i].text, accepted[i].text.p, accepted[i].text.n);
	}
}

static void every_truncation_is_refused(void **state)
{
	const struct str text = STR(" {\"k\\u00e9\\ud83d\\ude00\":[1.5e-7,true,false,null,"
				    "\"\303\251\360\237\230\200\"],\"o\":{\"\":{}},\"\\n\":-0}");
	CLEANUP_ARENA struct arena a = {0};
	struct err e;

	(void)state;
	for (size_t n = 0; n < text.n; n++)
		assert_null(parse(&a, text.p, n, &e));
	assert_non_null(parse(&a, text.p, text.n, &e));
}

static void every_changed_byte_is_survived(void **state)
{
	static const char text[] =
		"{\"a\":[1,-2.5e3,\"\\u0041\\ud834\\udd1e\303\251\"],\"b\":null}";
	char changed[sizeof(text)];
	struct err e;

	(void)state;
	for (size_t i = 0; i + 1 < sizeof(text); i++) {
		for (int c = 0; c < 256; c++) {
			CLEANUP_ARENA struct arena a = {0};
			CLEANUP_BUF struct buf out = {0};
			const struct json *v;

			memcpy(changed, text, sizeof(text));
			changed[i] = (char)c;
			v = parse(&a, changed, sizeof(text) - 1, &e);
			if (!v)
				continue;
			json_write(&out, v, JSON_MINIMAL);
			assert_non_null(parse(&a, out.p, out.len, &e));
		}
	}
}

static void the_tree_outlives_the_text(void **state)
{
	CLEANUP_ARENA struct arena a = {0};
	struct err e;
	char *text = mem_dup("[\"abc\",{\"key\":12}]", 18);
	const struct json *v = json_parse(&a, text, 18, &e);

	(void)state;
	memset(text, '#', 18);
	free(text);
	assert_string_equal(json_z(json_item(v, 0)), "abc");
	assert_true(str_is(json_number_text(json_get(json_item(v, 1), "key")), "12"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(refuses),
		cmocka_unit_test(accepts),
		cmocka_unit_test(every_truncation_is_refused),
		cmocka_unit_test(every_changed_byte_is_survived),
		cmocka_unit_test(the_tree_outlives_the_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
