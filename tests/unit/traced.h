// SPDX-License-Identifier: GPL-2.0-or-later
// A child that does one thing under ptrace, stopped at each of its system calls.
#ifndef TESTS_TRACED_H
#define TESTS_TRACED_H

#include "base/base.h"

// clang-format off
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on

#include <errno.h>
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { TRACED_NOT_POSSIBLE = 99 };

/* Skips the test under qemu-user and where a container's policy forbids tracing. */
static inline void skip_without_ptrace(void)
{
	pid_t pid = fork();
	int status;

	assert_true(pid >= 0);
	if (pid == 0)
		_exit(ptrace(PTRACE_TRACEME, 0, NULL, NULL) < 0 ? TRACED_NOT_POSSIBLE : 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (status == 0)
		return;
	print_message("no process can be traced here\n");
	skip();
}

/* A child stopped before work(ctx), whose result is its exit status. */
static inline pid_t traced_start(int (*work)(void *ctx), void *ctx)
{
	pid_t pid = fork();
	int status;

	assert_true(pid >= 0);
	if (pid == 0) {
		if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) < 0)
			_exit(TRACED_NOT_POSSIBLE);
		raise(SIGSTOP);
		_exit(work(ctx));
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSTOPPED(status));
	assert_int_equal(ptrace(PTRACE_SETOPTIONS, pid, NULL,
				 (void *)(uintptr_t)(PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL)),
		0);
	return pid;
}

/* To the next entry to, or return from, a system call; false when the child has ended. */
static inline bool traced_next(pid_t pid, int *status)
{
	assert_int_equal(ptrace(PTRACE_SYSCALL, pid, NULL, NULL), 0);
	assert_int_equal(waitpid(pid, status, 0), pid);
	return WIFSTOPPED(*status);
}

static inline void traced_kill(pid_t pid)
{
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

#if defined(__x86_64__)
#include <sys/user.h>

/* At an entry: the number of the call. */
static inline long traced_call(pid_t pid)
{
	struct user_regs_struct regs;

	assert_int_equal(ptrace(PTRACE_GETREGS, pid, NULL, &regs), 0);
	return (long)regs.orig_rax;
}

/* At an entry: leaves the call out and stops where it has returned `value` (-errno). */
static inline void traced_return(pid_t pid, long value)
{
	struct user_regs_struct regs;
	int status;

	assert_int_equal(ptrace(PTRACE_GETREGS, pid, NULL, &regs), 0);
	regs.orig_rax = (unsigned long long)-1;
	assert_int_equal(ptrace(PTRACE_SETREGS, pid, NULL, &regs), 0);
	assert_true(traced_next(pid, &status));
	assert_int_equal(ptrace(PTRACE_GETREGS, pid, NULL, &regs), 0);
	regs.rax = (unsigned long long)value;
	assert_int_equal(ptrace(PTRACE_SETREGS, pid, NULL, &regs), 0);
}
#endif

#endif
