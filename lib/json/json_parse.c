// SPDX-License-Identifier: GPL-2.0-or-later
// JSON parser: recursive descent over a copy of the text that becomes the strings of the tree.
#include "json/json_impl.h"

#include "base/utf8.h"

/* Strings are decoded in place in the copy (an escape is never shorter than what it stands for)
 * and end with a NUL where the closing quote was. The copy has a NUL at `end`, so that `*at` can
 * always be read. Errors are placed and described by the untouched original. */
struct parser {
	struct arena *arena;
	const char *original;
	char *text, *at, *end;
	unsigned depth;
	struct err *e;
};

static void describe(
	struct err *e, const char *p, size_t n, const char *expected, size_t line, size_t column)
{
	unsigned char c = n ? (unsigned char)*p : 0;

	if (!n)
		err_set(e, "line %zu, column %zu: expected %s, found the end", line, column,
			expected);
	else if (c > ' ' && c < 0x7f)
		err_set(e, "line %zu, column %zu: expected %s, found '%c'", line, column, expected,
			c);
	else
		err_set(e, "line %zu, column %zu: expected %s, found byte 0x%02x", line, column,
			expected, c);
}

/* Always false: "expected ..., found what is at `at`". */
static bool fail(struct parser *p, const char *at, const char *expected)
{
	size_t offset = (size_t)(at - p->text), line = 1, column = 1;

	for (size_t i = 0; i < offset; i++) {
		column++;
		if (p->original[i] == '\n') {
			line++;
			column = 1;
		}
	}
	describe(p->e, p->original + offset, (size_t)(p->end - at), expected, line, column);
	return false;
}

