// SPDX-License-Identifier: GPL-2.0-or-later
// Virtual functions come and go (drivers/pci/iov.c).
#include "kernel_impl.h"

#include "pci/addr.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

static bool number(const struct kernel *k, const char *dir, const char *name, uint64_t *out)
{
	char path[KERNEL_PATH + 32], text[32];
	ssize_t n;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	n = root_read(&k->root, path, text, sizeof(text));
	return n > 0 && str_u64((struct str){text, (size_t)n}, UINT16_MAX, out);
}

static void word(const struct kernel *k, const char *dir, const char *name, char *out, size_t cap)
{
	char path[KERNEL_PATH + 32];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	if (root_read(&k->root, path, out, cap) < 0)
		out[0] = 0;
}

/* pci_iov_virtfn_bus(), pci_iov_virtfn_devfn() */
static void address_of_vf(const struct kernel *k, const char *pf, uint64_t i, char *out)
{
	struct pci_addr a = {0};
	uint64_t offset = 0, stride = 0, rid;

	pci_addr_parse(str_of(strrchr(pf, '/') + 1), &a);
	number(k, pf, "sriov_offset", &offset);
	number(k, pf, "sriov_stride", &stride);
	rid = ((uint64_t)a.bus << 8 | (uint64_t)a.dev << 3 | a.fn) + offset + stride * i;
	a.bus = (uint8_t)(rid >> 8);
	a.dev = (uint8_t)(rid >> 3 & 0x1f);
	a.fn = (uint8_t)(rid & 7);
	pci_addr_format(a, out);
}

static uint64_t next_group(const struct kernel *k)
{
	DIR *groups = root_opendir(&k->root, "sys/kernel/iommu_groups");
	const struct dirent *entry;
	uint64_t next = 0, n;

	while (groups && (entry = readdir(groups)))
		if (str_u64(str_of(entry->d_name), UINT16_MAX, &n) && n >= next)
			next = n + 1;
	if (groups)
		closedir(groups);
	return next;
}

static void give_group(const struct kernel *k, const char *vf, const char *address)
{
	char group[KERNEL_PATH], devices[KERNEL_PATH + 16];

	snprintf(group, sizeof(group), "sys/kernel/iommu_groups/%u", (unsigned)next_group(k));
	snprintf(devices, sizeof(devices), "%s/devices", group);
	kernel_mkdirs(k, group);
	kernel_mkdirs(k, devices);
	kernel_set(k, group, "type", "DMA-FQ\n");
	kernel_link(k, devices, address, vf);
	kernel_link(k, vf, "iommu_group", group);
}

static void describe_vf(const struct kernel *k, const char *pf, const char *vf, const char *address)
{
	static const char *const same[] = {"vendor", "subsystem_vendor", "subsystem_device",
		"class", "revision", "numa_node", "local_cpulist"};
	char vendor[32], device[32], class[32], subvendor[32], subdevice[32], text[KERNEL_TEXT];

	for (size_t i = 0; i < ARRAY_LEN(same); i++) {
		word(k, pf, same[i], text, sizeof(text) - 1);
		strcat(text, "\n");
		kernel_set(k, vf, same[i], text);
	}
	word(k, pf, "vendor", vendor, sizeof(vendor));
	word(k, pf, "class", class, sizeof(class));
	word(k, pf, "subsystem_vendor", subvendor, sizeof(subvendor));
	word(k, pf, "subsystem_device", subdevice, sizeof(subdevice));
	word(k, pf, "sriov_vf_device", device, sizeof(device));
	snprintf(text, sizeof(text), "0x%s\n", device);
	kernel_set(k, vf, "device", text);
	snprintf(text, sizeof(text),
		"PCI_CLASS=%s\nPCI_ID=%s:%s\nPCI_SUBSYS_ID=%s:%s\nPCI_SLOT_NAME=%s\n",
		class[2] == '0' ? class + 3 : class + 2, vendor + 2, device, subvendor + 2,
		subdevice + 2, address);
	kernel_set(k, vf, "uevent", text);
	kernel_set(k, vf, "driver_override", "(null)\n");
}

