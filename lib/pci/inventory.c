// SPDX-License-Identifier: GPL-2.0-or-later
// One look at sys/bus/pci/devices.
#include "pci/inventory.h"

#include "pci/uevent.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <unistd.h>

#define DEVICES "sys/bus/pci/devices"
enum { SHARED_FROM = 512 };

/* A function while it is read. */
struct reading {
	struct pci_dev dev;
	bool there, has_ids, has_class, has_driver;
	char driver[64];
};

static void read_uevent(struct reading *in, int dirfd)
{
	char text[4096];
	ssize_t n = read_at(dirfd, "uevent", text, sizeof(text));
	struct pci_uevent u;

	pci_uevent_parse(&u, (struct str){text, n < 0 ? 0 : (size_t)n});
	in->has_ids = u.has_ids;
	in->has_class = u.has_class;
	in->dev.vendor = u.vendor;
	in->dev.device = u.device;
	in->dev.subvendor = u.subvendor;
	in->dev.subdevice = u.subdevice;
	in->dev.class = u.class;
	in->has_driver = u.driver.n && u.driver.n < sizeof(in->driver);
	if (in->has_driver)
		memcpy(in->driver, u.driver.p, u.driver.n);
}

static bool hex_attribute(int dirfd, const char *name, uint64_t max, uint64_t *v)
{
	char text[64];
	ssize_t n = read_at(dirfd, name, text, sizeof(text));

	return n > 0 && str_hex((struct str){text, (size_t)n}, max, v);
}

/* Trees recorded without uevent, and kernels older than it. */
static bool read_attributes(struct reading *in, int dirfd)
{
	uint64_t v;

	if (!in->has_ids) {
		if (!hex_attribute(dirfd, "vendor", 0xffff, &v))
			return false;
		in->dev.vendor = (uint16_t)v;
		if (!hex_attribute(dirfd, "device", 0xffff, &v))
			return false;
		in->dev.device = (uint16_t)v;
		if (hex_attribute(dirfd, "subsystem_vendor", 0xffff, &v))
			in->dev.subvendor = (uint16_t)v;
		if (hex_attribute(dirfd, "subsystem_device", 0xffff, &v))
			in->dev.subdevice = (uint16_t)v;
	}
	if (!in->has_class) {
		if (!hex_attribute(dirfd, "class", 0xffffff, &v))
			return false;
		in->dev.class = (uint32_t)v;
	}
	return true;
}

/* The last component of a link in the function's directory; length, or -1. */
static ssize_t link_name_at(int dirfd, const char *name, char *out, size_t cap)
{
	char link[512];
	ssize_t n = readlinkat(dirfd, name, link, sizeof(link));
	const char *base;
	size_t len;

	if (n <= 0 || (size_t)n == sizeof(link))
		return -1;
	base = memrchr(link, '/', (size_t)n);
	base = base ? base + 1 : link;
	len = (size_t)(link + n - base);
	if (!len || len >= cap)
		return -1;
	memcpy(out, base, len);
	out[len] = 0;
	return (ssize_t)len;
}

static void read_links(struct reading *in, int dirfd)
{
	char name[64];
	ssize_t n = link_name_at(dirfd, "iommu_group", name, sizeof(name));
	uint64_t v;

	in->dev.group = PCI_NO_GROUP;
	if (n > 0 && str_u64((struct str){name, (size_t)n}, INT32_MAX, &v))
		in->dev.group = (int)v;
	if (!in->has_driver && link_name_at(dirfd, "driver", in->driver, sizeof(in->driver)) < 0)
		in->driver[0] = 0;
}

static void read_pf(struct reading *in, int dirfd)
{
	char name[64];
	ssize_t n = link_name_at(dirfd, "physfn", name, sizeof(name));

	in->dev.is_vf = n > 0 && pci_addr_parse((struct str){name, (size_t)n}, &in->dev.pf);
}

static void read_numa(struct reading *in, int dirfd)
{
	char text[32];
	ssize_t n = read_at(dirfd, "numa_node", text, sizeof(text));
	uint64_t v;

	if (n > 0 && str_u64((struct str){text, (size_t)n}, INT32_MAX, &v))
		in->dev.numa = (int)v;
}

static bool read_function(struct reading *in, const struct root *r, struct pci_addr a)
{
	char path[sizeof(DEVICES) + PCI_ADDR_CAP];
	CLEANUP_CLOSE int dirfd = -1;

	*in = (struct reading){.dev.addr = a};
	pci_addr_format(a, in->dev.name);
	memcpy(path, DEVICES "/", sizeof(DEVICES));
	memcpy(path + sizeof(DEVICES), in->dev.name, sizeof(in->dev.name));
	dirfd = root_open(r, path, O_PATH | O_DIRECTORY, 0);
	if (dirfd < 0)
		return false;
	read_uevent(in, dirfd);
	if (!(in->has_ids && in->has_class) && !read_attributes(in, dirfd))
		return false;
	read_links(in, dirfd);
	in->dev.numa = PCI_NO_NODE;
	if (pci_is_bridge(&in->dev)) /* never listed: what is not needed of it is not read */
		return true;
	read_pf(in, dirfd);
	read_numa(in, dirfd);
	return true;
}

