// SPDX-License-Identifier: GPL-2.0-or-later
// Children that enter a sandbox, and what the kernel of the machine that tests has of it.
#ifndef TESTS_SANDBOXED_H
#define TESTS_SANDBOXED_H

#include "base/sandbox.h"
#include "scratch.h"

#include <linux/seccomp.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>

/* In a child: what does not hold is said, and ends it. */
#define MUST(condition)                                                                            \
	do {                                                                                       \
		if (!(condition)) {                                                                \
			dprintf(2, "%s:%d: %s (%s)\n", __FILE__, __LINE__, #condition,             \
				strerror(errno));                                                  \
			return 1;                                                                  \
		}                                                                                  \
	} while (0)
#define FAILS(call, no) MUST((call) < 0 && errno == (no))

/* The wait status of a child that does `work`. _exit: no leak check, which would need calls of its
 * own. */
static inline int child_status(int (*work)(void *ctx), void *ctx)
{
	pid_t pid = fork();
	int status;

	assert_true(pid >= 0);
	if (pid == 0)
		_exit(work(ctx));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status;
}

static inline void child_does(int (*work)(void *ctx), void *ctx)
{
	assert_int_equal(child_status(work, ctx), 0);
}

static inline void skip_because(const char *why)
{
	print_message("skipped: %s\n", why);
	skip();
}

static inline bool has_seccomp(void)
{
	uint32_t action = SECCOMP_RET_KILL_PROCESS;

	return syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action) == 0;
}

/* 0: none. */
static inline long landlock_abi(void)
{
	long abi = syscall(SYS_landlock_create_ruleset, NULL, 0, 1);

	return abi > 0 ? abi : 0;
}

static inline void need_seccomp(void)
{
	if (!has_seccomp())
		skip_because("no seccomp here");
}

static inline void need_landlock(long abi)
{
	if (landlock_abi() < abi)
		skip_because(landlock_abi() ? "Landlock of this kernel has not got that yet"
					    : "no Landlock here");
}

static inline void need_root(void)
{
	if (geteuid() != 0)
		skip_because("not root");
}

#endif
