// SPDX-License-Identifier: GPL-2.0-or-later
// The host guard's look through filesystems down to disks, and what it says when it cannot.
#include "hosttree.h"

#define ROOT_ON_SDA "24 1 8:0 / / rw - ext4 /dev/sda rw\n"

/* Two disks, sda at 0000:01:00.0 and sdb at 0000:02:00.0. */
static void open_two_disks(struct scratch *t)
{
	host_open(t);
	host_disk(t, 1, "sda", 8, 0, 0);
	host_disk(t, 2, "sdb", 8, 16, 1);
}

static void loop_over(const struct scratch *t, const char *file)
{
	host_virtual(t, "loop0", "7:0");
	scratch_put(t, "sys/class/block/loop0/loop/backing_file", file);
}

/* Elemental: / is an image on COS_STATE. */
static void test_elemental(void **state)
{
	struct scratch t;

	(void)state;
	open_two_disks(&t);
	loop_over(&t, "/run/initramfs/cos-state/cOS/active.img\n");
	host_mounts(&t, "24 1 7:0 / / ro - ext2 /dev/loop0 ro\n"
			"27 24 8:17 / /run/initramfs/cos-state ro - ext4 /dev/sdbp1 ro\n"
			"28 24 8:0 / /usr/local rw - ext4 /dev/sda rw\n"
			"29 24 8:0 /.state/etc-rancher.bind /etc/rancher rw - ext4 /dev/sda rw\n"
			"30 24 0:40 / /etc rw - overlay overlay rw,lowerdir=/etc,"
			"upperdir=/run/cos/overlay/etc.overlay/upper,workdir=/run/cos/overlay/w\n");
	host_expect(&t, "Mounted 0000:01:00.0 → sda → /usr/local\n"
			"RootDisk 0000:02:00.0 → sdb → loop0 → /\n"
			"RootDisk 0000:02:00.0 → sdb → sdbp1 → /run/initramfs/cos-state\n");
}

/* The image as the initramfs saw it: its path leads back into itself, so any disk may have it. */
static void test_image_of_the_initramfs(void **state)
{
	struct scratch t;

	(void)state;
	open_two_disks(&t);
	host_function(&t, "pci0000:00/0000:03:00.0", "10802", "nvme");
	host_function(&t, "pci0000:00/0000:04:00.0", "10802", "vfio-pci");
	host_function(&t, "pci0000:00/0000:05:00.0", "20000", "igb");
	scratch_mkdir(&t, "sys/class/net");
	loop_over(&t, "/cOS/active.img\n");
	host_mounts(&t, "24 1 7:0 / / ro - ext2 /dev/loop0 ro\n");
#define WHY "? (loop0 is the file /cOS/active.img: it is in its own filesystem)\n"
	host_expect(&t,
		"HostUseUnknown 0000:01:00.0 → sda → " WHY
		"HostUseUnknown 0000:02:00.0 → sdb → " WHY "HostUseUnknown 0000:03:00.0 → " WHY);
#undef WHY
}

/* No mount at all holds it; and a loop device that nothing uses is no doubt. */
static void test_image_of_nowhere(void **state)
{
	struct scratch t;

	(void)state;
	for (int mounted = 0; mounted < 2; mounted++) {
		host_open(&t);
		host_disk(&t, 1, "sda", 8, 0, 0);
		loop_over(&t, "/images/x.img\n");
		host_mounts(&t, mounted ? "30 24 7:0 / /x ro - squashfs /dev/loop0 ro\n" : "");
		host_expect(&t, mounted ? "HostUseUnknown 0000:01:00.0 → sda → ? (loop0 is the "
					  "file /images/x.img: no mount holds /images/x.img)\n"
					: "");
	}
}

/* A file that is gone and still open; a loop over a device, mounted or not; zram with a disk. */
static void test_loop_over_others(void **state)
{
	struct scratch t;

	(void)state;
	open_two_disks(&t);
	loop_over(&t, "/data/x.img (deleted)\n");
	host_mounts(&t, "30 24 8:16 / /data rw - ext4 /dev/sdb rw\n"
			"31 24 7:0 / /boot ro - squashfs /dev/loop0 ro\n");
	host_expect(&t, "RootDisk 0000:02:00.0 → sdb → loop0 → /boot\n"
			"Mounted 0000:02:00.0 → sdb → /data\n");

	open_two_disks(&t);
	loop_over(&t, "/dev/sdb\n");
	host_virtual(&t, "zram0", "252:0");
	scratch_put(&t, "sys/class/block/zram0/backing_dev", "/dev/sda\n");
	host_mounts(&t, "31 24 7:0 / /inner ro - ext4 /dev/loop0 ro\n");
	scratch_put(&t, "proc/swaps", "Filename\n/dev/zram0 partition 8 0 -2\n");
	host_expect(&t, "Swap 0000:01:00.0 → sda → zram0 → swap\n"
			"Mounted 0000:02:00.0 → sdb → loop0 → /inner\n");

	open_two_disks(&t);
	loop_over(&t, "/dev/sdb\n");
	host_expect(&t, "BlockHolder 0000:02:00.0 → sdb → loop0\n");
}

