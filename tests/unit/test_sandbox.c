// SPDX-License-Identifier: GPL-2.0-or-later
// The sandbox: capabilities and system calls. Each is tried in a child that has entered one.
#include "sandboxed.h"

#include <linux/capability.h>
#include <pthread.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>

static int enter(const struct sandbox *s)
{
	struct sandbox_result r;
	struct err e = {0};

	if (sandbox_enter(s, &r, &e) == 0)
		return 0;
	dprintf(2, "%s\n", e.text);
	return -1;
}

/* ---- Capabilities */

/* A field of /proc/self/status in hex; ~0 when it is not there. */
static uint64_t status_hex(const char *field)
{
	char text[8192];
	int fd = open("/proc/self/status", O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? 0 : read(fd, text, sizeof(text) - 1);
	const char *at;

	if (fd >= 0)
		close(fd);
	text[n > 0 ? n : 0] = 0;
	at = strstr(text, field);
	return at ? strtoull(at + strlen(field), NULL, 16) : ~0ull;
}

#define SYS_MODULE (1ull << CAP_SYS_MODULE)

static int keeps_one(void *ctx)
{
	const struct sandbox s = {.capabilities = SYS_MODULE, .calls = SANDBOX_CALLS_LOOK};
	struct sandbox_result r;
	struct err e;

	(void)ctx;
	MUST(sandbox_enter(&s, &r, &e) == 0);
	MUST(r.capabilities == SYS_MODULE && r.bounding);
	MUST(status_hex("CapInh:") == 0);
	MUST(status_hex("CapPrm:") == SYS_MODULE);
	MUST(status_hex("CapEff:") == SYS_MODULE);
	MUST(status_hex("CapBnd:") == SYS_MODULE);
	MUST(status_hex("CapAmb:") == 0);
	MUST(status_hex("NoNewPrivs:") == 1);
	return 0;
}

static int make_ambient(int cap)
{
	struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[2];

	if (syscall(SYS_capget, &head, data) < 0)
		return -1;
	data[0].inheritable |= 1u << cap;
	if (syscall(SYS_capset, &head, data) < 0)
		return -1;
	return prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, cap, 0, 0);
}

static int keeps_none(void *ctx)
{
	const struct sandbox s = {.calls = SANDBOX_CALLS_LOOK};

	(void)ctx;
	MUST(make_ambient(CAP_CHOWN) == 0);
	MUST(status_hex("CapAmb:") == 1);
	MUST(enter(&s) == 0);
	MUST(status_hex("CapInh:") == 0);
	MUST(status_hex("CapPrm:") == 0);
	MUST(status_hex("CapEff:") == 0);
	MUST(status_hex("CapBnd:") == 0);
	MUST(status_hex("CapAmb:") == 0);
	return 0;
}

static void need_capabilities(void)
{
	need_root();
	if (!(status_hex("CapEff:") >> CAP_SETPCAP & 1) || !(status_hex("CapBnd:") & SYS_MODULE))
		skip_because("root without its capabilities");
}

static void only_the_capabilities_that_are_named_are_kept(void **state)
{
	(void)state;
	need_capabilities();
	child_does(keeps_one, NULL);
	child_does(keeps_none, NULL);
}

static int enters_without_privilege(void *ctx)
{
	const struct sandbox s = {.capabilities = SYS_MODULE};
	struct sandbox_result r;
	struct err e;

	(void)ctx;
	MUST(geteuid() != 0 || setuid(65534) == 0);
	MUST(sandbox_enter(&s, &r, &e) == 0);
	MUST(r.capabilities == 0 && !r.bounding);
	return 0;
}

static void without_privilege_there_is_none_to_give_up(void **state)
{
	(void)state;
	child_does(enters_without_privilege, NULL);
}

/* ---- System calls */

struct call {
	const char *name;
	int number;
};

static int makes_call(void *ctx)
{
	const struct call *c = ctx;
	const struct sandbox s = {.calls = SANDBOX_CALLS_LOOK};

	MUST(enter(&s) == 0);
	syscall(c->number, 0, 0, 0, 0, 0, 0);
	return 0;
}

