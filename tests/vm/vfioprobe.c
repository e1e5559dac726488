// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * vfioprobe [-h] ADDRESS...: opens the IOMMU group of the first device through VFIO as a VM would
 * (group, container, type1v2, one page of DMA), then a device fd for each address, whose config
 * space must show the ids that sysfs shows. -h: hold it all open until a signal comes. Exit 0 only
 * if every step worked; says on stdout what it saw.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/vfio.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

static int failed(const char *what, const char *who)
{
	printf("%s %s: %s\n", what, who, strerror(errno));
	return -1;
}

static int open_group(const char *address)
{
	char link[128], target[256], node[64];
	snprintf(link, sizeof(link), "/sys/bus/pci/devices/%s/iommu_group", address);
	ssize_t n = readlink(link, target, sizeof(target) - 1);
	if (n < 0)
		return failed("readlink", link);
	target[n] = '\0';
	snprintf(node, sizeof(node), "/dev/vfio/%s", strrchr(target, '/') + 1);
	int group = open(node, O_RDWR | O_CLOEXEC);
	if (group < 0)
		return failed("open", node);

	struct vfio_group_status status = {.argsz = sizeof(status)};
	if (ioctl(group, VFIO_GROUP_GET_STATUS, &status) < 0)
		return failed("VFIO_GROUP_GET_STATUS", node);
	if (!(status.flags & VFIO_GROUP_FLAGS_VIABLE)) {
		printf("%s is not viable: a device of the group has a host driver\n", node);
		return -1;
	}
	printf("%s viable", node);
	return group;
}

static int set_iommu(int group)
{
	int container = open("/dev/vfio/vfio", O_RDWR | O_CLOEXEC);
	if (container < 0)
		return failed("open", "/dev/vfio/vfio");
	if (ioctl(group, VFIO_GROUP_SET_CONTAINER, &container) < 0)
		return failed("VFIO_GROUP_SET_CONTAINER", "");
	if (ioctl(container, VFIO_SET_IOMMU, VFIO_TYPE1v2_IOMMU) < 0)
		return failed("VFIO_SET_IOMMU", "type1v2");

	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	void *memory = mmap(NULL, page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (memory == MAP_FAILED)
		return failed("mmap", "");
	struct vfio_iommu_type1_dma_map map = {.argsz = sizeof(map),
		.flags = VFIO_DMA_MAP_FLAG_READ | VFIO_DMA_MAP_FLAG_WRITE,
		.vaddr = (uintptr_t)memory,
		.iova = 0x100000,
		.size = page};
	if (ioctl(container, VFIO_IOMMU_MAP_DMA, &map) < 0)
		return failed("VFIO_IOMMU_MAP_DMA", "");
	printf(", container type1v2, page mapped\n");
	return 0;
}

static unsigned sysfs_id(const char *address, const char *file)
{
	char path[128], text[16];
	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/%s", address, file);
	FILE *f = fopen(path, "re");
	if (!f)
		return 0;
	unsigned id = fgets(text, sizeof(text), f) ? (unsigned)strtoul(text, NULL, 16) : 0;
	fclose(f);
	return id;
}

static int open_device(int group, const char *address)
{
	int device = ioctl(group, VFIO_GROUP_GET_DEVICE_FD, address);
	if (device < 0)
		return failed("VFIO_GROUP_GET_DEVICE_FD", address);
	struct vfio_device_info info = {.argsz = sizeof(info)};
	struct vfio_region_info region = {
		.argsz = sizeof(region), .index = VFIO_PCI_CONFIG_REGION_INDEX};
	if (ioctl(device, VFIO_DEVICE_GET_INFO, &info) < 0 ||
		ioctl(device, VFIO_DEVICE_GET_REGION_INFO, &region) < 0)
		return failed("VFIO_DEVICE_GET_INFO", address);
	uint16_t id[2];
	if (pread(device, id, sizeof(id), (off_t)region.offset) != (ssize_t)sizeof(id))
		return failed("read config space of", address);
	printf("%s open: %04x:%04x, %u regions, %u interrupts%s\n", address, id[0], id[1],
		info.num_regions, info.num_irqs,
		info.flags & VFIO_DEVICE_FLAGS_RESET ? ", can reset" : "");
	if (id[0] == sysfs_id(address, "vendor") && id[1] == sysfs_id(address, "device"))
		return 0;
	return -1;
}

int main(int argc, char **argv)
{
	int hold = argc > 1 && !strcmp(argv[1], "-h");
	if (argc - hold < 2)
		return 2;
	int group = open_group(argv[1 + hold]);
	if (group < 0 || set_iommu(group) < 0)
		return 1;
	for (int i = 1 + hold; i < argc; i++) {
		if (open_device(group, argv[i]) < 0)
			return 1;
	}
	fflush(stdout);
	if (hold)
		pause();
	return 0;
}
