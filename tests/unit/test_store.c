// SPDX-License-Identifier: GPL-2.0-or-later
// The directories of objects: names, reading, listing, batches, who may write at a time.
#include "store/store.h"

#include "scratch.h"

#include <signal.h>
#include <sys/file.h>
#include <sys/wait.h>

#define CLAIMS "pcideviceclaims"
#define STATE "var/lib/vfiobox"
#define LOCAL_CLAIMS STATE "/desired/local/" CLAIMS
#define OBSERVED_CLAIMS "run/vfiobox/observed/" CLAIMS

struct fixture {
	struct scratch t;
	struct store store;
};

static int set_up(void **state)
{
	struct fixture *f = mem_alloc(sizeof(*f));
	struct err e;

	scratch_open(&f->t);
	assert_int_equal(store_init(&f->store, &f->t.root, NULL, &e), 0);
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	scratch_close(&f->t);
	free(f);
	return 0;
}

static struct json *object(struct arena *mem, const char *value)
{
	struct json *o = json_object(mem);

	json_set_z(mem, o, "value", value);
	return o;
}

static void put(const struct fixture *f, enum store_tree t, const char *name, const char *value)
{
	CLEANUP_ARENA struct arena mem = {0};
	struct err e = {0};

	if (store_put_now(&f->store, t, CLAIMS, name, object(&mem, value), &e) < 0)
		fail_msg("%s", e.text);
}

static void add(struct store_batch *b, enum store_tree t, const char *name, const char *value)
{
	CLEANUP_ARENA struct arena mem = {0};
	struct err e = {0};

	if (store_put(b, t, CLAIMS, name, object(&mem, value), &e) < 0)
		fail_msg("%s", e.text);
}

static void take(struct store_batch *b, enum store_tree t, const char *name)
{
	struct err e = {0};

	if (store_remove(b, t, CLAIMS, name, &e) < 0)
		fail_msg("%s", e.text);
}

/* NULL: there must be no such object. */
static void expect(const struct fixture *f, enum store_tree t, const char *name, const char *value)
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

static void expect_unreadable(const struct fixture *f, const char *name, const char *why)
{
	CLEANUP_ARENA struct arena mem = {0};
	struct json *o = NULL;
	struct err e = {0};

	assert_int_equal(store_read(&f->store, STORE_LOCAL, CLAIMS, name, &mem, &o, &e), -1);
	assert_null(o);
	if (!strstr(e.text, why) || !strstr(e.text, "/" LOCAL_CLAIMS "/"))
		fail_msg("%s: %s", name, e.text);
}

static void the_state_directory_is_checked(void **state)
{
	static const char *const bad[] = {
		"", "/", "//", "var/lib/x", "./x", "/var/../etc", "/..", "/var/lib/.."};
	struct fixture *f = *state;
	char longest[256] = "/", out[300];
	struct store s;
	struct err e;

	assert_string_equal(f->store.state, "/var/lib/vfiobox");
	assert_string_equal(f->store.run, "/run/vfiobox");
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_int_equal(store_init(&s, &f->t.root, bad[i], &e), -1);
	assert_int_equal(store_init(&s, &f->t.root, "//oem/./vfiobox//", &e), 0);
	assert_string_equal(s.state, "/oem/vfiobox");
	memset(longest + 1, 'x', sizeof(longest) - 2);
	assert_int_equal(store_init(&s, &f->t.root, longest, &e), 0);
	assert_string_equal(s.state, longest);
	snprintf(out, sizeof(out), "%sx", s.state);
	assert_int_equal(store_init(&s, &f->t.root, out, &e), -1);
	assert_int_equal(scratch_count(&f->t, "."), 0);
}

static void names_are_checked_before_paths_are_made(void **state)
{
	static const char *const bad[] = {
		"", ".", "..", ".x", "a/b", "../x", "A", "a b", "a_b", "a\n", "\xc3\xa9"};
	struct fixture *f = *state;
	char name[300];

	memset(name, 'a', sizeof(name));
	assert_true(store_name_ok((struct str){name, 250}));
	assert_false(store_name_ok((struct str){name, 251}));
	assert_true(store_name_ok(STR("node-1.example-0000650000")));
	assert_false(store_name_ok(STR("a\0b")));
	name[250] = 0;
	put(f, STORE_LOCAL, name, "longest");
	expect(f, STORE_LOCAL, name, "longest");
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		CLEANUP_ARENA struct arena mem = {0};
		struct json *o = object(&mem, "x");
		char **names;
		size_t n;
		struct err e;

		assert_false(store_name_ok(str_of(bad[i])));
		assert_int_equal(store_put_now(&f->store, STORE_KEPT, CLAIMS, bad[i], o, &e), -1);
		assert_int_equal(store_put_now(&f->store, STORE_KEPT, bad[i], "x", o, &e), -1);
		assert_int_equal(store_remove_now(&f->store, STORE_KEPT, CLAIMS, bad[i], &e), -1);
		assert_int_equal(
			store_read(&f->store, STORE_KEPT, CLAIMS, bad[i], &mem, &o, &e), -1);
		assert_int_equal(
			store_list(&f->store, STORE_KEPT, bad[i], &mem, &names, &n, &e), -1);
		assert_int_equal(store_mark_complete(&f->store, bad[i], &e), -1);
		assert_int_equal(store_lock(&f->store, bad[i], 0, &e), -1);
		assert_false(store_is_complete(&f->store, bad[i]));
	}
	assert_false(scratch_has(&f->t, STATE "/kept"));
	assert_int_equal(scratch_count(&f->t, "run"), 0);
}

