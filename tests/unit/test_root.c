// SPDX-License-Identifier: GPL-2.0-or-later
// Rooted file access: no path leaves the root; openat2 and the walk agree; files read and written.
#include "base/root.h"
#include "scratch.h"

#include <signal.h>
#include <sys/wait.h>

/* A tree DIR/root with a DIR/secret beside it, opened twice: as the kernel allows, and by walk. */
struct tree {
	char dir[64];
	struct root root[2];
};

static void put(const struct tree *t, const char *name, const char *text)
{
	CLEANUP_FREE char *path = mem_printf("%s/%s", t->dir, name);
	FILE *f = fopen(path, "we");

	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
}

static void put_dir(const struct tree *t, const char *name)
{
	CLEANUP_FREE char *path = mem_printf("%s/%s", t->dir, name);

	assert_int_equal(mkdir(path, 0755), 0);
}

static void put_link(const struct tree *t, const char *name, const char *to)
{
	CLEANUP_FREE char *path = mem_printf("%s/%s", t->dir, name);

	assert_int_equal(symlink(to, path), 0);
}

static int set_up(void **state)
{
	static const char *const links[][2] = {
		{"out", "../secret"},
		{"far-out", "../../../../../../../../../../etc/passwd"},
		{"absolute", "/a/file"},
		{"absolute-dir", "/a"},
		{"a/up", "../a/b"},
		{"a/b/down", "../../absolute-dir/file"},
		{"a/b/top", "/a/file"},
		{"a/b/slashes", "..//./b/../file"},
		{"loop", "loop2"},
		{"loop2", "loop"},
		{"dangling", "a/none"},
		{"dangling-dir", "none/file"},
		{"to-root", "/"},
		{"to-link", "absolute"},
		{"drivers/bound", "../../bus/pci/drivers/igb"},
	};
	struct tree *t = mem_alloc(sizeof(*t));
	CLEANUP_FREE char *root = NULL;
	struct err e;

	snprintf(t->dir, sizeof(t->dir), "/tmp/vfiobox-root-XXXXXX");
	assert_non_null(mkdtemp(t->dir));
	put_dir(t, "root");
	put_dir(t, "root/a");
	put_dir(t, "root/a/b");
	put_dir(t, "root/drivers");
	put(t, "secret", "secret");
	put(t, "root/a/file", "inside\n");
	put(t, "root/a/b/deep", "deep");
	for (size_t i = 0; i < ARRAY_LEN(links); i++) {
		CLEANUP_FREE char *name = mem_printf("root/%s", links[i][0]);

		put_link(t, name, links[i][1]);
	}
	root = mem_printf("%s/root", t->dir);
	assert_int_equal(root_init(&t->root[0], root, &e), 0);
	assert_int_equal(root_init(&t->root[1], root, &e), 0);
	t->root[1].by_walk = true;
	*state = t;
	return 0;
}

static int tear_down(void **state)
{
	struct tree *t = *state;

	root_close(&t->root[0]);
	root_close(&t->root[1]);
	assert_int_equal(t->root[1].fd, -1);
	scratch_clear(t->dir);
	free(t);
	return 0;
}

static void assert_content(const struct root *r, const char *path, const char *want)
{
	char got[64] = "";

	if (root_read(r, path, got, sizeof(got)) < 0)
		fail_msg("%s: errno %d", path, errno);
	assert_string_equal(got, want);
}

static void assert_missing(const struct root *r, const char *path, int no)
{
	char got[64];

	errno = 0;
	assert_int_equal(root_read(r, path, got, sizeof(got)), -1);
	if (errno != no)
		fail_msg("%s: errno %d, not %d", path, errno, no);
}

static void paths_stay_inside(void **state)
{
	const struct tree *t = *state;

	for (int i = 0; i < 2; i++) {
		const struct root *r = &t->root[i];

		assert_false(r->whole);
		assert_content(r, "a/file", "inside");
		assert_content(r, "/a/file", "inside");
		assert_content(r, "//a/./b/..//file", "inside");
		assert_content(r, "../a/file", "inside");
		assert_content(r, "../../../../a/file", "inside");
		assert_content(r, "a/../../../a/file", "inside");
		assert_content(r, "absolute", "inside");
		assert_content(r, "to-link", "inside");
		assert_content(r, "absolute-dir/file", "inside");
		assert_content(r, "a/up/deep", "deep");
		assert_content(r, "a/up/../file", "inside");
		assert_content(r, "a/b/down", "inside");
		assert_content(r, "a/b/top", "inside");
		assert_content(r, "a/b/slashes", "inside");
		assert_content(r, "to-root/a/file", "inside");
		assert_content(r, "a/b/../../to-root/to-root/../a/up/../b/down", "inside");
		assert_missing(r, "../secret", ENOENT);
		assert_missing(r, "out", ENOENT);
		assert_missing(r, "far-out", ENOENT);
		assert_missing(r, "a/../out", ENOENT);
		assert_missing(r, "loop", ELOOP);
		assert_missing(r, "loop/x", ELOOP);
		assert_missing(r, "dangling", ENOENT);
		assert_missing(r, "a/file/x", ENOTDIR);
		assert_missing(r, "a/none/x", ENOENT);
		assert_missing(r, "a", EISDIR);
		assert_missing(r, "", EISDIR);
		assert_missing(r, "..", EISDIR);
	}
}

