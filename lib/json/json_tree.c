// SPDX-License-Identifier: GPL-2.0-or-later
// JSON trees: look-ups and walking.
#include "json/json_impl.h"

#include <stdarg.h>

enum json_type json_type(const struct json *v)
{
	return v ? (enum json_type)v->type : JSON_NULL;
}

bool json_is(const struct json *v, enum json_type type)
{
	return v && v->type == (unsigned)type;
}

static bool is_container(const struct json *v)
{
	return json_is(v, JSON_ARRAY) || json_is(v, JSON_OBJECT);
}

struct json *json_first(const struct json *v)
{
	return is_container(v) && v->last ? v->last->next : NULL;
}

struct json *json_next(const struct json *container, const struct json *child)
{
	return child == container->last ? NULL : child->next;
}

size_t json_count(const struct json *v)
{
	return is_container(v) ? v->n : 0;
}

struct json *json_item(const struct json *v, size_t i)
{
	struct json *child;

	if (i >= json_count(v))
		return NULL;
	for (child = v->last->next; i; i--)
		child = child->next;
	return child;
}

struct str json_key(const struct json *member)
{
	if (!member || !member->key)
		return (struct str){NULL, 0};
	return (struct str){member->key, member->key_len};
}

static const char *as_z(struct str s)
{
	return s.p && !memchr(s.p, 0, s.n) ? s.p : NULL;
}

const char *json_key_z(const struct json *member)
{
	return as_z(json_key(member));
}

struct json *json_get_str(const struct json *obj, struct str key)
{
	if (!json_is(obj, JSON_OBJECT))
		return NULL;
	json_each (member, obj)
		if (str_eq(json_key(member), key))
			return member;
	return NULL;
}

struct json *json_get(const struct json *obj, const char *key)
{
	return json_get_str(obj, str_of(key));
}

struct json *json_path(const struct json *obj, ...)
{
	struct json *found = NULL;
	const char *key;
	va_list ap;

	va_start(ap, obj);
	while ((key = va_arg(ap, const char *)))
		obj = found = json_get(obj, key);
	va_end(ap);
	return found;
}

struct str json_str(const struct json *v)
{
	return json_is(v, JSON_STRING) ? (struct str){v->text, v->n} : (struct str){NULL, 0};
}

const char *json_z(const struct json *v)
{
	return as_z(json_str(v));
}

struct str json_number_text(const struct json *v)
{
	return json_is(v, JSON_NUMBER) ? (struct str){v->text, v->n} : (struct str){NULL, 0};
}

bool json_bool(const struct json *v, bool otherwise)
{
	return json_is(v, JSON_BOOL) ? v->truth : otherwise;
}

bool json_u64(const struct json *v, uint64_t *out)
{
	return str_u64(json_number_text(v), UINT64_MAX, out);
}

bool json_i64(const struct json *v, int64_t *out)
{
	struct str text = json_number_text(v);
	bool negative = text.n && text.p[0] == '-';
	uint64_t size;

	if (negative) {
		text.p++;
		text.n--;
	}
	if (!str_u64(text, (uint64_t)INT64_MAX + negative, &size))
		return false;
	*out = negative ? (int64_t)(0 - size) : (int64_t)size;
	return true;
}

static int compare_keys(const struct json *x, const struct json *y)
{
	if (x->key_len != y->key_len)
		return x->key_len < y->key_len ? -1 : 1;
	return x->key_len ? memcmp(x->key, y->key, x->key_len) : 0;
}

/* A member with its place, so that sorting can be stable. */
struct placed {
	struct json *v;
	size_t place;
};

static int compare_placed(const void *px, const void *py)
{
	const struct placed *x = px, *y = py;
	int order = compare_keys(x->v, y->v);

	return order ? order : x->place < y->place ? -1 : 1;
}

/* The members sorted by key, then place; the caller frees. */
static struct placed *sorted_members(const struct json *obj)
{
	struct placed *all = mem_alloc(obj->n * sizeof(*all));
	size_t n = 0;

	json_each (member, obj) {
		all[n].v = member;
		all[n].place = n;
		n++;
	}
	qsort(all, n, sizeof(*all), compare_placed);
	return all;
}

enum { FEW = 12 }; /* up to here comparing all pairs is cheaper than sorting */

static bool has_duplicates_among_few(const struct json *obj)
{
	json_each (x, obj)
		for (struct json *y = json_next(obj, x); y; y = json_next(obj, y))
			if (!compare_keys(x, y))
				return true;
	return false;
}

static void take_value(struct json *to, const struct json *from)
{
	to->type = from->type;
	to->n = from->n;
	memcpy(&to->text, &from->text, sizeof(to->text));
}

/* Leaves those that were marked by a NULL key out of the ring. */
static void unlink_marked(struct json *obj)
{
	struct json *child = json_first(obj), *next;
	size_t n = obj->n;

	obj->last = NULL;
	obj->n = 0;
	for (; n; n--, child = next) {
		next = child->next;
		child->next = NULL;
		if (child->key)
			json_link(obj, child);
	}
}

void json_merge_duplicates(struct json *obj)
{
	struct placed *all;
	size_t first = 0;

	if (obj->n <= FEW && !has_duplicates_among_few(obj))
		return;
	all = sorted_members(obj);
	for (size_t i = 1; i < obj->n; i++) {
		if (compare_keys(all[first].v, all[i].v)) {
			first = i;
			continue;
		}
		take_value(all[first].v, all[i].v);
	}
	/* marking takes the key away, so it comes when nothing is compared any more */
	for (size_t i = obj->n; i-- > 1;)
		if (!compare_keys(all[i - 1].v, all[i].v))
			all[i].v->key = NULL;
	free(all);
	unlink_marked(obj);
}

static bool equal_members(const struct json *x, const struct json *y)
{
	CLEANUP_FREE struct placed *xs = sorted_members(x);
	CLEANUP_FREE struct placed *ys = sorted_members(y);

	for (size_t i = 0; i < x->n; i++)
		if (compare_keys(xs[i].v, ys[i].v) || !json_equal(xs[i].v, ys[i].v))
			return false;
	return true;
}

static bool equal_elements(const struct json *x, const struct json *y)
{
	const struct json *other = json_first(y);

	json_each (child, x) {
		if (!json_equal(child, other))
			return false;
		other = json_next(y, other);
	}
	return true;
}

bool json_equal(const struct json *x, const struct json *y)
{
	if (!x || !y)
		return x == y;
	if (x->type != y->type)
		return false;
	switch ((enum json_type)x->type) {
	case JSON_NULL:
		return true;
	case JSON_BOOL:
		return x->truth == y->truth;
	case JSON_NUMBER:
	case JSON_STRING:
		return x->n == y->n && (!x->n || !memcmp(x->text, y->text, x->n));
	case JSON_ARRAY:
		return x->n == y->n && equal_elements(x, y);
	case JSON_OBJECT:
		return x->n == y->n && equal_members(x, y);
	}
	return false;
}