static void what_is_written_is_read(void **state)
{
	struct fixture *f = *state;
	CLEANUP_FREE char *path = scratch_path(&f->t, LOCAL_CLAIMS "/a.json");
	CLEANUP_FREE char *dir = scratch_path(&f->t, STATE "/desired");
	CLEANUP_FREE char *text = NULL;
	mode_t mask = umask(077);
	struct stat st;

	put(f, STORE_LOCAL, "a", "one");
	umask(mask);
	expect(f, STORE_LOCAL, "a", "one");
	expect(f, STORE_CLUSTER, "a", NULL);
	text = scratch_get(&f->t, LOCAL_CLAIMS "/a.json");
	assert_string_equal(text, "{\n  \"value\": \"one\"\n}\n");
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode, S_IFREG | 0644);
	assert_int_equal(stat(dir, &st), 0);
	assert_int_equal(st.st_mode, S_IFDIR | 0755);
	put(f, STORE_LOCAL, "a", "two, and longer");
	expect(f, STORE_LOCAL, "a", "two, and longer");
	put(f, STORE_LOCAL, "a", "3");
	expect(f, STORE_LOCAL, "a", "3");
	put(f, STORE_CLUSTER, "a", "cluster");
	put(f, STORE_KEPT, "a", "kept");
	put(f, STORE_OBSERVED, "a", "observed");
	assert_true(scratch_has(&f->t, STATE "/desired/cluster/" CLAIMS "/a.json"));
	assert_true(scratch_has(&f->t, STATE "/kept/" CLAIMS "/a.json"));
	assert_true(scratch_has(&f->t, OBSERVED_CLAIMS "/a.json"));
	assert_int_equal(scratch_count(&f->t, LOCAL_CLAIMS), 1);
}

static void what_cannot_be_read_is_not_absent(void **state)
{
	struct fixture *f = *state;
	CLEANUP_FREE char *big = mem_alloc(4 * 1024 * 1024 + 2);
	CLEANUP_FREE char *link = scratch_path(&f->t, LOCAL_CLAIMS "/link.json");
	CLEANUP_FREE char *fifo = scratch_path(&f->t, LOCAL_CLAIMS "/fifo.json");

	expect(f, STORE_LOCAL, "a", NULL);
	scratch_mkdir(&f->t, LOCAL_CLAIMS "/dir.json");
	expect(f, STORE_LOCAL, "a", NULL);
	scratch_put(&f->t, LOCAL_CLAIMS "/half.json", "{\"value\": \"on");
	scratch_put(&f->t, LOCAL_CLAIMS "/empty.json", "");
	scratch_put(&f->t, LOCAL_CLAIMS "/array.json", "[]");
	scratch_put(&f->t, LOCAL_CLAIMS "/twice.json", "{}{}");
	memset(big, ' ', 4 * 1024 * 1024 + 1);
	big[0] = '{';
	big[4 * 1024 * 1024] = '}';
	scratch_put(&f->t, LOCAL_CLAIMS "/big.json", big);
	assert_int_equal(symlink("nowhere", link), 0);
	assert_int_equal(mkfifo(fifo, 0644), 0);
	expect_unreadable(f, "half", "line 1, column ");
	expect_unreadable(f, "empty", "line 1, column 1");
	expect_unreadable(f, "array", "not a JSON object");
	expect_unreadable(f, "twice", "line 1, column 3");
	expect_unreadable(f, "big", "File too large");
	expect_unreadable(f, "link", "symbolic link");
	expect_unreadable(f, "fifo", "not a file");
	expect_unreadable(f, "dir", "not a file");
	big[4 * 1024 * 1024] = 0;
	big[4 * 1024 * 1024 - 1] = '}';
	scratch_put(&f->t, LOCAL_CLAIMS "/big.json", big);
	{
		CLEANUP_ARENA struct arena mem = {0};
		struct json *o;
		struct err e;

		assert_int_equal(
			store_read(&f->store, STORE_LOCAL, CLAIMS, "big", &mem, &o, &e), 0);
		assert_int_equal(json_type(o), JSON_OBJECT);
	}
}

