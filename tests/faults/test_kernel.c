// SPDX-License-Identifier: GPL-2.0-or-later
// The kernel of a tree against what Linux 6.12 does, by its sources and what lib/pci/bind.c relies
// on (they are named in kernel.c).
#include "../unit/scratch.h"
#include "kernel.h"

#define NIC "0000:00:01.0"
#define SOUND "0000:00:02.0"
#define PORT "0000:00:03.0"
#define LONER "0000:00:04.0"
#define PROBE "sys/bus/pci/drivers_probe"

struct fixture {
	struct scratch t;
	struct kernel k;
};

static void add_link(const struct scratch *t, const char *path, const char *target)
{
	CLEANUP_FREE char *full = scratch_path(t, path);

	assert_int_equal(symlink(target, full), 0);
}

/* `group` "": none. */
static void add_function(const struct scratch *t, const char *address, const char *id,
	const char *class, const char *group)
{
	CLEANUP_FREE char *home = mem_printf("sys/devices/pci0000:00/%s", address);
	CLEANUP_FREE char *vendor = mem_printf("%s/vendor", home);
	CLEANUP_FREE char *device = mem_printf("%s/device", home);
	CLEANUP_FREE char *class_file = mem_printf("%s/class", home);
	CLEANUP_FREE char *uevent = mem_printf("%s/uevent", home);
	CLEANUP_FREE char *override = mem_printf("%s/driver_override", home);
	CLEANUP_FREE char *link = mem_printf("sys/bus/pci/devices/%s", address);
	CLEANUP_FREE char *target = mem_printf("../../../devices/pci0000:00/%s", address);
	CLEANUP_FREE char *vendor_text = mem_printf("0x%.4s\n", id);
	CLEANUP_FREE char *device_text = mem_printf("0x%.4s\n", id + 5);
	CLEANUP_FREE char *class_text = mem_printf("0x%s\n", class);
	CLEANUP_FREE char *uevent_text = mem_printf("PCI_CLASS=%s\nPCI_ID=%s\n", class, id);

	scratch_put(t, vendor, vendor_text);
	scratch_put(t, device, device_text);
	scratch_put(t, class_file, class_text);
	scratch_put(t, uevent, uevent_text);
	scratch_put(t, override, "(null)\n");
	add_link(t, link, target);
	if (group[0]) {
		CLEANUP_FREE char *members =
			mem_printf("sys/kernel/iommu_groups/%s/devices", group);
		CLEANUP_FREE char *member = mem_printf("%s/%s", members, address);
		CLEANUP_FREE char *home_of =
			mem_printf("../../../../devices/pci0000:00/%s", address);
		CLEANUP_FREE char *own = mem_printf("%s/iommu_group", home);
		CLEANUP_FREE char *its = mem_printf("../../../kernel/iommu_groups/%s", group);

		scratch_mkdir(t, members);
		add_link(t, member, home_of);
		add_link(t, own, its);
	}
}

static int set_up(void **state)
{
	struct fixture *f = mem_alloc(sizeof(*f));
	struct err e;

	scratch_open(&f->t);
	scratch_mkdir(&f->t, "sys/bus/pci/devices");
	scratch_mkdir(&f->t, "sys/bus/pci/drivers/igb");
	scratch_mkdir(&f->t, "sys/bus/pci/drivers/igbvf");
	scratch_mkdir(&f->t, "sys/bus/pci/drivers/snd_hda_intel");
	scratch_mkdir(&f->t, "sys/bus/pci/drivers/vfio-pci");
	scratch_put(&f->t, ".kernel/drivers",
		"8086:10c9 igb\n8086:10ca igbvf\n10de:0fb9 snd_hda_intel\n");
	scratch_put(&f->t, ".kernel/refuses", SOUND " vfio-pci\n");
	add_function(&f->t, NIC, "8086:10c9", "020000", "7");
	add_function(&f->t, SOUND, "10de:0fb9", "040300", "7");
	add_function(&f->t, PORT, "8086:2030", "060400", "8");
	add_function(&f->t, LONER, "8086:10c9", "020000", "");
	assert_int_equal(kernel_open(&f->k, f->t.dir, &e), 0);
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	kernel_close(&f->k);
	scratch_close(&f->t);
	free(f);
	return 0;
}