/* pci_iov_add_virtfn(); a VF is a neighbour of its PF, behind the same port. */
static void add_vf(struct kernel *k, const char *pf, uint64_t i, bool autoprobe)
{
	char address[PCI_ADDR_CAP], vf[KERNEL_PATH], name[KERNEL_NAME];

	address_of_vf(k, pf, i, address);
	if (snprintf(vf, sizeof(vf), "%.*s/%s", (int)(strrchr(pf, '/') - pf), pf, address) >=
		KERNEL_PATH)
		return;
	kernel_mkdirs(k, vf);
	describe_vf(k, pf, vf, address);
	kernel_link(k, vf, "subsystem", "sys/bus/pci");
	kernel_link(k, vf, "physfn", pf);
	give_group(k, vf, address);
	kernel_link(k, "sys/bus/pci/devices", address, vf);
	snprintf(name, sizeof(name), "virtfn%u", (unsigned)i);
	kernel_link(k, pf, name, vf);
	if (autoprobe)
		kernel_attach(k, vf);
}

/* pci_iov_remove_virtfn() */
static void remove_vf(struct kernel *k, const char *pf, uint64_t i)
{
	char address[PCI_ADDR_CAP], vf[KERNEL_PATH], name[KERNEL_NAME], group[KERNEL_NAME];
	char path[KERNEL_PATH + 16], home[KERNEL_PATH];

	address_of_vf(k, pf, i, address);
	if (kernel_function(k, address, vf) < 0)
		return;
	kernel_detach(k, vf);
	snprintf(path, sizeof(path), "%s/iommu_group", vf);
	if (root_link_name(&k->root, path, group, sizeof(group)) >= 0) {
		snprintf(home, sizeof(home), "sys/kernel/iommu_groups/%s", group);
		snprintf(path, sizeof(path), "%s/devices", home);
		kernel_rmdir(k, path);
		kernel_rmdir(k, home);
	}
	snprintf(name, sizeof(name), "virtfn%u", (unsigned)i);
	kernel_unlink(k, pf, name);
	kernel_unlink(k, "sys/bus/pci/devices", address);
	kernel_rmdir(k, vf);
}

static void show_count(const struct kernel *k, const char *pf, uint64_t n)
{
	char text[32];

	snprintf(text, sizeof(text), "%u\n", (unsigned)n);
	kernel_set(k, pf, "sriov_numvfs", text);
}

void kernel_remove_vfs(struct kernel *k, const char *dir)
{
	uint64_t n;

	if (!number(k, dir, "sriov_numvfs", &n) || !n)
		return;
	for (uint64_t i = 0; i < n; i++)
		remove_vf(k, dir, i);
	show_count(k, dir, 0);
}

/* sriov_numvfs_store(): over the total ERANGE; as it is, nothing; without a driver that knows
 * SR-IOV ENOENT; from one number to another EBUSY, it must be 0 in between. */
int kernel_set_vfs(struct kernel *k, const char *dir, struct str text)
{
	uint64_t want, now, total, autoprobe = 1;
	char driver[KERNEL_NAME];

	if (!str_u64(str_trim(text), UINT16_MAX, &want) || !number(k, dir, "sriov_numvfs", &now) ||
		!number(k, dir, "sriov_totalvfs", &total))
		return -EINVAL;
	if (want > total)
		return -ERANGE;
	if (want == now)
		return 0;
	kernel_driver_of(k, dir, driver);
	if (!driver[0] || !strcmp(driver, "vfio-pci"))
		return -ENOENT;
	if (!want) {
		kernel_remove_vfs(k, dir);
		return 0;
	}
	if (now)
		return -EBUSY;
	number(k, dir, "sriov_drivers_autoprobe", &autoprobe);
	for (uint64_t i = 0; i < want; i++)
		add_vf(k, dir, i, autoprobe != 0);
	show_count(k, dir, want);
	return 0;
}
