// SPDX-License-Identifier: GPL-2.0-or-later
// Passes that make VFs, and passes that are killed.
#include "nickernel.h"

#include "pci/sriov_order.h"

#if defined(__x86_64__)

static int setup(void **state)
{
	struct kernel *k = mem_alloc(sizeof(*k));

	open_kernel(k);
	*state = k;
	return 0;
}

static int teardown(void **state)
{
	struct kernel *k = *state;

	nics_close(&k->n);
	free(k);
	return 0;
}

static void has(struct kernel *k, unsigned vfs)
{
	k->vfs = vfs;
	nics_set_vfs(&k->n, vfs, "igbvf");
}

static void expect_log(struct kernel *k, const char *log)
{
	assert_string_equal(k->log, log);
	k->log[0] = 0;
}

static void expect_driver(struct kernel *k, const char *address, const char *driver)
{
	CLEANUP_FREE char *link = mem_printf("sys/bus/pci/devices/%s/driver", address);
	char now[64] = "";

	root_link_name(&k->n.t.root, link, now, sizeof(now));
	assert_string_equal(now, driver);
}

/* The condition Applied of enp1s0 is `reason` and says `part`. */
static void expect_applied(struct kernel *k, const char *reason, const char *part)
{
	CLEANUP_ARENA struct arena mem = {0};
	struct json *object;
	const struct json *c;
	struct err e;

	assert_int_equal(
		store_read(&k->n.store, STORE_OBSERVED, PLURAL_NICS, NIC_WISH, &mem, &object, &e),
		0);
	assert_non_null(object);
	c = sriov_applied(object);
	assert_string_equal(json_z(json_get(c, "reason")), reason);
	if (!strstr(json_z(json_get(c, "message")), part))
		fail_msg("'%s' is not in '%s'", part, json_z(json_get(c, "message")));
}

static bool has_record(const struct kernel *k)
{
	return scratch_count(&k->n.t, "var/lib/vfiobox/kept/sriovnetworkdevices") > 0;
}

/* Numbers. */

static void vfs_are_made(void **state)
{
	struct kernel *k = *state;

	skip_without_ptrace();
	nics_want(&k->n, 3);
	assert_int_equal(pass(k, NO_KILL), 0);
	expect_log(k, "numvfs 3");
	expect_driver(k, "0000:01:10.4", "igbvf");
	expect_applied(k, "Applied", "3 VFs");
	assert_int_equal(pass(k, NO_KILL), 0);
	expect_log(k, "");
}

static void another_number_goes_over_none(void **state)
{
	struct kernel *k = *state;

	skip_without_ptrace();
	has(k, 3);
	nics_want(&k->n, 5);
	assert_int_equal(pass(k, NO_KILL), 0);
	expect_log(k, "numvfs 0, numvfs 5");
	assert_int_equal(k->vfs, 5);
}

static void none_are_wanted(void **state)
{
	struct kernel *k = *state;

	skip_without_ptrace();
	has(k, 3);
	nics_want(&k->n, 0);
	assert_int_equal(pass(k, NO_KILL), 0);
	expect_log(k, "numvfs 0");
	expect_applied(k, "Applied", "no VFs");
}

static void without_a_wish_vfs_stay(void **state)
{
	struct kernel *k = *state;

	skip_without_ptrace();
	has(k, 3);
	assert_int_equal(pass(k, NO_KILL), 0);
	expect_log(k, "");
	expect_applied(k, "NoWish", "");
}

static void what_is_refused_is_not_written(void **state)
{
	struct kernel *k = *state;

	skip_without_ptrace();
	has(k, 3);
	nics_want(&k->n, 8);
	assert_int_equal(pass(k, NO_KILL), 1);
	expect_log(k, "");
	expect_applied(k, "TooManyVFs", "at most 7");
}

/* Failures. */

static void what_the_kernel_refuses_is_undone(void **state)
{
	struct kernel *k = *state;

	skip_without_ptrace();
	has(k, 3);
	k->most = 4;
	k->refuses = ENOMEM;
	nics_want(&k->n, 5);
	assert_int_equal(pass(k, NO_KILL), 1);
	expect_log(k, "numvfs 0, numvfs 5, numvfs 3");
	assert_int_equal(k->vfs, 3);
	expect_applied(k, "VFsFailed", "write 5 to sriov_numvfs: ");
	expect_applied(k, "VFsFailed", strerror(ENOMEM));
	expect_applied(k, "VFsFailed", "; it has 3 VFs again, as before");
}

