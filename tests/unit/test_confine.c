// SPDX-License-Identifier: GPL-2.0-or-later
// The sandbox of pcid's daemon: what it cannot do any more, and that all it does still works. In
// children that have entered it.
#include "pci/confine.h"

#include "base/loop.h"
#include "hosttree.h"
#include "pci/bind.h"
#include "pci/reader.h"
#include "pci/session.h"
#include "sandboxed.h"

#include <pthread.h>
#include <sys/epoll.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/socket.h>

/* A node in a scratch tree, with a function on a driver. */
struct host {
	struct scratch t;
	struct store store;
	struct pci_node node;
};

#define ADDRESS "0000:65:00.0"

static int set_up(void **state)
{
	struct host *h = mem_alloc(sizeof(*h));
	struct err e;

	host_open(&h->t);
	host_function(&h->t, "pci0000:64/0000:64:00.0/" ADDRESS, "20000", "igb");
	scratch_put(&h->t, "sys/devices/pci0000:64/0000:64:00.0/" ADDRESS "/driver_override", "\n");
	scratch_put(&h->t, "sys/devices/pci0000:64/0000:64:00.0/" ADDRESS "/config", "0123456789");
	scratch_put(&h->t, "sys/bus/pci/drivers_probe", "");
	scratch_put(&h->t, "sys/module/x/parameters/p", "1\n");
	scratch_put(&h->t, "sys/kernel/uevent_helper", "\n");
	scratch_put(&h->t, "lib/modules/6.12.0/x.ko", "no module\n");
	scratch_put(&h->t, "etc/shadow", "secret\n");
	scratch_put(&h->t, "etc/modprobe.d/x.conf", "blacklist x\n");
	scratch_put(&h->t, "var/lib/other/secret", "secret\n");
	assert_int_equal(store_init(&h->store, &h->t.root, NULL, &e), 0);
	h->node = (struct pci_node){.root = &h->t.root, .store = &h->store, .name = "node1"};
	*state = h;
	return 0;
}

static int tear_down(void **state)
{
	struct host *h = *state;

	scratch_close(&h->t);
	free(h);
	return 0;
}

static int confine(const struct pci_node *n)
{
	struct sandbox_result r;
	struct err e = {0};

	if (pci_confine(n, &r, &e) == 0)
		return 0;
	dprintf(2, "%s\n", e.text);
	return -1;
}

/* ---- What it cannot */

static int reaches_for_files(void *ctx)
{
	const struct host *h = ctx;
	const struct root *r = &h->t.root;
	char text[16];

	MUST(confine(&h->node) == 0);
	FAILS(root_read(r, "etc/shadow", text, sizeof(text)), EACCES);
	FAILS(root_read(r, "var/lib/other/secret", text, sizeof(text)), EACCES);
	FAILS(root_write(r, "var/lib/other/secret", "x"), EACCES);
	FAILS(root_write(r, "etc/modprobe.d/x.conf", "x"), EACCES);
	FAILS(root_write(r, "lib/modules/6.12.0/x.ko", "x"), EACCES);
	FAILS(root_write(r, "sys/module/x/parameters/p", "0"), EACCES);
	FAILS(root_write(r, "sys/kernel/uevent_helper", "/bin/sh"), EACCES);
	FAILS(root_open(r, "etc/new", O_WRONLY | O_CREAT, 0644), EACCES);
	FAILS(root_mkdirs(r, "var/lib/new", 0755), EACCES);
	FAILS(open("/etc/passwd", O_RDONLY | O_CLOEXEC), EACCES);
	FAILS(open("/proc/self/mem", O_RDWR | O_CLOEXEC), EACCES);
	FAILS(open("/dev/zero", O_RDONLY | O_CLOEXEC), EACCES);
	FAILS(open("/tmp/vfiobox-new", O_WRONLY | O_CREAT | O_CLOEXEC, 0600), EACCES);
	return 0;
}

static void no_file_but_its_own_and_no_attribute_but_of_devices(void **state)
{
	need_landlock(3);
	child_does(reaches_for_files, *state);
}

