// SPDX-License-Identifier: GPL-2.0-or-later
// A host for tests of the host guard: PCI functions, block devices, interfaces in a scratch tree,
// and what the guard says of them as text.
#ifndef TESTS_HOSTTREE_H
#define TESTS_HOSTTREE_H

#include "scratch.h"

#include "pci/hostuse.h"

#define PROC_MOUNTS                                                                                \
	"22 24 0:21 / /proc rw - proc proc rw\n23 24 0:22 / /sys rw - sysfs sysfs rw\n"            \
	"25 24 0:5 / /dev rw - devtmpfs devtmpfs rw\n26 24 0:25 / /run rw - tmpfs tmpfs rw\n"

static inline void host_link(const struct scratch *t, const char *path, const char *target)
{
	CLEANUP_FREE char *full = scratch_path(t, path);
	CLEANUP_FREE char *parent = mem_dup(path, strlen(path));

	*strrchr(parent, '/') = 0;
	scratch_mkdir(t, parent);
	assert_int_equal(symlink(target, full), 0);
}

PRINTF(2, 3) static inline void host_dir(const struct scratch *t, const char *fmt, ...)
{
	CLEANUP_FREE char *path = NULL;
	va_list ap;

	va_start(ap, fmt);
	path = mem_vprintf(fmt, ap);
	va_end(ap);
	scratch_mkdir(t, path);
}

/* `home`: the path below sys/devices, which ends in the address. */
static inline void host_function(
	const struct scratch *t, const char *home, const char *class, const char *driver)
{
	const char *slash = strrchr(home, '/'), *address = slash ? slash + 1 : home;
	CLEANUP_FREE char *uevent = mem_printf("sys/devices/%s/uevent", home);
	CLEANUP_FREE char *link = mem_printf("sys/bus/pci/devices/%s", address);
	CLEANUP_FREE char *target = mem_printf("../../../devices/%s", home);
	CLEANUP_FREE char *text = mem_printf("%s%s%sPCI_CLASS=%s\nPCI_ID=8086:1234\n",
		driver ? "DRIVER=" : "", driver ? driver : "", driver ? "\n" : "", class);

	scratch_put(t, uevent, text);
	host_link(t, link, target);
}

/* `home`: the directory below sys/devices that holds the device's own. */
static inline void host_block(
	const struct scratch *t, const char *home, const char *name, const char *number)
{
	CLEANUP_FREE char *dev = mem_printf("sys/devices/%s/%s/dev", home, name);
	CLEANUP_FREE char *link = mem_printf("sys/class/block/%s", name);
	CLEANUP_FREE char *target = mem_printf("../../devices/%s/%s", home, name);

	scratch_put(t, dev, number);
	host_dir(t, "sys/devices/%s/%s/holders", home, name);
	host_dir(t, "sys/devices/%s/%s/slaves", home, name);
	host_link(t, link, target);
}

/* A disk with its function, both at 0000:BUS:00.0, and its partitions NAMEp1, NAMEp2 with minor
 * numbers one and two above. */
static inline void host_disk(const struct scratch *t, unsigned bus, const char *name,
	unsigned major, unsigned minor, unsigned parts)
{
	CLEANUP_FREE char *function = mem_printf("pci0000:00/0000:00:1c.0/0000:%02x:00.0", bus);
	CLEANUP_FREE char *home = mem_printf("%s/host0/block", function);
	CLEANUP_FREE char *disk = mem_printf("%s/%s", home, name);
	CLEANUP_FREE char *number = mem_printf("%u:%u", major, minor);

	host_function(t, function, "10601", "ahci");
	host_block(t, home, name, number);
	for (unsigned i = 1; i <= parts; i++) {
		CLEANUP_FREE char *part = mem_printf("%sp%u", name, i);
		CLEANUP_FREE char *its = mem_printf("%u:%u", major, minor + i);

		host_block(t, disk, part, its);
	}
}

