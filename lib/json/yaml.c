// SPDX-License-Identifier: GPL-2.0-or-later
// A JSON tree as YAML, through libyaml's emitter.
#include "json/yaml.h"

#include "base/utf8.h"

#include <strings.h>
#include <yaml.h>

/* What YAML 1.1 (yaml.org/type) or 1.2 (core schema) reads as bool or null, in any case; all else
 * that they resolve begins with a digit, a sign, '.', '~', '<' or '='. */
static bool is_reserved_word(struct str s)
{
	static const char *const words[] = {
		"y", "n", "yes", "no", "on", "off", "true", "false", "null"};

	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (s.n == strlen(words[i]) && !strncasecmp(s.p, words[i], s.n))
			return true;
	return false;
}

static bool may_begin_plain(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '/';
}

/* Printable in YAML, no line break of YAML 1.1, no byte order mark; and, as libyaml writes those
 * only escaped, inside the basic plane. */
static bool is_plain_character(uint32_t cp)
{
	return (cp >= 0x20 && cp < 0x7f) ||
	       (cp >= 0xa0 && cp < 0xfffe && cp != 0x2028 && cp != 0x2029 && cp != 0xfeff);
}

static bool is_comment_or_key(struct str s, size_t i)
{
	if (s.p[i] == '#')
		return i && s.p[i - 1] == ' ';
	return s.p[i] == ':' && (i + 1 == s.n || s.p[i + 1] == ' ');
}

static bool can_be_plain(struct str s)
{
	uint32_t cp;

	if (!s.n || !may_begin_plain(s.p[0]) || s.p[s.n - 1] == ' ' || is_reserved_word(s))
		return false;
	for (size_t i = 0, len; i < s.n; i += len) {
		len = utf8_decode(s.p + i, s.n - i, &cp);
		if (!len || !is_plain_character(cp) || is_comment_or_key(s, i))
			return false;
	}
	return true;
}

static int append(void *ctx, unsigned char *p, size_t n)
{
	struct buf *out = ctx;

	buf_add(out, p, n);
	return !out->full;
}

static bool put_scalar(yaml_emitter_t *to, struct str s, bool plain)
{
	yaml_event_t event;

	return yaml_scalar_event_initialize(&event, NULL, NULL, (const yaml_char_t *)s.p, (int)s.n,
		       plain, true,
		       plain ? YAML_PLAIN_SCALAR_STYLE : YAML_DOUBLE_QUOTED_SCALAR_STYLE) &&
	       yaml_emitter_emit(to, &event);
}

static bool put_string(yaml_emitter_t *to, struct str s)
{
	return put_scalar(to, s, can_be_plain(s));
}

static bool put_value(yaml_emitter_t *to, const struct json *v);

static bool put_array(yaml_emitter_t *to, const struct json *v)
{
	yaml_event_t event;

	if (!yaml_sequence_start_event_initialize(
		    &event, NULL, NULL, true, YAML_BLOCK_SEQUENCE_STYLE) ||
		!yaml_emitter_emit(to, &event))
		return false;
	json_each (element, v)
		if (!put_value(to, element))
			return false;
	return yaml_sequence_end_event_initialize(&event) && yaml_emitter_emit(to, &event);
}

static bool put_object(yaml_emitter_t *to, const struct json *v)
{
	yaml_event_t event;

	if (!yaml_mapping_start_event_initialize(
		    &event, NULL, NULL, true, YAML_BLOCK_MAPPING_STYLE) ||
		!yaml_emitter_emit(to, &event))
		return false;
	json_each (member, v)
		if (!put_string(to, json_key(member)) || !put_value(to, member))
			return false;
	return yaml_mapping_end_event_initialize(&event) && yaml_emitter_emit(to, &event);
}

static bool put_value(yaml_emitter_t *to, const struct json *v)
{
	switch (json_type(v)) {
	case JSON_NULL:
		return put_scalar(to, STR("null"), true);
	case JSON_BOOL:
		return put_scalar(to, json_bool(v, false) ? STR("true") : STR("false"), true);
	case JSON_NUMBER:
		return put_scalar(to, json_number_text(v), true);
	case JSON_STRING:
		return put_string(to, json_str(v));
	case JSON_ARRAY:
		return put_array(to, v);
	case JSON_OBJECT:
		return put_object(to, v);
	}
	return false;
}

static bool put_document(yaml_emitter_t *to, const struct json *v)
{
	yaml_event_t event;

	return yaml_stream_start_event_initialize(&event, YAML_UTF8_ENCODING) &&
	       yaml_emitter_emit(to, &event) &&
	       yaml_document_start_event_initialize(&event, NULL, NULL, NULL, true) &&
	       yaml_emitter_emit(to, &event) && put_value(to, v) &&
	       yaml_document_end_event_initialize(&event, true) && yaml_emitter_emit(to, &event) &&
	       yaml_stream_end_event_initialize(&event) && yaml_emitter_emit(to, &event);
}

int yaml_write(struct buf *out, const struct json *v, struct err *e)
{
	yaml_emitter_t to;
	int rc = 0;

	if (!yaml_emitter_initialize(&to))
		return err_set(e, "write YAML: out of memory");
	yaml_emitter_set_output(&to, append, out);
	yaml_emitter_set_unicode(&to, true);
	yaml_emitter_set_indent(&to, 2);
	yaml_emitter_set_width(&to, -1);
	if (!put_document(&to, v))
		rc = err_set(e, "write YAML: %s",
			out->full ? "the text does not fit its bound"
				  : (to.problem ? to.problem : "out of memory"));
	yaml_emitter_delete(&to);
	return rc;
}
