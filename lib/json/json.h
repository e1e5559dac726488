// SPDX-License-Identifier: GPL-2.0-or-later
// JSON (RFC 8259) as a tree in an arena: strict parser, look-ups, building, writer. Bytes with
// lengths throughout: a string may hold U+0000. Every string and key of a tree is valid UTF-8.
#ifndef JSON_JSON_H
#define JSON_JSON_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"

/* Bounds of the parser: nested containers and bytes of text. */
enum { JSON_MAX_DEPTH = 512, JSON_MAX_SIZE = 64 * 1024 * 1024 };

enum json_type { JSON_NULL, JSON_BOOL, JSON_NUMBER, JSON_STRING, JSON_ARRAY, JSON_OBJECT };

/* A value; inside an object it carries its key. Owned by the arena it was made in, 32 bytes. All
 * functions that take a value to look at take NULL too and treat it as absent. */
struct json;

/* Parser */

/* Parses the whole of p[0..n), which is copied: the tree borrows nothing from it. NULL and `e` when
 * it is not exactly one JSON text. e->text reads "line L, column C: expected X, found Y"; lines
 * count from 1 by '\n', columns from 1 in bytes; no number (e->no is 0). Refused too: a byte order
 * mark, invalid UTF-8, lone surrogates, more than JSON_MAX_DEPTH nested containers, more than
 * JSON_MAX_SIZE bytes. Of a key that comes twice the last value counts, at the place of the first;
 * O(n log n). After an error the arena may hold leftovers until it is freed. */
struct json *json_parse(struct arena *a, const char *p, size_t n, struct err *e);

/* Look-ups */

/* The type; JSON_NULL for NULL. */
enum json_type json_type(const struct json *v);
/* False for NULL, whatever the type: tells an absent member from a null. */
bool json_is(const struct json *v, enum json_type type);

/* The member of an object; NULL when absent, when `obj` is NULL or no object. O(members). */
struct json *json_get(const struct json *obj, const char *key);
struct json *json_get_str(const struct json *obj, struct str key);
/* json_path(v, "metadata", "name", NULL): json_get() key by key. */
struct json *json_path(const struct json *obj, ...) __attribute__((sentinel));

/* A string's bytes, borrowed from the tree; {NULL, 0} when it is no string ("" has p set). */
struct str json_str(const struct json *v);
/* The same as a C string, borrowed; NULL when it is no string or holds U+0000. */
const char *json_z(const struct json *v);
/* A number's text as it was written ("1e400", "-0", "1.0"), borrowed; {NULL, 0} for no number. */
struct str json_number_text(const struct json *v);
/* True or false; `otherwise` when it is no bool. */
bool json_bool(const struct json *v, bool otherwise);
/* Exact integers: digits with an optional minus (i64), in range. False, and *out untouched, for
 * anything else: 1.0 and 1e3 are not integers here. */
bool json_i64(const struct json *v, int64_t *out);
bool json_u64(const struct json *v, uint64_t *out);

/* Number of elements or members; 0 for everything else. O(1). */
size_t json_count(const struct json *v);
/* The elements of an array or the members of an object in order; NULL at the end. While walking,
 * the container must not be changed. */
struct json *json_first(const struct json *v);
struct json *json_next(const struct json *container, const struct json *child);
#define json_each(child, container)                                                                \
	for (struct json *child = json_first(container); child; child = json_next(container, child))
/* The key of a value inside an object, borrowed; {NULL, 0} for others. */
struct str json_key(const struct json *member);
/* The same as a C string, borrowed; NULL when it has no key or the key holds U+0000. */
const char *json_key_z(const struct json *member);
/* The i-th element of an array (or member), from 0; NULL when there is none. O(i). */
struct json *json_item(const struct json *v, size_t i);

/* Deep: objects irrespective of the order of their members, numbers by their text. Two NULLs are
 * equal. */
bool json_equal(const struct json *x, const struct json *y);

/* Building. What is made lives in `a`; all texts are copied. Bytes that are not UTF-8 become
 * U+FFFD, so that what is written can always be read. A text over JSON_MAX_SIZE aborts. */

struct json *json_null(struct arena *a);
struct json *json_boolean(struct arena *a, bool b);
struct json *json_int(struct arena *a, int64_t n);
struct json *json_uint(struct arena *a, uint64_t n);
struct json *json_string(struct arena *a, const char *p, size_t n);
struct json *json_stringz(struct arena *a, const char *z); /* NULL gives NULL: json_set skips it */
struct json *json_object(struct arena *a);
struct json *json_array(struct arena *a);

/* Sets a member: replaces it at its place, or appends. Returns the value as it is in the tree: `v`
 * itself, or, when `v` is in a container already, a deep copy of it. Nothing is done and NULL comes
 * back when v is NULL or obj is no object. `v` must live as long as `obj`: same arena, or one that
 * is freed later. O(members). */
struct json *json_set(struct arena *a, struct json *obj, const char *key, struct json *v);
struct json *json_set_str(struct arena *a, struct json *obj, struct str key, struct json *v);
/* Appends an element; result, NULL and life time as json_set(). O(1). */
struct json *json_add(struct arena *a, struct json *arr, struct json *v);
/* Short forms of json_set() with a new value; a NULL string sets nothing. */
void json_set_z(struct arena *a, struct json *obj, const char *key, const char *z);
void json_set_bool(struct arena *a, struct json *obj, const char *key, bool b);
void json_set_int(struct arena *a, struct json *obj, const char *key, int64_t n);
/* The member when it is an object already, else a new empty object set in its place. */
struct json *json_make(struct arena *a, struct json *obj, const char *key);
/* Takes a member out; false when there was none. */
bool json_remove(struct json *obj, const char *key);
/* Deep copy, all of it in `a`; in no container, without a key. NULL gives NULL. */
struct json *json_copy(struct arena *a, const struct json *v);

/* Writer */

enum json_style {
	JSON_MINIMAL, /* no white space at all */
	JSON_PRETTY,  /* a line per element, two blanks of indent, `"key": value` */
};

/* Appends the text of `v` (NULL: null), without a newline at the end. Order kept; escaped is only
 * what RFC 8259 demands, in its short form where there is one; the rest is raw UTF-8. A bounded
 * buffer that is too small has `full` set. */
void json_write(struct buf *out, const struct json *v, enum json_style style);

#endif