/* Of EISDIR and EEXIST, either may be the answer to making what is a directory. */
static void both_ways_agree(void **state)
{
	static const char *const paths[] = {"", ".", "..", "a", "a/", "a/.", "a/..", "a/file",
		"a/b/", "a/up", "a/up/", "a/up/.", "absolute", "absolute-dir", "absolute-dir/",
		"to-root", "to-root/", "to-link", "out", "far-out", "loop", "dangling",
		"dangling-dir", "drivers/bound", "a/none", "none/x", "a/file/x", "to-root/..",
		"a/b/down", "a/up/.."};
	static const int flags[] = {O_RDONLY, O_PATH, O_PATH | O_NOFOLLOW, O_RDONLY | O_NOFOLLOW,
		O_RDONLY | O_DIRECTORY, O_PATH | O_DIRECTORY | O_NOFOLLOW, O_WRONLY,
		O_RDONLY | O_CREAT | O_EXCL};
	const struct tree *t = *state;

	for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
		for (size_t f = 0; f < ARRAY_LEN(flags); f++) {
			struct stat st[2] = {0};
			int no[2] = {0};

			for (int way = 0; way < 2; way++) {
				CLEANUP_CLOSE int fd =
					root_open(&t->root[way], paths[i], flags[f], 0600);

				if (fd < 0)
					no[way] = errno == EISDIR ? EEXIST : errno;
				else
					assert_int_equal(fstat(fd, &st[way]), 0);
				if (fd >= 0 && (flags[f] & O_CREAT))
					unlinkat(t->root[way].fd, paths[i], 0);
				if (fd >= 0)
					assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
			}
			if (no[0] != no[1] ||
				(!(flags[f] & O_CREAT) && st[0].st_ino != st[1].st_ino))
				fail_msg("%s, flags %x: %d, %d", paths[i], (unsigned)flags[f],
					no[0], no[1]);
		}
	}
}

static void long_chains(void **state)
{
	const struct tree *t = *state;

	put_link(t, "root/l0", "a/file");
	for (int i = 1; i < 60; i++) {
		CLEANUP_FREE char *from = mem_printf("root/l%d", i);
		CLEANUP_FREE char *to = mem_printf("l%d", i - 1);

		put_link(t, from, to);
	}
	for (int i = 0; i < 2; i++) {
		assert_content(&t->root[i], "l39", "inside");
		assert_missing(&t->root[i], "l40", ELOOP);
	}
}

static void long_paths(void **state)
{
	const struct tree *t = *state;
	CLEANUP_BUF struct buf b = {0};

	for (int i = 0; i < 1300; i++)
		buf_str(&b, "a/..");
	for (int i = 0; i < 2; i++)
		assert_missing(&t->root[i], buf_z(&b), ENAMETOOLONG);
	buf_clear(&b);
	for (int i = 0; i < 810; i++)
		buf_str(&b, "a/../");
	buf_str(&b, "a/file");
	for (int i = 0; i < 2; i++)
		assert_content(&t->root[i], buf_z(&b), "inside");
	buf_clear(&b);
	buf_str(&b, "a/");
	buf_pad(&b, 'x', 300);
	for (int i = 0; i < 2; i++)
		assert_missing(&t->root[i], buf_z(&b), ENAMETOOLONG);
	assert_int_equal(root_mkdirs(&t->root[0], buf_z(&b), 0755), -1);
}

/* Never returns. */
static void rename_to_and_fro(const struct tree *t, pid_t parent)
{
	CLEANUP_FREE char *x = mem_printf("%s/x", t->dir);
	CLEANUP_FREE char *y = mem_printf("%s/y", t->dir);

	while (getppid() == parent) {
		rename(x, y);
		rename(y, x);
	}
	_exit(0);
}

