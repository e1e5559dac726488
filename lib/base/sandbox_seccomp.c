// SPDX-License-Identifier: GPL-2.0-or-later
// System calls: a seccomp filter (Documentation/userspace-api/seccomp_filter.rst), written out.
#include "base/sandbox_impl.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#if defined(__x86_64__)
#define OUR_ARCH AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define OUR_ARCH AUDIT_ARCH_AARCH64
#else
#error "say which AUDIT_ARCH_* this machine is"
#endif

enum {
	X32_BIT = 0x40000000, /* arch/x86: the same numbers, another ABI */
	STEPS_MAX = 1024,     /* the kernel takes 4096 (BPF_MAXINSNS) */
	CALLS_MAX = 100,      /* of the caller's own, two steps each; ours take some 500 */
	EITHER = 1,           /* a jump's distance over one step */
};

struct filter {
	struct sock_filter step[STEPS_MAX];
	unsigned short n;
	unsigned calls;
};

/* Allowed when (argument & mask) == value; the arguments that are looked at have 32 bits. */
struct check {
	int call;
	unsigned argument;
	uint32_t mask, value;
};

static void add(struct filter *f, uint16_t code, uint32_t k, uint8_t if_true, uint8_t if_false)
{
	f->step[f->n++] = (struct sock_filter){code, if_true, if_false, k};
}

static void load(struct filter *f, size_t offset)
{
	add(f, BPF_LD | BPF_W | BPF_ABS, (uint32_t)offset, 0, 0);
}

static void answer(struct filter *f, uint32_t action)
{
	add(f, BPF_RET | BPF_K, action, 0, 0);
}

static void when(struct filter *f, int call, uint32_t action)
{
	add(f, BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)call, 0, EITHER);
	answer(f, action);
}

/* Both machines are little-endian: the low half of an argument comes first. */
static void when_checked(struct filter *f, const struct check *c)
{
	add(f, BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)c->call, 0, 5);
	load(f, offsetof(struct seccomp_data, args) + 8 * c->argument);
	add(f, BPF_ALU | BPF_AND | BPF_K, c->mask, 0, 0);
	add(f, BPF_JMP | BPF_JEQ | BPF_K, c->value, 0, EITHER);
	answer(f, SECCOMP_RET_ALLOW);
	load(f, offsetof(struct seccomp_data, nr));
}

static void begin(struct filter *f)
{
	load(f, offsetof(struct seccomp_data, arch));
	add(f, BPF_JMP | BPF_JEQ | BPF_K, OUR_ARCH, EITHER, 0);
	answer(f, SECCOMP_RET_KILL_PROCESS);
	load(f, offsetof(struct seccomp_data, nr));
	if (OUR_ARCH == AUDIT_ARCH_X86_64) {
		add(f, BPF_JMP | BPF_JGE | BPF_K, X32_BIT, 0, EITHER);
		answer(f, SECCOMP_RET_KILL_PROCESS);
	}
}

static void allow_all(struct filter *f, const int *call, size_t n)
{
	for (size_t i = 0; i < n; i++)
		when(f, call[i], SECCOMP_RET_ALLOW);
	f->calls += (unsigned)n;
}

/* One that the caller or a set has allowed already never gets here. */
static void refuse_others(struct filter *f, const struct check *c, size_t n)
{
	for (size_t i = 0; i < n; i++)
		when_checked(f, &c[i]);
	for (size_t i = 0; i < n; i++)
		if (i == 0 || c[i].call != c[i - 1].call)
			when(f, c[i].call, SECCOMP_RET_ERRNO | EPERM);
	f->calls += (unsigned)n;
}

#define NEW_SPACES                                                                                 \
	((uint32_t)CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER |   \
		CLONE_NEWPID | CLONE_NEWNET)