/* A file in memory needs no disk. */
static void test_loop_in_memory(void **state)
{
	struct scratch t;

	(void)state;
	open_two_disks(&t);
	loop_over(&t, "/run/live.img\n");
	host_mounts(&t, "24 1 7:0 / / ro - squashfs /dev/loop0 ro\n");
	host_expect(&t, "");
}

/* One number for all subvolumes, none of a device; every device of the filesystem counts. */
static void test_btrfs(void **state)
{
	static const char mounts[] =
		"24 1 0:32 /@/.snapshots/1/snapshot / rw - btrfs /dev/mapper/vg--a-root rw,ssd\n"
		"30 24 0:32 /@/home /home rw - btrfs /dev/mapper/vg--a-root rw,ssd\n"
		"31 24 0:33 / /data rw - btrfs /dev/sdb rw\n";
	struct scratch t;

	(void)state;
	open_two_disks(&t);
	host_disk(&t, 3, "sdc", 8, 32, 0);
	host_virtual(&t, "dm-0", "254:0");
	host_stack(&t, "dm-0", "sda");
	scratch_put(&t, "sys/class/block/dm-0/dm/name", "vg--a-root\n");
	host_mounts(&t, mounts);
	host_dir(&t, "sys/fs/btrfs/features");
	host_dir(&t, "sys/fs/btrfs/b1/devices/dm-0");
	host_dir(&t, "sys/fs/btrfs/b2/devices/sdb");
	host_dir(&t, "sys/fs/btrfs/b2/devices/sdc");
	host_expect(&t, "RootDisk 0000:01:00.0 → sda → dm-0 → /\n"
			"Mounted 0000:02:00.0 → sdb → /data\n"
			"Mounted 0000:03:00.0 → sdc → /data\n");
}

/* Its source need not be a name of now: then every disk of a btrfs counts, or none is known. */
static void test_btrfs_of_unknown_source(void **state)
{
	struct scratch t;

	(void)state;
	open_two_disks(&t);
	host_mounts(&t, "24 1 0:32 / / rw - btrfs /dev/root rw\n");
	host_dir(&t, "sys/fs/btrfs/b1/devices/sdb");
	host_expect(&t, "RootDisk 0000:02:00.0 → sdb → /\n");

	host_open(&t);
	host_disk(&t, 1, "sda", 8, 0, 0);
	host_mounts(&t, "24 1 0:32 / / rw - btrfs /dev/root rw\n");
	host_expect(&t,
		"HostUseUnknown 0000:01:00.0 → sda → ? (the disks of the btrfs on / are not "
		"to be seen)\n");

	open_two_disks(&t);
	host_mounts(&t, "24 1 0:32 / / rw - btrfs /dev/sda rw\n");
	host_dir(&t, "sys/fs/btrfs/b1/devices/sda");
	host_dir(&t, "sys/fs/btrfs/b1/devices/gone");
	host_expect(&t,
		"RootDisk 0000:01:00.0 → sda → /\n"
		"HostUseUnknown 0000:01:00.0 → sda → ? (the disks of the btrfs on / are not to be "
		"seen)\n"
		"HostUseUnknown 0000:02:00.0 → sdb → ? (the disks of the btrfs on / are not to be "
		"seen)\n");
}