/* The kernel answers EAGAIN to a walk through ".." while something is renamed anywhere. */
static void renames_do_no_harm(void **state)
{
	const struct tree *t = *state;
	pid_t parent = getpid(), child;
	int opened = 0;

	put(t, "x", "");
	child = fork();
	assert_true(child >= 0);
	if (!child)
		rename_to_and_fro(t, parent);
	for (int i = 0; i < 20000; i++) {
		CLEANUP_CLOSE int fd =
			root_open(&t->root[0], "a/b/../../a/up/../b/down", O_RDONLY, 0);

		opened += fd >= 0;
	}
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	assert_int_equal(opened, 20000);
}

static void links(void **state)
{
	const struct tree *t = *state;
	char got[64];

	for (int i = 0; i < 2; i++) {
		const struct root *r = &t->root[i];

		assert_int_equal(root_link_name(r, "drivers/bound", got, sizeof(got)), 3);
		assert_string_equal(got, "igb");
		assert_int_equal(root_readlink(r, "a/up", got, sizeof(got)), 6);
		assert_string_equal(got, "../a/b");
		assert_int_equal(root_readlink(r, "absolute-dir/up", got, sizeof(got)), 6);
		assert_int_equal(root_readlink(r, "a/up", got, 7), 6);
		assert_int_equal(root_readlink(r, "a/up", got, 6), -1);
		assert_int_equal(errno, ENAMETOOLONG);
		assert_int_equal(root_link_name(r, "drivers/bound", got, 3), -1);
		assert_int_equal(errno, ENAMETOOLONG);
		assert_int_equal(root_readlink(r, "a/file", got, sizeof(got)), -1);
		assert_int_equal(errno, EINVAL);
		assert_int_equal(root_readlink(r, "none", got, sizeof(got)), -1);
		assert_int_equal(errno, ENOENT);
	}
}

static void stat_and_directories(void **state)
{
	const struct tree *t = *state;
	struct stat st;
	DIR *d;

	for (int i = 0; i < 2; i++) {
		const struct root *r = &t->root[i];
		int entries = 0;

		assert_int_equal(root_stat(r, "to-link", &st), 0);
		assert_true(S_ISREG(st.st_mode) && st.st_size == 7);
		assert_int_equal(root_stat(r, "out", &st), -1);
		assert_int_equal(errno, ENOENT);
		assert_true(root_exists(r, "a/up/deep"));
		assert_false(root_exists(r, "out"));
		d = root_opendir(r, "absolute-dir");
		assert_non_null(d);
		while (readdir(d))
			entries++;
		closedir(d);
		assert_int_equal(entries, 5);
		assert_null(root_opendir(r, "a/file"));
		assert_int_equal(errno, ENOTDIR);
	}
}

static void make_directories(void **state)
{
	const struct tree *t = *state;

	for (int i = 0; i < 2; i++) {
		const struct root *r = &t->root[i];
		CLEANUP_FREE char *base = mem_printf("var/%d", i);
		CLEANUP_FREE char *deep = mem_printf("/%s//x/../y/z/", base);
		CLEANUP_FREE char *linked = mem_printf("absolute-dir/new%d/z", i);
		CLEANUP_FREE char *there = mem_printf("a/new%d/z", i);
		CLEANUP_FREE char *y = mem_printf("%s/y/z", base);

		assert_int_equal(root_mkdirs(r, base, 0755), 0);
		assert_int_equal(root_mkdirs(r, base, 0755), 0);
		assert_int_equal(root_mkdirs(r, deep, 0755), 0);
		assert_true(root_exists(r, y));
		assert_int_equal(root_mkdirs(r, linked, 0755), 0);
		assert_true(root_exists(r, there));
		assert_int_equal(root_mkdirs(r, "", 0755), 0);
		assert_int_equal(root_mkdirs(r, "a/file", 0755), -1);
		assert_int_equal(errno, ENOTDIR);
		assert_int_equal(root_mkdirs(r, "a/file/x", 0755), -1);
		assert_int_equal(errno, ENOTDIR);
		assert_int_equal(root_mkdirs(r, "dangling", 0755), -1);
		assert_int_equal(errno, ENOENT);
		assert_false(root_exists(r, "a/none"));
	}
}