static inline void host_virtual(const struct scratch *t, const char *name, const char *number)
{
	host_block(t, "virtual/block", name, number);
}

/* `upper` (virtual) stands on `lower`. */
static inline void host_stack(const struct scratch *t, const char *upper, const char *lower)
{
	host_dir(t, "sys/devices/virtual/block/%s/slaves/%s", upper, lower);
	host_dir(t, "sys/class/block/%s/holders/%s", lower, upper);
}

static inline void host_mounts(const struct scratch *t, const char *lines)
{
	CLEANUP_FREE char *text = mem_printf("%s" PROC_MOUNTS, lines);

	scratch_put(t, "proc/1/mountinfo", text);
}

static inline void host_routes(const struct scratch *t, const char *lines)
{
	CLEANUP_FREE char *text = mem_printf("Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\t"
					     "Metric\tMask\t\tMTU\tWindow\tIRTT\n%s",
		lines);

	scratch_put(t, "proc/1/net/route", text);
}

/* A NIC with its function at 0000:BUS:00.0. */
static inline void host_nic(const struct scratch *t, unsigned bus, const char *name)
{
	CLEANUP_FREE char *function = mem_printf("pci0000:00/0000:00:1c.0/0000:%02x:00.0", bus);
	CLEANUP_FREE char *type = mem_printf("sys/devices/%s/net/%s/type", function, name);
	CLEANUP_FREE char *link = mem_printf("sys/class/net/%s", name);
	CLEANUP_FREE char *target = mem_printf("../../devices/%s/net/%s", function, name);

	host_function(t, function, "20000", "igb");
	scratch_put(t, type, "1\n");
	host_link(t, link, target);
}

static inline void host_interface(const struct scratch *t, const char *name)
{
	CLEANUP_FREE char *type = mem_printf("sys/devices/virtual/net/%s/type", name);
	CLEANUP_FREE char *link = mem_printf("sys/class/net/%s", name);
	CLEANUP_FREE char *target = mem_printf("../../devices/virtual/net/%s", name);

	scratch_put(t, type, "1\n");
	host_link(t, link, target);
}

/* Links of both sides, as the kernel makes them. */
static inline void host_upper(const struct scratch *t, const char *upper, const char *lower)
{
	CLEANUP_FREE char *up = mem_printf("sys/class/net/%s/upper_%s", lower, upper);
	CLEANUP_FREE char *low = mem_printf("sys/class/net/%s/lower_%s", upper, lower);
	CLEANUP_FREE char *up_to = mem_printf("../../../virtual/net/%s", upper);
	CLEANUP_FREE char *low_to = mem_printf("../%s", lower);

	host_link(t, up, up_to);
	host_link(t, low, low_to);
}

/* A tree with no disk, no NIC, no doubt. */
static inline void host_open(struct scratch *t)
{
	scratch_open(t);
	scratch_mkdir(t, "sys/bus/pci/devices");
	scratch_put(t, "sys/class/tty/console/active", "ttyS0\n");
	host_mounts(t, "");
	host_routes(t, "");
}

/* "Reason chain" a line, freed by the caller. */
static inline char *host_says(const struct scratch *t, const char *const *uplinks, size_t n)
{
	struct pci_inventory inv;
	struct host_uses uses;
	struct buf text = {0};
	struct err e;

	assert_int_equal(pci_scan(&inv, &t->root, &e), 0);
	assert_int_equal(host_uses_scan(&uses, &t->root, &inv, uplinks, n, &e), 0);
	for (size_t i = 0; i < uses.n; i++)
		buf_printf(
			&text, "%s %s\n", host_reason_name(uses.use[i].reason), uses.use[i].chain);
	host_uses_free(&uses);
	pci_inventory_free(&inv);
	buf_z(&text);
	return text.p;
}

/* And the end of the tree. */
static inline void host_expect(struct scratch *t, const char *lines)
{
	CLEANUP_FREE char *said = host_says(t, NULL, 0);

	assert_string_equal(said, lines);
	scratch_close(t);
}

#endif
