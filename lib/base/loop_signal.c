// SPDX-License-Identifier: GPL-2.0-or-later
// Signals of the event loop, through one signalfd.
#include "base/loop_impl.h"

#include <errno.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <unistd.h>

static void on_signals(void *ctx, int fd, uint32_t events)
{
	struct loop *l = ctx;
	struct signalfd_siginfo info[16];
	ssize_t n = read(fd, info, sizeof(info));

	(void)events;
	for (size_t i = 0; n > 0 && i < (size_t)n / sizeof(info[0]); i++) {
		uint32_t signo = info[i].ssi_signo;

		if (signo < LOOP_SIGNALS && l->signals[signo].fn)
			l->signals[signo].fn(l->signals[signo].ctx, (int)signo);
	}
}

static int start(struct loop *l, struct err *e)
{
	if (l->signal_fd >= 0)
		return 0;
	l->signal_fd = signalfd(-1, &l->blocked, SFD_NONBLOCK | SFD_CLOEXEC);
	if (l->signal_fd < 0)
		return err_sys(e, "make a signal descriptor");
	if (!loop_add_fd(l, l->signal_fd, EPOLLIN, on_signals, l, e)) {
		close(l->signal_fd);
		l->signal_fd = -1;
		return -1;
	}
	sigprocmask(SIG_SETMASK, NULL, &l->mask_before);
	return 0;
}

/* Unblocks `signo` unless it was blocked before the loop came. */
static void give_back(const struct loop *l, int signo)
{
	sigset_t one;

	if (sigismember(&l->mask_before, signo))
		return;
	sigemptyset(&one);
	sigaddset(&one, signo);
	sigprocmask(SIG_UNBLOCK, &one, NULL);
}

static int receive(struct loop *l, int signo, bool wanted, struct err *e)
{
	sigset_t set = l->blocked;

	/* the C library keeps a few numbers to itself */
	if ((wanted ? sigaddset(&set, signo) : sigdelset(&set, signo)) < 0)
		return err_sys(e, "receive signal %d", signo);
	if (signalfd(l->signal_fd, &set, 0) < 0)
		return err_sys(e, "change the signal descriptor");
	l->blocked = set;
	if (wanted)
		sigprocmask(SIG_BLOCK, &set, NULL);
	else
		give_back(l, signo);
	return 0;
}

int loop_signal(struct loop *l, int signo, loop_signal_fn *fn, void *ctx, struct err *e)
{
	if (signo < 1 || signo >= LOOP_SIGNALS || signo == SIGKILL || signo == SIGSTOP) {
		errno = EINVAL;
		return err_sys(e, "receive signal %d", signo);
	}
	if (!fn && !l->signals[signo].fn)
		return 0;
	if (start(l, e) < 0 || receive(l, signo, fn != NULL, e) < 0)
		return -1;
	l->signals[signo].fn = fn;
	l->signals[signo].ctx = ctx;
	return 0;
}

void loop_unblock(const struct loop *l)
{
	if (l->signal_fd >= 0)
		sigprocmask(SIG_SETMASK, &l->mask_before, NULL);
}

void loop_signal_free(struct loop *l)
{
	struct signalfd_siginfo info;

	if (l->signal_fd < 0)
		return;
	while (read(l->signal_fd, &info, sizeof(info)) > 0)
		;
	for (int signo = 1; signo < LOOP_SIGNALS; signo++)
		if (l->signals[signo].fn)
			give_back(l, signo);
	close(l->signal_fd);
}
