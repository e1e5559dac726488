// SPDX-License-Identifier: GPL-2.0-or-later
// The reader: what it and who asks it say, that it answers as this process would, and how it ends.
#include "pci/reader_impl.h"

#include "sandboxed.h"

#include <poll.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/sysmacros.h>

/* ---- The words */

static struct pci_dev function(const char *address, int group, const char *driver)
{
	struct pci_dev d = {.group = group, .driver = driver};

	assert_true(pci_addr_parse(str_of(address), &d.addr));
	pci_addr_format(d.addr, d.name);
	return d;
}

static void a_question_is_read_as_it_was_written(void **state)
{
	struct pci_dev a = function("0000:65:00.0", 7, "vfio-pci");
	struct pci_dev b = function("10000:e1:00.1", PCI_NO_GROUP, "igb");
	const struct pci_dev *both[] = {&a, &b};
	CLEANUP_ARENA struct arena mem = {0};
	CLEANUP_BUF struct buf out = {0};
	struct reader_request q;
	struct err e;

	(void)state;
	reader_request_write(&out, READER_HOLDERS, both, 2);
	assert_int_equal(reader_request_parse(&q, out.p, out.len, &mem, &e), 0);
	assert_int_equal(q.kind, READER_HOLDERS);
	assert_int_equal(q.n, 2);
	assert_string_equal(q.dev[0]->name, "0000:65:00.0");
	assert_int_equal(q.dev[0]->group, 7);
	assert_string_equal(q.dev[0]->driver, "vfio-pci");
	assert_string_equal(q.dev[1]->name, "10000:e1:00.1");
	assert_int_equal(q.dev[1]->group, PCI_NO_GROUP);
	assert_string_equal(q.dev[1]->driver, "");
	reader_request_write(&out, READER_CONFIG, both, 1);
	assert_int_equal(reader_request_parse(&q, out.p, out.len, &mem, &e), 0);
	assert_int_equal(q.kind, READER_CONFIG);
}

/* A question of one function, with something changed in it. */
static int parse_changed(size_t at, uint32_t value, size_t len)
{
	struct pci_dev a = function("0000:65:00.0", 7, "vfio-pci");
	const struct pci_dev *one = &a;
	CLEANUP_ARENA struct arena mem = {0};
	CLEANUP_BUF struct buf out = {0};
	struct reader_request q;
	struct err e;

	reader_request_write(&out, READER_HOLDERS, &one, 1);
	memcpy(out.p + at, &value, sizeof(value));
	return reader_request_parse(&q, out.p, len < out.len ? len : out.len, &mem, &e);
}

static void a_question_that_is_not_well_formed_is_none(void **state)
{
	const size_t head = sizeof(struct reader_head), all = head + sizeof(struct reader_function);
	const size_t address = head, group = head + offsetof(struct reader_function, group);
	const size_t on_vfio = head + offsetof(struct reader_function, on_vfio);
	const struct {
		size_t at;
		uint32_t value;
		size_t len;
	} bad[] = {
		{0, 0, all}, /* no magic */
		{4, 0, all},
		{4, READER_FAILED, all},
		{4, 9, all}, /* kind */
		{8, 0, all},
		{8, 2, all},
		{8, UINT32_MAX, all}, /* count */
		{0, READER_MAGIC, all - 1},
		{0, READER_MAGIC, head - 1},
		{0, READER_MAGIC, 4},
		{address, 0x2e2e2f2e, all}, /* "./.." */
		{group, (uint32_t)-2, all},
		{group, 0x80000000, all},
		{on_vfio, 2, all},
	};

	(void)state;
	assert_int_equal(parse_changed(0, READER_MAGIC, all), 0);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		if (parse_changed(bad[i].at, bad[i].value, bad[i].len) == 0)
			fail_msg("question %zu was taken", i);
}

static void an_address_without_an_end_is_none(void **state)
{
	struct {
		struct reader_head head;
		struct reader_function f;
	} q = {{READER_MAGIC, READER_CONFIG, 1, 0}, {.group = 1}};
	CLEANUP_ARENA struct arena mem = {0};
	struct reader_request out;
	struct err e;

	(void)state;
	memcpy(q.f.address, "0000:65:00.000000000", sizeof(q.f.address));
	assert_int_equal(reader_request_parse(&out, &q, sizeof(q), &mem, &e), -1);
	q.head.count = 2;
	assert_int_equal(reader_request_parse(&out, &q, sizeof(q), &mem, &e), -1);
}

