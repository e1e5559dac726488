// SPDX-License-Identifier: GPL-2.0-or-later
// The host guard's look at disks: mounts, swap, stacks, the chains to the letter.
#include "hosttree.h"

static void test_names(void **state)
{
	(void)state;
	assert_string_equal(host_reason_name(HOST_ROOT_DISK), "RootDisk");
	assert_string_equal(host_reason_name(HOST_UNKNOWN), "HostUseUnknown");
	for (int r = 0; r < HOST_REASONS; r++)
		assert_int_equal(host_reason_final((enum host_reason)r),
			r == HOST_ROOT_DISK || r == HOST_DEFAULT_ROUTE);
}

static void test_uses_of_one_function(void **state)
{
	struct pci_inventory inv;
	struct host_uses h;
	struct scratch t;
	const struct host_use *first;
	struct err e;

	(void)state;
	host_open(&t);
	host_disk(&t, 1, "sda", 8, 0, 2);
	host_disk(&t, 2, "sdb", 8, 16, 0);
	host_disk(&t, 3, "sdc", 8, 32, 0);
	host_mounts(&t, "24 1 8:2 / / rw - ext4 /dev/sda2 rw\n"
			"30 24 8:1 / /data rw - ext4 /dev/sda1 rw\n"
			"31 24 8:32 / /srv rw - ext4 /dev/sdc rw\n");
	assert_int_equal(pci_scan(&inv, &t.root, &e), 0);
	assert_int_equal(host_uses_scan(&h, &t.root, &inv, NULL, 0, &e), 0);
	assert_int_equal(host_uses_of(&h, (struct pci_addr){0, 1, 0, 0}, &first), 2);
	assert_int_equal(first[0].reason, HOST_ROOT_DISK);
	assert_int_equal(first[1].reason, HOST_MOUNTED);
	assert_int_equal(host_uses_of(&h, (struct pci_addr){0, 2, 0, 0}, &first), 0);
	assert_null(first);
	assert_int_equal(host_uses_of(&h, (struct pci_addr){0, 3, 0, 0}, &first), 1);
	assert_string_equal(first->chain, "0000:03:00.0 → sdc → /srv");
	host_uses_free(&h);
	pci_inventory_free(&inv);
	scratch_close(&t);
}

/* The example of the README: a disk, LVM on its partition; and one that nothing uses. */
static void test_dm_on_partition(void **state)
{
	struct scratch t;

	(void)state;
	host_open(&t);
	host_disk(&t, 2, "nvme0n1", 259, 0, 3);
	host_disk(&t, 3, "nvme1n1", 259, 8, 1);
	host_virtual(&t, "dm-0", "254:0");
	host_virtual(&t, "dm-1", "254:1");
	host_stack(&t, "dm-0", "nvme0n1p3");
	host_stack(&t, "dm-1", "nvme0n1p3");
	host_mounts(&t, "40 24 254:0 / /var rw - xfs /dev/mapper/vg-var rw\n"
			"41 40 254:0 /lib/kubelet /var/lib/kubelet rw - xfs /dev/mapper/vg-var rw\n"
			"42 24 259:2 / /boot/efi rw - vfat /dev/nvme0n1p2 rw\n");
	host_expect(&t, "RootDisk 0000:02:00.0 → nvme0n1 → nvme0n1p2 → /boot/efi\n"
			"Mounted 0000:02:00.0 → nvme0n1 → dm-0 → /var\n"
			"BlockHolder 0000:02:00.0 → nvme0n1 → dm-1\n");
}

static void test_root_comes_first(void **state)
{
	struct scratch t;

	(void)state;
	host_open(&t);
	host_disk(&t, 2, "sda", 8, 0, 2);
	host_mounts(&t, "40 24 8:1 / /boot rw - ext4 /dev/sda1 rw\n"
			"41 24 8:2 /srv /srv rw - ext4 /dev/sda2 rw\n"
			"24 1 8:2 / / rw - ext4 /dev/sda2 rw\n");
	host_expect(&t, "RootDisk 0000:02:00.0 → sda → sdap2 → /\n"
			"RootDisk 0000:02:00.0 → sda → sdap1 → /boot\n");
}

