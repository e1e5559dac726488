// SPDX-License-Identifier: GPL-2.0-or-later
// The sandbox: files, and the rest that is Landlock's. Each is tried in a child that has entered
// one.
#include "sandboxed.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

/* What the tests do is in Landlock's hands alone. */
static const int more_calls[] = {SYS_connect, SYS_bind, SYS_kill, SYS_ioctl, SYS_unlinkat};

static struct sandbox box_of(const struct root *r, const struct sandbox_path *p, size_t n)
{
	return (struct sandbox){.root = r,
		.path = p,
		.paths = n,
		.calls = SANDBOX_CALLS_LOOK | SANDBOX_CALLS_CHANGE,
		.call = more_calls,
		.n_calls = ARRAY_LEN(more_calls)};
}

static int enter(const struct root *r, const struct sandbox_path *p, size_t n)
{
	const struct sandbox s = box_of(r, p, n);
	struct sandbox_result result;
	struct err e = {0};

	if (sandbox_enter(&s, &result, &e) == 0)
		return 0;
	dprintf(2, "%s\n", e.text);
	return -1;
}

static int set_up(void **state)
{
	struct scratch *t = mem_alloc(sizeof(*t));

	scratch_open(t);
	scratch_put(t, "sys/devices/d/attribute", "old\n");
	scratch_put(t, "sys/kernel/k", "k\n");
	scratch_put(t, "state/kept/a", "a\n");
	scratch_put(t, "other/secret", "s\n");
	scratch_put(t, "file", "f\n");
	scratch_mkdir(t, "sys/bus");
	assert_int_equal(symlinkat("/sys/devices/d", t->root.fd, "sys/bus/d"), 0);
	assert_int_equal(symlinkat("../../other/secret", t->root.fd, "sys/bus/leads-out"), 0);
	*state = t;
	return 0;
}

static int tear_down(void **state)
{
	scratch_close(*state);
	free(*state);
	return 0;
}

static const struct sandbox_path paths[] = {
	{"sys", SANDBOX_READ},
	{"sys/devices", SANDBOX_READ | SANDBOX_WRITE},
	{"state", SANDBOX_READ | SANDBOX_WRITE | SANDBOX_MAKE},
	{"file", SANDBOX_READ | SANDBOX_MAKE},
	{"none", SANDBOX_READ},
};

