// SPDX-License-Identifier: GPL-2.0-or-later
// The event loop: signals and watched directories.
#include "base/buf.h"
#include "base/loop.h"

// clang-format off
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/inotify.h>
#include <sys/wait.h>
#include <unistd.h>

static struct loop *new_loop(void)
{
	struct err e;
	struct loop *l = loop_new(&e);

	assert_non_null(l);
	return l;
}

static void stop(void *ctx)
{
	loop_stop(ctx);
}

/* Lets the loop go through everything that is ready now. */
static void run_once(struct loop *l)
{
	struct err e;

	loop_add_timer(l, 0, stop, l);
	if (loop_run(l, &e) < 0)
		fail_msg("%s", e.text);
}

static bool is_blocked(int signo)
{
	sigset_t set;

	assert_int_equal(sigprocmask(SIG_SETMASK, NULL, &set), 0);
	return sigismember(&set, signo) == 1;
}

struct heard {
	struct loop *loop;
	int count[65];
	int give_back; /* in the callback */
	bool stop;
};

static void on_signal(void *ctx, int signo)
{
	struct heard *h = ctx;
	struct err e;

	h->count[signo]++;
	if (h->give_back)
		assert_int_equal(loop_signal(h->loop, h->give_back, NULL, NULL, &e), 0);
	if (h->stop)
		loop_stop(h->loop);
}

static void listen_to(struct heard *h, int signo)
{
	struct err e;

	if (loop_signal(h->loop, signo, on_signal, h, &e) < 0)
		fail_msg("%s", e.text);
}

static void signals(void **state)
{
	struct heard h = {.loop = new_loop()}, other = {.loop = h.loop};

	(void)state;
	listen_to(&h, SIGUSR1);
	listen_to(&h, SIGTERM);
	assert_true(is_blocked(SIGUSR1) && is_blocked(SIGTERM) && !is_blocked(SIGUSR2));
	raise(SIGUSR1);
	raise(SIGTERM);
	run_once(h.loop);
	assert_int_equal(h.count[SIGUSR1], 1);
	assert_int_equal(h.count[SIGTERM], 1);
	raise(SIGUSR1);
	raise(SIGUSR1);
	run_once(h.loop);
	assert_int_equal(h.count[SIGUSR1], 2);
	listen_to(&other, SIGUSR1);
	raise(SIGUSR1);
	run_once(h.loop);
	assert_int_equal(h.count[SIGUSR1], 2);
	assert_int_equal(other.count[SIGUSR1], 1);
	loop_free(h.loop);
	assert_false(is_blocked(SIGUSR1) || is_blocked(SIGTERM));
}

static void a_signal_is_given_back(void **state)
{
	struct heard h = {.loop = new_loop()};
	struct err e;
	sigset_t set;

	(void)state;
	/* one that was blocked before stays so */
	sigemptyset(&set);
	sigaddset(&set, SIGUSR2);
	sigprocmask(SIG_BLOCK, &set, NULL);
	listen_to(&h, SIGUSR1);
	listen_to(&h, SIGUSR2);
	assert_int_equal(loop_signal(h.loop, SIGUSR1, NULL, NULL, &e), 0);
	assert_int_equal(loop_signal(h.loop, SIGUSR1, NULL, NULL, &e), 0);
	assert_int_equal(loop_signal(h.loop, SIGHUP, NULL, NULL, &e), 0);
	assert_false(is_blocked(SIGUSR1));
	raise(SIGUSR2);
	run_once(h.loop);
	assert_int_equal(h.count[SIGUSR2], 1);
	loop_free(h.loop);
	assert_true(is_blocked(SIGUSR2));
	sigprocmask(SIG_UNBLOCK, &set, NULL);
}

/* Both come with one read; whichever is first takes the other away. */
static void a_signal_is_given_back_in_a_callback(void **state)
{
	struct heard one = {.loop = new_loop(), .give_back = SIGUSR2};
	struct heard two = {.loop = one.loop, .give_back = SIGUSR1};

	(void)state;
	listen_to(&one, SIGUSR1);
	listen_to(&two, SIGUSR2);
	raise(SIGUSR1);
	raise(SIGUSR2);
	run_once(one.loop);
	assert_int_equal(one.count[SIGUSR1] + two.count[SIGUSR2], 1);
	loop_free(one.loop);
}

static void pending_signals_do_not_outlive_the_loop(void **state)
{
	struct heard h = {.loop = new_loop()};

	(void)state;
	listen_to(&h, SIGTERM);
	raise(SIGTERM);
	loop_free(h.loop);
	assert_false(is_blocked(SIGTERM));
}

