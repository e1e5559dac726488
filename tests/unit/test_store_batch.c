// SPDX-License-Identifier: GPL-2.0-or-later
// Batches: what changes when, what is not written, who may write at a time.
#include "store_fixture.h"

#include <sys/file.h>
#include <sys/wait.h>

static ino_t inode_of(const struct fixture *f, const char *path)
{
	struct stat st;

	assert_int_equal(root_stat(&f->t.root, path, &st), 0);
	return st.st_ino;
}

static void an_unchanged_object_is_not_written(void **state)
{
	struct fixture *f = *state;
	struct store_batch *b = store_batch_new(&f->store);
	ino_t before;
	struct err e;

	put(f, STORE_LOCAL, "a", "one");
	before = inode_of(f, LOCAL_CLAIMS "/a.json");
	add(b, STORE_LOCAL, "a", "one");
	add(b, STORE_LOCAL, "b", "one");
	take(b, STORE_LOCAL, "c");
	take(b, STORE_KEPT, "c");
	assert_int_equal(store_commit(b, &e), 1);
	assert_int_equal(inode_of(f, LOCAL_CLAIMS "/a.json"), before);
	assert_int_equal(store_commit(b, &e), 0);
	assert_false(scratch_has(&f->t, STATE "/kept"));
	scratch_put(&f->t, LOCAL_CLAIMS "/a.json", "{\n  \"value\": \"oNe\"\n}\n");
	add(b, STORE_LOCAL, "a", "one");
	assert_int_equal(store_commit(b, &e), 1);
	expect(f, STORE_LOCAL, "a", "one");
	store_batch_free(b);
}

static void a_batch_changes_nothing_before_its_commit(void **state)
{
	struct fixture *f = *state;
	struct store_batch *b = store_batch_new(&f->store);
	struct err e;

	put(f, STORE_LOCAL, "a", "old");
	put(f, STORE_LOCAL, "gone", "old");
	add(b, STORE_LOCAL, "a", "new");
	add(b, STORE_LOCAL, "b", "new");
	add(b, STORE_OBSERVED, "o", "new");
	take(b, STORE_LOCAL, "gone");
	expect(f, STORE_LOCAL, "a", "old");
	expect(f, STORE_LOCAL, "b", NULL);
	expect(f, STORE_LOCAL, "gone", "old");
	expect(f, STORE_OBSERVED, "o", NULL);
	assert_int_equal(store_commit(b, &e), 4);
	expect(f, STORE_LOCAL, "a", "new");
	expect(f, STORE_LOCAL, "b", "new");
	expect(f, STORE_LOCAL, "gone", NULL);
	expect(f, STORE_OBSERVED, "o", "new");
	add(b, STORE_LOCAL, "a", "dropped");
	add(b, STORE_OBSERVED, "o", "dropped");
	take(b, STORE_LOCAL, "b");
	assert_int_equal(scratch_count(&f->t, LOCAL_CLAIMS), 3);
	store_batch_free(b);
	store_batch_free(NULL);
	expect(f, STORE_LOCAL, "a", "new");
	expect(f, STORE_LOCAL, "b", "new");
	assert_int_equal(scratch_count(&f->t, LOCAL_CLAIMS), 2);
	assert_int_equal(scratch_count(&f->t, OBSERVED_CLAIMS), 1);
}

static void the_last_change_of_an_object_counts(void **state)
{
	struct fixture *f = *state;
	struct store_batch *b = store_batch_new(&f->store);
	struct err e;

	put(f, STORE_LOCAL, "back", "old");
	put(f, STORE_LOCAL, "kept", "old");
	put(f, STORE_LOCAL, "gone", "old");
	add(b, STORE_LOCAL, "back", "new");
	add(b, STORE_LOCAL, "back", "old");
	take(b, STORE_LOCAL, "kept");
	add(b, STORE_LOCAL, "kept", "old");
	add(b, STORE_LOCAL, "gone", "new");
	take(b, STORE_LOCAL, "gone");
	add(b, STORE_LOCAL, "new", "1");
	add(b, STORE_LOCAL, "new", "2");
	add(b, STORE_LOCAL, "new", "3");
	add(b, STORE_LOCAL, "never", "1");
	take(b, STORE_LOCAL, "never");
	add(b, STORE_OBSERVED, "new", "of another tree");
	assert_int_equal(store_commit(b, &e), 3);
	store_batch_free(b);
	expect(f, STORE_LOCAL, "back", "old");
	expect(f, STORE_LOCAL, "kept", "old");
	expect(f, STORE_LOCAL, "gone", NULL);
	expect(f, STORE_LOCAL, "new", "3");
	expect(f, STORE_LOCAL, "never", NULL);
	expect(f, STORE_OBSERVED, "new", "of another tree");
	assert_int_equal(scratch_count(&f->t, LOCAL_CLAIMS), 3);
}

static void a_batch_may_be_large(void **state)
{
	struct fixture *f = *state;
	CLEANUP_ARENA struct arena mem = {0};
	struct store_batch *b = store_batch_new(&f->store);
	char **names, name[16];
	size_t n;
	struct err e;

	for (int i = 0; i < 1500; i++) {
		snprintf(name, sizeof(name), "vf-%04d", i);
		add(b, STORE_KEPT, name, name);
	}
	assert_int_equal(store_commit(b, &e), 1500);
	assert_int_equal(store_list(&f->store, STORE_KEPT, CLAIMS, &mem, &names, &n, &e), 0);
	assert_int_equal(n, 1500);
	for (size_t i = 0; i < n; i++) {
		expect(f, STORE_KEPT, names[i], names[i]);
		take(b, STORE_KEPT, names[i]);
	}
	assert_int_equal(store_commit(b, &e), 1500);
	assert_int_equal(scratch_count(&f->t, STATE "/kept/" CLAIMS), 0);
	store_batch_free(b);
}

