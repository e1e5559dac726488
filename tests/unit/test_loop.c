// SPDX-License-Identifier: GPL-2.0-or-later
// The event loop: descriptors and timers, removal inside callbacks, rest.
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
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MS = 1000000 };

static struct loop *new_loop(void)
{
	struct err e;
	struct loop *l = loop_new(&e);

	assert_non_null(l);
	return l;
}

static void run(struct loop *l)
{
	struct err e;

	if (loop_run(l, &e) < 0)
		fail_msg("%s", e.text);
}

static void stop(void *ctx)
{
	loop_stop(ctx);
}

/* Lets the loop go through everything that is ready now. */
static void run_once(struct loop *l)
{
	loop_add_timer(l, 0, stop, l);
	run(l);
}

/* A pipe that the loop reads from. */
struct channel {
	struct loop *loop;
	struct loop_fd *source;
	int in, out;
	int calls;
	uint32_t events;
	struct channel *remove; /* in the callback */
	bool keep_byte;
};

static void on_channel(void *ctx, int fd, uint32_t events)
{
	struct channel *c = ctx;
	char byte;

	assert_int_equal(fd, c->in);
	c->calls++;
	c->events = events;
	if (!c->keep_byte && (events & EPOLLIN))
		assert_int_equal(read(fd, &byte, 1), 1);
	if (c->remove) {
		loop_remove_fd(c->loop, c->remove->source);
		c->remove->source = NULL;
	}
}

static void open_channel(struct channel *c, struct loop *l)
{
	int fds[2];
	struct err e;

	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	*c = (struct channel){.loop = l, .in = fds[0], .out = fds[1]};
	c->source = loop_add_fd(l, c->in, EPOLLIN, on_channel, c, &e);
	assert_non_null(c->source);
}

static void close_channel(struct channel *c)
{
	close(c->in);
	close(c->out);
}

static void send_byte(const struct channel *c)
{
	assert_int_equal(write(c->out, "x", 1), 1);
}

static void descriptors(void **state)
{
	struct loop *l = new_loop();
	struct channel c;
	struct err e;

	(void)state;
	open_channel(&c, l);
	run_once(l);
	assert_int_equal(c.calls, 0);
	send_byte(&c);
	send_byte(&c);
	run_once(l);
	assert_int_equal(c.calls, 1);
	run_once(l);
	assert_int_equal(c.calls, 2);
	assert_int_equal(c.events, EPOLLIN);

	/* no events wanted: not called, though there is something */
	assert_int_equal(loop_modify_fd(l, c.source, 0, &e), 0);
	send_byte(&c);
	run_once(l);
	assert_int_equal(c.calls, 2);
	assert_int_equal(loop_modify_fd(l, c.source, EPOLLIN, &e), 0);
	run_once(l);
	assert_int_equal(c.calls, 3);

	close(c.out);
	run_once(l);
	assert_int_equal(c.events, EPOLLHUP);
	loop_remove_fd(l, c.source);
	run_once(l);
	assert_int_equal(c.calls, 4);
	loop_free(l);
	close(c.in);
}

static void descriptor_errors(void **state)
{
	struct loop *l = new_loop();
	struct channel c;
	struct err e;

	(void)state;
	open_channel(&c, l);
	assert_null(loop_add_fd(l, c.in, EPOLLIN, on_channel, &c, &e));
	assert_int_equal(e.no, EEXIST);
	assert_null(loop_add_fd(l, -1, EPOLLIN, on_channel, &c, &e));
	assert_int_equal(e.no, EBADF);
	assert_string_equal(e.text, "watch descriptor -1: Bad file descriptor");
	loop_remove_fd(l, NULL);
	loop_remove_timer(l, NULL);
	loop_remove_watch(l, NULL);
	loop_free(l);
	loop_free(NULL);
	/* the caller's descriptor is still the caller's */
	assert_int_equal(fcntl(c.in, F_GETFD), FD_CLOEXEC);
	close_channel(&c);
}

static void removal_by_itself(void **state)
{
	struct loop *l = new_loop();
	struct channel c[3];

	(void)state;
	for (int i = 0; i < 3; i++) {
		open_channel(&c[i], l);
		c[i].remove = &c[i];
		c[i].keep_byte = true;
		send_byte(&c[i]);
	}
	run_once(l);
	run_once(l);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(c[i].calls, 1);
		close_channel(&c[i]);
	}
	loop_free(l);
}

