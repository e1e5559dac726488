// SPDX-License-Identifier: GPL-2.0-or-later
// What the store asks of the disk, and in which order: contents before names, names before success.
#include "store/store.h"

#include "scratch.h"
#include "traced.h"

#define CLAIMS "pcideviceclaims"
#define STATE "var/lib/vfiobox"
#define LOCAL_CLAIMS STATE "/desired/local/" CLAIMS

#if defined(__x86_64__)

/* One letter per call that counts here: m(kdir) s(ync) r(ename) u(nlink). */
struct calls {
	struct scratch t;
	struct store store;
	char made[512];
};

static int set_up(void **state)
{
	struct calls *c = mem_alloc(sizeof(*c));
	struct err e;

	scratch_open(&c->t);
	assert_int_equal(store_init(&c->store, &c->t.root, NULL, &e), 0);
	*state = c;
	return 0;
}

static int tear_down(void **state)
{
	struct calls *c = *state;

	scratch_close(&c->t);
	free(c);
	return 0;
}

static char letter_of(long call)
{
	switch (call) {
	case SYS_mkdirat:
		return 'm';
	case SYS_fsync:
		return 's';
	case SYS_renameat:
		return 'r';
	case SYS_unlinkat:
		return 'u';
	default:
		return 0;
	}
}

static const char *trace(struct calls *c, int (*work)(void *ctx))
{
	pid_t pid;
	size_t n = 0;
	int status;

	skip_without_ptrace();
	pid = traced_start(work, c);
	while (traced_next(pid, &status)) {
		char letter = letter_of(traced_call(pid));

		if (letter && n < sizeof(c->made) - 1)
			c->made[n++] = letter;
		if (!traced_next(pid, &status))
			break;
	}
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
	c->made[n] = 0;
	return c->made;
}

static int put(struct calls *c, enum store_tree t, const char *first, const char *last)
{
	CLEANUP_ARENA struct arena mem = {0};
	struct store_batch *b = store_batch_new(&c->store);
	char name[2] = {first[0], 0};
	struct err e;
	int rc = 0;

	for (; rc == 0 && name[0] <= last[0]; name[0]++)
		rc = store_put(b, t, CLAIMS, name, json_object(&mem), &e);
	if (rc == 0 && t == STORE_LOCAL)
		rc = store_remove(b, t, CLAIMS, "gone", &e);
	if (rc == 0)
		rc = store_commit(b, &e);
	store_batch_free(b);
	return rc < 0;
}

static int put_one(void *ctx)
{
	return put(ctx, STORE_KEPT, "a", "a");
}

static int put_some(void *ctx)
{
	return put(ctx, STORE_LOCAL, "a", "c");
}

static int put_observed(void *ctx)
{
	return put(ctx, STORE_OBSERVED, "a", "c");
}

static int list_and_read(void *ctx)
{
	struct calls *c = ctx;
	CLEANUP_ARENA struct arena mem = {0};
	struct json *o;
	char **names;
	size_t n;
	struct err e;

	return store_list(&c->store, STORE_LOCAL, CLAIMS, &mem, &names, &n, &e) < 0 || n != 4 ||
	       store_read(&c->store, STORE_LOCAL, CLAIMS, "a", &mem, &o, &e) < 0;
}

static void make_old(const struct calls *c, const char *dir)
{
	static const struct timespec old[2] = {{.tv_sec = 1000}, {.tv_sec = 1000}};
	CLEANUP_FREE char *path = scratch_path(&c->t, dir);

	assert_int_equal(utimensat(AT_FDCWD, path, old, 0), 0);
}

static void new_directories_are_synced(void **state)
{
	/* var, lib, vfiobox, kept, pcideviceclaims, each into its parent; then the object */
	assert_string_equal(trace(*state, put_one), "msmsmsmsms"
						    "srs");
}

static void contents_then_names_then_the_directory_once(void **state)
{
	struct calls *c = *state;

	scratch_put(&c->t, LOCAL_CLAIMS "/gone.json", "{}");
	scratch_put(&c->t, LOCAL_CLAIMS "/a.json", "{ }");
	assert_string_equal(trace(c, put_some), "sssrrrus");
}

static void what_is_of_this_boot_is_not_synced(void **state)
{
	assert_string_equal(trace(*state, put_observed), "mmmmrrr");
	assert_string_equal(trace(*state, put_observed), "");
}

static void nothing_changed_costs_nothing(void **state)
{
	struct calls *c = *state;

	assert_non_null(trace(c, put_one));
	make_old(c, STATE "/kept/" CLAIMS);
	assert_string_equal(trace(c, put_one), "");
}

/* The writer before was killed after the rename: its success is made true now. */
static void what_was_renamed_a_moment_ago_is_synced(void **state)
{
	assert_non_null(trace(*state, put_one));
	assert_string_equal(trace(*state, put_one), "s");
}

static void reading_changes_nothing(void **state)
{
	struct calls *c = *state;

	scratch_put(&c->t, LOCAL_CLAIMS "/gone.json", "{}");
	assert_non_null(trace(c, put_some));
	scratch_put(&c->t, LOCAL_CLAIMS "/gone.json", "{}");
	scratch_put(&c->t, LOCAL_CLAIMS "/.vfiobox-1-1", "{");
	assert_string_equal(trace(c, list_and_read), "");
	assert_true(scratch_has(&c->t, LOCAL_CLAIMS "/.vfiobox-1-1"));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
		TEST(new_directories_are_synced),
		TEST(contents_then_names_then_the_directory_once),
		TEST(what_is_of_this_boot_is_not_synced),
		TEST(nothing_changed_costs_nothing),
		TEST(what_was_renamed_a_moment_ago_is_synced),
		TEST(reading_changes_nothing),
	};

	return cmocka_run_group_tests_name("store_calls", tests, NULL, NULL);
}

#else

/* Registers are read of x86_64 only, where the same code runs natively. */
static void calls_are_traced_on_x86_64(void **state)
{
	(void)state;
	skip();
}

int main(void)
{
	static const struct CMUnitTest tests[] = {cmocka_unit_test(calls_are_traced_on_x86_64)};

	return cmocka_run_group_tests_name("store_calls", tests, NULL, NULL);
}

#endif
