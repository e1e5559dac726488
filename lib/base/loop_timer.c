// SPDX-License-Identifier: GPL-2.0-or-later
// Timers of the event loop: a binary heap by deadline, then by order of adding.
#include "base/loop_impl.h"

#include <limits.h>
#include <time.h>

struct loop_timer {
	struct loop_timer *next; /* in the list of those that are due */
	uint64_t deadline, number;
	size_t place; /* in the heap */
	bool due, removed;
	loop_timer_fn *fn;
	void *ctx;
};

uint64_t loop_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000U + (uint64_t)t.tv_nsec;
}

static bool earlier(const struct loop_timer *x, const struct loop_timer *y)
{
	return x->deadline != y->deadline ? x->deadline < y->deadline : x->number < y->number;
}

static void put(struct loop *l, size_t place, struct loop_timer *t)
{
	l->heap[place] = t;
	t->place = place;
}

static void sift_up(struct loop *l, size_t i, struct loop_timer *t)
{
	while (i && earlier(t, l->heap[(i - 1) / 2])) {
		put(l, i, l->heap[(i - 1) / 2]);
		i = (i - 1) / 2;
	}
	put(l, i, t);
}

static void sift_down(struct loop *l, size_t i, struct loop_timer *t)
{
	for (;;) {
		size_t child = 2 * i + 1;

		if (child + 1 < l->timers && earlier(l->heap[child + 1], l->heap[child]))
			child++;
		if (child >= l->timers || !earlier(l->heap[child], t))
			break;
		put(l, i, l->heap[child]);
		i = child;
	}
	put(l, i, t);
}

static void take_out(struct loop *l, size_t i)
{
	struct loop_timer *last = l->heap[--l->timers];

	if (i == l->timers)
		return;
	if (i && earlier(last, l->heap[(i - 1) / 2]))
		sift_up(l, i, last);
	else
		sift_down(l, i, last);
}

struct loop_timer *loop_add_timer(struct loop *l, uint64_t deadline, loop_timer_fn *fn, void *ctx)
{
	struct loop_timer *t = mem_alloc(sizeof(*t));

	*t = (struct loop_timer){
		.deadline = deadline,
		.number = l->timers_added++,
		.fn = fn,
		.ctx = ctx,
	};
	if (l->timers == l->timers_cap) {
		l->timers_cap = l->timers_cap ? 2 * l->timers_cap : 16;
		l->heap = mem_resize(l->heap, l->timers_cap * sizeof(struct loop_timer *));
	}
	sift_up(l, l->timers++, t);
	return t;
}

void loop_remove_timer(struct loop *l, struct loop_timer *t)
{
	if (!t)
		return;
	if (t->due) {
		t->removed = true;
		return;
	}
	take_out(l, t->place);
	free(t);
}

int loop_timer_wait(const struct loop *l)
{
	uint64_t now, ms;

	if (!l->timers)
		return -1;
	now = loop_now();
	if (l->heap[0]->deadline <= now)
		return 0;
	ms = (l->heap[0]->deadline - now - 1) / 1000000 + 1;
	return ms > INT_MAX ? INT_MAX : (int)ms;
}

/* All that are due are taken before the first is called, so that a timer that sets itself again
 * for at once cannot keep the loop from its descriptors. */
static void take_due(struct loop *l)
{
	struct loop_timer **tail = &l->due;
	uint64_t now = l->timers ? loop_now() : 0;

	while (l->timers && l->heap[0]->deadline <= now) {
		struct loop_timer *t = l->heap[0];

		take_out(l, 0);
		t->due = true;
		*tail = t;
		tail = &t->next;
	}
}

void loop_timer_round(struct loop *l)
{
	take_due(l);
	while (l->due) {
		struct loop_timer *t = l->due;

		if (!t->removed)
			t->fn(t->ctx);
		l->due = t->next;
		free(t);
	}
}

void loop_timer_free_all(struct loop *l)
{
	for (size_t i = 0; i < l->timers; i++)
		free(l->heap[i]);
	free(l->heap);
}
