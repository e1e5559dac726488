// SPDX-License-Identifier: GPL-2.0-or-later
// What the tests of the store share: objects of one value in a scratch tree.
#ifndef TESTS_STORE_FIXTURE_H
#define TESTS_STORE_FIXTURE_H

#include "scratch.h"
#include "store/store.h"

#define CLAIMS "pcideviceclaims"
#define STATE "var/lib/vfiobox"
#define LOCAL_CLAIMS STATE "/desired/local/" CLAIMS
#define OBSERVED_CLAIMS "run/vfiobox/observed/" CLAIMS

/* A store in a scratch tree. */
struct fixture {
	struct scratch t;
	struct store store;
};

static inline int set_up(void **state)
{
	struct fixture *f = mem_alloc(sizeof(*f));
	struct err e;

	scratch_open(&f->t);
	assert_int_equal(store_init(&f->store, &f->t.root, NULL, &e), 0);
	*state = f;
	return 0;
}

static inline int tear_down(void **state)
{
	struct fixture *f = *state;

	scratch_close(&f->t);
	free(f);
	return 0;
}

static inline struct json *object(struct arena *mem, const char *value)
{
	struct json *o = json_object(mem);

	json_set_z(mem, o, "value", value);
	return o;
}

static inline void put(
	const struct fixture *f, enum store_tree t, const char *name, const char *value)
{
	CLEANUP_ARENA struct arena mem = {0};
	struct err e = {0};

	if (store_put_now(&f->store, t, CLAIMS, name, object(&mem, value), &e) < 0)
		fail_msg("%s", e.text);
}

static inline void add(
	struct store_batch *b, enum store_tree t, const char *name, const char *value)
{
	CLEANUP_ARENA struct arena mem = {0};
	struct err e = {0};

	if (store_put(b, t, CLAIMS, name, object(&mem, value), &e) < 0)
		fail_msg("%s", e.text);
}

static inline void take(struct store_batch *b, enum store_tree t, const char *name)
{
	struct err e = {0};

	if (store_remove(b, t, CLAIMS, name, &e) < 0)
		fail_msg("%s", e.text);
}

/* NULL: there must be no such object. */
static inline void expect(
	const struct fixture *f, enum store_tree t, const char *name, const char *value)
{
	CLEANUP_ARENA struct arena mem = {0};
	struct json *o;
	struct err e = {0};

	if (store_read(&f->store, t, CLAIMS, name, &mem, &o, &e) < 0)
		fail_msg("%s", e.text);
	if (!value) {
		assert_null(o);
		return;
	}
	assert_non_null(o);
	assert_string_equal(json_z(json_get(o, "value")), value);
}

#endif
