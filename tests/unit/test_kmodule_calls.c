// SPDX-License-Identifier: GPL-2.0-or-later
// What the kernel is asked to load: which files, in which order, with which flags and options. The
// call itself never reaches the kernel: the tracer answers it.
#include "pci/kmodule.h"

#include "scratch.h"
#include "traced.h"

#define RELEASE "6.12.0-test"
#define MODULES "lib/modules/" RELEASE

#if defined(__x86_64__)

enum { CHILD_FAILED = 1, CHILD_SKIP = 3 };

struct loads {
	struct scratch t;
	const char *module, *alias; /* one of them */
	const char *hint;           /* the error's hint has this; NULL: no error */
	long answer[8];             /* -errno of each load */
	size_t asked;
	char log[1024]; /* "name.ko flags options" per load */
};

static int set_up(void **state)
{
	struct loads *l = mem_alloc(sizeof(*l));

	scratch_open(&l->t);
	scratch_mkdir(&l->t, "sys");
	scratch_put(&l->t, MODULES "/modules.dep",
		"k/top-x.ko.xz: k/mid.ko.zst k/low.ko\nk/low.ko:\nk/mid.ko.zst: k/low.ko\n"
		"k/other.ko.gz:\n/" MODULES "/k/absolute.ko:\n");
	scratch_put(&l->t, MODULES "/modules.alias", "alias pci:* top_x\nalias pci:v1* other\n");
	scratch_put(&l->t, "etc/modprobe.d/x.conf", "options top_x a=1\noptions mid c\n");
	scratch_put(&l->t, "proc/cmdline", "top-x.b=2\n");
	scratch_put(&l->t, MODULES "/k/top-x.ko.xz", "");
	scratch_put(&l->t, MODULES "/k/mid.ko.zst", "");
	scratch_put(&l->t, MODULES "/k/low.ko", "");
	scratch_put(&l->t, MODULES "/k/other.ko.gz", "");
	scratch_put(&l->t, MODULES "/k/absolute.ko", "");
	*state = l;
	return 0;
}

static int tear_down(void **state)
{
	struct loads *l = *state;

	scratch_close(&l->t);
	free(l);
	return 0;
}

/* With the kernel's own /sys below the root, in mounts of its own. */
static bool mount_sys(const struct loads *l)
{
	CLEANUP_FREE char *path = scratch_path(&l->t, "sys");

	return scratch_own_mounts() && mount("/sys", path, NULL, MS_BIND | MS_REC, NULL) == 0;
}

static int load(void *ctx)
{
	struct loads *l = ctx;
	struct kmodules k;
	struct root root;
	struct err e = {0};
	int rc;

	if (!mount_sys(l))
		return CHILD_SKIP;
	/* the root that was opened before does not have the new mount */
	if (root_init(&root, l->t.dir, &e) < 0)
		return CHILD_FAILED;
	kmodules_init(&k, &root, RELEASE);
	rc = l->module ? kmodule_load(&k, l->module, &e)
		       : kmodule_load_alias(&k, l->alias, NULL, &e);
	if (rc == 0 ? !l->hint : l->hint && strstr(e.hint, l->hint))
		return 0;
	fprintf(stderr, "%d: %s: %s\n", rc, e.text, e.hint);
	return CHILD_FAILED;
}

static void read_text(pid_t pid, unsigned long long at, char *out, size_t cap)
{
	size_t n;

	for (n = 0; n < cap - 1; n++) {
		long word = ptrace(PTRACE_PEEKDATA, pid, (void *)(uintptr_t)(at + n), NULL);

		out[n] = (char)(word & 0xff);
		if (!out[n])
			return;
	}
	out[n] = 0;
}

static void note_load(struct loads *l, pid_t pid)
{
	struct user_regs_struct regs;
	char link[64], file[512], options[128];
	size_t n = strlen(l->log);
	ssize_t length;

	assert_int_equal(ptrace(PTRACE_GETREGS, pid, NULL, &regs), 0);
	snprintf(link, sizeof(link), "/proc/%ld/fd/%d", (long)pid, (int)regs.rdi);
	length = readlink(link, file, sizeof(file) - 1);
	assert_true(length > 0);
	file[length] = 0;
	read_text(pid, regs.rsi, options, sizeof(options));
	snprintf(l->log + n, sizeof(l->log) - n, "%s %d %s\n", strrchr(file, '/') + 1,
		(int)regs.rdx, options);
}