static void test_places_of_the_system(void **state)
{
	static const struct {
		const char *point, *reason;
	} places[] = {
		{"/boot/grub2/x", "RootDisk"},
		{"/efi", "RootDisk"},
		{"/usr", "RootDisk"},
		{"/usr/lib", "RootDisk"},
		{"/sysroot", "RootDisk"},
		{"/oem", "RootDisk"},
		{"/run/initramfs/elemental-state", "RootDisk"},
		{"/run/cos/recovery", "RootDisk"},
		{"/usr/local", "Mounted"},
		{"/usr/local/x", "Mounted"},
		{"/usr/localhost", "RootDisk"},
		{"/bootstrap", "Mounted"},
		{"/var", "Mounted"},
		{"/var/lib/rancher", "Mounted"},
		{"/home", "Mounted"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(places); i++) {
		CLEANUP_FREE char *line =
			mem_printf("30 24 8:0 / %s rw - ext4 /dev/sda rw\n", places[i].point);
		CLEANUP_FREE char *said = mem_printf(
			"%s 0000:02:00.0 → sda → %s\n", places[i].reason, places[i].point);
		struct scratch t;

		host_open(&t);
		host_disk(&t, 2, "sda", 8, 0, 0);
		host_mounts(&t, line);
		host_expect(&t, said);
	}
}

/* A subvolume is mounted in many places, a pod's volume in hundreds: each device is told once. */
static void test_many_mounts_of_one_device(void **state)
{
	CLEANUP_BUF struct buf lines = {0};
	struct scratch t;

	(void)state;
	for (unsigned i = 0; i < 2000; i++)
		buf_printf(&lines,
			"%u 24 8:0 /pods/%u /var/lib/kubelet/pods/%u/v rw - ext4 /dev/sda rw\n",
			100 + i, i, i);
	buf_str(&lines, "99 24 8:0 / /var/lib/longhorn rw - ext4 /dev/sda rw\n");
	host_open(&t);
	host_disk(&t, 2, "sda", 8, 0, 0);
	host_mounts(&t, buf_z(&lines));
	host_expect(&t, "Mounted 0000:02:00.0 → sda → /var/lib/longhorn\n");
}

static void test_swap(void **state)
{
	struct scratch t;

	(void)state;
	host_open(&t);
	host_disk(&t, 1, "sda", 8, 0, 2);
	host_disk(&t, 2, "sdb", 8, 16, 0);
	host_disk(&t, 3, "sdc", 8, 32, 0);
	host_virtual(&t, "dm-0", "254:0");
	host_stack(&t, "dm-0", "sdb");
	host_mounts(&t, "30 24 8:32 / /data\\040x rw - ext4 /dev/sdc rw\n");
	scratch_put(&t, "proc/swaps",
		"Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n"
		"/dev/sdap2                              partition\t8388604\t\t0\t\t-2\n"
		"/dev/dm-0                               partition\t8388604\t\t0\t\t-3\n"
		"/data\\040x/swap\\040(deleted)             file\t\t8388604\t\t0\t\t-4\n");
	host_expect(&t, "Swap 0000:01:00.0 → sda → sdap2 → swap\n"
			"Swap 0000:02:00.0 → sdb → dm-0 → swap\n"
			"Mounted 0000:03:00.0 → sdc → /data x\n"
			"Swap 0000:03:00.0 → sdc → swap on /data x/swap (deleted)\n");
}

/* RAID over two disks, LVM over that, one volume mounted: every disk is told, the idle volume too.
 */
static void test_raid_and_lvm(void **state)
{
	struct scratch t;

	(void)state;
	host_open(&t);
	host_disk(&t, 1, "sda", 8, 0, 1);
	host_disk(&t, 2, "sdb", 8, 16, 1);
	host_virtual(&t, "md0", "9:0");
	host_virtual(&t, "dm-0", "254:0");
	host_virtual(&t, "dm-1", "254:1");
	host_stack(&t, "md0", "sdap1");
	host_stack(&t, "md0", "sdbp1");
	host_stack(&t, "dm-0", "md0");
	host_stack(&t, "dm-1", "md0");
	host_mounts(&t, "24 1 254:0 / / rw - ext4 /dev/mapper/vg-root rw\n");
	host_expect(&t, "RootDisk 0000:01:00.0 → sda → md0 → dm-0 → /\n"
			"BlockHolder 0000:01:00.0 → sda → md0 → dm-1\n"
			"RootDisk 0000:02:00.0 → sdb → md0 → dm-0 → /\n"
			"BlockHolder 0000:02:00.0 → sdb → md0 → dm-1\n");
}

static void test_holder_of_another_kind(void **state)
{
	struct scratch t;

	(void)state;
	host_open(&t);
	host_disk(&t, 1, "sda", 8, 0, 1);
	host_disk(&t, 2, "sdb", 8, 16, 0);
	host_dir(&t, "sys/class/block/sdap1/holders/drbd1");
	host_expect(&t, "BlockHolder 0000:01:00.0 → sda → sdap1 → drbd1\n");
}

/* bcache0 stands on its backing device by slaves, on its cache by the set. */
static void test_bcache(void **state)
{
	struct scratch t;

	(void)state;
	host_open(&t);
	host_disk(&t, 1, "sda", 8, 0, 0);
	host_disk(&t, 2, "nvme0n1", 259, 0, 1);
	host_disk(&t, 3, "nvme1n1", 259, 8, 0);
	host_virtual(&t, "bcache0", "251:0");
	host_stack(&t, "bcache0", "sda");
	host_link(&t, "sys/class/block/bcache0/bcache/cache", "../../../../../fs/bcache/uuid-1");
	host_link(&t, "sys/class/block/nvme0n1p1/bcache/set", "../../../../fs/bcache/uuid-1");
	host_link(&t, "sys/class/block/nvme1n1/bcache/set", "../../../../fs/bcache/uuid-2");
	host_mounts(&t, "30 24 251:0 / /data rw - xfs /dev/bcache0 rw\n");
	host_expect(&t, "Mounted 0000:01:00.0 → sda → bcache0 → /data\n"
			"Mounted 0000:02:00.0 → nvme0n1 → bcache0 → /data\n"
			"BlockHolder 0000:03:00.0 → nvme1n1 → bcache\n");
}

/* A namespace that two controllers lead to hangs below neither. */
static void test_nvme_multipath(void **state)
{
	static const char one[] = "pci0000:00/0000:00:1d.0/0000:02:00.0";
	static const char two[] = "pci0000:80/0000:80:01.0/0000:81:00.0";
	struct scratch t;

	(void)state;
	host_open(&t);
	host_function(&t, one, "10802", "nvme");
	host_function(&t, two, "10802", "nvme");
	host_block(&t, "virtual/nvme-subsystem/nvme-subsys0", "nvme0n1", "259:0");
	host_block(&t, "virtual/nvme-subsystem/nvme-subsys0/nvme0n1", "nvme0n1p1", "259:1");
	host_link(&t, "sys/devices/virtual/nvme-subsystem/nvme-subsys0/nvme0",
		"../../../pci0000:00/0000:00:1d.0/0000:02:00.0/nvme/nvme0");
	host_link(&t, "sys/devices/virtual/nvme-subsystem/nvme-subsys0/nvme1",
		"../../../pci0000:80/0000:80:01.0/0000:81:00.0/nvme/nvme1");
	host_mounts(&t, "24 1 259:1 / / rw - ext4 /dev/nvme0n1p1 rw\n");
	host_expect(&t, "RootDisk 0000:02:00.0 → nvme0n1 → nvme0n1p1 → /\n"
			"RootDisk 0000:81:00.0 → nvme0n1 → nvme0n1p1 → /\n");
}

/* Where the links to the controllers are not to be seen, the hidden paths lead there; without
 * either nothing can be told. */
static void test_nvme_multipath_by_paths(void **state)
{
	for (int hidden = 0; hidden < 2; hidden++) {
		static const char home[] = "pci0000:00/0000:02:00.0";
		struct scratch t;

		(void)state;
		host_open(&t);
		host_function(&t, home, "10802", "nvme");
		host_block(&t, "virtual/nvme-subsystem/nvme-subsys0", "nvme0n2", "259:0");
		if (!hidden)
			host_block(&t, "pci0000:00/0000:02:00.0/nvme/nvme1", "nvme0c1n2", "0:0");
		host_mounts(&t, "30 24 259:0 / /data rw - ext4 /dev/nvme0n2 rw\n");
		host_expect(&t, hidden ? "HostUseUnknown 0000:02:00.0 → ? (nvme0n2: no controller "
					 "of it is to be seen)\n"
				       : "Mounted 0000:02:00.0 → nvme0n2 → /data\n");
	}
}

/* Every function above a disk carries it, but bridges: VMD's, a USB controller. */
static void test_all_functions_above(void **state)
{
	static const char vmd[] = "pci0000:00/0000:00:0e.0";
	static const char port[] = "pci0000:00/0000:00:0e.0/pci10000:e0/10000:e0:06.0";
	static const char nvme[] =
		"pci0000:00/0000:00:0e.0/pci10000:e0/10000:e0:06.0/10000:e1:00.0";
	static const char usb[] = "pci0000:00/0000:00:14.0";
	struct scratch t;

	(void)state;
	host_open(&t);
	host_function(&t, vmd, "10400", "vmd");
	host_function(&t, port, "60400", "pcieport");
	host_function(&t, nvme, "10802", "nvme");
	host_function(&t, usb, "c0330", "xhci_hcd");
	host_block(&t, "pci0000:00/0000:00:0e.0/pci10000:e0/10000:e0:06.0/10000:e1:00.0/nvme/nvme0",
		"nvme0n1", "259:0");
	host_block(&t, "pci0000:00/0000:00:14.0/usb1/1-1/1-1:1.0/host0/target0:0:0/0:0:0:0/block",
		"sda", "8:0");
	host_mounts(&t, "24 1 259:0 / / rw - ext4 /dev/nvme0n1 rw\n"
			"30 24 8:0 / /boot rw - vfat /dev/sda rw\n");
	host_expect(&t, "RootDisk 0000:00:0e.0 → nvme0n1 → /\n"
			"RootDisk 0000:00:14.0 → sda → /boot\n"
			"RootDisk 10000:e1:00.0 → nvme0n1 → /\n");
}

static void test_unclean_text(void **state)
{
	struct scratch t;

	(void)state;
	host_open(&t);
	host_disk(&t, 2, "sda", 8, 0, 0);
	host_mounts(&t, "30 24 8:0 / /a\\012\\033[1m\\377ä rw - ext4 /dev/sda rw\n");
	host_expect(&t, "Mounted 0000:02:00.0 → sda → /a??[1m?ä\n");
}

/* Trees that were copied: absolute links, directories in place of links, sys/block alone. */
static void test_other_layouts(void **state)
{
	static const char home[] = "sys/devices/pci0000:00/0000:00:1c.0/0000:02:00.0/block/sda";
	static const char said[] = "Mounted 0000:02:00.0 → sda → sda1 → /data\n";

	(void)state;
	for (int layout = 0; layout < 3; layout++) {
		CLEANUP_FREE char *absolute = mem_printf("/%s", home);
		CLEANUP_FREE char *part = mem_printf("/%s/sda1", home);
		CLEANUP_FREE char *number = mem_printf("%s/sda1/dev", home);
		CLEANUP_FREE char *mark = mem_printf("%s/sda1/partition", home);
		struct scratch t;

		host_open(&t);
		host_function(&t, "pci0000:00/0000:00:1c.0/0000:02:00.0", "10601", "ahci");
		scratch_put(&t, number, "8:1\n");
		scratch_put(&t, mark, "1\n");
		host_mounts(&t, "30 24 8:1 / /data rw - ext4 /dev/sda1 rw\n");
		if (layout == 0) {
			host_link(&t, "sys/class/block/sda", absolute);
			host_link(&t, "sys/class/block/sda1", part);
		} else if (layout == 1) {
			scratch_put(&t, "sys/class/block/sda1/dev", "8:1\n");
			scratch_put(&t, "sys/class/block/sda1/partition", "1\n");
			host_link(&t, "sys/class/block/sda/device", "../../../0000:02:00.0");
		} else {
			host_link(&t, "sys/block/sda",
				"../devices/pci0000:00/0000:00:1c.0/0000:02:00.0/block/sda");
		}
		host_expect(&t, said);
	}
}

/* A link of sys/class/block that leads nowhere still names the function; sys/dev/block the number.
 */
static void test_dangling_class_entry(void **state)
{
	struct scratch t;

	(void)state;
	host_open(&t);
	host_function(&t, "pci0000:00/0000:02:00.0", "10802", "nvme");
	host_link(&t, "sys/class/block/nvme0n1",
		"../../devices/pci0000:00/0000:02:00.0/nvme/nvme0/nvme0n1");
	host_link(&t, "sys/dev/block/259:0",
		"../../devices/pci0000:00/0000:02:00.0/nvme/nvme0/nvme0n1");
	host_mounts(&t, "24 1 259:0 / / rw - ext4 /dev/root rw\n");
	host_expect(&t, "RootDisk 0000:02:00.0 → nvme0n1 → /\n");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_uses_of_one_function),
		cmocka_unit_test(test_dm_on_partition),
		cmocka_unit_test(test_root_comes_first),
		cmocka_unit_test(test_places_of_the_system),
		cmocka_unit_test(test_many_mounts_of_one_device),
		cmocka_unit_test(test_swap),
		cmocka_unit_test(test_raid_and_lvm),
		cmocka_unit_test(test_holder_of_another_kind),
		cmocka_unit_test(test_bcache),
		cmocka_unit_test(test_nvme_multipath),
		cmocka_unit_test(test_nvme_multipath_by_paths),
		cmocka_unit_test(test_all_functions_above),
		cmocka_unit_test(test_unclean_text),
		cmocka_unit_test(test_other_layouts),
		cmocka_unit_test(test_dangling_class_entry),
	};

	return cmocka_run_group_tests_name("hostuse", tests, NULL, NULL);
}