/* All of it through base/root.h, by openat2 or by a walk. */
static int works_below(const struct root *r)
{
	char text[16];
	int dir, fd;

	MUST(root_read(r, "sys/kernel/k", text, sizeof(text)) == 1);
	MUST(root_read(r, "sys/bus/d/attribute", text, sizeof(text)) == 3);
	MUST(root_write(r, "sys/bus/d/attribute", "new\n") == 0);
	MUST(root_read(r, "file", text, sizeof(text)) == 1);
	MUST(root_exists(r, "other/secret")); /* names are not in Landlock's hands */
	FAILS(root_read(r, "other/secret", text, sizeof(text)), EACCES);
	FAILS(root_read(r, "sys/bus/leads-out", text, sizeof(text)), EACCES);
	FAILS(root_open(r, "other", O_RDONLY | O_DIRECTORY, 0), EACCES);
	FAILS(root_open(r, ".", O_RDONLY | O_DIRECTORY, 0), EACCES);
	FAILS(root_write(r, "sys/kernel/k", "x"), EACCES);
	FAILS(root_write(r, "file", "x"), EACCES);
	FAILS(root_mkdirs(r, "sys/devices/new", 0755), EACCES);
	FAILS(root_mkdirs(r, "made", 0755), EACCES);
	FAILS(root_open(r, "sys/devices/new", O_WRONLY | O_CREAT, 0644), EACCES);
	dir = root_open(r, "state", O_RDONLY | O_DIRECTORY, 0);
	MUST(dir >= 0 && root_mkdirs(r, "state/new/dir", 0755) == 0);
	fd = openat(dir, "kept/temp", O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	MUST(fd >= 0 && write(fd, "b", 1) == 1 && fsync(fd) == 0 && close(fd) == 0);
	MUST(renameat(dir, "kept/temp", dir, "kept/b") == 0 && fsync(dir) == 0);
	MUST(unlinkat(dir, "kept/b", 0) == 0 && unlinkat(dir, "new/dir", AT_REMOVEDIR) == 0);
	MUST(unlinkat(dir, "new", AT_REMOVEDIR) == 0 && close(dir) == 0);
	FAILS(unlinkat(r->fd, "file", 0), EACCES);
	FAILS(unlinkat(r->fd, "sys/kernel/k", 0), EACCES);
	return 0;
}

static int works_below_the_root(void *ctx)
{
	struct scratch *t = ctx;
	const struct sandbox s = box_of(&t->root, paths, ARRAY_LEN(paths));
	struct sandbox_result result;
	struct err e;
	long abi = landlock_abi();

	MUST(sandbox_enter(&s, &result, &e) == 0);
	MUST(result.landlock == abi && result.paths == 4 && result.missing == 1);
	MUST(result.tcp == (abi >= 4) && result.devices == (abi >= 5) &&
		result.scope == (abi >= 6));
	MUST(works_below(&t->root) == 0);
	t->root.by_walk = true;
	MUST(works_below(&t->root) == 0);
	FAILS(open("/etc/passwd", O_RDONLY | O_CLOEXEC), EACCES);
	FAILS(open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC), EACCES);
	FAILS(open("/proc/self/status", O_RDONLY | O_CLOEXEC), EACCES);
	FAILS(open("/dev/null", O_WRONLY | O_CLOEXEC), EACCES);
	FAILS(open("/tmp", O_TMPFILE | O_WRONLY | O_CLOEXEC, 0600), EACCES);
	return 0;
}

static void only_what_is_named_below_the_root(void **state)
{
	need_landlock(3);
	child_does(works_below_the_root, *state);
}

static int works_in_all_of_it(void *ctx)
{
	static const struct sandbox_path proc[] = {{"proc", SANDBOX_READ}};
	struct root r;
	struct err e;
	char text[64];

	(void)ctx;
	MUST(root_init(&r, "/", &e) == 0 && enter(&r, proc, 1) == 0);
	MUST(root_read(&r, "proc/self/comm", text, sizeof(text)) > 0);
	MUST(root_read(&r, "proc/1/comm", text, sizeof(text)) > 0);
	FAILS(root_read(&r, "etc/passwd", text, sizeof(text)), EACCES);
	FAILS(root_write(&r, "proc/self/comm", "x"), EACCES);
	return 0;
}

static void the_whole_root_too(void **state)
{
	(void)state;
	need_landlock(1);
	child_does(works_in_all_of_it, NULL);
}

static int has_no_files(void *ctx)
{
	const struct scratch *t = ctx;
	char text[8];

	MUST(enter(&t->root, NULL, 0) == 0);
	FAILS(root_read(&t->root, "file", text, sizeof(text)), EACCES);
	return 0;
}

static void no_path_is_no_file(void **state)
{
	need_landlock(1);
	child_does(has_no_files, *state);
}

static int uses_tcp(void *ctx)
{
	const struct scratch *t = ctx;
	struct sockaddr_in to = {
		.sin_family = AF_INET, .sin_port = htons(9), .sin_addr = {htonl(INADDR_LOOPBACK)}};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	MUST(fd >= 0 && enter(&t->root, NULL, 0) == 0);
	FAILS(connect(fd, (struct sockaddr *)&to, sizeof(to)), EACCES);
	to.sin_port = 0;
	FAILS(bind(fd, (struct sockaddr *)&to, sizeof(to)), EACCES);
	return 0;
}

static void no_tcp_through_a_socket_that_is_open(void **state)
{
	need_landlock(4);
	child_does(uses_tcp, *state);
}