static void an_answer_is_read_as_it_was_written(void **state)
{
	static const uint8_t bytes[] = {0x86, 0x80, 0};
	const struct holder h[] = {{3, 99, "qemu"}, {4, 0, "process 5 cannot be read"}};
	CLEANUP_ARENA struct arena mem = {0};
	CLEANUP_BUF struct buf out = {0};
	struct reader_answer a;
	struct err e = {0};

	(void)state;
	reader_answer_holders(&out, h, 2);
	assert_int_equal(reader_answer_parse(&a, READER_HOLDERS, out.p, out.len, &mem, &e), 0);
	assert_int_equal(a.holders, 2);
	assert_int_equal(a.holder[0].group, 3);
	assert_int_equal(a.holder[0].pid, 99);
	assert_string_equal(a.holder[0].program, "qemu");
	assert_string_equal(a.holder[1].program, "process 5 cannot be read");
	assert_int_equal(reader_answer_parse(&a, READER_CONFIG, out.p, out.len, &mem, &e), -1);
	assert_int_equal(reader_answer_parse(&a, READER_HOLDERS, out.p, out.len - 1, &mem, &e), -1);
	out.p[out.len - 1] = 'x'; /* programs end with NUL */
	memset(out.p + out.len - READER_PROGRAM_CAP, 'x', READER_PROGRAM_CAP);
	assert_int_equal(reader_answer_parse(&a, READER_HOLDERS, out.p, out.len, &mem, &e), -1);
	reader_answer_config(&out, bytes, sizeof(bytes));
	assert_int_equal(reader_answer_parse(&a, READER_CONFIG, out.p, out.len, &mem, &e), 0);
	assert_int_equal(a.config.n, 3);
	assert_memory_equal(a.config.p, bytes, 3);
	e.no = EACCES;
	snprintf(e.text, sizeof(e.text), "read /proc: no");
	reader_answer_failed(&out, &e);
	e = (struct err){0};
	assert_int_equal(reader_answer_parse(&a, READER_HOLDERS, out.p, out.len, &mem, &e), 1);
	assert_int_equal(e.no, EACCES);
	assert_string_equal(e.text, "read /proc: no");
}

static void holders_are_never_left_out(void **state)
{
	struct holder *h = mem_alloc((READER_HOLDERS_MAX + 1) * sizeof(*h));
	CLEANUP_ARENA struct arena mem = {0};
	CLEANUP_BUF struct buf out = {0};
	struct reader_answer a;
	struct err e;

	(void)state;
	for (int i = 0; i <= READER_HOLDERS_MAX; i++)
		h[i] = (struct holder){i, i, "x"};
	reader_answer_holders(&out, h, READER_HOLDERS_MAX);
	assert_int_equal(reader_answer_parse(&a, READER_HOLDERS, out.p, out.len, &mem, &e), 0);
	assert_int_equal(a.holders, READER_HOLDERS_MAX);
	reader_answer_holders(&out, h, READER_HOLDERS_MAX + 1);
	assert_int_equal(reader_answer_parse(&a, READER_HOLDERS, out.p, out.len, &mem, &e), 1);
	free(h);
}

/* ---- The process */

struct world {
	struct scratch t;
	struct pci_node node;
	struct pci_dev dev[2];
	const struct pci_dev *list[2];
};

/* Process 77 has /dev/null open, which is the node of group 5 here. */
static int set_up(void **state)
{
	struct world *w = mem_alloc(sizeof(*w));
	struct stat null;
	char number[32], config[PCI_CONFIG_SIZE];

	scratch_open(&w->t);
	assert_int_equal(stat("/dev/null", &null), 0);
	snprintf(number, sizeof(number), "%u:%u\n", major(null.st_rdev), minor(null.st_rdev));
	scratch_put(&w->t, "sys/class/vfio/5/dev", number);
	scratch_put(&w->t, "proc/77/comm", "qemu-kvm\n");
	scratch_mkdir(&w->t, "proc/77/fd");
	assert_int_equal(symlinkat("/dev/null", w->t.root.fd, "proc/77/fd/3"), 0);
	memset(config, 'c', sizeof(config) - 1);
	config[sizeof(config) - 1] = 0;
	scratch_put(&w->t, "sys/bus/pci/devices/0000:65:00.0/config", config);
	w->node.root = &w->t.root;
	w->dev[0] = function("0000:65:00.0", 5, "vfio-pci");
	w->dev[1] = function("0000:66:00.0", 6, "vfio-pci");
	w->list[0] = &w->dev[0];
	w->list[1] = &w->dev[1];
	*state = w;
	return 0;
}

static int tear_down(void **state)
{
	struct world *w = *state;

	reader_stop(w->node.reader);
	scratch_close(&w->t);
	free(w);
	return 0;
}

static struct reader *start(struct world *w)
{
	struct err e = {0};

	w->node.reader = reader_start(&w->t.root, &e);
	if (!w->node.reader)
		fail_msg("%s", e.text);
	return w->node.reader;
}

