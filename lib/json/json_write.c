// SPDX-License-Identifier: GPL-2.0-or-later
// JSON writer.
#include "json/json_impl.h"

static bool needs_escape(char c)
{
	return (unsigned char)c < ' ' || c == '"' || c == '\\';
}

static void write_escape(struct buf *out, char c)
{
	static const char from[] = "\"\\\b\f\n\r\t", to[] = "\"\\bfnrt";
	const char *hit = c ? strchr(from, c) : NULL;

	if (hit)
		buf_add(out, (char[]){'\\', to[hit - from]}, 2);
	else
		buf_printf(out, "\\u%04x", (unsigned)(unsigned char)c);
}

static void write_string(struct buf *out, const char *p, size_t n)
{
	size_t start = 0;

	buf_char(out, '"');
	for (size_t i = 0; i < n; i++) {
		if (!needs_escape(p[i]))
			continue;
		buf_add(out, p + start, i - start);
		write_escape(out, p[i]);
		start = i + 1;
	}
	buf_add(out, p + start, n - start);
	buf_char(out, '"');
}

static void new_line(struct buf *out, enum json_style style, size_t depth)
{
	if (style == JSON_MINIMAL)
		return;
	buf_char(out, '\n');
	buf_pad(out, ' ', 2 * depth);
}

static void write_value(struct buf *out, const struct json *v, enum json_style style, size_t depth);

static void write_container(
	struct buf *out, const struct json *v, enum json_style style, size_t depth)
{
	bool first = true;

	buf_char(out, v->type == JSON_OBJECT ? '{' : '[');
	json_each (child, v) {
		if (!first)
			buf_char(out, ',');
		first = false;
		new_line(out, style, depth + 1);
		if (v->type == JSON_OBJECT) {
			write_string(out, child->key, child->key_len);
			buf_str(out, style == JSON_MINIMAL ? ":" : ": ");
		}
		write_value(out, child, style, depth + 1);
	}
	if (!first)
		new_line(out, style, depth);
	buf_char(out, v->type == JSON_OBJECT ? '}' : ']');
}

static void write_value(struct buf *out, const struct json *v, enum json_style style, size_t depth)
{
	switch (json_type(v)) {
	case JSON_NULL:
		buf_str(out, "null");
		break;
	case JSON_BOOL:
		buf_str(out, v->truth ? "true" : "false");
		break;
	case JSON_NUMBER:
		buf_add(out, v->text, v->n);
		break;
	case JSON_STRING:
		write_string(out, v->text, v->n);
		break;
	case JSON_ARRAY:
	case JSON_OBJECT:
		write_container(out, v, style, depth);
		break;
	}
}

void json_write(struct buf *out, const struct json *v, enum json_style style)
{
	write_value(out, v, style, 0);
}