static void children(void **state)
{
	struct heard h = {.loop = new_loop(), .stop = true};
	struct err e;
	int status;
	pid_t child;

	(void)state;
	listen_to(&h, SIGCHLD);
	listen_to(&h, SIGTERM);
	child = fork();
	assert_true(child >= 0);
	if (!child) {
		bool before = is_blocked(SIGTERM);

		loop_unblock(h.loop);
		_exit(before && !is_blocked(SIGTERM) && !is_blocked(SIGCHLD) ? 7 : 8);
	}
	assert_int_equal(loop_run(h.loop, &e), 0);
	assert_int_equal(h.count[SIGCHLD], 1);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(WEXITSTATUS(status), 7);
	loop_free(h.loop);
}

static void signals_that_cannot_be(void **state)
{
	static const int bad[] = {0, -1, 65, SIGKILL, SIGSTOP};
	struct loop *l = new_loop();
	struct err e;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		assert_int_equal(loop_signal(l, bad[i], on_signal, NULL, &e), -1);
		assert_int_equal(e.no, EINVAL);
	}
	loop_unblock(l);
	loop_free(l);
}

/* A directory and what its watch was told, as words: "+name" made, "-name" gone, "!" overflow,
 * "x" the end. */
struct watched {
	struct loop *loop;
	char dir[64];
	struct loop_watch *watch;
	struct buf told;
	struct watched *remove; /* in the callback */
	struct watched *add;    /* when events were lost */
};

static void on_entry(void *ctx, uint32_t mask, const char *name)
{
	struct watched *w = ctx;
	struct err e;

	if (mask & (IN_CREATE | IN_MOVED_TO))
		buf_printf(&w->told, "+%s ", name);
	if (mask & (IN_DELETE | IN_MOVED_FROM))
		buf_printf(&w->told, "-%s ", name);
	if (mask & IN_Q_OVERFLOW)
		buf_printf(&w->told, "!%s ", name);
	if (mask & IN_IGNORED)
		buf_printf(&w->told, "x%s ", name);
	if (w->remove) {
		loop_remove_watch(w->loop, w->remove->watch);
		w->remove->watch = NULL;
		w->remove = NULL;
	}
	if (w->add && (mask & IN_Q_OVERFLOW)) {
		w->add->watch =
			loop_add_watch(w->loop, w->add->dir, IN_CREATE, on_entry, w->add, &e);
		assert_non_null(w->add->watch);
		w->add = NULL;
	}
}

static void make_watched(struct watched *w, struct loop *l)
{
	*w = (struct watched){.loop = l};
	snprintf(w->dir, sizeof(w->dir), "/tmp/vfiobox-loop-XXXXXX");
	assert_non_null(mkdtemp(w->dir));
}

static void watch(struct watched *w, struct loop *l)
{
	struct err e;

	make_watched(w, l);
	w->watch = loop_add_watch(l, w->dir, IN_CREATE | IN_DELETE | IN_MOVE, on_entry, w, &e);
	if (!w->watch)
		fail_msg("%s", e.text);
}

static void unwatch(struct watched *w)
{
	rmdir(w->dir);
	buf_free(&w->told);
}

static void make(const struct watched *w, const char *name)
{
	CLEANUP_FREE char *path = mem_printf("%s/%s", w->dir, name);
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	close(fd);
}

static void drop(const struct watched *w, const char *name)
{
	CLEANUP_FREE char *path = mem_printf("%s/%s", w->dir, name);

	assert_int_equal(unlink(path), 0);
}

static void watched_directories(void **state)
{
	struct loop *l = new_loop();
	struct watched x, y;

	(void)state;
	watch(&x, l);
	watch(&y, l);
	make(&x, "a");
	make(&y, "b");
	make(&x, "a-name-that-is-longer-than-others.json");
	drop(&x, "a");
	run_once(l);
	assert_string_equal(buf_z(&x.told), "+a +a-name-that-is-longer-than-others.json -a ");
	assert_string_equal(buf_z(&y.told), "+b ");
	drop(&y, "b");
	loop_remove_watch(l, y.watch);
	make(&y, "c");
	drop(&y, "c");
	run_once(l);
	assert_string_equal(buf_z(&y.told), "+b ");
	drop(&x, "a-name-that-is-longer-than-others.json");
	loop_free(l);
	unwatch(&x);
	unwatch(&y);
}

static void a_directory_that_goes(void **state)
{
	struct loop *l = new_loop();
	struct watched x;

	(void)state;
	watch(&x, l);
	assert_int_equal(rmdir(x.dir), 0);
	run_once(l);
	assert_string_equal(buf_z(&x.told), "x ");
	loop_remove_watch(l, x.watch);
	run_once(l);
	loop_free(l);
	unwatch(&x);
}