static int reaches_for_others(void *ctx)
{
	const struct host *h = ctx;
	void *code;

	MUST(confine(&h->node) == 0);
	FAILS(kill(getppid(), 0), ENOSYS);
	FAILS(syscall(SYS_tgkill, getppid(), getppid(), 0), EPERM);
	FAILS(syscall(SYS_setuid, 0), ENOSYS);
	FAILS(syscall(SYS_connect, 0, NULL, 0), ENOSYS);
	FAILS(fork(), EPERM);
	code = (void *)syscall(
		SYS_mmap, NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	MUST(code == MAP_FAILED && errno == EPERM);
	return 0;
}

static void no_process_no_signal_no_code(void **state)
{
	need_seccomp();
	child_does(reaches_for_others, *state);
}

struct attack {
	const struct host *host;
	int call;
};

static int attacks(void *ctx)
{
	const struct attack *a = ctx;

	MUST(confine(&a->host->node) == 0);
	syscall(a->call, 0, 0, 0, 0, 0, 0);
	return 0;
}

static void no_program_no_socket_no_mount_no_module_from_memory(void **state)
{
	static const int calls[] = {SYS_execve, SYS_execveat, SYS_ptrace, SYS_socket, SYS_mount,
		SYS_chroot, SYS_unshare, SYS_setns, SYS_bpf, SYS_init_module, SYS_delete_module,
		SYS_kexec_load};

	need_seccomp();
	for (size_t i = 0; i < ARRAY_LEN(calls); i++) {
		struct attack a = {*state, calls[i]};
		int status = child_status(attacks, &a);

		if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGSYS)
			fail_msg("call %d: status %x", calls[i], (unsigned)status);
	}
}

static int has_its_capability(void *ctx)
{
	const struct host *h = ctx;
	struct sandbox_result r;
	struct err e;

	MUST(pci_confine(&h->node, &r, &e) == 0);
	MUST((r.capabilities & ~(1ull << 16)) == 0); /* CAP_SYS_MODULE */
	return 0;
}

static void no_capability_but_to_load_modules(void **state)
{
	child_does(has_its_capability, *state);
}

/* ---- What it must */

static int writes(void *ctx)
{
	const struct host *h = ctx;
	const struct root *r = &h->t.root;
	CLEANUP_ARENA struct arena mem = {0};
	struct json *object = json_object(&mem), *back = NULL;
	struct store_batch *b;
	char text[64];
	struct err e;
	int lock;

	lock = store_lock(&h->store, "pcid", 0, &e);
	MUST(lock >= 0 && confine(&h->node) == 0);
	MUST(root_write(r, "sys/bus/pci/devices/" ADDRESS "/driver_override", "vfio-pci\n") == 0);
	MUST(bind_override_of(r, ADDRESS, text, sizeof(text)) == 0 && !strcmp(text, "vfio-pci"));
	MUST(root_write(r, "sys/bus/pci/drivers_probe", ADDRESS) == 0);
	json_set_z(&mem, object, "a", "b");
	b = store_batch_new(&h->store);
	MUST(store_put(b, STORE_KEPT, PLURAL_DEVICES, "one", object, &e) == 0);
	MUST(store_put(b, STORE_LOCAL, PLURAL_CLAIMS, "two", object, &e) == 0);
	MUST(store_put(b, STORE_OBSERVED, PLURAL_DEVICES, "one", object, &e) == 0);
	MUST(store_commit(b, &e) == 3);
	MUST(store_remove(b, STORE_KEPT, PLURAL_DEVICES, "one", &e) == 0);
	MUST(store_commit(b, &e) == 1);
	store_batch_free(b);
	MUST(store_read(&h->store, STORE_LOCAL, PLURAL_CLAIMS, "two", &mem, &back, &e) == 0 &&
		back);
	MUST(store_sentinel_write(&h->store, "node1", &e) == 0);
	MUST(store_sentinel(&h->store, "node1", NULL, 0) == STORE_OURS);
	close(lock);
	lock = store_lock(&h->store, "pcid", 0, &e);
	MUST(lock >= 0 && close(lock) == 0);
	return 0;
}

static void attributes_and_objects_are_written(void **state)
{
	child_does(writes, *state);
}

static int loads(void *ctx)
{
	const struct host *h = ctx;
	int fd;

	MUST(confine(&h->node) == 0);
	fd = root_open(&h->t.root, "lib/modules/6.12.0/x.ko", O_RDONLY, 0);
	MUST(fd >= 0 && syscall(SYS_finit_module, fd, "", 0) < 0);
	MUST(errno == ENOEXEC || errno == EPERM || errno == ENOSYS);
	return 0;
}

