// SPDX-License-Identifier: GPL-2.0-or-later
// Files of sysfs that are commands, and what they do.
#include "kernel_impl.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#define BUS "sys/bus/pci/"
#define DRIVERS BUS "drivers/"
#define DEVICES BUS "devices/"
#define VFIO "vfio-pci"

static const char *last_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

int kernel_function(const struct kernel *k, const char *address, char dir[static KERNEL_PATH])
{
	char path[KERNEL_PATH], link[KERNEL_PATH];
	const char *rest = link;

	if (!*address || strchr(address, '/'))
		return -ENODEV;
	snprintf(path, sizeof(path), DEVICES "%.32s", address);
	if (root_readlink(&k->root, path, link, sizeof(link)) < 0)
		return -ENODEV;
	while (!strncmp(rest, "../", 3))
		rest += 3;
	if (snprintf(dir, KERNEL_PATH, "sys/%s", rest) >= KERNEL_PATH)
		return -ENODEV;
	return 0;
}

void kernel_note(const struct kernel *k, const char *path)
{
	if (k->changed)
		buf_printf(k->changed, "%s\n", path);
}

int kernel_set(const struct kernel *k, const char *dir, const char *name, const char *text)
{
	char path[KERNEL_PATH];
	size_t n = strlen(text);
	CLEANUP_CLOSE int fd = -1;

	if (snprintf(path, sizeof(path), "%s/%s", dir, name) >= KERNEL_PATH)
		return -ENAMETOOLONG;
	kernel_note(k, path);
	if (unlinkat(k->root.fd, path, 0) < 0 && errno != ENOENT)
		return -errno;
	fd = openat(k->root.fd, path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	if (fd < 0)
		return -errno;
	return write(fd, text, n) == (ssize_t)n ? 0 : -EIO;
}

/* Relative, as sysfs has them: `target` is below the tree too. */
int kernel_link(const struct kernel *k, const char *dir, const char *name, const char *target)
{
	char path[KERNEL_PATH], text[KERNEL_PATH];
	size_t n = 0;

	if (snprintf(path, sizeof(path), "%s/%s", dir, name) >= KERNEL_PATH)
		return -ENAMETOOLONG;
	kernel_note(k, path);
	for (const char *c = dir; *c; c++)
		if (*c == '/')
			n += (size_t)snprintf(text + n, 4, "../");
	snprintf(text + n, sizeof(text) - n, "%s", target + strlen("sys/"));
	return symlinkat(text, k->root.fd, path) < 0 ? -errno : 0;
}

void kernel_unlink(const struct kernel *k, const char *dir, const char *name)
{
	char path[KERNEL_PATH];

	if (snprintf(path, sizeof(path), "%s/%s", dir, name) >= KERNEL_PATH)
		return;
	kernel_note(k, path);
	unlinkat(k->root.fd, path, 0);
}

void kernel_mkdirs(const struct kernel *k, const char *dir)
{
	kernel_note(k, dir);
	root_mkdirs(&k->root, dir, 0755);
}

void kernel_rmdir(const struct kernel *k, const char *dir)
{
	int fd = root_open(&k->root, dir, O_RDONLY | O_DIRECTORY, 0);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *entry;

	kernel_note(k, dir);
	while (d && (entry = readdir(d)))
		unlinkat(fd, entry->d_name, 0);
	if (d)
		closedir(d);
	unlinkat(k->root.fd, dir, AT_REMOVEDIR);
}

static ssize_t get(const struct kernel *k, const char *dir, const char *name, char *out, size_t cap)
{
	char path[KERNEL_PATH];
	ssize_t n;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	n = root_read(&k->root, path, out, cap);
	if (n < 0)
		out[0] = 0;
	return n;
}

static void link_of(const struct kernel *k, const char *dir, const char *name, char *out)
{
	char path[KERNEL_PATH];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	if (root_link_name(&k->root, path, out, KERNEL_NAME) < 0)
		out[0] = 0;
}

void kernel_driver_of(const struct kernel *k, const char *dir, char out[static KERNEL_NAME])
{
	link_of(k, dir, "driver", out);
}

/* driver_override_show(): "(null)" when there is none. */
static void override_of(const struct kernel *k, const char *dir, char out[static KERNEL_NAME])
{
	if (get(k, dir, "driver_override", out, KERNEL_NAME) <= 0 || !strcmp(out, "(null)"))
		out[0] = 0;
}

static bool has_rule(const struct kernel_rules *rules, const char *what, const char *driver)
{
	for (size_t i = 0; i < rules->n; i++)
		if (str_is(rules->rule[i].what, what) && str_is(rules->rule[i].driver, driver))
			return true;
	return false;
}

/* "8086:10ca" of a function. */
static void id_of(const struct kernel *k, const char *dir, char out[static KERNEL_NAME])
{
	char vendor[16], device[16];

	get(k, dir, "vendor", vendor, sizeof(vendor));
	get(k, dir, "device", device, sizeof(device));
	snprintf(out, KERNEL_NAME, "%s:%s", vendor[0] ? vendor + 2 : "",
		device[0] ? device + 2 : "");
}

/* pci_match_device(), drivers/pci/pci-driver.c: with an override only that driver matches, and
 * always; else its table of ids decides. vfio-pci's entries are override_only
 * (drivers/vfio/pci/vfio_pci.c): without the override it matches nothing. */
static bool matches(const struct kernel *k, const char *dir, const char *driver)
{
	char override[KERNEL_NAME], id[KERNEL_NAME];

	override_of(k, dir, override);
	if (override[0])
		return !strcmp(override, driver);
	id_of(k, dir, id);
	return strcmp(driver, VFIO) != 0 && has_rule(&k->drivers, id, driver);
}

/* vfio_device_set_group(), drivers/vfio/group.c: the group's node is there while a function of it
 * is on a vfio driver. */
static void show_vfio_group(const struct kernel *k, const char *dir, bool bound)
{
	char group[KERNEL_NAME], home[KERNEL_PATH], path[KERNEL_PATH], text[KERNEL_NAME];
	DIR *members;
	const struct dirent *entry;

	link_of(k, dir, "iommu_group", group);
	snprintf(path, sizeof(path), "sys/kernel/iommu_groups/%s/devices", group);
	members = root_opendir(&k->root, path);
	while (members && !bound && (entry = readdir(members))) {
		char peer[KERNEL_PATH], driver[KERNEL_NAME] = "";

		if (kernel_function(k, entry->d_name, peer) == 0)
			kernel_driver_of(k, peer, driver);
		bound = !strcmp(driver, VFIO);
	}
	if (members)
		closedir(members);
	snprintf(home, sizeof(home), "sys/devices/virtual/vfio/%s", group);
	if (!bound) {
		kernel_unlink(k, "sys/class/vfio", group);
		kernel_unlink(k, "dev/vfio", group);
		kernel_rmdir(k, home);
		return;
	}
	kernel_mkdirs(k, home);
	root_mkdirs(&k->root, "sys/class/vfio", 0755);
	root_mkdirs(&k->root, "dev/vfio", 0755);
	snprintf(text, sizeof(text), "511:%.20s\n", group);
	kernel_set(k, home, "dev", text);
	kernel_set(k, "dev/vfio", group, "");
	kernel_link(k, "sys/class/vfio", group, home);
}

/* pci_uevent() and dev_uevent(): DRIVER= comes first, while there is one. */
static void show_uevent(const struct kernel *k, const char *dir, const char *driver)
{
	char text[KERNEL_TEXT], out[KERNEL_TEXT + KERNEL_NAME];
	size_t n = 0;
	struct str rest, line;

	if (get(k, dir, "uevent", text, sizeof(text)) < 0)
		return;
	out[0] = 0;
	if (driver[0])
		n += (size_t)snprintf(out, sizeof(out), "DRIVER=%s\n", driver);
	rest = str_of(text);
	while (rest.n && str_cut(&rest, '\n', &line))
		if (!str_starts(line, "DRIVER="))
			n += (size_t)snprintf(out + n, sizeof(out) - n, "%.*s\n", STR_ARG(line));
	kernel_set(k, dir, "uevent", out);
}

/* vfio_pci_core_register_device(): only functions with a normal header, and in an IOMMU group. */
static int probe_vfio(const struct kernel *k, const char *dir)
{
	char class[16], group[KERNEL_NAME];

	get(k, dir, "class", class, sizeof(class));
	link_of(k, dir, "iommu_group", group);
	return !strncmp(class, "0x0604", 6) || !group[0] ? -EINVAL : 0;
}

/* __driver_probe_device(), really_probe(). 0, or -errno of the driver's probe. */
static int probe(struct kernel *k, const char *dir, const char *driver)
{
	const char *address = last_of(dir);
	char home[KERNEL_PATH];
	int rc = 0;

	if (has_rule(&k->refuses, address, driver))
		return -EINVAL;
	if (!strcmp(driver, VFIO))
		rc = probe_vfio(k, dir);
	if (rc < 0)
		return rc;
	snprintf(home, sizeof(home), DRIVERS "%s", driver);
	kernel_link(k, dir, "driver", home);
	kernel_link(k, home, address, dir);
	show_uevent(k, dir, driver);
	if (!strcmp(driver, VFIO))
		show_vfio_group(k, dir, true);
	return 0;
}

void kernel_detach(struct kernel *k, const char *dir)
{
	char driver[KERNEL_NAME], home[KERNEL_PATH];

	kernel_driver_of(k, dir, driver);
	if (!driver[0])
		return;
	/* a PF's driver takes its VFs with it: igb_remove(), ixgbe_remove() and others */
	kernel_remove_vfs(k, dir);
	snprintf(home, sizeof(home), DRIVERS "%s", driver);
	kernel_unlink(k, dir, "driver");
	kernel_unlink(k, home, last_of(dir));
	show_uevent(k, dir, "");
	if (!strcmp(driver, VFIO))
		show_vfio_group(k, dir, false);
}

/* __device_attach_driver(): a probe that fails is not the caller's failure, the next driver may try
 * its luck. */
void kernel_attach(struct kernel *k, const char *dir)
{
	DIR *drivers = root_opendir(&k->root, DRIVERS);
	const struct dirent *entry;

	while (drivers && (entry = readdir(drivers)))
		if (entry->d_name[0] != '.' && matches(k, dir, entry->d_name) &&
			probe(k, dir, entry->d_name) == 0)
			break;
	if (drivers)
		closedir(drivers);
}

/* bus_find_device_by_name() with sysfs_streq(): one newline at the end does not count. */
static int find_written(const struct kernel *k, struct str data, char dir[static KERNEL_PATH])
{
	char address[KERNEL_NAME];

	if (data.n && data.p[data.n - 1] == '\n')
		data.n--;
	if (data.n >= sizeof(address))
		return -ENODEV;
	memcpy(address, data.p, data.n);
	address[data.n] = 0;
	return kernel_function(k, address, dir);
}

/* drivers_probe_store(), bus_rescan_devices_helper(), drivers/base/bus.c: what has a driver keeps
 * it; what finds none is no error. */
static int store_drivers_probe(struct kernel *k, struct str data)
{
	char dir[KERNEL_PATH], driver[KERNEL_NAME];
	int rc = find_written(k, data, dir);

	if (rc < 0)
		return rc;
	kernel_driver_of(k, dir, driver);
	if (!driver[0])
		kernel_attach(k, dir);
	return 0;
}

/* unbind_store(), drivers/base/bus.c */
static int store_unbind(struct kernel *k, const char *driver, struct str data)
{
	char dir[KERNEL_PATH], now[KERNEL_NAME];
	int rc = find_written(k, data, dir);

	if (rc < 0)
		return rc;
	kernel_driver_of(k, dir, now);
	if (strcmp(now, driver) != 0)
		return -ENODEV;
	kernel_detach(k, dir);
	return 0;
}

/* bind_store(), device_driver_attach(): here the probe's error is the caller's. */
static int store_bind(struct kernel *k, const char *driver, struct str data)
{
	char dir[KERNEL_PATH], now[KERNEL_NAME];
	int rc = find_written(k, data, dir);

	if (rc < 0)
		return rc;
	if (!matches(k, dir, driver))
		return -ENODEV;
	kernel_driver_of(k, dir, now);
	return now[0] ? -EBUSY : probe(k, dir, driver);
}

/* driver_set_override(), drivers/base/driver.c: up to the first newline; an empty string or a lone
 * newline clears it. A driver that is there or not is not asked. */
static int store_override(struct kernel *k, const char *dir, struct str data)
{
	char text[KERNEL_TEXT];
	struct str value = {NULL, 0};

	if (data.n >= KERNEL_TEXT - 1)
		return -EINVAL;
	data.n = strnlen(data.p, data.n);
	str_cut(&data, '\n', &value);
	if (value.n)
		snprintf(text, sizeof(text), "%.*s\n", STR_ARG(value));
	return kernel_set(k, dir, "driver_override", value.n ? text : "(null)\n");
}

static int store_plain(struct kernel *k, const char *dir, const char *name, struct str data)
{
	CLEANUP_FREE char *text = mem_dup(data.p, data.n);

	return kernel_set(k, dir, name, text);
}

static int store(struct kernel *k, const char *path, struct str data)
{
	const char *name = last_of(path);
	char dir[KERNEL_PATH];

	if (!strcmp(path, BUS "drivers_probe"))
		return store_drivers_probe(k, data);
	if (snprintf(dir, sizeof(dir), "%.*s", (int)(name - path - 1), path) >= KERNEL_PATH)
		return -ENAMETOOLONG;
	if (!strncmp(dir, DRIVERS, strlen(DRIVERS)) && !strcmp(name, "unbind"))
		return store_unbind(k, last_of(dir), data);
	if (!strncmp(dir, DRIVERS, strlen(DRIVERS)) && !strcmp(name, "bind"))
		return store_bind(k, last_of(dir), data);
	if (!strcmp(name, "driver_override"))
		return store_override(k, dir, data);
	if (!strcmp(name, "sriov_numvfs"))
		return kernel_set_vfs(k, dir, data);
	return store_plain(k, dir, name, data);
}

ssize_t kernel_write(struct kernel *k, const char *path, struct str data)
{
	int rc = store(k, path, data);

	return rc < 0 ? rc : (ssize_t)data.n;
}

void kernel_write_is_about(const char *path, struct str data, char *address, size_t cap)
{
	const char *name = last_of(path);
	struct str dir = {path, (size_t)(name - path)}, part, what = {"", 0};

	if (!strncmp(path, BUS, strlen(BUS))) {
		what = str_trim(data);
	} else {
		while (str_cut(&dir, '/', &part))
			if (part.n)
				what = part;
	}
	snprintf(address, cap, "%.*s", STR_ARG(what));
}
