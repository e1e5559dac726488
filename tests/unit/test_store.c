// SPDX-License-Identifier: GPL-2.0-or-later
// The directories of objects: names, reading, listing; nothing leaves the root.
#include "store_fixture.h"

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
		TEST(what_is_no_object_is_not_written),
		TEST(no_link_leads_out_of_the_root),
	};

	return cmocka_run_group_tests_name("store", tests, NULL, NULL);
}