static void a_module_is_offered_to_the_kernel(void **state)
{
	need_seccomp();
	child_does(loads, *state);
}

struct seen {
	struct loop *loop;
	int fd, timer, file, signal;
};

static void on_end(struct seen *s)
{
	if (s->fd && s->timer && s->file && s->signal)
		loop_stop(s->loop);
}

static void on_fd(void *ctx, int fd, uint32_t events)
{
	struct seen *s = ctx;
	char c;

	(void)events;
	s->fd += recv(fd, &c, 1, 0) == 1;
	on_end(s);
}

static void on_timer(void *ctx)
{
	struct seen *s = ctx;

	s->timer++;
	on_end(s);
}

static void on_file(void *ctx, uint32_t mask, const char *name)
{
	struct seen *s = ctx;

	(void)mask;
	s->file += !strcmp(name, "new");
	on_end(s);
}

static void on_signal(void *ctx, int signo)
{
	struct seen *s = ctx;

	s->signal += signo == SIGHUP;
	on_end(s);
}

/* The loop and its sources are made within; a socket was open before. */
static int waits(void *ctx)
{
	const struct host *h = ctx;
	struct seen s = {0};
	char path[64];
	struct err e = {0};
	int pair[2], dir, fd;

	MUST(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) == 0);
	MUST(confine(&h->node) == 0);
	s.loop = loop_new(&e);
	dir = root_open(&h->t.root, "run/vfiobox", O_RDONLY | O_DIRECTORY, 0);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", dir);
	MUST(s.loop && dir >= 0);
	MUST(loop_add_watch(s.loop, path, IN_CREATE | IN_MOVED_TO, on_file, &s, &e));
	MUST(loop_add_fd(s.loop, pair[0], EPOLLIN, on_fd, &s, &e));
	MUST(loop_signal(s.loop, SIGHUP, on_signal, &s, &e) == 0);
	loop_add_timer(s.loop, loop_now(), on_timer, &s);
	fd = openat(dir, "new", O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
	MUST(fd >= 0 && close(fd) == 0);
	MUST(send(pair[1], "x", 1, MSG_NOSIGNAL) == 1);
	MUST(raise(SIGHUP) == 0);
	MUST(loop_run(s.loop, &e) == 0);
	loop_free(s.loop);
	return 0;
}

static void its_loop_runs(void **state)
{
	child_does(waits, *state);
}

static void *nothing(void *arg)
{
	return arg;
}

/* Without threads it would be done by one, as well: they are asked for by themselves too. */
static int scans(void *ctx)
{
	const struct host *h = ctx;
	struct pci_inventory inv;
	pthread_t thread;
	struct err e;

	MUST(confine(&h->node) == 0 && pci_scan(&inv, &h->t.root, &e) == 0);
	MUST(pthread_create(&thread, NULL, nothing, NULL) == 0 && pthread_join(thread, NULL) == 0);
	MUST(inv.n == 601);
	pci_inventory_free(&inv);
	return 0;
}

static void a_scan_is_shared_by_threads(void **state)
{
	const struct host *h = *state;

	for (unsigned i = 0; i < 600; i++) {
		CLEANUP_FREE char *home =
			mem_printf("pci0000:00/0000:%02x:%02x.%u", i / 256, i / 8 % 32, i % 8);

		host_function(&h->t, home, "20000", NULL);
	}
	child_does(scans, *state);
}

static int asks(void *ctx)
{
	struct host *h = ctx;
	CLEANUP_ARENA struct arena mem = {0};
	struct pci_dev d = {.name = ADDRESS, .group = 7, .driver = "vfio-pci"};
	const struct pci_dev *list = &d;
	struct holder *holder;
	uint8_t config[64];
	struct err e;
	size_t n;

	h->node.reader = reader_start(&h->t.root, &e);
	MUST(h->node.reader && confine(&h->node) == 0);
	MUST(pci_holders(&h->node, &list, 1, &mem, &holder, &n, &e) == 0);
	MUST(n == 1 && holder[0].group == 7 && holder[0].pid == 4711);
	MUST(pci_config_read(&h->node, ADDRESS, config, sizeof(config), &e) == 10);
	MUST(!memcmp(config, "0123456789", 10));
	MUST(reader_alive(h->node.reader));
	reader_stop(h->node.reader);
	return 0;
}