static ssize_t tell(const struct fixture *f, const char *path, const char *text)
{
	return kernel_write((struct kernel *)&f->k, path, str_of(text));
}

static ssize_t override(const struct fixture *f, const char *address, const char *text)
{
	CLEANUP_FREE char *path = mem_printf("sys/devices/pci0000:00/%s/driver_override", address);

	return tell(f, path, text);
}

static void has(const struct fixture *f, const char *address, const char *file, const char *text)
{
	CLEANUP_FREE char *path = mem_printf("sys/devices/pci0000:00/%s/%s", address, file);
	CLEANUP_FREE char *found = scratch_get(&f->t, path);

	assert_string_equal(found, text);
}

/* The link of the function and the one of the driver. */
static void on(const struct fixture *f, const char *address, const char *driver)
{
	CLEANUP_FREE char *path = mem_printf("sys/bus/pci/devices/%s/driver", address);
	CLEANUP_FREE char *back = mem_printf("sys/bus/pci/drivers/%s/%s/uevent", driver, address);
	char now[64] = "";

	root_link_name(&f->t.root, path, now, sizeof(now));
	assert_string_equal(now, driver);
	if (driver[0])
		assert_true(root_exists(&f->t.root, back));
}

static void a_probe_finds_the_driver_of_the_id(void **state)
{
	const struct fixture *f = *state;

	assert_int_equal(tell(f, PROBE, NIC), strlen(NIC));
	on(f, NIC, "igb");
	has(f, NIC, "uevent", "DRIVER=igb\nPCI_CLASS=020000\nPCI_ID=8086:10c9\n");
}

static void what_has_a_driver_keeps_it(void **state)
{
	const struct fixture *f = *state;

	tell(f, PROBE, NIC);
	override(f, NIC, "vfio-pci");
	assert_int_equal(tell(f, PROBE, NIC "\n"), strlen(NIC) + 1);
	on(f, NIC, "igb");
}

static void an_override_for_a_driver_that_is_not_there_leaves_it_unbound(void **state)
{
	const struct fixture *f = *state;

	assert_int_equal(override(f, NIC, "nothere\n"), 8);
	assert_int_equal(tell(f, PROBE, NIC), strlen(NIC));
	on(f, NIC, "");
}

static void an_override_counts_against_the_id(void **state)
{
	const struct fixture *f = *state;

	override(f, NIC, "vfio-pci");
	tell(f, PROBE, NIC);
	on(f, NIC, "vfio-pci");
}

static void an_override_reads_as_it_was_written(void **state)
{
	const struct fixture *f = *state;

	override(f, NIC, "vfio-pci\nmore");
	has(f, NIC, "driver_override", "vfio-pci\n");
	assert_int_equal(override(f, NIC, "\n"), 1);
	has(f, NIC, "driver_override", "(null)\n");
	override(f, NIC, "igb");
	assert_int_equal(override(f, NIC, ""), 0);
	has(f, NIC, "driver_override", "(null)\n");
}

/* echo > driver_override with no argument writes a newline; vfio-pci never matches without it. */
static void vfio_matches_by_override_only(void **state)
{
	const struct fixture *f = *state;

	assert_int_equal(tell(f, "sys/bus/pci/drivers/vfio-pci/bind", NIC), -ENODEV);
	override(f, NIC, "vfio-pci");
	assert_int_equal(tell(f, "sys/bus/pci/drivers/vfio-pci/bind", NIC), strlen(NIC));
	assert_int_equal(tell(f, "sys/bus/pci/drivers/vfio-pci/bind", NIC), -EBUSY);
	on(f, NIC, "vfio-pci");
}

