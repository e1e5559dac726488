// SPDX-License-Identifier: GPL-2.0-or-later
// Which system calls belong together. The numbers of calls that one architecture has and another
// has not, and of those newer than what we build with, stand between #ifdef.
#include "base/sandbox_impl.h"

#include <sys/syscall.h>

static const int always[] = {
	SYS_read,
	SYS_write,
	SYS_readv,
	SYS_writev,
	SYS_pread64,
	SYS_pwrite64,
	SYS_lseek,
	SYS_close,
	SYS_fstat,
	SYS_fcntl,
	SYS_dup,
	SYS_dup3,
	SYS_ppoll,
	SYS_munmap,
	SYS_mremap,
	SYS_madvise,
	SYS_brk,
	SYS_futex,
	SYS_sched_yield,
	SYS_getpid,
	SYS_getppid,
	SYS_gettid,
	SYS_getuid,
	SYS_geteuid,
	SYS_getgid,
	SYS_getegid,
	SYS_uname,
	SYS_getrandom,
	SYS_clock_gettime,
	SYS_clock_getres,
	SYS_clock_nanosleep,
	SYS_nanosleep,
	SYS_gettimeofday,
	SYS_rt_sigaction,
	SYS_rt_sigprocmask,
	SYS_rt_sigreturn,
	SYS_rt_sigtimedwait,
	SYS_rt_sigpending,
	SYS_sigaltstack,
	SYS_restart_syscall,
	SYS_wait4,
	SYS_waitid,
	SYS_exit,
	SYS_exit_group,
#ifdef SYS_dup2
	SYS_dup2,
	SYS_poll,
	SYS_time,
#endif
};

/* The calls that open are in sandbox_seccomp.c: without SANDBOX_CALLS_CHANGE only to read. */
static const int look[] = {
	SYS_newfstatat,
	SYS_statx,
	SYS_readlinkat,
	SYS_getdents64,
	SYS_faccessat,
	SYS_faccessat2,
	SYS_fstatfs,
	SYS_statfs,
	SYS_getcwd,
#ifdef SYS_stat
	SYS_stat,
	SYS_lstat,
	SYS_readlink,
	SYS_access,
#endif
};

/* openat2 has its flags in memory, where no filter sees them. */
static const int change[] = {
	SYS_openat,
	SYS_openat2,
	SYS_fsync,
	SYS_fdatasync,
	SYS_sync_file_range,
	SYS_ftruncate,
	SYS_flock,
	SYS_fchmod,
	SYS_fchmodat,
	SYS_renameat,
	SYS_renameat2,
	SYS_unlinkat,
	SYS_mkdirat,
	SYS_symlinkat,
#ifdef SYS_fchmodat2
	SYS_fchmodat2,
#endif
#ifdef SYS_open
	SYS_open,
	SYS_rename,
	SYS_unlink,
	SYS_mkdir,
	SYS_rmdir,
	SYS_symlink,
#endif
};

static const int loop[] = {
	SYS_epoll_create1,
	SYS_epoll_ctl,
	SYS_epoll_pwait,
	SYS_timerfd_create,
	SYS_timerfd_settime,
	SYS_timerfd_gettime,
	SYS_signalfd4,
	SYS_inotify_init1,
	SYS_inotify_add_watch,
	SYS_inotify_rm_watch,
	SYS_eventfd2,
#ifdef SYS_epoll_wait
	SYS_epoll_wait,
#endif
};

/* clone itself is in sandbox_seccomp.c. */
static const int threads[] = {
	SYS_membarrier,
	SYS_set_robust_list,
	SYS_sched_getaffinity,
#ifdef SYS_rseq
	SYS_rseq,
#endif
};

static const int messages[] = {
	SYS_sendto,
	SYS_recvfrom,
	SYS_sendmsg,
	SYS_recvmsg,
};

static const int never[] = {
	SYS_execve,
	SYS_execveat,
	SYS_ptrace,
	SYS_process_vm_readv,
	SYS_process_vm_writev,
	SYS_pidfd_getfd,
	SYS_socket,
	SYS_mount,
	SYS_umount2,
	SYS_pivot_root,
	SYS_chroot,
	SYS_fsopen,
	SYS_fsconfig,
	SYS_fsmount,
	SYS_fspick,
	SYS_move_mount,
	SYS_open_tree,
	SYS_open_by_handle_at,
	SYS_unshare,
	SYS_setns,
	SYS_personality,
	SYS_bpf,
	SYS_perf_event_open,
	SYS_userfaultfd,
	SYS_io_uring_setup,
	SYS_io_uring_enter,
	SYS_io_uring_register,
	SYS_init_module,
	SYS_finit_module,
	SYS_delete_module,
	SYS_kexec_load,
	SYS_reboot,
	SYS_swapon,
	SYS_swapoff,
	SYS_acct,
	SYS_quotactl,
	SYS_add_key,
	SYS_request_key,
	SYS_keyctl,
	SYS_settimeofday,
	SYS_adjtimex,
	SYS_clock_settime,
	SYS_clock_adjtime,
	SYS_sethostname,
	SYS_setdomainname,
#ifdef SYS_kexec_file_load
	SYS_kexec_file_load,
#endif
#ifdef SYS_mount_setattr
	SYS_mount_setattr,
#endif
#ifdef SYS_iopl
	SYS_iopl,
	SYS_ioperm,
	SYS_modify_ldt,
#endif
};

#define TABLE(calls)                                                                               \
	{                                                                                          \
		calls, ARRAY_LEN(calls)                                                            \
	}
const struct sandbox_table sandbox_calls_always = TABLE(always);
const struct sandbox_table sandbox_calls_never = TABLE(never);
const struct sandbox_table sandbox_calls_of[SANDBOX_CALL_SETS] = {
	TABLE(look), TABLE(change), TABLE(loop), TABLE(threads), TABLE(messages)};