/* Two are ready in one round, and each removes the other: one is called, once. */
static void removal_by_another(void **state)
{
	struct loop *l = new_loop();
	struct channel c[2];

	(void)state;
	for (int i = 0; i < 2; i++) {
		open_channel(&c[i], l);
		c[i].remove = &c[1 - i];
		send_byte(&c[i]);
	}
	run_once(l);
	run_once(l);
	assert_int_equal(c[0].calls + c[1].calls, 1);
	loop_free(l);
	close_channel(&c[0]);
	close_channel(&c[1]);
}

/* Removes a source and watches the same descriptor anew, in the round in which both are ready. */
struct renewal {
	struct loop *loop;
	struct channel *other, again;
	int calls;
};

static void on_renewal(void *ctx, int fd, uint32_t events)
{
	struct renewal *r = ctx;
	struct err e;

	(void)fd;
	(void)events;
	r->calls++;
	if (!r->other->source)
		return;
	loop_remove_fd(r->loop, r->other->source);
	r->other->source = NULL;
	r->again = *r->other;
	r->again.calls = 0;
	r->again.source = loop_add_fd(r->loop, r->again.in, EPOLLIN, on_channel, &r->again, &e);
	assert_non_null(r->again.source);
}

static void renewal_in_a_callback(void **state)
{
	struct loop *l = new_loop();
	struct channel first, second;
	struct renewal r = {.loop = l, .other = &second};
	struct err e;

	(void)state;
	open_channel(&first, l);
	open_channel(&second, l);
	loop_remove_fd(l, first.source);
	first.source = loop_add_fd(l, first.in, EPOLLIN, on_renewal, &r, &e);
	assert_non_null(first.source);
	send_byte(&first);
	send_byte(&second);
	run_once(l);
	run_once(l);
	assert_int_equal(second.calls + r.again.calls, 1);
	assert_true(r.calls >= 1);
	loop_free(l);
	close_channel(&first);
	close_channel(&second);
}

/* Timers write their letter down. */
struct trace {
	struct loop *loop;
	char text[64];
	size_t n;
};

struct note {
	struct trace *trace;
	char letter;
	uint64_t deadline;
	struct loop_timer *timer;
	struct note *remove; /* in the callback */
	struct note *add;    /* in the callback */
	bool stop;
};

static void on_note(void *ctx)
{
	struct note *n = ctx;
	struct note *add = n->add, *remove = n->remove;

	assert_true(loop_now() >= n->deadline);
	if (n->trace->n + 1 < sizeof(n->trace->text))
		n->trace->text[n->trace->n++] = n->letter;
	if (remove)
		loop_remove_timer(n->trace->loop, remove->timer);
	n->timer = NULL;
	if (add)
		add->timer = loop_add_timer(n->trace->loop, add->deadline, on_note, add);
	if (n->stop)
		loop_stop(n->trace->loop);
}

static void add_note(struct note *n, struct trace *t, char letter, uint64_t deadline)
{
	*n = (struct note){.trace = t, .letter = letter, .deadline = deadline};
	n->timer = loop_add_timer(t->loop, deadline, on_note, n);
}

static void timers_fire_in_order(void **state)
{
	static const unsigned delay[] = {9, 3, 6, 3, 0, 12, 6, 3};
	struct trace t = {.loop = new_loop()};
	struct note notes[ARRAY_LEN(delay)];
	uint64_t now = loop_now();

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(delay); i++)
		add_note(&notes[i], &t, (char)('a' + i), now + delay[i] * MS);
	notes[5].stop = true;
	run(t.loop);
	assert_string_equal(t.text, "ebdhcgaf");
	loop_free(t.loop);
}

static void timers_are_cancelled(void **state)
{
	struct trace t = {.loop = new_loop()};
	struct note notes[6];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(notes); i++)
		add_note(&notes[i], &t, (char)('a' + i), 10 + i);
	loop_remove_timer(t.loop, notes[2].timer);
	notes[0].remove = &notes[3]; /* due in the same round */
	notes[1].remove = &notes[1]; /* itself */
	notes[5].stop = true;
	run(t.loop);
	assert_string_equal(t.text, "abef");
	loop_free(t.loop);
}

static void a_timer_set_in_a_callback_waits_for_the_next_round(void **state)
{
	struct trace t = {.loop = new_loop()};
	struct note first, second = {.trace = &t, .letter = 'b', .stop = true};

	(void)state;
	add_note(&first, &t, 'a', 10);
	first.add = &second;
	first.stop = true;
	run(t.loop);
	assert_string_equal(t.text, "a");
	run(t.loop);
	assert_string_equal(t.text, "ab");
	loop_free(t.loop);
}

static void on_stop_channel(void *ctx, int fd, uint32_t events)
{
	(void)fd;
	(void)events;
	loop_stop(ctx);
}