static void test_overlay(void **state)
{
	struct scratch t;

	(void)state;
	open_two_disks(&t);
	host_disk(&t, 3, "sdc", 8, 32, 0);
	host_disk(&t, 4, "sdd", 8, 48, 0);
	host_mounts(&t,
		"24 1 0:50 / / rw - overlay overlay rw,"
		"lowerdir=/mnt/a\\134:b/x:l/relative::/mnt//c/./d/../e,"
		"upperdir=/mnt/u\\054v/upper,workdir=/mnt/u\\054v/work\n"
		"30 24 8:0 / /mnt/a:b rw - ext4 /dev/sda rw\n"
		"31 24 8:16 / /mnt/c/e rw - ext4 /dev/sdb rw\n"
		"32 24 8:32 / /mnt/u,v rw - ext4 /dev/sdc rw\n"
		"33 24 0:51 / /usr rw - overlay overlay rw,lowerdir+=/opt/l,datadir+=/opt/d\n"
		"34 24 8:48 / /opt rw - ext4 /dev/sdd rw\n");
	host_expect(&t, "RootDisk 0000:01:00.0 → sda → /\n"
			"RootDisk 0000:02:00.0 → sdb → /\n"
			"RootDisk 0000:03:00.0 → sdc → /\n"
			"RootDisk 0000:04:00.0 → sdd → /usr\n");
}

static void test_overlay_of_nowhere(void **state)
{
	struct scratch t;

	(void)state;
	host_open(&t);
	host_disk(&t, 1, "sda", 8, 0, 0);
	host_mounts(&t, "24 1 0:50 / / rw - overlay overlay rw,lowerdir=/var/lib/layers/1,"
			"upperdir=/var/lib/layers/2\n");
	host_expect(&t, "HostUseUnknown 0000:01:00.0 → sda → ? (no mount holds "
			"/var/lib/layers/1)\n");

	host_open(&t);
	host_disk(&t, 1, "sda", 8, 0, 0);
	host_mounts(&t, "24 1 0:50 / / rw - overlay overlay rw,lowerdir=/run/rootfsbase\n");
	host_expect(&t, "HostUseUnknown 0000:01:00.0 → sda → ? (the layers of / are not to be "
			"seen)\n");
}

/* Overlays on each other, deeper than a kernel makes them, or in circles: an end, and a doubt. */
static void test_overlay_nests(void **state)
{
	CLEANUP_BUF struct buf lines = {0};
	struct scratch t;

	(void)state;
	for (unsigned i = 0; i < 200; i++)
		buf_printf(&lines,
			"%u 24 0:%u / /o/%u rw - overlay overlay rw,lowerdir=/o/%u:/o/%u\n",
			100 + i, 100 + i, i, (i + 1) % 200, (i + 7) % 200);
	host_open(&t);
	host_disk(&t, 1, "sda", 8, 0, 0);
	host_mounts(&t, buf_z(&lines));
	host_expect(&t, "HostUseUnknown 0000:01:00.0 → sda → ? (/o/4 is nested too deep)\n");
}

/* A raw device for a container is a node of /dev, bind-mounted. */
static void test_device_node_mounted(void **state)
{
	struct scratch t;

	(void)state;
	open_two_disks(&t);
	host_mounts(&t, "30 24 0:5 /sdb /var/lib/kubelet/p/dev/1 rw - devtmpfs devtmpfs rw\n"
			"31 24 0:5 /null /var/lib/x rw - devtmpfs devtmpfs rw\n");
	host_expect(&t, "Mounted 0000:02:00.0 → sdb → /var/lib/kubelet/p/dev/1\n");
}

/* Names of devices: sysfs' '!', LVM's directories, links of the tree's /dev. */
static void test_names_of_devices(void **state)
{
	struct scratch t;

	(void)state;
	host_open(&t);
	host_disk(&t, 1, "cciss!c0d0", 104, 0, 0);
	host_disk(&t, 2, "sdb", 8, 16, 0);
	host_disk(&t, 3, "sdc", 8, 32, 0);
	host_disk(&t, 4, "sdd", 8, 48, 0);
	host_virtual(&t, "dm-0", "254:0");
	host_stack(&t, "dm-0", "sdb");
	scratch_put(&t, "sys/class/block/dm-0/dm/name", "vg--a-lv--1\n");
	host_link(&t, "dev/disk/by-label/X", "../../sdc");
	host_mounts(&t, "30 24 0:60 / /a rw - bcachefs /dev/cciss/c0d0:/dev/vg-a/lv-1 rw\n"
			"31 24 0:61 / /b rw - btrfs /dev/disk/by-label/X rw\n"
			"32 24 8:64 / /c rw - ext4 /dev/sdd rw\n");
	host_expect(&t, "Mounted 0000:01:00.0 → cciss!c0d0 → /a\n"
			"Mounted 0000:02:00.0 → sdb → dm-0 → /a\n"
			"Mounted 0000:03:00.0 → sdc → /b\n"
			"Mounted 0000:04:00.0 → sdd → /c\n");
}