static int uses_a_device(void *ctx)
{
	static const struct sandbox_path read_only[] = {{"dev/zero", SANDBOX_READ}};
	static const struct sandbox_path as_device[] = {
		{"dev/zero", SANDBOX_READ | SANDBOX_DEVICE}};
	const bool *allowed = ctx;
	struct root r;
	struct err e;
	int fd;

	MUST(root_init(&r, "/", &e) == 0 && enter(&r, *allowed ? as_device : read_only, 1) == 0);
	fd = root_open(&r, "dev/zero", O_RDONLY, 0);
	MUST(fd >= 0);
	FAILS(ioctl(fd, TIOCGWINSZ, &e), *allowed ? ENOTTY : EACCES);
	return 0;
}

static void a_device_is_controlled_only_where_that_is_named(void **state)
{
	bool allowed = true, not_allowed = false;

	(void)state;
	need_landlock(5);
	child_does(uses_a_device, &allowed);
	child_does(uses_a_device, &not_allowed);
}

static int signals_others(void *ctx)
{
	const struct scratch *t = ctx;
	pid_t other = getppid();

	MUST(kill(other, 0) == 0 && enter(&t->root, NULL, 0) == 0);
	FAILS(kill(other, 0), EPERM);
	MUST(kill(getpid(), 0) == 0);
	return 0;
}

static void no_signal_to_a_process_outside(void **state)
{
	need_landlock(6);
	child_does(signals_others, *state);
}

static void make_when_told(const struct scratch *t, int told, int done)
{
	char c;

	_exit(read(told, &c, 1) == 1 && mkdirat(t->root.fd, "later", 0755) == 0 &&
				write(done, "", 1) == 1
			? 0
			: 1);
}

static int comes_later(void *ctx)
{
	static const struct sandbox_path p[] = {{"later", SANDBOX_READ | SANDBOX_MAKE}};
	const struct scratch *t = ctx;
	int tell[2], done[2];
	char c;

	MUST(pipe2(tell, O_CLOEXEC) == 0 && pipe2(done, O_CLOEXEC) == 0);
	if (fork() == 0)
		make_when_told(t, tell[0], done[1]);
	close(done[1]);
	MUST(enter(&t->root, p, 1) == 0 && write(tell[1], "", 1) == 1);
	MUST(read(done[0], &c, 1) == 1 && root_exists(&t->root, "later"));
	FAILS(root_open(&t->root, "later", O_RDONLY | O_DIRECTORY, 0), EACCES);
	return 0;
}

static void what_is_made_later_is_denied(void **state)
{
	need_landlock(1);
	child_does(comes_later, *state);
}

static int enters_without(void *ctx)
{
	const struct scratch *t = ctx;
	const struct sandbox s = box_of(&t->root, paths, ARRAY_LEN(paths));
	struct sandbox_result r;
	struct err e;
	bool landlock = landlock_abi() > 0, seccomp = has_seccomp();

	MUST(sandbox_enter(&s, &r, &e) == 0);
	MUST(landlock ? r.landlock > 0 : r.landlock == 0 && r.why_no_landlock[0]);
	MUST(seccomp ? r.calls > 0 : r.calls == 0 && r.why_no_seccomp[0]);
	return 0;
}

static void what_the_kernel_does_not_have_is_said_and_no_failure(void **state)
{
	child_does(enters_without, *state);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
		TEST(only_what_is_named_below_the_root),
		TEST(the_whole_root_too),
		TEST(no_path_is_no_file),
		TEST(no_tcp_through_a_socket_that_is_open),
		TEST(a_device_is_controlled_only_where_that_is_named),
		TEST(no_signal_to_a_process_outside),
		TEST(what_is_made_later_is_denied),
		TEST(what_the_kernel_does_not_have_is_said_and_no_failure),
	};

	return cmocka_run_group_tests_name("sandbox_files", tests, NULL, NULL);
}
