// SPDX-License-Identifier: GPL-2.0-or-later
// One run of a command under ptrace.
#include "trace.h"

#include "disk.h"
#include "kernel.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { TRACEES = 64, CANNOT = 126, CALL_STOP = SIGTRAP | 0x80 };

/* One thread or process of the command. */
struct tracee {
	pid_t pid;
	bool started; /* the SIGSTOP of its birth has been seen */
	bool dies;    /* when the call it is in is done */
	bool syncs;   /* the call it is in is one that the disk is to be told of */
};

struct tracing {
	struct trace *t;
	pid_t main;
	struct tracee tracee[TRACEES];
	size_t n;
	bool killed;
	struct call last;
};

const char *trace_path(const struct trace *t, const char *path)
{
	size_t n = t->tree ? strlen(t->tree) : 0;

	return n && !strncmp(path, t->tree, n) && path[n] == '/' ? path + n + 1 : path;
}

static bool is_in_tree(const struct trace *t, const char *path)
{
	return trace_path(t, path) != path;
}

/* What is said may go to a file too. */
static bool is_said(const struct user_regs_struct *regs, const struct call *c)
{
	return c->kind == CALL_WRITE && (regs->rdi == 1 || regs->rdi == 2);
}

static bool is_point(
	const struct trace *t, const struct user_regs_struct *regs, const struct call *c)
{
	if (c->kind == CALL_MODULE)
		return true;
	return t->tree ? is_in_tree(t, c->path) : !is_said(regs, c);
}

static bool is_sysfs(const struct trace *t, const char *path)
{
	return t->kernel && !strncmp(trace_path(t, path), "sys/", 4);
}

/* The child, up to the command. What it says to the tracer is its exit status. */
static _Noreturn void become(const struct trace *t)
{
	if (t->output >= 0 && (dup2(t->output, 1) < 0 || dup2(t->output, 2) < 0))
		_exit(CANNOT);
	if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) < 0)
		_exit(CANNOT);
	raise(SIGSTOP);
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
		syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, calls_filter()) < 0)
		_exit(CANNOT);
	if (t->envp)
		execve(t->argv[0], t->argv, t->envp);
	else
		execvp(t->argv[0], t->argv);
	_exit(127);
}

static struct tracee *find(struct tracing *g, pid_t pid)
{
	for (size_t i = 0; i < g->n; i++)
		if (g->tracee[i].pid == pid)
			return &g->tracee[i];
	if (g->n == TRACEES)
		return NULL;
	g->tracee[g->n] = (struct tracee){.pid = pid};
	return &g->tracee[g->n++];
}

static void forget(struct tracing *g, pid_t pid)
{
	for (size_t i = 0; i < g->n; i++)
		if (g->tracee[i].pid == pid)
			g->tracee[i--] = g->tracee[--g->n];
}

static void kill_all(struct tracing *g)
{
	g->killed = true;
	for (size_t i = 0; i < g->n; i++)
		kill(g->tracee[i].pid, SIGKILL);
}

static void go_on(pid_t pid, int how, int sig)
{
	ptrace(how, pid, NULL, (void *)(uintptr_t)(unsigned)sig);
}

static void answer(struct tracee *c, struct user_regs_struct *regs, long value)
{
	regs->orig_rax = (unsigned long long)-1;
	regs->rax = (unsigned long long)value;
	ptrace(PTRACE_SETREGS, c->pid, NULL, regs);
}

static void record(struct trace *t, const struct call *call)
{
	if (!t->record)
		return;
	if (t->points > t->cap) {
		t->cap = t->cap ? t->cap * 2 : 64;
		t->calls = mem_resize(t->calls, t->cap * sizeof(*t->calls));
	}
	t->calls[t->points - 1] = *call;
}

/* Our kernel's part: what is written to sysfs does not reach the file. True when it has answered.
 */
static bool play(
	struct tracing *g, struct tracee *c, struct user_regs_struct *regs, const struct call *call)
{
	struct trace *t = g->t;
	char address[64];
	struct str bytes;

	if (!is_sysfs(t, call->path))
		return false;
	if (call->kind == CALL_OPEN) {
		calls_strip_truncation(c->pid, regs);
		ptrace(PTRACE_SETREGS, c->pid, NULL, regs);
	}
	if (call->kind != CALL_WRITE)
		return false;
	bytes = calls_bytes(c->pid, regs);
	if (!bytes.p) {
		answer(c, regs, -ENOSYS);
		return true;
	}
	kernel_write_is_about(trace_path(t, call->path), bytes, address, sizeof(address));
	if (t->may_touch && !t->may_touch(t->arg, address))
		memcpy(t->trespass, address, sizeof(address));
	answer(c, regs, kernel_write(t->kernel, trace_path(t, call->path), bytes));
	free((char *)bytes.p);
	return true;
}

static void carry_out(
	struct tracing *g, struct tracee *c, struct user_regs_struct *regs, const struct call *call)
{
	struct trace *t = g->t;
	bool after = t->points == t->at && t->fate == FATE_KILL_AFTER;

	if (play(g, c, regs, call)) {
		if (after)
			kill_all(g);
		else
			go_on(c->pid, PTRACE_CONT, 0);
		return;
	}
	c->dies = after;
	c->syncs = t->disk && call->kind == CALL_SYNC;
	go_on(c->pid, c->dies || c->syncs ? PTRACE_SYSCALL : PTRACE_CONT, 0);
}

