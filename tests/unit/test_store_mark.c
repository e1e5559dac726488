// SPDX-License-Identifier: GPL-2.0-or-later
// What absence means: the machine of desired/, the completeness of observed/; one instance at a
// time.
#include "store/store.h"

#include "scratch.h"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/utsname.h>
#include <sys/wait.h>

#define STATE "var/lib/vfiobox"
#define MACHINE STATE "/desired/machine"
#define UUID "sys/class/dmi/id/product_uuid"
#define ID "etc/machine-id"
#define BOOT "proc/sys/kernel/random/boot_id"

struct fixture {
	struct scratch t;
	struct store store;
	char seen[128];
};

static int set_up(void **state)
{
	struct fixture *f = mem_alloc(sizeof(*f));
	struct err e;

	scratch_open(&f->t);
	assert_int_equal(store_init(&f->store, &f->t.root, NULL, &e), 0);
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	scratch_close(&f->t);
	free(f);
	return 0;
}

static enum store_sentinel look(struct fixture *f, const char *node)
{
	enum store_sentinel s = store_sentinel(&f->store, node, f->seen, sizeof(f->seen));

	assert_int_equal(store_sentinel(&f->store, node, NULL, 0), s);
	return s;
}

static void absent(const struct fixture *f, const char *path)
{
	CLEANUP_FREE char *full = scratch_path(&f->t, path);

	assert_int_equal(unlink(full), 0);
}

static void expect_machine(const struct fixture *f, const char *text)
{
	CLEANUP_FREE char *is = scratch_get(&f->t, MACHINE);

	assert_string_equal(is, text);
}

static void the_sentinel_names_all_that_is_known(void **state)
{
	struct fixture *f = *state;
	struct err e;

	assert_int_equal(store_sentinel_write(&f->store, NULL, &e), -1);
	assert_int_equal(store_sentinel_write(&f->store, "node-a", &e), 0);
	expect_machine(f, "node node-a\n");
	scratch_put(&f->t, UUID, "4c4c4544-0042\n");
	scratch_put(&f->t, ID, "5f0e3b6f\n");
	assert_int_equal(store_sentinel_write(&f->store, "node-a", &e), 0);
	expect_machine(f, "product-uuid 4c4c4544-0042\nmachine-id 5f0e3b6f\nnode node-a\n");
	assert_int_equal(look(f, "node-b"), STORE_OURS);
	assert_string_equal(f->seen, "product-uuid 4c4c4544-0042");
	assert_int_equal(scratch_count(&f->t, STATE "/desired"), 1);
}

static void the_best_that_both_sides_know_decides(void **state)
{
	struct fixture *f = *state;

	scratch_put(&f->t, MACHINE, "product-uuid AA-1\nmachine-id 5f\nnode a\nlater x\n\nnode\n");
	assert_int_equal(look(f, "a"), STORE_OURS);
	assert_int_equal(look(f, "b"), STORE_FOREIGN);
	assert_int_equal(look(f, NULL), STORE_MISSING);
	scratch_put(&f->t, ID, "5f\n");
	assert_int_equal(look(f, "b"), STORE_OURS);
	scratch_put(&f->t, ID, "60\n");
	assert_int_equal(look(f, "a"), STORE_FOREIGN);
	scratch_put(&f->t, UUID, "aa-1\n");
	assert_int_equal(look(f, "b"), STORE_OURS);
	scratch_put(&f->t, UUID, "aa-2\n");
	scratch_put(&f->t, ID, "5f\n");
	assert_int_equal(look(f, "a"), STORE_FOREIGN);
	assert_string_equal(f->seen, "product-uuid AA-1");
	scratch_put(&f->t, MACHINE, "node a\n");
	assert_int_equal(look(f, "a"), STORE_OURS);
	assert_int_equal(look(f, "b"), STORE_FOREIGN);
	scratch_put(&f->t, MACHINE, "");
	assert_int_equal(look(f, "a"), STORE_MISSING);
	assert_string_equal(f->seen, "nothing");
}

static void what_firmware_left_blank_names_no_machine(void **state)
{
	static const char *const blank[] = {"00000000-0000-0000-0000-000000000000",
		"FFFFFFFF-FFFF-FFFF-FFFF-FFFFFFFFFFFF", "03000200-0400-0500-0006-000700080009", "",
		"Not Settable"};
	struct fixture *f = *state;
	struct err e;

	scratch_put(&f->t, ID, "uninitialized\n");
	for (size_t i = 0; i < ARRAY_LEN(blank); i++) {
		scratch_put(&f->t, UUID, blank[i]);
		assert_int_equal(store_sentinel_write(&f->store, "a", &e), 0);
		expect_machine(f, "node a\n");
	}
}

static void a_new_machine_has_nothing_at_all(void **state)
{
	struct fixture *f = *state;
	CLEANUP_FREE char *link = scratch_path(&f->t, STATE "/kept/link");

	assert_int_equal(look(f, "a"), STORE_NEW);
	assert_string_equal(f->seen, "");
	scratch_mkdir(&f->t, STATE "/desired/local/pcideviceclaims");
	scratch_mkdir(&f->t, STATE "/kept/pcidevices");
	scratch_mkdir(&f->t, STATE "/lost+found");
	scratch_put(&f->t, STATE "/desired/.vfiobox-1-1", "product-uu");
	scratch_put(&f->t, STATE "/desired/local/pcideviceclaims/.vfiobox-1-2", "{");
	assert_int_equal(look(f, "a"), STORE_NEW);
	scratch_put(&f->t, STATE "/kept/node", "a");
	assert_int_equal(look(f, "a"), STORE_MISSING);
	absent(f, STATE "/kept/node");
	assert_int_equal(look(f, "a"), STORE_NEW);
	scratch_put(&f->t, STATE "/desired/local/pcideviceclaims/x.json", "{}");
	assert_int_equal(look(f, "a"), STORE_MISSING);
	absent(f, STATE "/desired/local/pcideviceclaims/x.json");
	assert_int_equal(symlink("pcidevices", link), 0);
	assert_int_equal(look(f, "a"), STORE_MISSING);
}

