// SPDX-License-Identifier: GPL-2.0-or-later
// The floor of `pcid list`: a plain loop that reads what a list must know of each function, and no
// more: uevent (ids, class, driver), the IOMMU group's link, the NUMA node.
//     floor DIR      DIR/sys/bus/pci/devices; prints how many functions and bytes
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

static long read_file(int dir, const char *name, const char *attribute)
{
	char path[300], text[4096];
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "%s/%s", name, attribute);
	fd = openat(dir, path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return 0;
	n = read(fd, text, sizeof(text));
	close(fd);
	return n < 0 ? 0 : (long)n;
}

static long read_link(int dir, const char *name, const char *attribute)
{
	char path[300], text[512];
	ssize_t n;

	snprintf(path, sizeof(path), "%s/%s", name, attribute);
	n = readlinkat(dir, path, text, sizeof(text));
	return n < 0 ? 0 : (long)n;
}

int main(int argc, char **argv)
{
	char path[4096];
	struct dirent *entry;
	long functions = 0, bytes = 0;
	DIR *dir;

	if (argc != 2)
		return 2;
	snprintf(path, sizeof(path), "%s/sys/bus/pci/devices", argv[1]);
	dir = opendir(path);
	if (!dir)
		return 1;
	while ((entry = readdir(dir))) {
		if (entry->d_name[0] == '.')
			continue;
		functions++;
		bytes += read_file(dirfd(dir), entry->d_name, "uevent");
		bytes += read_link(dirfd(dir), entry->d_name, "iommu_group");
		bytes += read_file(dirfd(dir), entry->d_name, "numa_node");
	}
	closedir(dir);
	printf("%ld functions, %ld bytes\n", functions, bytes);
	return 0;
}