static void test_xfs_with_a_log_elsewhere(void **state)
{
	struct scratch t;

	(void)state;
	open_two_disks(&t);
	host_mounts(&t, "30 24 8:0 / /data rw - xfs /dev/sda rw,attr2,logdev=/dev/sdb,noquota\n");
	host_expect(&t, "Mounted 0000:01:00.0 → sda → /data\n"
			"Mounted 0000:02:00.0 → sdb → /data\n");
}

/* Filesystems without a disk are no doubt, / among them. */
static void test_diskless(void **state)
{
	struct scratch t;

	(void)state;
	open_two_disks(&t);
	host_mounts(&t, "1 1 0:2 / / rw - rootfs rootfs rw\n"
			"24 1 0:30 / / rw - nfs4 10.0.0.1:/root rw\n"
			"30 24 0:44 / /mnt/f rw - fuse.sshfs me@host:/ rw\n"
			"31 24 0:45 / /mnt/p rw - fuse.portal portal rw\n"
			"32 24 0:46 / /mnt/e rw - tmpfs  rw\n"
			"33 24 0:4 net:[4026532008] /run/netns/a rw - nsfs nsfs rw\n");
	host_expect(&t, "");
}

/* Doubts: each disk may be the one, and the chain says what could not be told. */

static void expect_doubt(struct scratch *t, const char *why)
{
	CLEANUP_FREE char *said = mem_printf("HostUseUnknown 0000:01:00.0 → sda → ? (%s)\n"
					     "HostUseUnknown 0000:02:00.0 → sdb → ? (%s)\n",
		why, why);

	host_expect(t, said);
}

static void test_mountinfo_unreadable(void **state)
{
	struct scratch t;
	CLEANUP_FREE char *path = NULL;
	int fd;

	(void)state;
	open_two_disks(&t);
	path = scratch_path(&t, "proc/1/mountinfo");
	assert_int_equal(unlink(path), 0);
	expect_doubt(&t, "proc/1/mountinfo: No such file or directory");

	open_two_disks(&t);
	scratch_put(&t, "proc/1/mountinfo", "");
	expect_doubt(&t, "proc/1/mountinfo: empty");

	open_two_disks(&t);
	scratch_put(&t, "proc/1/mountinfo", ROOT_ON_SDA "half a li");
	expect_doubt(&t, "proc/1/mountinfo: line 2: no mount id");

	open_two_disks(&t);
	free(path);
	path = scratch_path(&t, "proc/1/mountinfo");
	fd = open(path, O_WRONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, (64 << 20) + 1), 0);
	close(fd);
	expect_doubt(&t, "proc/1/mountinfo: File too large");
}

/* What holds a disk is known without the mounts. */
static void test_holders_without_mountinfo(void **state)
{
	CLEANUP_FREE char *path = NULL;
	struct scratch t;

	(void)state;
	host_open(&t);
	host_disk(&t, 1, "sda", 8, 0, 0);
	host_virtual(&t, "md0", "9:0");
	host_stack(&t, "md0", "sda");
	path = scratch_path(&t, "proc/1/mountinfo");
	assert_int_equal(unlink(path), 0);
	host_expect(&t, "BlockHolder 0000:01:00.0 → sda → md0\n"
			"HostUseUnknown 0000:01:00.0 → sda → ? (proc/1/mountinfo: No such file or "
			"directory)\n");
}

static void test_swaps_unreadable(void **state)
{
	struct scratch t;

	(void)state;
	open_two_disks(&t);
	scratch_mkdir(&t, "proc/swaps");
	expect_doubt(&t, "proc/swaps: Is a directory");

	open_two_disks(&t);
	scratch_put(&t, "proc/swaps", "Filename\n/dev/sda\n");
	expect_doubt(&t, "proc/swaps: line 2: neither partition nor file");

	open_two_disks(&t);
	scratch_put(&t, "proc/swaps", "Filename\n/dev/sdx1 partition 1 0 -2\n");
	expect_doubt(&t, "swap on /dev/sdx1, which is no block device here");
}