static void what_cannot_be_looked_at_is_not_new(void **state)
{
	struct fixture *f = *state;

	scratch_put(&f->t, STATE "/desired", "a file");
	assert_int_equal(look(f, "a"), STORE_MISSING);
	absent(f, STATE "/desired");
	scratch_mkdir(&f->t, MACHINE);
	assert_int_equal(look(f, "a"), STORE_MISSING);
	assert_string_equal(f->seen, "");
}

static void complete_is_complete_for_this_boot(void **state)
{
	struct fixture *f = *state;
	CLEANUP_ARENA struct arena mem = {0};
	char **names;
	size_t n;
	struct err e;

	assert_int_equal(store_mark_complete(&f->store, "pcidevices", &e), -1);
	assert_non_null(strstr(e.text, "boot_id"));
	assert_false(store_is_complete(&f->store, "pcidevices"));
	scratch_put(&f->t, BOOT, "3b9fd0b2-0001\n");
	assert_false(store_is_complete(&f->store, "pcidevices"));
	assert_int_equal(store_mark_complete(&f->store, "pcidevices", &e), 0);
	assert_true(store_is_complete(&f->store, "pcidevices"));
	assert_false(store_is_complete(&f->store, "pcideviceclaims"));
	assert_int_equal(
		store_list(&f->store, STORE_OBSERVED, "pcidevices", &mem, &names, &n, &e), 0);
	assert_int_equal(n, 0);
	scratch_put(&f->t, BOOT, "3b9fd0b2-0002\n");
	assert_false(store_is_complete(&f->store, "pcidevices"));
	assert_int_equal(store_mark_complete(&f->store, "pcidevices", &e), 0);
	assert_true(store_is_complete(&f->store, "pcidevices"));
	assert_int_equal(scratch_count(&f->t, "run/vfiobox/observed/pcidevices"), 1);
	scratch_put(&f->t, BOOT, "");
	assert_false(store_is_complete(&f->store, "pcidevices"));
	assert_int_equal(store_mark_complete(&f->store, "pcidevices", &e), -1);
	scratch_put(&f->t, "run/vfiobox/observed/pcidevices/complete", "");
	assert_false(store_is_complete(&f->store, "pcidevices"));
}

/* A child that takes the lock, says so on `ready`, and holds it until it is killed. */
static pid_t holder(const struct fixture *f, int ready[2])
{
	pid_t pid = fork();
	struct err e;

	assert_true(pid >= 0);
	if (pid > 0)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (store_lock(&f->store, "pcid", 0, &e) < 0 || write(ready[1], "x", 1) != 1)
		_exit(1);
	for (;;)
		pause();
}

static void one_instance_at_a_time(void **state)
{
	struct fixture *f = *state;
	char want[64], byte;
	int ready[2], fd;
	struct err e;
	pid_t pid;

	assert_int_equal(pipe(ready), 0);
	pid = holder(f, ready);
	assert_int_equal(read(ready[0], &byte, 1), 1);
	snprintf(want, sizeof(want), "process %ld holds /run/vfiobox/pcid.lock", (long)pid);
	assert_int_equal(store_lock(&f->store, "pcid", 0, &e), -1);
	assert_string_equal(e.text, want);
	assert_int_equal(store_lock(&f->store, "pcid", 50, &e), -1);
	assert_string_equal(e.text, want);
	fd = store_lock(&f->store, "vgpud", 0, &e);
	assert_true(fd >= 0);
	close(fd);
	scratch_put(&f->t, "run/vfiobox/pcid.lock", "1 elsewhere\n");
	assert_int_equal(store_lock(&f->store, "pcid", 0, &e), -1);
	assert_string_equal(e.text, "process 1 on elsewhere holds /run/vfiobox/pcid.lock");
	scratch_put(&f->t, "run/vfiobox/pcid.lock", "\x1b[2J 1\n");
	assert_int_equal(store_lock(&f->store, "pcid", 0, &e), -1);
	assert_string_equal(e.text, "another process holds /run/vfiobox/pcid.lock");
	assert_int_equal(kill(pid, SIGKILL), 0);
	fd = store_lock(&f->store, "pcid", 30000, &e);
	assert_true(fd >= 0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	snprintf(want, sizeof(want), "process %ld holds /run/vfiobox/pcid.lock", (long)getpid());
	assert_int_equal(store_lock(&f->store, "pcid", 0, &e), -1);
	assert_string_equal(e.text, want);
	close(fd);
	fd = store_lock(&f->store, "pcid", 0, &e);
	assert_true(fd >= 0);
	close(fd);
	close(ready[0]);
	close(ready[1]);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
		TEST(the_sentinel_names_all_that_is_known),
		TEST(the_best_that_both_sides_know_decides),
		TEST(what_firmware_left_blank_names_no_machine),
		TEST(a_new_machine_has_nothing_at_all),
		TEST(what_cannot_be_looked_at_is_not_new),
		TEST(complete_is_complete_for_this_boot),
		TEST(one_instance_at_a_time),
	};

	return cmocka_run_group_tests_name("store_mark", tests, NULL, NULL);
}