/* "5 77 qemu-kvm\n6 0 the number ...\n" */
static char *holders_text(const struct world *w)
{
	CLEANUP_ARENA struct arena mem = {0};
	struct buf out = {0};
	struct holder *h;
	struct err e;
	size_t n;

	assert_int_equal(pci_holders(&w->node, w->list, 2, &mem, &h, &n, &e), 0);
	for (size_t i = 0; i < n; i++)
		buf_printf(&out, "%d %d %s\n", h[i].group, h[i].pid, h[i].program);
	buf_z(&out);
	return out.p;
}

static void it_answers_as_this_process_would(void **state)
{
	struct world *w = *state;
	CLEANUP_FREE char *here = holders_text(w);
	CLEANUP_FREE char *there = NULL;
	uint8_t config[PCI_CONFIG_SIZE];
	struct err e;

	assert_non_null(strstr(here, "5 77 qemu-kvm\n"));
	assert_non_null(strstr(here, "6 0 the number of its VFIO node cannot be read\n"));
	start(w);
	there = holders_text(w);
	assert_string_equal(there, here);
	assert_int_equal(pci_config_read(&w->node, "0000:65:00.0", config, 64, &e), 64);
	assert_int_equal(pci_config_read(&w->node, "0000:65:00.0", config, sizeof(config), &e),
		PCI_CONFIG_SIZE - 1);
	assert_int_equal(config[PCI_CONFIG_SIZE - 2], 'c');
	assert_int_equal(pci_config_read(&w->node, "0000:66:00.0", config, sizeof(config), &e), -1);
	assert_int_equal(e.no, ENOENT);
	assert_int_equal(pci_config_read(&w->node, "../65:00.0", config, sizeof(config), &e), -1);
	assert_true(reader_alive(w->node.reader));
}

static void many_functions_are_asked_about_in_parts(void **state)
{
	enum { N = 2 * READER_FUNCTIONS_MAX + 1 };
	struct world *w = *state;
	CLEANUP_ARENA struct arena mem = {0};
	const struct pci_dev **all = arena_alloc(&mem, N * sizeof(*all));
	struct holder *h;
	struct err e;
	size_t n;

	for (size_t i = 0; i < N; i++)
		all[i] = i + 1 < N ? &w->dev[0] : &w->dev[1];
	start(w);
	assert_int_equal(pci_holders(&w->node, all, N, &mem, &h, &n, &e), 0);
	assert_true(n >= 2);
	assert_int_equal(h[0].group, 5);
	assert_int_equal(h[n - 1].group, 6);
	assert_int_equal(pci_holders(&w->node, all, 0, &mem, &h, &n, &e), 0);
	assert_int_equal(n, 0);
}

/* Sends bytes to it; how its answer is read. */
static int tell(struct world *w, const void *bytes, size_t len)
{
	CLEANUP_ARENA struct arena mem = {0};
	struct pollfd wait = {.fd = reader_fd(w->node.reader), .events = POLLIN};
	struct reader_answer a;
	struct err e;
	char back[4096];
	ssize_t n;

	assert_int_equal(send(wait.fd, bytes, len, MSG_NOSIGNAL), len);
	assert_int_equal(poll(&wait, 1, READER_TIMEOUT_MS), 1);
	n = recv(wait.fd, back, sizeof(back), 0);
	assert_true(n > 0);
	return reader_answer_parse(&a, READER_CONFIG, back, (size_t)n, &mem, &e);
}

static void it_goes_on_after_what_it_does_not_understand(void **state)
{
	struct world *w = *state;
	CLEANUP_FREE char *large = mem_alloc(READER_REQUEST_MAX + 100);
	CLEANUP_FREE char *text = NULL;

	start(w);
	assert_int_equal(tell(w, "?", 1), 1);
	assert_int_equal(tell(w, large, READER_REQUEST_MAX + 100), 1);
	text = holders_text(w);
	assert_non_null(strstr(text, "qemu-kvm"));
}

static int ask_config(struct world *w, struct err *e)
{
	uint8_t config[64];

	return (int)pci_config_read(&w->node, "0000:65:00.0", config, sizeof(config), e);
}

static int the_pid(void)
{
	CLEANUP_CLOSE int fd = -1;
	char path[64], text[64];
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/self/task/%ld/children", (long)getpid());
	fd = open(path, O_RDONLY | O_CLOEXEC);
	n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
	text[n > 0 ? n : 0] = 0;
	if (atoi(text) <= 0)
		skip_because("this kernel does not say who our children are");
	return atoi(text);
}