#define OF_A_THREAD ((uint32_t)CLONE_VM | CLONE_SIGHAND | CLONE_THREAD)
/* Not O_ACCMODE: musl's has O_PATH in it. */
#define TO_WRITE ((uint32_t)O_WRONLY | O_RDWR | O_CREAT | O_TRUNC | (O_TMPFILE & ~O_DIRECTORY))

/* Who raises a signal sends it to itself: musl with tkill, others with tgkill. */
static void refuse_by_argument(struct filter *f, unsigned sets)
{
	const struct check checks[] = {
		{SYS_mmap, 2, PROT_EXEC, 0},
		{SYS_mprotect, 2, PROT_EXEC, 0},
		{SYS_tkill, 0, UINT32_MAX, (uint32_t)gettid()},
		{SYS_tgkill, 0, UINT32_MAX, (uint32_t)getpid()},
		{SYS_ioctl, 1, UINT32_MAX, TCGETS},
		{SYS_ioctl, 1, UINT32_MAX, TIOCGWINSZ},
	};
	const struct check open_checks[] = {
		{SYS_openat, 2, TO_WRITE, 0},
#ifdef SYS_open
		{SYS_open, 1, TO_WRITE, 0},
#endif
	};
	const struct check thread = {SYS_clone, 0, NEW_SPACES | OF_A_THREAD, OF_A_THREAD};

	refuse_others(f, checks, ARRAY_LEN(checks));
	if (sets & SANDBOX_CALLS_LOOK)
		refuse_others(f, open_checks, ARRAY_LEN(open_checks));
	if (sets & SANDBOX_CALLS_THREADS)
		refuse_others(f, &thread, 1);
	when(f, SYS_clone, SECCOMP_RET_ERRNO | EPERM);
#ifdef SYS_fork
	when(f, SYS_fork, SECCOMP_RET_ERRNO | EPERM);
	when(f, SYS_vfork, SECCOMP_RET_ERRNO | EPERM);
#endif
}

static void build(struct filter *f, const struct sandbox *s)
{
	begin(f);
	allow_all(f, s->call, s->n_calls);
	allow_all(f, sandbox_calls_always.call, sandbox_calls_always.n);
	for (unsigned i = 0; i < SANDBOX_CALL_SETS; i++)
		if (s->calls >> i & 1)
			allow_all(f, sandbox_calls_of[i].call, sandbox_calls_of[i].n);
	refuse_by_argument(f, s->calls);
	for (size_t i = 0; i < sandbox_calls_never.n; i++)
		when(f, sandbox_calls_never.call[i], SECCOMP_RET_KILL_PROCESS);
	answer(f, SECCOMP_RET_ERRNO | ENOSYS);
}

static bool fits(const struct sandbox *s)
{
	return s->n_calls <= CALLS_MAX;
}

/* Since Linux 4.14; EINVAL without CONFIG_SECCOMP_FILTER. */
static bool is_there(void)
{
	uint32_t action = SECCOMP_RET_KILL_PROCESS;

	return syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action) == 0;
}

/* All of a sandbox is of a thread. Where there is no /proc nothing can be said. */
static bool has_other_threads(void)
{
	struct stat st;

	return stat("/proc/self/task", &st) == 0 && st.st_nlink > 3;
}

int sandbox_seccomp(const struct sandbox *s, struct sandbox_result *out, struct err *e)
{
	CLEANUP_FREE struct filter *f = NULL;
	struct sock_fprog program;

	if (!is_there()) {
		snprintf(out->why_no_seccomp, sizeof(out->why_no_seccomp), "%s", strerror(errno));
		return 0;
	}
	if (has_other_threads())
		return err_set(e, "enter the seccomp filter: other threads would stay outside");
	if (!fits(s))
		return err_set(e, "enter the seccomp filter: over %d calls of its own", CALLS_MAX);
	f = mem_alloc(sizeof(*f));
	build(f, s);
	program = (struct sock_fprog){f->n, f->step};
	if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_LOG, &program) < 0)
		return err_sys(e, "enter the seccomp filter");
	out->calls = f->calls;
	return 0;
}
