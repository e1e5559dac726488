// SPDX-License-Identifier: GPL-2.0-or-later
// The node of a JSON tree: for the files of this module only.
#ifndef JSON_JSON_IMPL_H
#define JSON_JSON_IMPL_H

#include "json/json.h"

/* Children are a ring: a container points at its last child, the last child at the first. `next` is
 * therefore never NULL inside a container, and NULL outside. */
struct json {
	struct json *next;
	const char *key; /* with a NUL after it; NULL outside an object */
	union {
		const char *text;  /* string, with a NUL after it; number, without */
		struct json *last; /* array, object; NULL when empty */
		bool truth;
	};
	uint32_t type : 3;
	uint32_t key_len : 29;
	uint32_t n; /* bytes of text, or children */
};

_Static_assert(sizeof(struct json) <= 4 * sizeof(uint64_t), "a node is 32 bytes");
_Static_assert(JSON_MAX_SIZE < 1 << 29, "a key's length fits its bits");

struct json *json_node(struct arena *a, enum json_type type);
/* Appends `v`, which is in no container, to the children of `c`. */
void json_link(struct json *c, struct json *v);
/* Of members with the same key: keeps the first one's place and the last one's value. */
void json_merge_duplicates(struct json *obj);

#endif
