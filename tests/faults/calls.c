// SPDX-License-Identifier: GPL-2.0-or-later
// System calls that change files, of x86_64.
#include "calls.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/openat2.h>
#include <linux/seccomp.h>
#include <stdio.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

enum { OPEN_CHANGES = O_WRONLY | O_RDWR | O_CREAT | O_TRUNC };

/* Which arguments name the file. */
enum where {
	BY_FD,   /* descriptor in 0 */
	BY_PATH, /* path in 0 */
	BY_AT,   /* directory in 0, path in 1 */
	TO_PATH, /* what it becomes: path in 1 */
	TO_AT,   /* directory in 2, path in 3 */
	LINK_AT, /* directory in 1, path in 2 */
	NOWHERE,
};

struct syscall_row {
	unsigned nr;
	const char *name;
	enum call_kind kind;
	enum where where;
};

#define ROW(name, kind, where)                                                                     \
	{                                                                                          \
		SYS_##name, #name, kind, where                                                     \
	}

static const struct syscall_row table[] = {
	ROW(open, CALL_OPEN, BY_PATH),
	ROW(creat, CALL_OPEN, BY_PATH),
	ROW(openat, CALL_OPEN, BY_AT),
	ROW(openat2, CALL_OPEN, BY_AT),
	ROW(write, CALL_WRITE, BY_FD),
	ROW(pwrite64, CALL_WRITE, BY_FD),
	ROW(writev, CALL_WRITE, BY_FD),
	ROW(pwritev, CALL_WRITE, BY_FD),
	ROW(pwritev2, CALL_WRITE, BY_FD),
	ROW(sendfile, CALL_WRITE, BY_FD),
	ROW(rename, CALL_RENAME, TO_PATH),
	ROW(renameat, CALL_RENAME, TO_AT),
	ROW(renameat2, CALL_RENAME, TO_AT),
	ROW(unlink, CALL_UNLINK, BY_PATH),
	ROW(unlinkat, CALL_UNLINK, BY_AT),
	ROW(rmdir, CALL_UNLINK, BY_PATH),
	ROW(mkdir, CALL_MAKE, BY_PATH),
	ROW(mkdirat, CALL_MAKE, BY_AT),
	ROW(symlink, CALL_MAKE, TO_PATH),
	ROW(symlinkat, CALL_MAKE, LINK_AT),
	ROW(link, CALL_MAKE, TO_PATH),
	ROW(linkat, CALL_MAKE, TO_AT),
	ROW(mknod, CALL_MAKE, BY_PATH),
	ROW(mknodat, CALL_MAKE, BY_AT),
	ROW(fsync, CALL_SYNC, BY_FD),
	ROW(fdatasync, CALL_SYNC, BY_FD),
	ROW(truncate, CALL_SIZE, BY_PATH),
	ROW(ftruncate, CALL_SIZE, BY_FD),
	ROW(fallocate, CALL_SIZE, BY_FD),
	ROW(chmod, CALL_MODE, BY_PATH),
	ROW(fchmod, CALL_MODE, BY_FD),
	ROW(fchmodat, CALL_MODE, BY_AT),
	{452, "fchmodat2", CALL_MODE, BY_AT},
	ROW(chown, CALL_MODE, BY_PATH),
	ROW(lchown, CALL_MODE, BY_PATH),
	ROW(fchown, CALL_MODE, BY_FD),
	ROW(fchownat, CALL_MODE, BY_AT),
	ROW(utimensat, CALL_MODE, BY_AT),
	ROW(flock, CALL_LOCK, BY_FD),
	ROW(finit_module, CALL_MODULE, BY_FD),
	ROW(init_module, CALL_MODULE, NOWHERE),
	ROW(delete_module, CALL_MODULE, NOWHERE),
};

