// SPDX-License-Identifier: GPL-2.0-or-later
// The store on a full disk, killed at every system call, with every system call failing once: the
// old or the new file, never half, and the next write succeeds.
#include "store/store.h"

#include "scratch.h"
#include "traced.h"

#define CLAIMS "pcideviceclaims"
#define DEVICES "pcidevices"
#define STATE "var/lib/vfiobox"
#define BOOT "proc/sys/kernel/random/boot_id"

enum { LONG = 20000, CHILD_OK = 0, CHILD_ERROR = 1, CHILD_WRONG = 2, CHILD_SKIP = 3 };

static const char *const object_dirs[] = {
	STATE "/desired",
	STATE "/desired/local/" CLAIMS,
	STATE "/kept/pcidevices",
	"run/vfiobox/observed/pcidevices",
};

/* Everything the store writes. */
static struct json *object(struct arena *mem, char fill)
{
	struct json *o = json_object(mem);
	char *value = arena_alloc(mem, LONG + 1);

	memset(value, fill, LONG);
	json_set_z(mem, o, "value", value);
	return o;
}

static int gather(struct store_batch *b, const struct json *o, struct err *e)
{
	if (store_put(b, STORE_LOCAL, CLAIMS, "a", o, e) < 0 ||
		store_put(b, STORE_LOCAL, CLAIMS, "b", o, e) < 0 ||
		store_put(b, STORE_KEPT, DEVICES, "k", o, e) < 0 ||
		store_put(b, STORE_OBSERVED, DEVICES, "o", o, e) < 0)
		return -1;
	return store_remove(b, STORE_LOCAL, CLAIMS, "gone", e);
}

static int change_all(const struct store *s, struct err *e)
{
	CLEANUP_ARENA struct arena mem = {0};
	struct store_batch *b;
	int rc;

	if (store_sentinel_write(s, "node-a", e) < 0)
		return -1;
	b = store_batch_new(s);
	rc = gather(b, object(&mem, 'n'), e);
	if (rc == 0)
		rc = store_commit(b, e);
	store_batch_free(b);
	return rc < 0 ? -1 : store_mark_complete(s, DEVICES, e);
}

struct fixture {
	struct scratch t;
	struct store store;
};

static void must(int rc, const struct err *e)
{
	if (rc < 0)
		fail_msg("%s", e->text);
}

/* `old`: a and gone are there, b, k and o are not. */
static void prepare(struct fixture *f, bool old)
{
	CLEANUP_ARENA struct arena mem = {0};
	struct err e = {0};

	scratch_open(&f->t);
	must(store_init(&f->store, &f->t.root, NULL, &e), &e);
	scratch_put(&f->t, BOOT, "3b9fd0b2\n");
	if (!old)
		return;
	must(store_sentinel_write(&f->store, "node-a.old.example", &e), &e);
	must(store_put_now(&f->store, STORE_LOCAL, CLAIMS, "a", object(&mem, 'o'), &e), &e);
	must(store_put_now(&f->store, STORE_LOCAL, CLAIMS, "gone", object(&mem, 'o'), &e), &e);
}

/* One character per object: o(ld), n(ew), - (absent); every one must be readable and whole. */
static char state_of(
	const struct fixture *f, enum store_tree t, const char *plural, const char *name)
{
	CLEANUP_ARENA struct arena mem = {0};
	struct json *o;
	struct str v;
	struct err e = {0};

	must(store_read(&f->store, t, plural, name, &mem, &o, &e), &e);
	if (!o)
		return '-';
	v = json_str(json_get(o, "value"));
	assert_int_equal(v.n, LONG);
	for (size_t i = 0; i < v.n; i++)
		assert_int_equal(v.p[i], v.p[0]);
	return v.p[0];
}

static void read_states(const struct fixture *f, char states[6])
{
	states[0] = state_of(f, STORE_LOCAL, CLAIMS, "a");
	states[1] = state_of(f, STORE_LOCAL, CLAIMS, "b");
	states[2] = state_of(f, STORE_LOCAL, CLAIMS, "gone");
	states[3] = state_of(f, STORE_KEPT, DEVICES, "k");
	states[4] = state_of(f, STORE_OBSERVED, DEVICES, "o");
	states[5] = 0;
}