static void small_files(void **state)
{
	const struct tree *t = *state;
	char got[8];

	put(t, "root/blank", " \t\n");
	put(t, "root/empty", "");
	put(t, "root/padded", "ab \n\t\n");
	put(t, "root/seven", "1234567");
	put(t, "root/eight", "12345678");
	for (int i = 0; i < 2; i++) {
		const struct root *r = &t->root[i];
		CLEANUP_CLOSE int dir = root_open(r, "a", O_RDONLY | O_DIRECTORY, 0);

		assert_int_equal(root_read(r, "blank", got, sizeof(got)), 0);
		assert_int_equal(root_read(r, "empty", got, sizeof(got)), 0);
		assert_string_equal(got, "");
		assert_int_equal(root_read(r, "padded", got, sizeof(got)), 2);
		assert_string_equal(got, "ab");
		assert_int_equal(root_read(r, "seven", got, sizeof(got)), 7);
		assert_string_equal(got, "1234567");
		assert_missing(r, "none", ENOENT);
		assert_int_equal(root_read(r, "eight", got, sizeof(got)), -1);
		assert_int_equal(errno, EFBIG);
		assert_int_equal(read_at(dir, "file", got, sizeof(got)), 6);
		assert_string_equal(got, "inside");
		assert_int_equal(read_at(dir, "up", got, sizeof(got)), -1);
		assert_int_equal(errno, ELOOP);
		assert_int_equal(read_at(dir, "none", got, sizeof(got)), -1);
		assert_int_equal(errno, ENOENT);
	}
}

static void whole_files(void **state)
{
	const struct tree *t = *state;
	CLEANUP_BUF struct buf big = {0};

	buf_pad(&big, 'x', 100000);
	put(t, "root/big", buf_z(&big));
	for (int i = 0; i < 2; i++) {
		CLEANUP_BUF struct buf b = {.max = 100003};
		CLEANUP_BUF struct buf less = {.max = 99999};

		buf_str(&b, "<");
		assert_int_equal(root_slurp(&t->root[i], "big", &b), 0);
		assert_int_equal(b.len, 100001);
		assert_int_equal(b.p[100000], 'x');
		assert_int_equal(root_slurp(&t->root[i], "big", &less), -1);
		assert_int_equal(errno, EFBIG);
		assert_int_equal(root_slurp(&t->root[i], "a", &b), -1);
		assert_int_equal(errno, EISDIR);
		assert_int_equal(root_slurp(&t->root[i], "out", &b), -1);
		assert_int_equal(errno, ENOENT);
	}
}

static void writing(void **state)
{
	const struct tree *t = *state;

	for (int i = 0; i < 2; i++) {
		const struct root *r = &t->root[i];
		CLEANUP_FREE char *made = mem_printf("made%d", i);
		CLEANUP_FREE char *target = mem_printf("../%s", made);
		CLEANUP_FREE char *link = mem_printf("root/make%d", i);
		CLEANUP_CLOSE int fd = -1;

		put(t, "root/attribute", "old content");
		assert_int_equal(root_write(r, "attribute", "new"), 0);
		assert_content(r, "attribute", "new");
		assert_int_equal(root_write(r, "none", "x"), -1);
		assert_int_equal(errno, ENOENT);
		assert_int_equal(root_write(r, "out", "x"), -1);
		assert_content(r, "absolute", "inside");
		assert_int_equal(root_write(r, "../attribute", "through"), 0);
		assert_content(r, "attribute", "through");

		/* a file made through a link that points outside is made inside */
		put_link(t, link, target);
		fd = root_open(r, link + 5, O_WRONLY | O_CREAT, 0640);
		assert_true(fd >= 0);
		assert_true(root_exists(r, made));
	}
}

static void the_real_root(void **state)
{
	struct root r;
	struct err e;

	(void)state;
	assert_int_equal(root_init(&r, "/", &e), 0);
	assert_true(r.whole);
	assert_true(root_exists(&r, "proc/self/status"));
	assert_true(root_exists(&r, "/proc/self/fd/../status"));
	root_close(&r);
	assert_int_equal(root_init(&r, "/none/here", &e), -1);
	assert_string_equal(e.text, "open root /none/here: No such file or directory");
	assert_int_equal(root_init(&r, "/proc/self/status", &e), -1);
	assert_int_equal(e.no, ENOTDIR);
}

#define IN_TREE(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_TREE(paths_stay_inside),
		IN_TREE(both_ways_agree),
		IN_TREE(long_chains),
		IN_TREE(long_paths),
		IN_TREE(renames_do_no_harm),
		IN_TREE(links),
		IN_TREE(stat_and_directories),
		IN_TREE(make_directories),
		IN_TREE(small_files),
		IN_TREE(whole_files),
		IN_TREE(writing),
		cmocka_unit_test(the_real_root),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