static void skip_blanks(struct parser *p)
{
	while (*p->at == ' ' || *p->at == '\n' || *p->at == '\r' || *p->at == '\t')
		p->at++;
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool digits(struct parser *p)
{
	if (!is_digit(*p->at))
		return fail(p, p->at, "a digit");
	while (is_digit(*p->at))
		p->at++;
	return true;
}

static bool whole_part(struct parser *p)
{
	if (*p->at != '0')
		return digits(p);
	p->at++;
	return is_digit(*p->at) ? fail(p, p->at, "no digit after a leading zero") : true;
}

static bool number(struct parser *p, struct json *v)
{
	const char *start = p->at;

	if (*p->at == '-')
		p->at++;
	if (!whole_part(p))
		return false;
	if (*p->at == '.') {
		p->at++;
		if (!digits(p))
			return false;
	}
	if (*p->at == 'e' || *p->at == 'E') {
		p->at++;
		if (*p->at == '+' || *p->at == '-')
			p->at++;
		if (!digits(p))
			return false;
	}
	v->type = JSON_NUMBER;
	v->text = start;
	v->n = (uint32_t)(p->at - start);
	return true;
}

static int hex_digit(char c)
{
	if (is_digit(c))
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

static bool four_hex(struct parser *p, uint32_t *unit)
{
	*unit = 0;
	for (int i = 0; i < 4; i++) {
		int d = hex_digit(*p->at);

		if (d < 0)
			return fail(p, p->at, "four hexadecimal digits after \\u");
		*unit = *unit << 4 | (uint32_t)d;
		p->at++;
	}
	return true;
}

/* After "\u": one unit of UTF-16, or two that make one code point. */
static bool unicode_escape(struct parser *p, char **to)
{
	const char *start = p->at - 2;
	uint32_t unit, low;

	if (!four_hex(p, &unit))
		return false;
	if (unit >= 0xdc00 && unit <= 0xdfff)
		return fail(p, start, "no low surrogate without a high one before it");
	if (unit >= 0xd800 && unit <= 0xdbff) {
		start = p->at;
		if (p->at[0] != '\\' || p->at[1] != 'u')
			return fail(p, start, "the escape of a low surrogate after a high one");
		p->at += 2;
		if (!four_hex(p, &low))
			return false;
		if (low < 0xdc00 || low > 0xdfff)
			return fail(p, start, "the escape of a low surrogate after a high one");
		unit = 0x10000 + ((unit - 0xd800) << 10 | (low - 0xdc00));
	}
	*to += utf8_encode(unit, *to);
	return true;
}

static bool escape(struct parser *p, char **to)
{
	static const char from[] = "\"\\/bfnrt", is[] = "\"\\/\b\f\n\r\t";
	const char *hit;
	char c = *++p->at;

	if (c == 'u') {
		p->at++;
		return unicode_escape(p, to);
	}
	hit = c ? strchr(from, c) : NULL;
	if (!hit)
		return fail(p, p->at, "one of \"\\/bfnrtu after a backslash");
	*(*to)++ = is[hit - from];
	p->at++;
	return true;
}

static bool character(struct parser *p, char **to)
{
	uint32_t cp;
	size_t len = utf8_decode(p->at, (size_t)(p->end - p->at), &cp);

	if (!len)
		return fail(p, p->at, "valid UTF-8");
	memmove(*to, p->at, len);
	*to += len;
	p->at += len;
	return true;
}

static bool is_plain(char c)
{
	return (unsigned char)c >= ' ' && (unsigned char)c < 0x80 && c != '"' && c != '\\';
}

/* From the opening quote to behind the closing one. */
static bool string(struct parser *p, const char **text, size_t *n)
{
	char *start = ++p->at, *to;

	while (is_plain(*p->at))
		p->at++;
	to = p->at;
	while (*p->at != '"') {
		if (p->at == p->end)
			return fail(p, p->at, "a closing '\"'");
		if ((unsigned char)*p->at < ' ')
			return fail(p, p->at, "an escape in place of a control character");
		if (*p->at == '\\' ? !escape(p, &to) : !character(p, &to))
			return false;
	}
	p->at++;
	*to = 0;
	*text = start;
	*n = (size_t)(to - start);
	return true;
}

static bool word(struct parser *p, struct json *v, const char *z, enum json_type type)
{
	char expected[16] = "\"";

	for (size_t i = 0; z[i]; i++, p->at++)
		if (*p->at != z[i])
			return fail(p, p->at, strcat(strcat(expected, z), "\""));
	v->type = type & 7;
	v->truth = z[0] == 't';
	return true;
}

static bool value(struct parser *p, struct json *v, const char *expected);

static bool enter(struct parser *p)
{
	_Static_assert(JSON_MAX_DEPTH == 512, "the message names the number");
	if (p->depth == JSON_MAX_DEPTH)
		return fail(p, p->at, "at most 512 nested arrays and objects");
	p->depth++;
	p->at++;
	skip_blanks(p);
	return true;
}

static bool leave(struct parser *p)
{
	p->depth--;
	p->at++;
	return true;
}

static bool array(struct parser *p, struct json *v)
{
	const char *expected = "a value or ']'";

	v->type = JSON_ARRAY;
	if (!enter(p))
		return false;
	if (*p->at == ']')
		return leave(p);
	for (;;) {
		struct json *element = json_node(p->arena, JSON_NULL);

		if (!value(p, element, expected))
			return false;
		json_link(v, element);
		skip_blanks(p);
		if (*p->at == ']')
			return leave(p);
		if (*p->at != ',')
			return fail(p, p->at, "',' or ']'");
		p->at++;
		expected = "a value";
	}
}

static bool member(struct parser *p, struct json *v)
{
	struct json *child = json_node(p->arena, JSON_NULL);
	size_t n;

	if (!string(p, &child->key, &n))
		return false;
	child->key_len = n & ((1U << 29) - 1);
	skip_blanks(p);
	if (*p->at != ':')
		return fail(p, p->at, "':'");
	p->at++;
	if (!value(p, child, "a value"))
		return false;
	json_link(v, child);
	return true;
}

static bool object(struct parser *p, struct json *v)
{
	const char *expected = "a key in double quotes or '}'";

	v->type = JSON_OBJECT;
	if (!enter(p))
		return false;
	if (*p->at == '}')
		return leave(p);
	for (;;) {
		skip_blanks(p);
		if (*p->at != '"')
			return fail(p, p->at, expected);
		if (!member(p, v))
			return false;
		skip_blanks(p);
		if (*p->at == '}') {
			json_merge_duplicates(v);
			return leave(p);
		}
		if (*p->at != ',')
			return fail(p, p->at, "',' or '}'");
		p->at++;
		expected = "a key in double quotes";
	}
}

static bool string_value(struct parser *p, struct json *v)
{
	size_t n;

	if (!string(p, &v->text, &n))
		return false;
	v->type = JSON_STRING;
	v->n = (uint32_t)n;
	return true;
}

static bool value(struct parser *p, struct json *v, const char *expected)
{
	skip_blanks(p);
	switch (*p->at) {
	case '{':
		return object(p, v);
	case '[':
		return array(p, v);
	case '"':
		return string_value(p, v);
	case 't':
		return word(p, v, "true", JSON_BOOL);
	case 'f':
		return word(p, v, "false", JSON_BOOL);
	case 'n':
		return word(p, v, "null", JSON_NULL);
	default:
		if (*p->at == '-' || is_digit(*p->at))
			return number(p, v);
		return fail(p, p->at, expected);
	}
}

static bool document(struct parser *p, struct json *v)
{
	if (p->end - p->at >= 3 && !memcmp(p->at, "\xef\xbb\xbf", 3))
		return fail(p, p->at, "a value without a byte order mark before it");
	if (!value(p, v, "a value"))
		return false;
	skip_blanks(p);
	return p->at == p->end || fail(p, p->at, "the end");
}

struct json *json_parse(struct arena *a, const char *p, size_t n, struct err *e)
{
	struct parser parser = {.arena = a, .original = p, .e = e};
	struct json *v;

	if (n > JSON_MAX_SIZE) {
		err_set(e, "line 1, column 1: expected at most %d bytes, found %zu", JSON_MAX_SIZE,
			n);
		return NULL;
	}
	parser.text = parser.at = arena_dup(a, p, n);
	parser.end = parser.text + n;
	v = json_node(a, JSON_NULL);
	return document(&parser, v) ? v : NULL;
}
