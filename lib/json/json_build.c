// SPDX-License-Identifier: GPL-2.0-or-later
// JSON trees: making and changing them.
#include "json/json_impl.h"

#include "base/utf8.h"

#include <inttypes.h>
#include <stdio.h>

struct json *json_node(struct arena *a, enum json_type type)
{
	struct json *v = arena_alloc(a, sizeof(*v));

	v->type = type & 7;
	return v;
}

void json_link(struct json *c, struct json *v)
{
	if (c->last) {
		v->next = c->last->next;
		c->last->next = v;
	} else {
		v->next = v;
	}
	c->last = v;
	c->n++;
}

static bool is_utf8(const char *p, size_t n)
{
	uint32_t cp;

	while (n) {
		size_t len = utf8_decode(p, n, &cp);

		if (!len)
			return false;
		p += len;
		n -= len;
	}
	return true;
}

/* A copy in `a` where each byte that belongs to no character has become U+FFFD. */
static struct str repaired(struct arena *a, const char *p, size_t n)
{
	char *text = arena_alloc(a, 3 * n + 1);
	size_t to = 0;
	uint32_t cp;

	while (n) {
		size_t len = utf8_decode(p, n, &cp);

		to += utf8_encode(len ? cp : 0xfffd, text + to);
		len = len ? len : 1;
		p += len;
		n -= len;
	}
	return (struct str){text, to};
}

static struct str valid(struct arena *a, const char *p, size_t n)
{
	if (n > JSON_MAX_SIZE)
		abort();
	return is_utf8(p, n) ? (struct str){p, n} : repaired(a, p, n);
}

static struct json *with_text(struct arena *a, enum json_type type, const char *p, size_t n)
{
	struct json *v = json_node(a, type);
	struct str text = valid(a, p, n);

	v->text = arena_dup(a, text.p, text.n);
	v->n = (uint32_t)text.n;
	return v;
}

struct json *json_null(struct arena *a)
{
	return json_node(a, JSON_NULL);
}

struct json *json_boolean(struct arena *a, bool b)
{
	struct json *v = json_node(a, JSON_BOOL);

	v->truth = b;
	return v;
}

struct json *json_int(struct arena *a, int64_t n)
{
	char text[24];
	int len = snprintf(text, sizeof(text), "%" PRId64, n);

	return with_text(a, JSON_NUMBER, text, (size_t)len);
}

struct json *json_uint(struct arena *a, uint64_t n)
{
	char text[24];
	int len = snprintf(text, sizeof(text), "%" PRIu64, n);

	return with_text(a, JSON_NUMBER, text, (size_t)len);
}

struct json *json_string(struct arena *a, const char *p, size_t n)
{
	return with_text(a, JSON_STRING, p, n);
}

struct json *json_stringz(struct arena *a, const char *z)
{
	return z ? json_string(a, z, strlen(z)) : NULL;
}

struct json *json_object(struct arena *a)
{
	return json_node(a, JSON_OBJECT);
}

struct json *json_array(struct arena *a)
{
	return json_node(a, JSON_ARRAY);
}

/* The value itself while it is in no container; two containers cannot share a node. */
static struct json *linkable(struct arena *a, struct json *v)
{
	return v->next ? json_copy(a, v) : v;
}

static struct json *before(const struct json *container, const struct json *child)
{
	struct json *at = container->last;

	while (at->next != child)
		at = at->next;
	return at;
}

static void detach(struct json *v)
{
	v->next = NULL;
	v->key = NULL;
	v->key_len = 0;
}

static void replace(struct json *obj, struct json *old, struct json *v)
{
	struct json *prev = before(obj, old);

	v->key = old->key;
	v->key_len = old->key_len;
	v->next = old->next == old ? v : old->next;
	if (prev != old)
		prev->next = v;
	if (obj->last == old)
		obj->last = v;
	detach(old);
}

struct json *json_set_str(struct arena *a, struct json *obj, struct str key, struct json *v)
{
	struct json *old;

	if (!v || !json_is(obj, JSON_OBJECT))
		return NULL;
	key = valid(a, key.p, key.n);
	old = json_get_str(obj, key);
	if (old && old == v)
		return v;
	v = linkable(a, v);
	if (old) {
		replace(obj, old, v);
		return v;
	}
	v->key = arena_dup(a, key.p, key.n);
	v->key_len = key.n & ((1U << 29) - 1);
	json_link(obj, v);
	return v;
}

struct json *json_set(struct arena *a, struct json *obj, const char *key, struct json *v)
{
	return json_set_str(a, obj, str_of(key), v);
}

struct json *json_add(struct arena *a, struct json *arr, struct json *v)
{
	if (!v || !json_is(arr, JSON_ARRAY))
		return NULL;
	v = linkable(a, v);
	json_link(arr, v);
	return v;
}

void json_set_z(struct arena *a, struct json *obj, const char *key, const char *z)
{
	json_set(a, obj, key, json_stringz(a, z));
}

void json_set_bool(struct arena *a, struct json *obj, const char *key, bool b)
{
	json_set(a, obj, key, json_boolean(a, b));
}

void json_set_int(struct arena *a, struct json *obj, const char *key, int64_t n)
{
	json_set(a, obj, key, json_int(a, n));
}

struct json *json_make(struct arena *a, struct json *obj, const char *key)
{
	struct json *old = json_get(obj, key);

	return json_is(old, JSON_OBJECT) ? old : json_set(a, obj, key, json_object(a));
}

bool json_remove(struct json *obj, const char *key)
{
	struct json *old = json_get(obj, key), *prev;

	if (!old)
		return false;
	prev = before(obj, old);
	prev->next = old->next;
	if (obj->last == old)
		obj->last = prev == old ? NULL : prev;
	obj->n--;
	detach(old);
	return true;
}

static void copy_children(struct arena *a, struct json *to, const struct json *from)
{
	json_each (child, from) {
		struct json *copy = json_copy(a, child);

		if (child->key) {
			copy->key = arena_dup(a, child->key, child->key_len);
			copy->key_len = child->key_len;
		}
		json_link(to, copy);
	}
}

struct json *json_copy(struct arena *a, const struct json *v)
{
	struct json *copy;

	if (!v)
		return NULL;
	copy = json_node(a, (enum json_type)v->type);
	if (v->type == JSON_STRING || v->type == JSON_NUMBER) {
		copy->text = arena_dup(a, v->text, v->n);
		copy->n = v->n;
	} else if (v->type == JSON_BOOL) {
		copy->truth = v->truth;
	} else {
		copy_children(a, copy, v);
	}
	return copy;
}