static void test_mount_of_no_device(void **state)
{
	struct scratch t;

	(void)state;
	open_two_disks(&t);
	host_mounts(&t, "30 24 8:99 / /data rw - ext4 /dev/sdx rw\n");
	expect_doubt(&t, "8:99, mounted on /data, is no block device here");

	open_two_disks(&t);
	host_mounts(&t, "30 24 0:50 / /tank rw - zfs tank rw\n");
	expect_doubt(&t, "the disks of the ZFS on /tank are not to be seen");

	open_two_disks(&t);
	host_dir(&t, "proc/spl/kstat/zfs/tank");
	scratch_put(&t, "proc/spl/kstat/zfs/arcstats", "");
	expect_doubt(&t, "the disks of the ZFS pool tank are not to be seen");

	open_two_disks(&t);
	host_mounts(&t, "24 1 0:50 / / rw - newfs none rw\n");
	expect_doubt(&t, "the disks of / (newfs) are not to be seen");

	open_two_disks(&t);
	host_virtual(&t, "dm-0", "254:0");
	host_mounts(&t, "30 24 254:0 / /data rw - ext4 /dev/dm-0 rw\n");
	expect_doubt(&t, "dm-0: what it stands on is not to be seen");

	open_two_disks(&t);
	host_virtual(&t, "dm-0", "254:0");
	host_dir(&t, "sys/class/block/dm-0/slaves/sdz");
	host_mounts(&t, "30 24 254:0 / /data rw - ext4 /dev/dm-0 rw\n");
	expect_doubt(&t, "dm-0: a slave of it is no other block device");
}

/* Block devices that hold each other. */
static void test_circles(void **state)
{
	struct scratch t;

	(void)state;
	open_two_disks(&t);
	host_virtual(&t, "dm-0", "254:0");
	host_virtual(&t, "dm-1", "254:1");
	host_stack(&t, "dm-0", "dm-1");
	host_stack(&t, "dm-1", "dm-0");
	host_mounts(&t, "30 24 254:0 / /data rw - ext4 /dev/dm-0 rw\n");
	expect_doubt(&t, "dm-0, used by /data, stands on itself");

	open_two_disks(&t);
	host_virtual(&t, "dm-0", "254:0");
	host_virtual(&t, "dm-1", "254:1");
	host_stack(&t, "dm-0", "dm-1");
	host_stack(&t, "dm-1", "dm-0");
	host_stack(&t, "dm-1", "sda");
	host_expect(&t, "BlockHolder 0000:01:00.0 → sda → dm-1 → dm-0\n");

	open_two_disks(&t);
	host_virtual(&t, "dm-0", "254:0");
	host_dir(&t, "sys/class/block/dm-0/slaves/dm-0");
	host_mounts(&t, "30 24 254:0 / /data rw - ext4 /dev/dm-0 rw\n");
	expect_doubt(&t, "dm-0: a slave of it is no other block device");
}

/* No block devices in the tree: nothing to tell. One that cannot be read: every controller that the
 * host drives may carry them. */
static void test_no_class_directory(void **state)
{
	struct scratch t;

	(void)state;
	for (int unreadable = 0; unreadable < 2; unreadable++) {
		host_open(&t);
		host_function(&t, "pci0000:00/0000:01:00.0", "10802", "nvme");
		host_function(&t, "pci0000:00/0000:02:00.0", "10802", NULL);
		host_function(&t, "pci0000:00/0000:03:00.0", "30000", "nvidia");
		if (unreadable)
			scratch_put(&t, "sys/class/block", "");
		host_mounts(&t, ROOT_ON_SDA);
		host_expect(&t, unreadable
					? "HostUseUnknown 0000:01:00.0 → ? (sys/class/block: Not "
					  "a directory)\n"
					: "HostUseUnknown 0000:01:00.0 → ? (sys/block: No such "
					  "file or directory)\n");
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_elemental),
		cmocka_unit_test(test_image_of_the_initramfs),
		cmocka_unit_test(test_image_of_nowhere),
		cmocka_unit_test(test_loop_over_others),
		cmocka_unit_test(test_loop_in_memory),
		cmocka_unit_test(test_btrfs),
		cmocka_unit_test(test_btrfs_of_unknown_source),
		cmocka_unit_test(test_overlay),
		cmocka_unit_test(test_overlay_of_nowhere),
		cmocka_unit_test(test_overlay_nests),
		cmocka_unit_test(test_device_node_mounted),
		cmocka_unit_test(test_names_of_devices),
		cmocka_unit_test(test_xfs_with_a_log_elsewhere),
		cmocka_unit_test(test_diskless),
		cmocka_unit_test(test_mountinfo_unreadable),
		cmocka_unit_test(test_holders_without_mountinfo),
		cmocka_unit_test(test_swaps_unreadable),
		cmocka_unit_test(test_mount_of_no_device),
		cmocka_unit_test(test_circles),
		cmocka_unit_test(test_no_class_directory),
	};

	return cmocka_run_group_tests_name("hostuse_mount", tests, NULL, NULL);
}