static void what_only_an_attacker_does_kills(void **state)
{
	static const struct call calls[] = {
		{"execve", SYS_execve},
		{"execveat", SYS_execveat},
		{"ptrace", SYS_ptrace},
		{"process_vm_readv", SYS_process_vm_readv},
		{"socket", SYS_socket},
		{"mount", SYS_mount},
		{"umount2", SYS_umount2},
		{"pivot_root", SYS_pivot_root},
		{"chroot", SYS_chroot},
		{"fsopen", SYS_fsopen},
		{"move_mount", SYS_move_mount},
		{"open_tree", SYS_open_tree},
		{"bpf", SYS_bpf},
		{"kexec_load", SYS_kexec_load},
		{"init_module", SYS_init_module},
		{"finit_module", SYS_finit_module},
		{"delete_module", SYS_delete_module},
		{"setns", SYS_setns},
		{"unshare", SYS_unshare},
		{"keyctl", SYS_keyctl},
		{"io_uring_setup", SYS_io_uring_setup},
		{"userfaultfd", SYS_userfaultfd},
		{"perf_event_open", SYS_perf_event_open},
		{"reboot", SYS_reboot},
		{"open_by_handle_at", SYS_open_by_handle_at},
#if defined(__x86_64__)
		{"getpid of x32", SYS_getpid | 0x40000000},
#endif
	};

	(void)state;
	need_seccomp();
	for (size_t i = 0; i < ARRAY_LEN(calls); i++) {
		struct call c = calls[i];
		int status = child_status(makes_call, &c);

		if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGSYS)
			fail_msg("%s: status %x", c.name, (unsigned)status);
	}
}

static int loads_a_module(void *ctx)
{
	static const int call[] = {SYS_finit_module};
	const struct sandbox s = {.call = call, .n_calls = 1};

	(void)ctx;
	MUST(enter(&s) == 0);
	MUST(syscall(SYS_finit_module, -1, "", 0) < 0);
	return errno == EPERM || errno == EBADF || errno == ENOSYS ? 0 : 1;
}

static void a_call_that_is_named_is_exempt(void **state)
{
	(void)state;
	need_seccomp();
	child_does(loads_a_module, NULL);
}

static int makes_unknown_calls(void *ctx)
{
	static const int unknown[] = {SYS_setuid, SYS_setresuid, SYS_kill, SYS_pidfd_open,
		SYS_clone3, SYS_memfd_create, SYS_mknodat, SYS_prctl, SYS_capset, SYS_connect,
		SYS_sendto, SYS_epoll_create1, SYS_inotify_init1, SYS_unlinkat, SYS_renameat2,
		SYS_openat2, 1000};
	const struct sandbox s = {.calls = SANDBOX_CALLS_LOOK};

	(void)ctx;
	MUST(enter(&s) == 0);
	for (size_t i = 0; i < ARRAY_LEN(unknown); i++)
		if (syscall(unknown[i], 0, 0, 0, 0, 0, 0) != -1 || errno != ENOSYS) {
			dprintf(2, "call %d: %s\n", unknown[i], strerror(errno));
			return 1;
		}
	return 0;
}

static void another_call_is_one_that_the_kernel_does_not_have(void **state)
{
	(void)state;
	need_seccomp();
	child_does(makes_unknown_calls, NULL);
}

static void *nothing(void *arg)
{
	return arg;
}

static volatile sig_atomic_t raised;

static void on_signal(int signo)
{
	raised = signo;
}

static int is_refused_by_arguments(void *ctx)
{
	const struct sandbox s = {.calls = SANDBOX_CALLS_LOOK};
	void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	const int private = MAP_PRIVATE | MAP_ANONYMOUS;

	(void)ctx;
	MUST(enter(&s) == 0);
	FAILS(syscall(SYS_mmap, NULL, 4096, PROT_READ | PROT_EXEC, private, -1, 0), EPERM);
	FAILS(mprotect(page, 4096, PROT_READ | PROT_WRITE | PROT_EXEC), EPERM);
	MUST(mprotect(page, 4096, PROT_READ) == 0);
	MUST(mmap(NULL, 4096, PROT_READ, private, -1, 0) != MAP_FAILED);
	FAILS(syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0), EPERM);
	FAILS(fork(), EPERM);
	FAILS(syscall(SYS_clone, CLONE_VM | CLONE_SIGHAND | CLONE_THREAD, 0, 0, 0, 0), EPERM);
	FAILS(syscall(SYS_tgkill, getppid(), getppid(), 0), EPERM);
	FAILS(syscall(SYS_tkill, getppid(), 0), EPERM);
	FAILS(syscall(SYS_ioctl, 0, TIOCSTI, "x"), EPERM);
	FAILS(open("/dev/null", O_WRONLY | O_CLOEXEC), EPERM);
	FAILS(open("/dev/null", O_RDWR | O_CLOEXEC), EPERM);
	FAILS(open("/", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600), EPERM);
	FAILS(open("/none", O_RDONLY | O_CREAT | O_CLOEXEC, 0600), EPERM);
	FAILS(open("/dev/null", O_RDONLY | O_TRUNC | O_CLOEXEC), EPERM);
	MUST(open("/dev/null", O_RDONLY | O_CLOEXEC) >= 0);
	MUST(open("/dev/null", O_PATH | O_CLOEXEC) >= 0);
	signal(SIGUSR1, on_signal);
	MUST(raise(SIGUSR1) == 0 && raised == SIGUSR1);
	return 0;
}