const struct sock_fprog *calls_filter(void)
{
	enum { ROWS = ARRAY_LEN(table), HEAD = 5, CAP = HEAD + ROWS + 8 };
	static struct sock_filter code[CAP];
	static struct sock_fprog program;
	uint32_t opens = (uint32_t)offsetof(struct seccomp_data, args[2]);
	unsigned short n = 0;

	code[n++] = (struct sock_filter)BPF_STMT(
		BPF_LD | BPF_W | BPF_ABS, (uint32_t)offsetof(struct seccomp_data, arch));
	code[n++] =
		(struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AUDIT_ARCH_X86_64, 1, 0);
	code[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	code[n++] = (struct sock_filter)BPF_STMT(
		BPF_LD | BPF_W | BPF_ABS, (uint32_t)offsetof(struct seccomp_data, nr));
	/* openat is first looked at by its flags: nearly all of them read */
	code[n++] =
		(struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_openat, ROWS + 1, 0);
	for (size_t i = 0; i < ROWS; i++)
		code[n++] = (struct sock_filter)BPF_JUMP(
			BPF_JMP | BPF_JEQ | BPF_K, table[i].nr, (uint8_t)(ROWS + 3 - i), 0);
	code[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	code[n++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, opens);
	code[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, OPEN_CHANGES, 1, 0);
	code[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	code[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRACE);
	program = (struct sock_fprog){.len = n, .filter = code};
	return &program;
}

static unsigned long long argument(const struct user_regs_struct *r, int i)
{
	const unsigned long long all[] = {r->rdi, r->rsi, r->rdx, r->r10, r->r8, r->r9};

	return all[i];
}

static bool read_memory(pid_t pid, unsigned long long at, void *out, size_t n)
{
	struct iovec here = {out, n}, there = {(void *)(uintptr_t)at, n};

	return process_vm_readv(pid, &here, 1, &there, 1, 0) == (ssize_t)n;
}

/* In pieces that end where a page ends: what follows the text may not be there. */
static void read_text(pid_t pid, unsigned long long at, char *out, size_t cap)
{
	size_t n = 0;

	while (n + 1 < cap) {
		size_t piece = 4096 - (size_t)((at + n) & 4095);

		if (piece > cap - 1 - n)
			piece = cap - 1 - n;
		if (!read_memory(pid, at + n, out + n, piece))
			break;
		if (memchr(out + n, 0, piece))
			return;
		n += piece;
	}
	out[n] = 0;
}

static void path_of_fd(pid_t pid, int fd, char *out, size_t cap)
{
	char link[64];
	ssize_t n;

	if (fd == AT_FDCWD)
		snprintf(link, sizeof(link), "/proc/%d/cwd", (int)pid);
	else
		snprintf(link, sizeof(link), "/proc/%d/fd/%d", (int)pid, fd);
	n = readlink(link, out, cap - 1);
	out[n < 0 ? 0 : n] = 0;
}

static void path_at(pid_t pid, int dirfd, unsigned long long text, char *out, size_t cap)
{
	char path[CALL_PATH / 2];
	size_t n;

	read_text(pid, text, path, sizeof(path));
	if (path[0] == '/') {
		snprintf(out, cap, "%s", path);
		return;
	}
	path_of_fd(pid, dirfd, out, cap / 2);
	n = strlen(out);
	snprintf(out + n, cap - n, "/%s", path);
}

static void find_path(pid_t pid, const struct user_regs_struct *r, enum where where, char *out)
{
	out[0] = 0;
	switch (where) {
	case BY_FD:
		path_of_fd(pid, (int)argument(r, 0), out, CALL_PATH);
		return;
	case BY_PATH:
		path_at(pid, AT_FDCWD, argument(r, 0), out, CALL_PATH);
		return;
	case TO_PATH:
		path_at(pid, AT_FDCWD, argument(r, 1), out, CALL_PATH);
		return;
	case BY_AT:
		path_at(pid, (int)argument(r, 0), argument(r, 1), out, CALL_PATH);
		return;
	case LINK_AT:
		path_at(pid, (int)argument(r, 1), argument(r, 2), out, CALL_PATH);
		return;
	case TO_AT:
		path_at(pid, (int)argument(r, 2), argument(r, 3), out, CALL_PATH);
		return;
	case NOWHERE:
		return;
	}
}

static uint64_t open_flags(pid_t pid, const struct user_regs_struct *r)
{
	struct open_how how = {0};

	switch (r->orig_rax) {
	case SYS_openat:
		return argument(r, 2);
	case SYS_open:
		return argument(r, 1);
	case SYS_openat2:
		read_memory(pid, argument(r, 2), &how, sizeof(how));
		return how.flags;
	default:
		return O_CREAT;
	}
}

static const struct syscall_row *row_of(unsigned long long nr)
{
	for (size_t i = 0; i < ARRAY_LEN(table); i++)
		if (table[i].nr == nr)
			return &table[i];
	return NULL;
}

/* Of files there are; the rest of what has a path in /proc/PID/fd is none. */
static bool is_file(const char *path)
{
	return path[0] == '/' && strncmp(path, "/memfd:", 7) != 0 &&
	       strncmp(path, "/dev/pts/", 9) != 0 && strncmp(path, "/dev/tty", 8) != 0 &&
	       strcmp(path, "/dev/null") != 0;
}

bool calls_look(pid_t pid, const struct user_regs_struct *regs, struct call *out)
{
	const struct syscall_row *row = row_of(regs->orig_rax);

	if (!row)
		return false;
	out->name = row->name;
	out->kind = row->kind;
	if (row->kind == CALL_OPEN && !(open_flags(pid, regs) & OPEN_CHANGES))
		return false;
	find_path(pid, regs, row->where, out->path);
	return row->kind == CALL_MODULE || is_file(out->path);
}

struct str calls_bytes(pid_t pid, const struct user_regs_struct *r)
{
	size_t n = (size_t)argument(r, 2);
	char *bytes;

	if ((r->orig_rax != SYS_write && r->orig_rax != SYS_pwrite64) || n > 1 << 20)
		return (struct str){NULL, 0};
	bytes = mem_alloc(n + 1);
	if (read_memory(pid, argument(r, 1), bytes, n))
		return (struct str){bytes, n};
	free(bytes);
	return (struct str){NULL, 0};
}

void calls_strip_truncation(pid_t pid, struct user_regs_struct *r)
{
	uint64_t flags = open_flags(pid, r) & ~(uint64_t)O_TRUNC;

	if (r->orig_rax == SYS_openat)
		r->rdx = flags;
	else if (r->orig_rax == SYS_open)
		r->rsi = flags;
	else if (r->orig_rax == SYS_openat2)
		ptrace(PTRACE_POKEDATA, pid, (void *)(uintptr_t)argument(r, 2),
			(void *)(uintptr_t)flags);
}

void calls_descriptor(pid_t pid, const struct user_regs_struct *r, char out[static 64])
{
	snprintf(out, 64, "/proc/%d/fd/%d", (int)pid, (int)argument(r, 0));
}