static void a_probe_that_fails_is_a_write_that_succeeds(void **state)
{
	const struct fixture *f = *state;

	override(f, SOUND, "vfio-pci");
	assert_int_equal(tell(f, PROBE, SOUND), strlen(SOUND));
	on(f, SOUND, "");
	assert_int_equal(tell(f, "sys/bus/pci/drivers/vfio-pci/bind", SOUND), -EINVAL);
}

static void vfio_takes_no_bridge_and_nothing_without_a_group(void **state)
{
	const struct fixture *f = *state;

	override(f, PORT, "vfio-pci");
	override(f, LONER, "vfio-pci");
	tell(f, PROBE, PORT);
	tell(f, PROBE, LONER);
	on(f, PORT, "");
	on(f, LONER, "");
}

static void unbind_is_for_the_driver_that_has_it(void **state)
{
	const struct fixture *f = *state;

	tell(f, PROBE, NIC);
	assert_int_equal(tell(f, "sys/bus/pci/drivers/igbvf/unbind", NIC), -ENODEV);
	assert_int_equal(tell(f, "sys/bus/pci/drivers/igb/unbind", "0000:7f:00.0"), -ENODEV);
	assert_int_equal(tell(f, "sys/bus/pci/drivers/igb/unbind", NIC), strlen(NIC));
	on(f, NIC, "");
	has(f, NIC, "uevent", "PCI_CLASS=020000\nPCI_ID=8086:10c9\n");
	assert_int_equal(tell(f, "sys/bus/pci/drivers/igb/unbind", NIC), -ENODEV);
}

static void a_probe_of_what_is_not_there_is_an_error(void **state)
{
	assert_int_equal(tell(*state, PROBE, "0000:7f:00.0"), -ENODEV);
	assert_int_equal(tell(*state, PROBE, ""), -ENODEV);
}

static void the_group_node_is_there_while_a_function_of_it_is_on_vfio(void **state)
{
	const struct fixture *f = *state;
	char number[32];

	override(f, NIC, "vfio-pci");
	tell(f, PROBE, NIC);
	assert_true(root_read(&f->t.root, "sys/class/vfio/7/dev", number, sizeof(number)) > 0);
	assert_true(scratch_has(&f->t, "dev/vfio/7"));
	tell(f, "sys/bus/pci/drivers/vfio-pci/unbind", NIC);
	assert_false(scratch_has(&f->t, "sys/class/vfio/7"));
	assert_false(scratch_has(&f->t, "dev/vfio/7"));
}

static void other_attributes_keep_what_is_written(void **state)
{
	const struct fixture *f = *state;

	assert_int_equal(tell(f, "sys/devices/pci0000:00/" NIC "/numa_node", "1\n"), 2);
	has(f, NIC, "numa_node", "1\n");
}

static void a_boot_forgets_overrides_and_probes_all(void **state)
{
	struct fixture *f = *state;
	struct err e;

	scratch_put(&f->t, "run/vfiobox/x", "x");
	scratch_put(&f->t, "proc/sys/kernel/random/boot_id", "a\n");
	override(f, NIC, "vfio-pci");
	tell(f, PROBE, NIC);
	assert_int_equal(kernel_boot(&f->k, &e), 0);
	on(f, NIC, "igb");
	on(f, SOUND, "snd_hda_intel");
	has(f, NIC, "driver_override", "(null)\n");
	assert_false(scratch_has(&f->t, "run/vfiobox"));
}

#define NUMVFS "sys/devices/pci0000:00/" NIC "/sriov_numvfs"

static void make_sriov(const struct fixture *f)
{
	scratch_put(&f->t, NUMVFS, "0\n");
	scratch_put(&f->t, "sys/devices/pci0000:00/" NIC "/sriov_totalvfs", "7\n");
	scratch_put(&f->t, "sys/devices/pci0000:00/" NIC "/sriov_offset", "128\n");
	scratch_put(&f->t, "sys/devices/pci0000:00/" NIC "/sriov_stride", "2\n");
	scratch_put(&f->t, "sys/devices/pci0000:00/" NIC "/sriov_vf_device", "10ca\n");
}