static void what_the_kernel_refuses_of_none_leaves_none(void **state)
{
	struct kernel *k = *state;

	skip_without_ptrace();
	k->most = 0;
	k->refuses = EIO;
	nics_want(&k->n, 5);
	assert_int_equal(pass(k, NO_KILL), 1);
	expect_log(k, "numvfs 5");
	expect_applied(k, "VFsFailed", "it has no VFs, as before");
}

static void fewer_are_said_and_undone(void **state)
{
	struct kernel *k = *state;

	skip_without_ptrace();
	has(k, 3);
	k->most = 4;
	k->makes_fewer = true;
	nics_want(&k->n, 5);
	assert_int_equal(pass(k, NO_KILL), 1);
	expect_log(k, "numvfs 0, numvfs 5, numvfs 0, numvfs 3");
	expect_applied(k, "VFsFailed", "the kernel made 4 VFs of 5; it has 3 VFs again");
}

static void going_back_that_fails_is_said(void **state)
{
	struct kernel *k = *state;

	skip_without_ptrace();
	has(k, 3);
	k->most = 2;
	k->refuses = ENOMEM;
	nics_want(&k->n, 5);
	assert_int_equal(pass(k, NO_KILL), 1);
	assert_int_equal(k->vfs, 0);
	expect_applied(k, "VFsFailed", "going back to 3 VFs failed too");
	expect_applied(k, "VFsFailed", "it has 0 now");
}

/* A failure takes VFs away and makes them: a daemon that is woken by that must not do it again. */
static void a_failure_is_tried_again_by_a_person_only(void **state)
{
	struct kernel *k = *state;

	skip_without_ptrace();
	has(k, 3);
	k->most = 4;
	k->refuses = ENOMEM;
	k->retry = false;
	nics_want(&k->n, 5);
	assert_int_equal(pass(k, NO_KILL), 1);
	expect_log(k, "numvfs 0, numvfs 5, numvfs 3");
	assert_int_equal(pass(k, NO_KILL), 1);
	expect_log(k, "");
	expect_applied(k, "VFsFailed", strerror(ENOMEM));
	k->retry = true;
	assert_int_equal(pass(k, NO_KILL), 1);
	expect_log(k, "numvfs 0, numvfs 5, numvfs 3");
	k->retry = false;
	nics_want(&k->n, 4);
	assert_int_equal(pass(k, NO_KILL), 0);
	expect_log(k, "numvfs 0, numvfs 4");
}

/* Claims of VFs that are not there yet. */

#define CLAIMED "0000:01:10.2"
#define MADE_FOR_A_CLAIM                                                                           \
	"autoprobe 0, numvfs 3, vfio-pci " CLAIMED ", autoprobe 1, igbvf 0000:01:10.0, "           \
	"igbvf 0000:01:10.4"

static void no_host_driver_touches_a_claimed_vf(void **state)
{
	struct kernel *k = *state;

	skip_without_ptrace();
	nics_want(&k->n, 3);
	nics_claim(&k->n, CLAIMED);
	assert_int_equal(pass(k, NO_KILL), 0);
	expect_log(k, MADE_FOR_A_CLAIM);
	assert_false(has_record(k));
}

static void probing_that_was_off_stays_off(void **state)
{
	struct kernel *k = *state;

	skip_without_ptrace();
	k->autoprobe = false;
	show(k);
	nics_want(&k->n, 3);
	nics_claim(&k->n, CLAIMED);
	assert_int_equal(pass(k, NO_KILL), 0);
	expect_log(k, "numvfs 3, vfio-pci " CLAIMED);
}

static void without_a_claim_the_kernel_probes(void **state)
{
	struct kernel *k = *state;

	skip_without_ptrace();
	nics_want(&k->n, 3);
	nics_claim(&k->n, "0000:00:1f.0"); /* not there, and before the PF */
	assert_int_equal(pass(k, NO_KILL), 0);
	expect_log(k, "numvfs 3");
}

static void a_vf_that_was_never_probed_is_given_to_a_driver(void **state)
{
	struct kernel *k = *state;

	skip_without_ptrace();
	nics_want(&k->n, 3);
	nics_claim(&k->n, CLAIMED);
	assert_int_equal(pass(k, NO_KILL), 0);
	expect_driver(k, CLAIMED, "vfio-pci");
	nics_unclaim(&k->n, CLAIMED);
	/* its group's node, that nobody holds */
	scratch_put(&k->n.t, "sys/class/vfio/21/dev", "241:0\n");
	k->log[0] = 0;
	assert_int_equal(pass(k, NO_KILL), 0);
	expect_log(k, "igbvf " CLAIMED);
	expect_driver(k, CLAIMED, "igbvf");
}