static void when_it_is_gone_every_question_fails(void **state)
{
	struct world *w = *state;
	struct reader *rd = start(w);
	CLEANUP_ARENA struct arena mem = {0};
	struct pollfd end = {.fd = reader_fd(rd)};
	int pid = the_pid();
	struct holder *h;
	struct err e;
	size_t n;

	assert_true(reader_alive(rd));
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(poll(&end, 1, READER_TIMEOUT_MS), 1);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	assert_false(reader_alive(rd));
	for (int i = 0; i < 2; i++) {
		assert_int_equal(pci_holders(&w->node, w->list, 2, &mem, &h, &n, &e), -1);
		assert_int_equal(ask_config(w, &e), -1);
	}
}

static void one_that_hangs_is_not_waited_for(void **state)
{
	struct world *w = *state;
	struct reader *rd = start(w);
	int pid = the_pid();
	struct err e;

	assert_int_equal(kill(pid, SIGSTOP), 0);
	assert_int_equal(waitpid(pid, NULL, WUNTRACED), pid);
	reader_set_timeout(rd, 50);
	assert_int_equal(ask_config(w, &e), -1);
	assert_non_null(strstr(e.text, "in time"));
	assert_int_equal(kill(pid, SIGCONT), 0);
	/* what it says now is of a question that was given up */
	assert_false(reader_alive(rd));
	assert_int_equal(ask_config(w, &e), -1);
	reader_stop(rd);
	w->node.reader = NULL;
	assert_true(waitpid(pid, NULL, 0) == pid || errno == ECHILD); /* its socket has ended */
}

static void it_outlives_the_signals_that_end_a_service(void **state)
{
	static const int signals[] = {SIGTERM, SIGINT, SIGHUP, SIGUSR1, SIGPIPE};
	struct world *w = *state;
	int pid;
	struct err e;

	start(w);
	pid = the_pid();
	for (size_t i = 0; i < ARRAY_LEN(signals); i++)
		assert_int_equal(kill(pid, signals[i]), 0);
	assert_int_equal(ask_config(w, &e), 64);
}

static void it_has_none_of_our_descriptors(void **state)
{
	struct world *w = *state;
	int fd, other;

	scratch_put(&w->t, "lock", "");
	fd = root_open(&w->t.root, "lock", O_RDWR, 0);
	assert_int_equal(flock(fd, LOCK_EX | LOCK_NB), 0);
	start(w);
	close(fd);
	other = root_open(&w->t.root, "lock", O_RDWR, 0);
	assert_int_equal(flock(other, LOCK_EX | LOCK_NB), 0);
	close(other);
}

/* A daemon that is killed. */
static void it_ends_with_who_started_it(void **state)
{
	struct world *w = *state;
	int status;
	pid_t pid;

	if (prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) < 0)
		skip_because("no children of children are adopted here");
	pid = fork();
	if (pid == 0) {
		struct err e;

		if (!reader_start(&w->t.root, &e))
			_exit(1);
		kill(getpid(), SIGKILL);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));
	assert_true(waitpid(-1, &status, 0) > 0); /* the reader, adopted */
	prctl(PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0);
}

static void it_can_do_no_more_than_it_needs(void **state)
{
	static const char *const fields[] = {"CapPrm:", "CapBnd:"};
	struct world *w = *state;
	CLEANUP_CLOSE int fd = -1;
	char path[64], text[8192];
	ssize_t n;

	need_seccomp();
	need_root();
	start(w);
	snprintf(path, sizeof(path), "/proc/%d/status", the_pid());
	fd = open(path, O_RDONLY | O_CLOEXEC);
	n = read(fd, text, sizeof(text) - 1);
	assert_true(n > 0);
	text[n] = 0;
	/* CAP_DAC_READ_SEARCH, CAP_SYS_PTRACE, CAP_SYS_ADMIN */
	for (size_t i = 0; i < ARRAY_LEN(fields); i++)
		assert_int_equal(strtoull(strstr(text, fields[i]) + 7, NULL, 16) & ~0x280004ull, 0);
	assert_non_null(strstr(text, "NoNewPrivs:\t1"));
	assert_non_null(strstr(text, "Seccomp:\t2"));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
		cmocka_unit_test(a_question_is_read_as_it_was_written),
		cmocka_unit_test(a_question_that_is_not_well_formed_is_none),
		cmocka_unit_test(an_address_without_an_end_is_none),
		cmocka_unit_test(an_answer_is_read_as_it_was_written),
		cmocka_unit_test(holders_are_never_left_out),
		TEST(it_answers_as_this_process_would),
		TEST(many_functions_are_asked_about_in_parts),
		TEST(it_goes_on_after_what_it_does_not_understand),
		TEST(when_it_is_gone_every_question_fails),
		TEST(one_that_hangs_is_not_waited_for),
		TEST(it_outlives_the_signals_that_end_a_service),
		TEST(it_has_none_of_our_descriptors),
		TEST(it_ends_with_who_started_it),
		TEST(it_can_do_no_more_than_it_needs),
	};

	return cmocka_run_group_tests_name("reader", tests, NULL, NULL);
}