static void vfs_come_on_their_driver_each_in_a_group(void **state)
{
	const struct fixture *f = *state;
	char group[64];

	make_sriov(f);
	tell(f, PROBE, NIC);
	assert_int_equal(tell(f, NUMVFS, "2"), 1);
	on(f, "0000:00:11.0", "igbvf");
	on(f, "0000:00:11.2", "igbvf");
	has(f, NIC, "sriov_numvfs", "2\n");
	assert_true(root_link_name(&f->t.root, "sys/bus/pci/devices/0000:00:11.2/iommu_group",
			    group, sizeof(group)) > 0);
	assert_string_equal(group, "10");
	assert_true(root_link_name(&f->t.root, "sys/bus/pci/devices/0000:00:11.2/physfn", group,
			    sizeof(group)) > 0);
	assert_string_equal(group, NIC);
}

static void the_number_of_vfs_goes_through_0(void **state)
{
	const struct fixture *f = *state;

	make_sriov(f);
	assert_int_equal(tell(f, NUMVFS, "2"), -ENOENT); /* no driver */
	tell(f, PROBE, NIC);
	assert_int_equal(tell(f, NUMVFS, "8"), -ERANGE);
	assert_int_equal(tell(f, NUMVFS, "x"), -EINVAL);
	assert_int_equal(tell(f, NUMVFS, "2"), 1);
	assert_int_equal(tell(f, NUMVFS, "2"), 1);
	assert_int_equal(tell(f, NUMVFS, "3"), -EBUSY);
	assert_int_equal(tell(f, NUMVFS, "0"), 1);
	assert_false(scratch_has(&f->t, "sys/bus/pci/devices/0000:00:11.0"));
	assert_false(scratch_has(&f->t, "sys/kernel/iommu_groups/9"));
}

static void a_pf_that_is_unbound_takes_its_vfs_with_it(void **state)
{
	const struct fixture *f = *state;

	make_sriov(f);
	tell(f, PROBE, NIC);
	tell(f, NUMVFS, "1");
	tell(f, "sys/bus/pci/drivers/igb/unbind", NIC);
	assert_false(scratch_has(&f->t, "sys/bus/pci/devices/0000:00:11.0"));
	has(f, NIC, "sriov_numvfs", "0\n");
}

static void what_a_write_is_about(void **state)
{
	char address[64];

	(void)state;
	kernel_write_is_about(PROBE, STR(NIC "\n"), address, sizeof(address));
	assert_string_equal(address, NIC);
	kernel_write_is_about("sys/bus/pci/drivers/igb/unbind", STR(NIC), address, sizeof(address));
	assert_string_equal(address, NIC);
	kernel_write_is_about("sys/devices/pci0000:00/" NIC "/driver_override", STR("x"), address,
		sizeof(address));
	assert_string_equal(address, NIC);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
		TEST(a_probe_finds_the_driver_of_the_id),
		TEST(what_has_a_driver_keeps_it),
		TEST(an_override_for_a_driver_that_is_not_there_leaves_it_unbound),
		TEST(an_override_counts_against_the_id),
		TEST(an_override_reads_as_it_was_written),
		TEST(vfio_matches_by_override_only),
		TEST(a_probe_that_fails_is_a_write_that_succeeds),
		TEST(vfio_takes_no_bridge_and_nothing_without_a_group),
		TEST(unbind_is_for_the_driver_that_has_it),
		TEST(a_probe_of_what_is_not_there_is_an_error),
		TEST(the_group_node_is_there_while_a_function_of_it_is_on_vfio),
		TEST(other_attributes_keep_what_is_written),
		TEST(a_boot_forgets_overrides_and_probes_all),
		TEST(vfs_come_on_their_driver_each_in_a_group),
		TEST(the_number_of_vfs_goes_through_0),
		TEST(a_pf_that_is_unbound_takes_its_vfs_with_it),
		TEST(what_a_write_is_about),
	};

	return cmocka_run_group_tests_name("kernel", tests, NULL, NULL);
}