static void expect_all_right(struct kernel *k, int killed_at)
{
	if (k->vfs != 3 || !k->autoprobe || has_record(k))
		fail_msg("killed at change %d: %u VFs, autoprobe %d, record %d", killed_at, k->vfs,
			k->autoprobe, has_record(k));
	expect_driver(k, "0000:01:10.0", "igbvf");
	expect_driver(k, CLAIMED, "vfio-pci");
	expect_driver(k, "0000:01:10.4", "igbvf");
	if (strstr(k->log, "igbvf " CLAIMED))
		fail_msg("killed at change %d: %s", killed_at, k->log);
	expect_applied(k, "Applied", "3 VFs");
}

static void killed_at_any_change_the_next_pass_goes_on(void **state)
{
	int changes = 1;

	skip_without_ptrace();
	for (int at = 0; at < changes; at++) {
		struct kernel *k = *state;

		nics_want(&k->n, 3);
		nics_claim(&k->n, CLAIMED);
		if (pass(k, at) < 0) {
			changes = at + 2;
			assert_int_equal(pass(k, NO_KILL), 0);
		}
		expect_all_right(k, at);
		nics_close(&k->n);
		open_kernel(k);
	}
	assert_true(changes > 15);
}

/* From 2 to 3, which goes over none. */
static void killed_in_a_change_of_numbers_the_next_pass_goes_on(void **state)
{
	int changes = 1;

	skip_without_ptrace();
	for (int at = 0; at < changes; at++) {
		struct kernel *k = *state;

		has(k, 2);
		nics_want(&k->n, 3);
		nics_claim(&k->n, "0000:01:10.4");
		if (pass(k, at) < 0) {
			changes = at + 2;
			assert_int_equal(pass(k, NO_KILL), 0);
		}
		assert_int_equal(k->vfs, 3);
		assert_true(k->autoprobe && !has_record(k));
		expect_driver(k, CLAIMED, "igbvf");
		expect_driver(k, "0000:01:10.4", "vfio-pci");
		assert_null(strstr(k->log, "igbvf 0000:01:10.4"));
		nics_close(&k->n);
		open_kernel(k);
	}
}

/* The wish and the claim went while nobody ran. */
static void what_is_left_of_a_kill_is_settled_without_the_wish(void **state)
{
	struct kernel *k = *state;
	CLEANUP_FREE char *wish = scratch_path(
		&k->n.t, "var/lib/vfiobox/desired/local/sriovnetworkdevices/" NIC_WISH ".json");

	skip_without_ptrace();
	k->autoprobe = false;
	k->vfs = 3;
	nics_set_vfs(&k->n, 3, "");
	show(k);
	nics_put(&k->n,
		"{\"formatVersion\": 1, \"address\": \"" NIC_PF "\", \"vendorId\": \"8086\", "
		"\"deviceId\": \"10ca\"}",
		"var/lib/vfiobox/kept/sriovnetworkdevices/" NIC_WISH ".json");
	nics_want(&k->n, 3);
	assert_int_equal(unlink(wish), 0);
	assert_int_equal(pass(k, NO_KILL), 0);
	expect_log(k, "autoprobe 1, igbvf 0000:01:10.0, igbvf 0000:01:10.2, igbvf 0000:01:10.4");
	assert_false(has_record(k));
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	static const struct CMUnitTest tests[] = {
		TEST(vfs_are_made),
		TEST(another_number_goes_over_none),
		TEST(none_are_wanted),
		TEST(without_a_wish_vfs_stay),
		TEST(what_is_refused_is_not_written),
		TEST(what_the_kernel_refuses_is_undone),
		TEST(what_the_kernel_refuses_of_none_leaves_none),
		TEST(fewer_are_said_and_undone),
		TEST(going_back_that_fails_is_said),
		TEST(a_failure_is_tried_again_by_a_person_only),
		TEST(no_host_driver_touches_a_claimed_vf),
		TEST(probing_that_was_off_stays_off),
		TEST(without_a_claim_the_kernel_probes),
		TEST(a_vf_that_was_never_probed_is_given_to_a_driver),
		TEST(killed_at_any_change_the_next_pass_goes_on),
		TEST(killed_in_a_change_of_numbers_the_next_pass_goes_on),
		TEST(what_is_left_of_a_kill_is_settled_without_the_wish),
	};

	return cmocka_run_group_tests_name("sriov_pass", tests, NULL, NULL);
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

	return cmocka_run_group_tests_name("sriov_pass", tests, NULL, NULL);
}

#endif