static void removal_in_a_callback(void **state)
{
	struct loop *l = new_loop();
	struct watched x, y;

	(void)state;
	watch(&x, l);
	watch(&y, l);
	make(&x, "a");
	make(&y, "b");
	make(&x, "c");
	x.remove = &y;
	run_once(l);
	assert_string_equal(buf_z(&x.told), "+a +c ");
	assert_string_equal(buf_z(&y.told), "");
	drop(&x, "a");
	drop(&x, "c");
	x.remove = &x;
	run_once(l);
	assert_string_equal(buf_z(&x.told), "+a +c -a ");
	drop(&y, "b");
	run_once(l);
	loop_free(l);
	unwatch(&x);
	unwatch(&y);
}

static void by_descriptor(void **state)
{
	struct loop *l = new_loop();
	struct watched x;
	CLEANUP_FREE char *path = NULL;
	CLEANUP_CLOSE int fd = -1;
	struct err e;

	(void)state;
	make_watched(&x, l);
	fd = open(x.dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	path = mem_printf("/proc/self/fd/%d", fd);
	assert_non_null(loop_add_watch(l, path, IN_CREATE, on_entry, &x, &e));
	make(&x, "a");
	drop(&x, "a");
	run_once(l);
	assert_string_equal(buf_z(&x.told), "+a ");
	loop_free(l);
	unwatch(&x);
}

static void watch_errors(void **state)
{
	struct loop *l = new_loop();
	struct watched x;
	struct err e;

	(void)state;
	watch(&x, l);
	assert_null(loop_add_watch(l, x.dir, IN_DELETE, on_entry, &x, &e));
	assert_int_equal(e.no, EEXIST);
	assert_null(loop_add_watch(l, "/tmp/none/here", IN_CREATE, on_entry, &x, &e));
	assert_int_equal(e.no, ENOENT);
	assert_string_equal(e.text, "watch directory /tmp/none/here: No such file or directory");
	assert_null(loop_add_watch(l, "/proc/self/status", IN_CREATE, on_entry, &x, &e));
	assert_int_equal(e.no, ENOTDIR);
	/* the watch that was there is as it was; once removed, there may be another */
	make(&x, "a");
	run_once(l);
	assert_string_equal(buf_z(&x.told), "+a ");
	loop_remove_watch(l, x.watch);
	assert_non_null(loop_add_watch(l, x.dir, IN_DELETE, on_entry, &x, &e));
	drop(&x, "a");
	run_once(l);
	assert_string_equal(buf_z(&x.told), "+a -a ");
	loop_free(l);
	unwatch(&x);
}

/* More events than the kernel keeps, all in one directory. */
static void overflow(const struct watched *w)
{
	CLEANUP_FREE char *a = mem_printf("%s/a", w->dir);
	CLEANUP_FREE char *b = mem_printf("%s/b", w->dir);
	FILE *f = fopen("/proc/sys/fs/inotify/max_queued_events", "re");
	int most = 0;

	assert_non_null(f);
	assert_int_equal(fscanf(f, "%d", &most), 1);
	fclose(f);
	make(w, "a");
	for (int i = 0; i < most / 4 + 2; i++)
		assert_true(!rename(a, b) && !rename(b, a));
	drop(w, "a");
}

static void lost_events_are_told_to_all(void **state)
{
	struct loop *l = new_loop();
	struct watched x, y, z, late;

	(void)state;
	watch(&x, l);
	watch(&y, l);
	watch(&z, l);
	make_watched(&late, l);
	overflow(&x);
	y.remove = &z;
	z.remove = &y;
	x.add = &late;
	for (int i = 0; i < 10000 && !(x.told.len && strchr(buf_z(&x.told), '!')); i++)
		run_once(l);
	assert_non_null(strchr(buf_z(&x.told), '!'));
	/* of the two others, one was told and took the other away */
	assert_int_equal(y.told.len + z.told.len, 2);
	assert_int_equal(late.told.len, 0);
	loop_free(l);
	unwatch(&x);
	unwatch(&y);
	unwatch(&z);
	unwatch(&late);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(signals),
		cmocka_unit_test(a_signal_is_given_back),
		cmocka_unit_test(a_signal_is_given_back_in_a_callback),
		cmocka_unit_test(pending_signals_do_not_outlive_the_loop),
		cmocka_unit_test(children),
		cmocka_unit_test(signals_that_cannot_be),
		cmocka_unit_test(watched_directories),
		cmocka_unit_test(a_directory_that_goes),
		cmocka_unit_test(removal_in_a_callback),
		cmocka_unit_test(by_descriptor),
		cmocka_unit_test(watch_errors),
		cmocka_unit_test(lost_events_are_told_to_all),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