static const char *ask(struct loads *l)
{
	int status;
	pid_t pid;

	skip_without_ptrace();
	l->asked = 0;
	l->log[0] = 0;
	pid = traced_start(load, l);
	while (traced_next(pid, &status)) {
		if (traced_call(pid) == SYS_finit_module) {
			note_load(l, pid);
			traced_return(pid, l->answer[l->asked++ % ARRAY_LEN(l->answer)]);
		} else if (!traced_next(pid, &status)) {
			break;
		}
	}
	assert_true(WIFEXITED(status));
	if (WEXITSTATUS(status) == CHILD_SKIP) {
		print_message("no mounts of our own here\n");
		skip();
	}
	assert_int_equal(WEXITSTATUS(status), 0);
	return l->log;
}

static void dependencies_first_with_flags_and_options(void **state)
{
	struct loads *l = *state;

	l->module = "top-x";
	assert_string_equal(ask(l), "low.ko 0 \nmid.ko.zst 4 c\ntop-x.ko.xz 4 a=1 b=2\n");
	l->module = "absolute";
	assert_string_equal(ask(l), "absolute.ko 0 \n");
}

static void what_another_process_has_loaded_meanwhile_is_there(void **state)
{
	struct loads *l = *state;

	l->module = "top_x";
	l->answer[0] = l->answer[1] = l->answer[2] = -EEXIST;
	assert_string_equal(ask(l), "low.ko 0 \nmid.ko.zst 4 c\ntop-x.ko.xz 4 a=1 b=2\n");
}

static void a_kernel_that_cannot_decompress_is_told_of(void **state)
{
	static const int no[] = {EOPNOTSUPP, EINVAL, ENOEXEC};
	struct loads *l = *state;

	l->module = "top-x";
	l->hint = "may not decompress modules itself; run on this host: modprobe top-x";
	for (size_t i = 0; i < ARRAY_LEN(no); i++) {
		l->answer[1] = -no[i];
		assert_string_equal(ask(l), "low.ko 0 \nmid.ko.zst 4 c\n");
	}
}

static void a_refusal_has_its_hint(void **state)
{
	static const struct {
		int no;
		const char *hint;
	} cases[] = {
		{EPERM, "CAP_SYS_MODULE"},
		{EKEYREJECTED, "signed"},
		{ENOKEY, "signed"},
		{ENOENT, "another kernel"},
		{ENOEXEC, "another kernel"},
		{ENOSYS, "no loadable modules"},
		{ENODEV, "modprobe low"},
	};
	struct loads *l = *state;

	l->module = "low";
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		l->answer[0] = -cases[i].no;
		l->hint = cases[i].hint;
		assert_string_equal(ask(l), "low.ko 0 \n");
	}
}

static void an_alias_goes_on_after_a_failure(void **state)
{
	struct loads *l = *state;

	l->alias = "pci:v1";
	assert_string_equal(
		ask(l), "low.ko 0 \nmid.ko.zst 4 c\ntop-x.ko.xz 4 a=1 b=2\nother.ko.gz 4 \n");
	l->answer[0] = -ENODEV;
	l->hint = "modprobe top_x";
	assert_string_equal(ask(l), "low.ko 0 \nother.ko.gz 4 \n");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
		TEST(dependencies_first_with_flags_and_options),
		TEST(what_another_process_has_loaded_meanwhile_is_there),
		TEST(a_kernel_that_cannot_decompress_is_told_of),
		TEST(a_refusal_has_its_hint),
		TEST(an_alias_goes_on_after_a_failure),
	};

	return cmocka_run_group_tests_name("kmodule_calls", tests, NULL, NULL);
}

#else

/* Registers are read of x86_64 only, where the same code runs natively. */
static void calls_are_traced_on_x86_64(void **state)
{
	(void)state;
	skip();
}

int main(void)
{
	static const struct CMUnitTest tests[] = {cmocka_unit_test(calls_are_traced_on_x86_64)};

	return cmocka_run_group_tests_name("kmodule_calls", tests, NULL, NULL);
}

#endif
