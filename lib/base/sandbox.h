// SPDX-License-Identifier: GPL-2.0-or-later
// What a daemon gives up before its loop: capabilities, files (Landlock), system calls (seccomp).
#ifndef BASE_SANDBOX_H
#define BASE_SANDBOX_H

#include "base/buf.h"
#include "base/err.h"
#include "base/root.h"

/* What may be done below a path; everything else on the file system is denied. Not in Landlock's
 * hands: looking at names and attributes (stat, readlink, O_PATH), and what is open already. */
enum sandbox_right {
	SANDBOX_READ = 1,   /* files and lists of directories */
	SANDBOX_WRITE = 2,  /* files that are there, truncate too */
	SANDBOX_MAKE = 4,   /* make, rename, remove files, directories and links */
	SANDBOX_DEVICE = 8, /* ioctl on device nodes (ABI 5; before it is not restricted) */
};

/* One that does not exist when the sandbox is entered is passed over and counted: what is made at
 * it later is denied. The caller makes the directories that it will need before. A file system that
 * is mounted over exactly this path later is denied too (one that is mounted below it is not):
 * enter only when mounts have settled, and end when a directory of one's own says EACCES. */
struct sandbox_path {
	const char *path; /* below the root, links followed */
	unsigned rights;  /* sandbox_right */
};

/* System calls, by what a program does. Those every daemon needs are always allowed: descriptors,
 * memory (never PROT_EXEC), time, signals, futexes, exit. */
enum sandbox_calls {
	SANDBOX_CALLS_LOOK = 1,      /* open files to read them, read directories and links */
	SANDBOX_CALLS_CHANGE = 2,    /* open files to write them; make, rename, remove, sync */
	SANDBOX_CALLS_LOOP = 4,      /* what base/loop.h is made of */
	SANDBOX_CALLS_THREADS = 8,   /* threads, never processes */
	SANDBOX_CALLS_MESSAGES = 16, /* send and receive on sockets that are open already */
};

/* Strings and tables are borrowed for the call. */
struct sandbox {
	uint64_t capabilities; /* those that are kept, a bit per CAP_* of linux/capability.h */

	/* Landlock, where `root` is set: no paths, no files. */
	const struct root *root;
	const struct sandbox_path *path;
	size_t paths;

	unsigned calls;  /* sandbox_calls */
	const int *call; /* and these numbers (SYS_*), whatever is said of them below */
	size_t n_calls;
};

/* What is in force. */
struct sandbox_result {
	uint64_t capabilities; /* that the process has: kept, and there before */
	bool bounding;         /* and no exec could bring others back */
	int landlock;          /* its ABI, 0: none, for the reason in `why_no_landlock` */
	unsigned paths, missing;
	bool tcp;       /* bind and connect are denied (ABI 4) */
	bool devices;   /* ioctl on device nodes is denied (ABI 5) */
	bool scope;     /* signals and abstract sockets of processes outside are denied (ABI 6) */
	unsigned calls; /* that are allowed; 0: no seccomp, for the reason in `why_no_seccomp` */
	char why_no_landlock[96], why_no_seccomp[96];
};

/* Enters the sandbox, for good; to be called with one thread. What the kernel does not have, and
 * what a process without privilege may not give up, is left out and said in *out. -1: the sandbox
 * is in force in part, or not at all; the caller ends.
 *
 * A call that is not allowed is answered with ENOSYS, as by a kernel that does not have it, and
 * goes to the audit log: libc then falls back, and a release of libc that tries something new does
 * not kill a daemon that others wait for. Refused by its arguments (PROT_EXEC, a new process, a
 * signal to others), a call gets EPERM, since its other uses are allowed. What only an attacker
 * would do here kills the process: execve, ptrace, socket, mount and its kin, bpf, io_uring,
 * loading modules or kernels, namespaces, chroot, keys, clocks, reboot. A number that the caller
 * names is exempt. clone3 is ENOSYS: its flags are not in registers; libc falls back to clone. */
int sandbox_enter(const struct sandbox *s, struct sandbox_result *out, struct err *e);

/* One line for the log and for a person: "capabilities: sys_module; landlock ABI 7: 12 paths, TCP,
 * devices, signals; seccomp: 96 calls". */
void sandbox_describe(const struct sandbox_result *r, struct buf *out);

#endif
