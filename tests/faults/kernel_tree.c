// SPDX-License-Identifier: GPL-2.0-or-later
// A tree and its kernel: what is known beside sysfs, and how it starts.
#include "kernel_impl.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#define OWN ".kernel"
#define DEVICES "sys/bus/pci/devices"
#define BOOT_ID "proc/sys/kernel/random"

static void read_rules(struct kernel *k, const char *path, struct kernel_rules *rules)
{
	CLEANUP_BUF struct buf text = {.max = 1 << 20};
	struct str rest, line;
	char *kept;

	if (root_slurp(&k->root, path, &text) < 0 || !text.len)
		return;
	kept = arena_dup(&k->mem, text.p, text.len);
	rules->rule = arena_alloc(&k->mem, text.len * sizeof(*rules->rule));
	rest = str_of(kept);
	while (str_cut(&rest, '\n', &line)) {
		struct kernel_rule *r = &rules->rule[rules->n];

		if (str_word(&line, &r->what) && str_word(&line, &r->driver))
			rules->n++;
	}
}

/* One call per function, in no order. */
static int each_function(
	struct kernel *k, void (*call)(struct kernel *k, const char *dir, void *arg), void *arg)
{
	DIR *devices = root_opendir(&k->root, DEVICES);
	const struct dirent *entry;
	char dir[KERNEL_PATH];

	if (!devices)
		return -1;
	while ((entry = readdir(devices)))
		if (entry->d_name[0] != '.' && kernel_function(k, entry->d_name, dir) == 0)
			call(k, dir, arg);
	closedir(devices);
	return 0;
}

static void note_driver(struct kernel *k, const char *dir, void *arg)
{
	struct buf *text = arg;
	char path[KERNEL_PATH + 16], vendor[16], device[16], driver[KERNEL_NAME];

	kernel_driver_of(k, dir, driver);
	if (!driver[0] || !strcmp(driver, "vfio-pci"))
		return;
	snprintf(path, sizeof(path), "%s/vendor", dir);
	if (root_read(&k->root, path, vendor, sizeof(vendor)) <= 2)
		return;
	snprintf(path, sizeof(path), "%s/device", dir);
	if (root_read(&k->root, path, device, sizeof(device)) > 2)
		buf_printf(text, "%s:%s %s\n", vendor + 2, device + 2, driver);
}

static int make_drivers(struct kernel *k)
{
	CLEANUP_BUF struct buf text = {0};

	if (root_exists(&k->root, OWN "/drivers"))
		return 0;
	if (each_function(k, note_driver, &text) < 0 || root_mkdirs(&k->root, OWN, 0755) < 0)
		return -1;
	errno = -kernel_set(k, OWN, "drivers", buf_z(&text));
	return errno ? -1 : 0;
}

int kernel_open(struct kernel *k, const char *dir, struct err *e)
{
	*k = (struct kernel){.root.fd = -1};
	if (root_init(&k->root, dir, e) < 0)
		return -1;
	if (make_drivers(k) < 0)
		return err_sys(e, "make " OWN "/drivers of what is bound in %s", dir);
	read_rules(k, OWN "/drivers", &k->drivers);
	read_rules(k, OWN "/refuses", &k->refuses);
	return 0;
}

void kernel_close(struct kernel *k)
{
	root_close(&k->root);
	arena_free(&k->mem);
}

static void start_function(struct kernel *k, const char *dir, void *arg)
{
	(void)arg;
	kernel_detach(k, dir);
	kernel_set(k, dir, "driver_override", "(null)\n");
	kernel_attach(k, dir);
}

static void remove_below(int dirfd, const char *name)
{
	int fd = openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *entry;

	while (d && (entry = readdir(d))) {
		if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, ".."))
			continue;
		if (unlinkat(fd, entry->d_name, 0) < 0) {
			remove_below(fd, entry->d_name);
			unlinkat(fd, entry->d_name, AT_REMOVEDIR);
		}
	}
	if (d)
		closedir(d);
}

int kernel_boot(struct kernel *k, struct err *e)
{
	if (each_function(k, start_function, NULL) < 0)
		return err_sys(e, "read " DEVICES);
	remove_below(k->root.fd, "run");
	kernel_set(k, BOOT_ID, "boot_id", "11111111-2222-4333-8444-555555555555\n");
	return 0;
}