static void a_list_holds_objects_only(void **state)
{
	struct fixture *f = *state;
	CLEANUP_ARENA struct arena mem = {0};
	CLEANUP_FREE char *link = scratch_path(&f->t, LOCAL_CLAIMS "/link.json");
	char **names;
	size_t n = 7;
	struct err e;

	assert_int_equal(store_list(&f->store, STORE_LOCAL, CLAIMS, &mem, &names, &n, &e), 0);
	assert_int_equal(n, 0);
	put(f, STORE_LOCAL, "b", "1");
	put(f, STORE_LOCAL, "a.x", "1");
	put(f, STORE_LOCAL, "a-10", "1");
	put(f, STORE_LOCAL, "a", "1");
	scratch_put(&f->t, LOCAL_CLAIMS "/.vfiobox-1-1", "{}");
	scratch_put(&f->t, LOCAL_CLAIMS "/.hidden.json", "{}");
	scratch_put(&f->t, LOCAL_CLAIMS "/README", "{}");
	scratch_put(&f->t, LOCAL_CLAIMS "/Upper.json", "{}");
	scratch_put(&f->t, LOCAL_CLAIMS "/a.json~", "{}");
	scratch_put(&f->t, LOCAL_CLAIMS "/.json", "{}");
	scratch_put(&f->t, LOCAL_CLAIMS "/dir.json/x", "{}");
	assert_int_equal(symlink("nowhere", link), 0);
	assert_int_equal(store_list(&f->store, STORE_LOCAL, CLAIMS, &mem, &names, &n, &e), 0);
	assert_int_equal(n, 5);
	assert_string_equal(names[0], "a");
	assert_string_equal(names[1], "a-10");
	assert_string_equal(names[2], "a.x");
	assert_string_equal(names[3], "b");
	assert_string_equal(names[4], "link");
	scratch_put(&f->t, STATE "/kept", "a file where a directory should be");
	assert_int_equal(store_list(&f->store, STORE_KEPT, CLAIMS, &mem, &names, &n, &e), -1);
	assert_int_equal(n, 0);
	assert_int_equal(e.no, ENOTDIR);
}

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

static void what_is_no_object_is_not_written(void **state)
{
	struct fixture *f = *state;
	CLEANUP_ARENA struct arena mem = {0};
	struct json *o = json_object(&mem);
	char *big = arena_alloc(&mem, 4 * 1024 * 1024 + 1);
	struct err e;

	assert_int_equal(store_put_now(&f->store, STORE_LOCAL, CLAIMS, "a", NULL, &e), -1);
	assert_int_equal(
		store_put_now(&f->store, STORE_LOCAL, CLAIMS, "a", json_array(&mem), &e), -1);
	memset(big, 'x', 4 * 1024 * 1024);
	json_set_z(&mem, o, "value", big);
	assert_int_equal(store_put_now(&f->store, STORE_LOCAL, CLAIMS, "a", o, &e), -1);
	assert_non_null(strstr(e.text, "larger than"));
	assert_int_equal(scratch_count(&f->t, "."), 0);
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

static void no_link_leads_out_of_the_root(void **state)
{
	struct fixture *f = *state;
	CLEANUP_FREE char *link = scratch_path(&f->t, "root/" STATE);
	CLEANUP_FREE char *dir = scratch_path(&f->t, "root");
	struct fixture below = {0};
	struct err e;

	scratch_mkdir(&f->t, "root/var/lib");
	scratch_mkdir(&f->t, "root/oem");
	scratch_mkdir(&f->t, "oem");
	assert_int_equal(symlink("../../../oem", link), 0);
	assert_int_equal(root_init(&below.t.root, dir, &e), 0);
	for (int walk = 0; walk < 2; walk++) {
		below.t.root.by_walk |= walk;
		assert_int_equal(store_init(&below.store, &below.t.root, NULL, &e), 0);
		put(&below, STORE_LOCAL, walk ? "b" : "a", "inside");
		expect(&below, STORE_LOCAL, "a", "inside");
	}
	assert_int_equal(scratch_count(&f->t, "oem"), 0);
	assert_int_equal(scratch_count(&f->t, "root/oem/desired/local/" CLAIMS), 2);
	root_close(&below.t.root);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
		TEST(the_state_directory_is_checked),
		TEST(names_are_checked_before_paths_are_made),
		TEST(what_is_written_is_read),
		TEST(what_cannot_be_read_is_not_absent),
		TEST(a_list_holds_objects_only),
		TEST(an_unchanged_object_is_not_written),
		TEST(a_batch_changes_nothing_before_its_commit),
		TEST(the_last_change_of_an_object_counts),
		TEST(a_batch_may_be_large),
		TEST(what_is_no_object_is_not_written),
		TEST(a_commit_goes_on_after_an_error),
		TEST(leftovers_go_with_the_next_write),
		TEST(a_directory_that_stays_locked_is_an_error),
		TEST(writers_at_once_leave_whole_files),
		TEST(no_link_leads_out_of_the_root),
	};

	return cmocka_run_group_tests_name("store", tests, NULL, NULL);
}