static void calls_are_refused_by_their_arguments(void **state)
{
	(void)state;
	need_seccomp();
	child_does(is_refused_by_arguments, NULL);
}

static int makes_threads(void *ctx)
{
	const struct sandbox s = {.calls = SANDBOX_CALLS_LOOK | SANDBOX_CALLS_THREADS};
	const int thread = CLONE_VM | CLONE_SIGHAND | CLONE_THREAD;
	char here;
	pthread_t t;
	void *back;

	(void)ctx;
	MUST(enter(&s) == 0);
	MUST(pthread_create(&t, NULL, nothing, &here) == 0);
	MUST(pthread_join(t, &back) == 0 && back == &here);
	FAILS(fork(), EPERM);
	FAILS(syscall(SYS_clone, SIGCHLD | CLONE_VM, 0, 0, 0, 0), EPERM);
	FAILS(syscall(SYS_clone, thread | CLONE_NEWUSER, 0, 0, 0, 0), EPERM);
	FAILS(syscall(SYS_clone3, NULL, 0), ENOSYS);
	return 0;
}

static void threads_where_they_are_allowed_and_never_a_process(void **state)
{
	(void)state;
	need_seccomp();
	child_does(makes_threads, NULL);
}

static void *waits(void *arg)
{
	const int *fd = arg;
	char c;

	return read(*fd, &c, 1) < 0 ? arg : NULL;
}

static int has_a_thread(void *ctx)
{
	const struct sandbox s = {.calls = SANDBOX_CALLS_LOOK};
	struct sandbox_result r;
	struct err e;
	pthread_t t;
	int ends[2];

	(void)ctx;
	MUST(pipe2(ends, O_CLOEXEC) == 0);
	MUST(pthread_create(&t, NULL, waits, &ends[0]) == 0);
	MUST(sandbox_enter(&s, &r, &e) < 0 && strstr(e.text, "threads"));
	return 0;
}

static void a_process_with_threads_cannot_enter(void **state)
{
	(void)state;
	need_seccomp();
	child_does(has_a_thread, NULL);
}

/* ---- What is said of it */

static void what_is_in_force_is_one_line(void **state)
{
	CLEANUP_BUF struct buf out = {0};
	struct sandbox_result r = {.capabilities = SYS_MODULE,
		.bounding = true,
		.landlock = 7,
		.paths = 9,
		.missing = 2,
		.tcp = true,
		.devices = true,
		.scope = true,
		.calls = 96};

	(void)state;
	sandbox_describe(&r, &out);
	assert_string_equal(buf_z(&out), "capabilities: sys_module; landlock ABI 7: 9 paths (2 "
					 "missing), TCP, devices, signals; seccomp: 96 calls");
	buf_clear(&out);
	r = (struct sandbox_result){.why_no_landlock = "not asked for", .why_no_seccomp = "no"};
	sandbox_describe(&r, &out);
	assert_string_equal(buf_z(&out), "capabilities: none (bounding set as it was); no landlock "
					 "(not asked for); no seccomp (no)");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_the_capabilities_that_are_named_are_kept),
		cmocka_unit_test(without_privilege_there_is_none_to_give_up),
		cmocka_unit_test(what_only_an_attacker_does_kills),
		cmocka_unit_test(a_call_that_is_named_is_exempt),
		cmocka_unit_test(another_call_is_one_that_the_kernel_does_not_have),
		cmocka_unit_test(calls_are_refused_by_their_arguments),
		cmocka_unit_test(threads_where_they_are_allowed_and_never_a_process),
		cmocka_unit_test(a_process_with_threads_cannot_enter),
		cmocka_unit_test(what_is_in_force_is_one_line),
	};

	return cmocka_run_group_tests_name("sandbox", tests, NULL, NULL);
}