static void timers_do_not_starve_descriptors(void **state)
{
	struct trace t = {.loop = new_loop()};
	struct channel c;
	struct note n;
	struct err e;

	(void)state;
	open_channel(&c, t.loop);
	loop_remove_fd(t.loop, c.source);
	assert_non_null(loop_add_fd(t.loop, c.in, EPOLLIN, on_stop_channel, t.loop, &e));
	add_note(&n, &t, 'x', 0);
	n.add = &n;
	send_byte(&c);
	run(t.loop);
	assert_int_equal(t.n, 1);
	loop_free(t.loop);
	close_channel(&c);
}

struct many {
	struct loop *loop;
	uint64_t last;
	unsigned fired, want;
};

struct one_of_many {
	struct many *all;
	uint64_t deadline;
	struct loop_timer *timer;
};

static void on_one_of_many(void *ctx)
{
	struct one_of_many *one = ctx;

	assert_true(one->deadline >= one->all->last);
	one->all->last = one->deadline;
	one->timer = NULL;
	if (++one->all->fired == one->all->want)
		loop_stop(one->all->loop);
}

static void many_timers(void **state)
{
	enum { N = 20000 };
	struct one_of_many *ones = mem_alloc(N * sizeof(*ones));
	struct many all = {.loop = new_loop()};
	uint64_t random = 88172645463325252U;

	(void)state;
	for (int i = 0; i < N; i++) {
		random ^= random << 13;
		random ^= random >> 7;
		random ^= random << 17;
		ones[i].all = &all;
		ones[i].deadline = random % 5000;
		ones[i].timer =
			loop_add_timer(all.loop, ones[i].deadline, on_one_of_many, &ones[i]);
		all.want++;
		if (random % 3 == 0 && ones[random % (unsigned)(i + 1)].timer) {
			struct one_of_many *gone = &ones[random % (unsigned)(i + 1)];

			loop_remove_timer(all.loop, gone->timer);
			gone->timer = NULL;
			all.want--;
		}
	}
	run(all.loop);
	assert_int_equal(all.fired, all.want);
	for (int i = 0; i < N; i++)
		assert_null(ones[i].timer);
	loop_free(all.loop);
	free(ones);
}

static long switches(void)
{
	struct rusage usage;

	assert_int_equal(getrusage(RUSAGE_SELF, &usage), 0);
	return usage.ru_nvcsw;
}

static void must_not_fire(void *ctx)
{
	(void)ctx;
	fail();
}

static void rests_without_waking_up(void **state)
{
	(void)state;
	for (int with_timers = 0; with_timers < 2; with_timers++) {
		struct loop *l = new_loop();
		struct channel c;
		struct err e;
		long before;
		pid_t child;

		open_channel(&c, l);
		loop_remove_fd(l, c.source);
		assert_non_null(loop_add_fd(l, c.in, EPOLLIN, on_stop_channel, l, &e));
		if (with_timers) {
			loop_add_timer(l, UINT64_MAX, must_not_fire, NULL);
			loop_add_timer(l, loop_now() + 3600000000000U, must_not_fire, NULL);
		}
		child = fork();
		assert_true(child >= 0);
		if (!child) {
			usleep(200000);
			_exit(write(c.out, "x", 1) == 1 ? 0 : 1);
		}
		before = switches();
		run(l);
		assert_in_range(switches() - before, 0, 5);
		waitpid(child, NULL, 0);
		loop_free(l);
		close_channel(&c);
	}
}

static void two_loops(void **state)
{
	struct loop *x = new_loop(), *y = new_loop();
	struct channel in_x, in_y;

	(void)state;
	open_channel(&in_x, x);
	open_channel(&in_y, y);
	send_byte(&in_x);
	send_byte(&in_y);
	run_once(x);
	assert_int_equal(in_x.calls, 1);
	assert_int_equal(in_y.calls, 0);
	run_once(y);
	assert_int_equal(in_y.calls, 1);
	loop_free(x);
	loop_free(y);
	close_channel(&in_x);
	close_channel(&in_y);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(descriptors),
		cmocka_unit_test(descriptor_errors),
		cmocka_unit_test(removal_by_itself),
		cmocka_unit_test(removal_by_another),
		cmocka_unit_test(renewal_in_a_callback),
		cmocka_unit_test(timers_fire_in_order),
		cmocka_unit_test(timers_are_cancelled),
		cmocka_unit_test(a_timer_set_in_a_callback_waits_for_the_next_round),
		cmocka_unit_test(timers_do_not_starve_descriptors),
		cmocka_unit_test(many_timers),
		cmocka_unit_test(rests_without_waking_up),
		cmocka_unit_test(two_loops),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