static void expect_old_or_new(const struct fixture *f, const char *before)
{
	static const char after[] = "nn-nn";
	char now[6];

	read_states(f, now);
	for (size_t i = 0; i < 5; i++)
		if (now[i] != before[i] && now[i] != after[i])
			fail_msg("object %zu: %c", i, now[i]);
}

static void expect_new(const struct fixture *f)
{
	char now[6];

	read_states(f, now);
	assert_string_equal(now, "nn-nn");
	assert_int_equal(store_sentinel(&f->store, "node-a", NULL, 0), STORE_OURS);
	assert_true(store_is_complete(&f->store, DEVICES));
}

static size_t listed(const struct fixture *f)
{
	CLEANUP_ARENA struct arena mem = {0};
	char **names;
	size_t n;
	struct err e = {0};

	must(store_list(&f->store, STORE_LOCAL, CLAIMS, &mem, &names, &n, &e), &e);
	return n;
}

static void expect_no_temporary_file(const struct fixture *f)
{
	for (size_t i = 0; i < ARRAY_LEN(object_dirs); i++) {
		DIR *d = root_opendir(&f->t.root, object_dirs[i]);
		const struct dirent *entry;

		while (d && (entry = readdir(d)))
			if (entry->d_name[0] == '.' && entry->d_name[1] && entry->d_name[1] != '.')
				fail_msg("%s/%s is left", object_dirs[i], entry->d_name);
		if (d)
			closedir(d);
	}
}

static int change_all_work(void *ctx)
{
	const struct fixture *f = ctx;
	struct err e = {0};

	if (change_all(&f->store, &e) == 0)
		return CHILD_OK;
	return e.no == EIO || e.no == ENOSPC ? CHILD_ERROR : CHILD_WRONG;
}

/* Kills the change before its nth system call; false when it ended before. */
static bool kill_at(struct fixture *f, unsigned nth)
{
	pid_t pid = traced_start(change_all_work, f);
	int status = 0;

	for (unsigned i = 1; i < 2 * nth; i++)
		if (!traced_next(pid, &status)) {
			assert_true(WIFEXITED(status));
			assert_int_equal(WEXITSTATUS(status), CHILD_OK);
			return false;
		}
	traced_kill(pid);
	return true;
}

static void recovers(struct fixture *f)
{
	struct err e = {0};

	must(change_all(&f->store, &e), &e);
	expect_new(f);
	expect_no_temporary_file(f);
}

static void killed_at_any_system_call(void **state)
{
	unsigned n = 0;

	(void)state;
	skip_without_ptrace();
	for (bool ended = false; !ended;) {
		struct fixture f;
		enum store_sentinel s;

		prepare(&f, true);
		ended = !kill_at(&f, ++n);
		expect_old_or_new(&f, "o-o--");
		assert_in_range(listed(&f), 1, 3);
		s = store_sentinel(&f.store, "node-a", NULL, 0);
		assert_true(s == STORE_OURS || s == STORE_FOREIGN);
		recovers(&f);
		scratch_close(&f.t);
	}
	assert_in_range(n, 50, 100000);
}

static void killed_at_any_system_call_of_the_first_write(void **state)
{
	unsigned n = 0;

	(void)state;
	skip_without_ptrace();
	for (bool ended = false; !ended;) {
		struct fixture f;
		enum store_sentinel s;

		prepare(&f, false);
		ended = !kill_at(&f, ++n);
		expect_old_or_new(&f, "-----");
		s = store_sentinel(&f.store, "node-a", NULL, 0);
		assert_true(s == STORE_OURS || s == STORE_NEW);
		recovers(&f);
		scratch_close(&f.t);
	}
	assert_in_range(n, 50, 100000);
}

#if defined(__x86_64__)
/* The calls that can fail for reasons of the disk. */
static bool may_fail(long nr)
{
	static const long calls[] = {SYS_open, SYS_openat, SYS_openat2, SYS_read, SYS_write,
		SYS_fsync, SYS_sync_file_range, SYS_renameat, SYS_unlinkat, SYS_mkdirat, SYS_fchmod,
		SYS_fchmodat, SYS_flock, SYS_fstat, SYS_newfstatat, SYS_getdents64};

	for (size_t i = 0; i < ARRAY_LEN(calls); i++)
		if (nr == calls[i])
			return true;
	return false;
}