/* openat2 says EAGAIN when anybody renamed anything meanwhile, and is called again: one point. */
static bool is_again(const struct tracing *g, const struct call *c)
{
	return g->t->points && c->kind == CALL_OPEN && !strcmp(c->name, "openat2") &&
	       c->name == g->last.name && !strcmp(c->path, g->last.path);
}

/* A call that the filter has handed over. */
static void on_call(struct tracing *g, struct tracee *c)
{
	struct trace *t = g->t;
	struct user_regs_struct regs;
	struct call call;

	if (ptrace(PTRACE_GETREGS, c->pid, NULL, &regs) < 0)
		return;
	if (!calls_look(c->pid, &regs, &call) || !is_point(t, &regs, &call)) {
		go_on(c->pid, PTRACE_CONT, 0);
		return;
	}
	if (is_again(g, &call)) {
		carry_out(g, c, &regs, &call);
		return;
	}
	t->points++;
	g->last = call;
	record(t, &call);
	if (t->points == t->at) {
		t->hit = call;
		t->reached = true;
		if (t->fate == FATE_KILL_BEFORE) {
			kill_all(g);
			return;
		}
		if (t->fate == FATE_ERROR) {
			answer(c, &regs, -t->error);
			go_on(c->pid, PTRACE_CONT, 0);
			return;
		}
	}
	carry_out(g, c, &regs, &call);
}

static void on_return(struct tracing *g, struct tracee *c)
{
	struct user_regs_struct regs;
	char descriptor[64];

	if (ptrace(PTRACE_GETREGS, c->pid, NULL, &regs) == 0 && c->syncs && regs.rax == 0) {
		calls_descriptor(c->pid, &regs, descriptor);
		disk_synced(g->t->disk, descriptor);
	}
	c->syncs = false;
	if (c->dies)
		kill_all(g);
	else
		go_on(c->pid, PTRACE_CONT, 0);
}

static void on_stop(struct tracing *g, pid_t pid, int status)
{
	struct tracee *c = find(g, pid);
	int sig = WSTOPSIG(status), event = status >> 16;

	if (!c || g->killed) {
		kill(pid, SIGKILL);
		go_on(pid, PTRACE_CONT, 0);
	} else if (event == PTRACE_EVENT_SECCOMP) {
		on_call(g, c);
	} else if (sig == CALL_STOP) {
		on_return(g, c);
	} else if (event || (sig == SIGSTOP && !c->started)) {
		c->started = true;
		go_on(pid, PTRACE_CONT, 0);
	} else {
		go_on(pid, PTRACE_CONT, sig);
	}
}

/* Until nothing of the command is left. */
static void follow(struct tracing *g)
{
	while (g->n) {
		int status;
		pid_t pid = waitpid(-1, &status, __WALL);

		if (pid < 0 && errno == EINTR) {
			g->t->hung = true;
			kill_all(g);
		} else if (pid < 0) {
			return;
		} else if (WIFSTOPPED(status)) {
			on_stop(g, pid, status);
		} else {
			forget(g, pid);
			if (pid == g->main)
				g->t->status = status;
		}
	}
}

/* Stopped before the filter; false when it could not be. */
static bool start(struct tracing *g)
{
	const uintptr_t options = PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACESECCOMP |
				  PTRACE_O_TRACEEXEC | PTRACE_O_TRACECLONE | PTRACE_O_TRACEFORK |
				  PTRACE_O_TRACEVFORK | PTRACE_O_EXITKILL;
	int status;

	g->main = fork();
	if (g->main == 0)
		become(g->t);
	if (g->main < 0)
		return false;
	if (waitpid(g->main, &status, __WALL) != g->main || !WIFSTOPPED(status))
		return false;
	find(g, g->main)->started = true;
	return ptrace(PTRACE_SETOPTIONS, g->main, NULL, (void *)options) == 0;
}

/* Interrupts waitpid(). */
static void wake(int sig)
{
	(void)sig;
}

/* A handler has nothing but this to know the command by. */
static volatile sig_atomic_t command;

static void pass_on(int sig)
{
	kill((pid_t)command, sig);
}

static void forward(pid_t pid)
{
	const struct sigaction on_signal = {.sa_handler = pass_on, .sa_flags = SA_RESTART};
	static const int signals[] = {SIGTERM, SIGINT, SIGHUP, SIGUSR1};

	command = pid;
	for (size_t i = 0; i < ARRAY_LEN(signals); i++)
		sigaction(signals[i], &on_signal, NULL);
}

int trace_run(struct trace *t, bool *forbidden, struct err *e)
{
	const struct sigaction on_alarm = {.sa_handler = wake};
	struct tracing g = {.t = t};

	if (forbidden)
		*forbidden = false;
	t->points = 0;
	t->reached = t->hung = false;
	t->trespass[0] = 0;
	if (!start(&g)) {
		if (forbidden)
			*forbidden = true;
		return err_set(e, "no process can be traced here");
	}
	if (t->forwards)
		forward(g.main);
	sigaction(SIGALRM, &on_alarm, NULL);
	alarm(t->limit);
	go_on(g.main, PTRACE_CONT, 0);
	follow(&g);
	alarm(0);
	if (WIFEXITED(t->status) && WEXITSTATUS(t->status) == CANNOT) {
		if (forbidden)
			*forbidden = true;
		return err_set(e, "no filter of system calls can be set here");
	}
	if (WIFEXITED(t->status) && WEXITSTATUS(t->status) == 127)
		return err_set(e, "%s cannot be run", t->argv[0]);
	return 0;
}

void trace_free(struct trace *t)
{
	free(t->calls);
	t->calls = NULL;
	t->cap = 0;
}