static void the_reader_is_asked(void **state)
{
	const struct host *h = *state;

	/* the number of /dev/null, which process 4711 has open */
	scratch_put(&h->t, "sys/class/vfio/7/dev", "1:3\n");
	scratch_put(&h->t, "proc/4711/comm", "qemu\n");
	host_link(&h->t, "proc/4711/fd/5", "/dev/null");
	child_does(asks, *state);
}

static int makes_a_pass(void *ctx)
{
	struct host *h = ctx;
	struct session s = {0};
	struct kmodules k;
	struct ids ids;
	struct err e = {0};

	ids_builtin(&ids);
	h->node.ids = &ids;
	kmodules_init(&k, &h->t.root, "6.12.0");
	h->node.reader = reader_start(&h->t.root, &e);
	MUST(h->node.reader && confine(&h->node) == 0);
	if (session_run(&s, &h->node, &k, 0, &e) < 0)
		dprintf(2, "%s\n", e.text);
	MUST(s.open && s.result.failed == 0);
	MUST(store_is_complete(&h->store, PLURAL_DEVICES));
	session_end(&s);
	reader_stop(h->node.reader);
	return 0;
}

static void a_pass_is_carried_out(void **state)
{
	const struct host *h = *state;

	scratch_put(
		&h->t, "proc/sys/kernel/random/boot_id", "00000000-0000-4000-8000-000000000000\n");
	child_does(makes_a_pass, *state);
	assert_int_equal(scratch_count(&h->t, "run/vfiobox/observed/pcidevices"), 2);
}

/* ---- On this machine */

static char *uses_text(const struct root *r)
{
	struct pci_inventory inv;
	struct host_uses uses;
	struct buf text = {0};
	struct err e;

	if (pci_scan(&inv, r, &e) < 0)
		return NULL;
	if (host_uses_scan(&uses, r, &inv, NULL, 0, &e) == 0) {
		for (size_t i = 0; i < uses.n; i++)
			buf_printf(&text, "%s %s\n", host_reason_name(uses.use[i].reason),
				uses.use[i].chain);
		host_uses_free(&uses);
	}
	buf_printf(&text, "%zu functions\n", inv.n);
	pci_inventory_free(&inv);
	buf_z(&text);
	return text.p;
}

/* Of the whole root, with state and run directories that are not the machine's own. */
static int sees_the_same(void *ctx)
{
	const struct host *h = ctx;
	struct store store = {0};
	struct root r;
	struct pci_node node = {.root = &r, .store = &store, .name = "node1"};
	CLEANUP_FREE char *before = NULL;
	CLEANUP_FREE char *after = NULL;
	struct err e;

	MUST(root_init(&r, "/", &e) == 0);
	store.root = &r;
	snprintf(store.state, sizeof(store.state), "%s/state", h->t.dir);
	snprintf(store.run, sizeof(store.run), "%.50s/run", h->t.dir);
	before = uses_text(&r);
	if (!before)
		return 0;
	MUST(confine(&node) == 0);
	after = uses_text(&r);
	if (after && !strcmp(before, after))
		return 0;
	dprintf(2, "before:\n%safter:\n%s", before, after ? after : "(nothing)\n");
	return 1;
}

static void what_the_host_lives_on_is_seen_as_before(void **state)
{
	child_does(sees_the_same, *state);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
		TEST(no_file_but_its_own_and_no_attribute_but_of_devices),
		TEST(no_process_no_signal_no_code),
		TEST(no_program_no_socket_no_mount_no_module_from_memory),
		TEST(no_capability_but_to_load_modules),
		TEST(attributes_and_objects_are_written),
		TEST(a_module_is_offered_to_the_kernel),
		TEST(its_loop_runs),
		TEST(a_scan_is_shared_by_threads),
		TEST(the_reader_is_asked),
		TEST(a_pass_is_carried_out),
		TEST(what_the_host_lives_on_is_seen_as_before),
	};

	return cmocka_run_group_tests_name("confine", tests, NULL, NULL);
}