/* Lets the nth call that may fail do so; the child's exit status. `*call`: which one, -1 none. */
static int fail_at(struct fixture *f, unsigned nth, int no, long *call)
{
	pid_t pid = traced_start(change_all_work, f);
	int status = 0;

	*call = -1;
	while (traced_next(pid, &status)) {
		long nr = traced_call(pid);

		if (may_fail(nr) && nth && --nth == 0) {
			*call = nr;
			traced_return(pid, -no);
		} else if (!traced_next(pid, &status)) {
			break;
		}
	}
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void each_fails(int no)
{
	unsigned errors = 0;
	long call = 0;

	for (unsigned n = 1; call >= 0; n++) {
		struct fixture f;
		int status;

		prepare(&f, true);
		status = fail_at(&f, n, no, &call);
		expect_old_or_new(&f, "o-o--");
		if (status == CHILD_OK)
			expect_new(&f);
		else if (status != CHILD_ERROR)
			fail_msg("call %ld, the %uth: exit status %d", call, n, status);
		errors += status == CHILD_ERROR;
		expect_no_temporary_file(&f);
		recovers(&f);
		scratch_close(&f.t);
	}
	assert_in_range(errors, 20, 100000);
}
#endif

static void any_system_call_fails(void **state)
{
	(void)state;
#if defined(__x86_64__)
	skip_without_ptrace();
	each_fails(EIO);
	each_fails(ENOSPC);
#else
	skip();
#endif
}

/* A small file system in memory at `dir`; false where that is not allowed. */
static bool mount_small(const char *dir, const char *options)
{
	return scratch_own_mounts() && mount("small", dir, "tmpfs", 0, options) == 0;
}

static void fill(const char *dir)
{
	CLEANUP_FREE char *path = mem_printf("%s/filler", dir);
	CLEANUP_CLOSE int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	static const char page[4096];

	while (write(fd, page, sizeof(page)) > 0)
		;
}

static void empty(const char *dir)
{
	CLEANUP_FREE char *path = mem_printf("%s/filler", dir);

	unlink(path);
}

#define CHECK(c)                                                                                   \
	do {                                                                                       \
		if (!(c)) {                                                                        \
			fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #c);                    \
			return false;                                                              \
		}                                                                                  \
	} while (0)

static bool is_old(const struct store *s, const char *name)
{
	CLEANUP_ARENA struct arena mem = {0};
	struct json *o;
	struct err e;

	return store_read(s, STORE_LOCAL, CLAIMS, name, &mem, &o, &e) == 0 && o &&
	       json_str(json_get(o, "value")).p[0] == 'o';
}

static size_t entries(const struct root *r)
{
	DIR *d = root_opendir(r, STATE "/desired/local/" CLAIMS);
	size_t n = 0;

	while (d && readdir(d))
		n++;
	if (d)
		closedir(d);
	return n;
}

static bool full_disk_refuses(const struct store *s)
{
	CLEANUP_ARENA struct arena mem = {0};
	struct store_batch *b = store_batch_new(s);
	struct err e = {0};

	CHECK(store_put(b, STORE_LOCAL, CLAIMS, "a", object(&mem, 'n'), &e) == -1);
	CHECK(e.no == ENOSPC);
	CHECK(strstr(e.text, "write /" STATE "/desired/local/" CLAIMS "/a.json: "));
	CHECK(strstr(e.hint, "make room"));
	CHECK(store_put(b, STORE_LOCAL, CLAIMS, "new", object(&mem, 'n'), &e) == -1);
	CHECK(entries(s->root) == 3);
	CHECK(store_remove(b, STORE_LOCAL, CLAIMS, "none", &e) == 0);
	CHECK(store_commit(b, &e) == 0);
	store_batch_free(b);
	CHECK(is_old(s, "a"));
	CHECK(entries(s->root) == 3);
	return true;
}

static bool survives_a_full_disk(const char *dir)
{
	CLEANUP_ARENA struct arena mem = {0};
	struct root r;
	struct store s;
	struct err e;

	CHECK(root_init(&r, dir, &e) == 0 && store_init(&s, &r, NULL, &e) == 0);
	CHECK(store_put_now(&s, STORE_LOCAL, CLAIMS, "a", object(&mem, 'o'), &e) == 0);
	fill(dir);
	CHECK(full_disk_refuses(&s));
	CHECK(store_put_now(&s, STORE_KEPT, DEVICES, "k", object(&mem, 'n'), &e) == -1);
	CHECK(e.no == ENOSPC);
	CHECK(store_remove_now(&s, STORE_LOCAL, CLAIMS, "a", &e) == 0);
	empty(dir);
	CHECK(store_put_now(&s, STORE_LOCAL, CLAIMS, "a", object(&mem, 'o'), &e) == 0);
	CHECK(is_old(&s, "a"));
	root_close(&r);
	return true;
}

/* No new file can be made at all. */
static bool survives_a_disk_without_inodes(const char *dir)
{
	CLEANUP_ARENA struct arena mem = {0};
	struct root r;
	struct store s;
	struct err e;

	CHECK(root_init(&r, dir, &e) == 0 && store_init(&s, &r, NULL, &e) == 0);
	CHECK(store_put_now(&s, STORE_LOCAL, CLAIMS, "a", object(&mem, 'o'), &e) == 0);
	CHECK(store_put_now(&s, STORE_LOCAL, CLAIMS, "b", object(&mem, 'o'), &e) == -1);
	CHECK(e.no == ENOSPC);
	CHECK(store_put_now(&s, STORE_KEPT, DEVICES, "k", object(&mem, 'o'), &e) == -1);
	CHECK(e.no == ENOSPC);
	CHECK(is_old(&s, "a"));
	CHECK(store_remove_now(&s, STORE_LOCAL, CLAIMS, "a", &e) == 0);
	CHECK(store_put_now(&s, STORE_LOCAL, CLAIMS, "b", object(&mem, 'o'), &e) == 0);
	root_close(&r);
	return true;
}

static bool survives_a_read_only_disk(const char *dir)
{
	CLEANUP_ARENA struct arena mem = {0};
	struct root r;
	struct store s;
	struct err e;

	CHECK(root_init(&r, dir, &e) == 0 && store_init(&s, &r, NULL, &e) == 0);
	CHECK(store_put_now(&s, STORE_LOCAL, CLAIMS, "a", object(&mem, 'o'), &e) == 0);
	CHECK(mount(NULL, dir, NULL, MS_REMOUNT | MS_RDONLY, NULL) == 0);
	CHECK(store_put_now(&s, STORE_LOCAL, CLAIMS, "a", object(&mem, 'n'), &e) == -1);
	CHECK(e.no == EROFS && strstr(e.hint, "VFIOBOX_STATE"));
	CHECK(store_put_now(&s, STORE_KEPT, DEVICES, "k", object(&mem, 'n'), &e) == -1);
	CHECK(store_remove_now(&s, STORE_LOCAL, CLAIMS, "a", &e) == -1);
	CHECK(store_put_now(&s, STORE_LOCAL, CLAIMS, "a", object(&mem, 'o'), &e) == 0);
	CHECK(is_old(&s, "a"));
	root_close(&r);
	return true;
}

static void on_a_small_disk(const char *options, bool (*check)(const char *dir))
{
	struct scratch t;
	int status;
	pid_t pid;

	scratch_open(&t);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0)
		_exit(!mount_small(t.dir, options) ? CHILD_SKIP
			: check(t.dir)             ? CHILD_OK
						   : CHILD_WRONG);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	scratch_close(&t);
	assert_true(WIFEXITED(status));
	if (WEXITSTATUS(status) == CHILD_SKIP) {
		print_message("no mounts of our own here\n");
		skip();
	}
	assert_int_equal(WEXITSTATUS(status), CHILD_OK);
}

static void a_full_disk(void **state)
{
	(void)state;
	on_a_small_disk("size=64k", survives_a_full_disk);
}

static void a_disk_without_inodes(void **state)
{
	(void)state;
	/* the root, var, lib, vfiobox, desired, local, the kind, one object and its successor */
	on_a_small_disk("size=1m,nr_inodes=8", survives_a_disk_without_inodes);
}

static void a_read_only_disk(void **state)
{
	(void)state;
	on_a_small_disk("size=1m", survives_a_read_only_disk);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_full_disk),
		cmocka_unit_test(a_disk_without_inodes),
		cmocka_unit_test(a_read_only_disk),
		cmocka_unit_test(killed_at_any_system_call),
		cmocka_unit_test(killed_at_any_system_call_of_the_first_write),
		cmocka_unit_test(any_system_call_fails),
	};

	return cmocka_run_group_tests_name("store_faults", tests, NULL, NULL);
}