/* A part of the functions, for one thread. */
struct share {
	const struct root *root;
	const struct pci_addr *addr;
	struct reading *in;
	size_t n;
};

static void *read_share(void *arg)
{
	const struct share *s = arg;

	for (size_t i = 0; i < s->n; i++)
		s->in[i].there = read_function(&s->in[i], s->root, s->addr[i]);
	return NULL;
}

/* Nearly all of a scan is the kernel finding files, so a large one is shared by two threads. */
static void read_all(
	const struct root *r, const struct pci_addr *addr, struct reading *in, size_t n)
{
	size_t half = n >= SHARED_FROM ? n / 2 : 0;
	struct share first = {r, addr, in, half}, rest = {r, addr + half, in + half, n - half};
	pthread_t thread;
	bool shared = half && pthread_create(&thread, NULL, read_share, &first) == 0;

	read_share(&rest);
	if (shared)
		pthread_join(thread, NULL);
	else
		read_share(&first);
}

/* Few names serve thousands of functions. */
static const char *intern(struct pci_inventory *inv, const char *driver)
{
	for (size_t i = inv->n, look = 0; i-- > 0 && look < 8; look++)
		if (!strcmp(inv->dev[i].driver, driver))
			return inv->dev[i].driver;
	return arena_dup(&inv->mem, driver, strlen(driver));
}

static void take(struct pci_inventory *inv, const struct reading *in, size_t n)
{
	inv->dev = mem_alloc(n * sizeof(*inv->dev));
	for (size_t i = 0; i < n; i++) {
		struct pci_dev *d = &inv->dev[inv->n];

		if (!in[i].there)
			continue;
		*d = in[i].dev;
		d->driver = in[i].driver[0] ? intern(inv, in[i].driver) : "";
		inv->n++;
	}
}

static void count_vfs(struct pci_inventory *inv)
{
	for (size_t i = 0; i < inv->n; i++) {
		const struct pci_dev *pf;

		if (!inv->dev[i].is_vf)
			continue;
		pf = pci_find(inv, inv->dev[i].pf);
		if (pf)
			inv->dev[pf - inv->dev].vfs++;
	}
}

static int by_address(const void *a, const void *b)
{
	const struct pci_addr *x = a, *y = b;

	return pci_addr_cmp(*x, *y);
}

/* The addresses that have an entry, sorted; names that the kernel does not give are passed over. */
static int list_addresses(const struct root *r, struct pci_addr **out, size_t *n, struct err *e)
{
	DIR *dir = root_opendir(r, DEVICES);
	struct dirent *entry;
	size_t cap = 0;
	int no;

	if (!dir)
		return err_sys(e, "read /" DEVICES);
	for (errno = 0; (entry = readdir(dir)); errno = 0) {
		char canonical[PCI_ADDR_CAP];
		struct pci_addr a;

		if (!pci_addr_parse(str_of(entry->d_name), &a) ||
			strcmp(pci_addr_format(a, canonical), entry->d_name) != 0)
			continue;
		if (*n == cap) {
			cap = cap ? cap * 2 : 128;
			*out = mem_resize(*out, cap * sizeof(**out));
		}
		(*out)[(*n)++] = a;
	}
	no = errno;
	closedir(dir);
	errno = no;
	if (no)
		return err_sys(e, "read /" DEVICES);
	if (*n)
		qsort(*out, *n, sizeof(**out), by_address);
	return 0;
}

int pci_scan(struct pci_inventory *inv, const struct root *r, struct err *e)
{
	CLEANUP_FREE struct pci_addr *addr = NULL;
	CLEANUP_FREE struct reading *in = NULL;
	size_t n = 0;

	*inv = (struct pci_inventory){0};
	if (list_addresses(r, &addr, &n, e) < 0)
		return err_hint(e, "is sysfs mounted below the root?");
	in = mem_alloc(n * sizeof(*in));
	read_all(r, addr, in, n);
	take(inv, in, n);
	count_vfs(inv);
	return 0;
}

void pci_inventory_free(struct pci_inventory *inv)
{
	free(inv->dev);
	arena_free(&inv->mem);
	*inv = (struct pci_inventory){0};
}

bool pci_is_user_driver(const char *driver)
{
	return strstr(driver, "vfio") || strstr(driver, "uio_") || strstr(driver, "_uio");
}

const struct pci_dev *pci_find(const struct pci_inventory *inv, struct pci_addr a)
{
	size_t low = 0, high = inv->n;

	while (low < high) {
		size_t mid = low + (high - low) / 2;
		int c = pci_addr_cmp(inv->dev[mid].addr, a);

		if (c == 0)
			return &inv->dev[mid];
		if (c < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return NULL;
}

int pci_by_group(const void *a, const void *b)
{
	const struct pci_dev *x = *(const struct pci_dev *const *)a;
	const struct pci_dev *y = *(const struct pci_dev *const *)b;

	if (x->group != y->group)
		return x->group < y->group ? -1 : 1;
	return pci_addr_cmp(x->addr, y->addr);
}