static void a_commit_goes_on_after_an_error(void **state)
{
	struct fixture *f = *state;
	struct store_batch *b = store_batch_new(&f->store);
	struct err e;

	scratch_put(&f->t, LOCAL_CLAIMS "/b.json/x", "");
	scratch_put(&f->t, LOCAL_CLAIMS "/r.json/x", "");
	put(f, STORE_LOCAL, "gone", "old");
	add(b, STORE_LOCAL, "a", "new");
	add(b, STORE_LOCAL, "b", "new");
	take(b, STORE_LOCAL, "r");
	take(b, STORE_LOCAL, "gone");
	add(b, STORE_LOCAL, "c", "new");
	assert_int_equal(store_commit(b, &e), -1);
	assert_non_null(strstr(e.text, "replace /" LOCAL_CLAIMS "/b.json: "));
	store_batch_free(b);
	expect(f, STORE_LOCAL, "a", "new");
	expect(f, STORE_LOCAL, "c", "new");
	expect(f, STORE_LOCAL, "gone", NULL);
	assert_int_equal(scratch_count(&f->t, LOCAL_CLAIMS), 4);
}

static void leftovers_go_with_the_next_write(void **state)
{
	struct fixture *f = *state;
	struct store_batch *b = store_batch_new(&f->store), *other = store_batch_new(&f->store);
	struct err e;

	put(f, STORE_LOCAL, "a", "old");
	scratch_put(&f->t, LOCAL_CLAIMS "/.vfiobox-77-1", "{\"value\": \"ha");
	scratch_put(&f->t, LOCAL_CLAIMS "/.vfiobox-77-2", "");
	scratch_put(&f->t, LOCAL_CLAIMS "/.editor.swp", "");
	put(f, STORE_LOCAL, "a", "old");
	assert_int_equal(scratch_count(&f->t, LOCAL_CLAIMS), 4);
	add(b, STORE_LOCAL, "a", "new");
	assert_int_equal(scratch_count(&f->t, LOCAL_CLAIMS), 3);
	add(other, STORE_LOCAL, "b", "new");
	put(f, STORE_LOCAL, "c", "new");
	assert_int_equal(scratch_count(&f->t, LOCAL_CLAIMS), 5);
	assert_int_equal(store_commit(other, &e), 1);
	assert_int_equal(store_commit(b, &e), 1);
	store_batch_free(b);
	store_batch_free(other);
	expect(f, STORE_LOCAL, "a", "new");
	expect(f, STORE_LOCAL, "b", "new");
	expect(f, STORE_LOCAL, "c", "new");
	assert_int_equal(scratch_count(&f->t, LOCAL_CLAIMS), 4);
}

static void a_directory_that_stays_locked_is_an_error(void **state)
{
	struct fixture *f = *state;
	CLEANUP_ARENA struct arena mem = {0};
	CLEANUP_CLOSE int fd = -1;
	struct err e;

	put(f, STORE_LOCAL, "a", "old");
	fd = root_open(&f->t.root, LOCAL_CLAIMS, O_RDONLY, 0);
	assert_int_equal(flock(fd, LOCK_EX), 0);
	assert_int_equal(
		store_put_now(&f->store, STORE_LOCAL, CLAIMS, "a", object(&mem, "x"), &e), -1);
	assert_non_null(strstr(e.text, "locked"));
	expect(f, STORE_LOCAL, "a", "old");
}

/* Each writes an object of a length of its own, again and again. */
static void write_often(const struct fixture *f, char c)
{
	CLEANUP_ARENA struct arena mem = {0};
	char *value = arena_alloc(&mem, 5000);
	struct json *o;
	struct err e;

	memset(value, c, (size_t)(c - 'a') * 1000 + 500);
	o = object(&mem, value);
	for (int i = 0; i < 200; i++)
		if (store_put_now(&f->store, STORE_OBSERVED, CLAIMS, "a", o, &e) < 0)
			_exit(1);
	_exit(0);
}

static void read_often(const struct fixture *f, size_t running)
{
	int status;

	while (running) {
		CLEANUP_ARENA struct arena mem = {0};
		struct json *o;
		struct str v;
		struct err e;

		if (waitpid(-1, &status, WNOHANG) > 0) {
			assert_int_equal(status, 0);
			running--;
		}
		assert_int_equal(
			store_read(&f->store, STORE_OBSERVED, CLAIMS, "a", &mem, &o, &e), 0);
		v = json_str(json_get(o, "value"));
		if (!o)
			continue;
		assert_int_equal(v.n, (size_t)(v.p[0] - 'a') * 1000 + 500);
		assert_int_equal(v.p[v.n - 1], v.p[0]);
	}
}

static void writers_at_once_leave_whole_files(void **state)
{
	struct fixture *f = *state;

	for (char c = 'a'; c < 'd'; c++) {
		pid_t pid = fork();

		assert_true(pid >= 0);
		if (pid == 0)
			write_often(f, c);
	}
	read_often(f, 3);
	assert_int_equal(scratch_count(&f->t, OBSERVED_CLAIMS), 1);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
		TEST(an_unchanged_object_is_not_written),
		TEST(a_batch_changes_nothing_before_its_commit),
		TEST(the_last_change_of_an_object_counts),
		TEST(a_batch_may_be_large),
		TEST(a_commit_goes_on_after_an_error),
		TEST(leftovers_go_with_the_next_write),
		TEST(a_directory_that_stays_locked_is_an_error),
		TEST(writers_at_once_leave_whole_files),
	};

	return cmocka_run_group_tests_name("store_batch", tests, NULL, NULL);
}
