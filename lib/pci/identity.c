// SPDX-License-Identifier: GPL-2.0-or-later
// What a function is known by.
#include "pci/identity.h"

#include "pci/caps.h"

#include <errno.h>
#include <stdio.h>

enum { PATH_CAP = 512 };

static const char *attribute(char path[static PATH_CAP], const struct pci_dev *d, const char *name)
{
	snprintf(path, PATH_CAP, "sys/bus/pci/devices/%s/%s", d->name, name);
	return path;
}

static bool read_number(const struct root *r, const char *address, const char *name, uint64_t *out)
{
	char path[PATH_CAP], text[32];
	ssize_t n;

	snprintf(path, sizeof(path), "sys/bus/pci/devices/%s/%s", address, name);
	n = root_read(r, path, text, sizeof(text));
	return n > 0 && str_u64((struct str){text, (size_t)n}, UINT16_MAX, out);
}

/* One component of the way: of a function its device and function number, else as it is. */
static void add_component(struct buf *out, struct str part)
{
	struct pci_addr a;

	if (out->len)
		buf_char(out, '/');
	if (pci_addr_parse(part, &a))
		buf_printf(out, "%02x.%x", a.dev, a.fn);
	else
		buf_add(out, part.p, part.n);
}

/* "../../../devices/pci0000:00/0000:00:01.1/0000:01:00.0": what follows "devices/". */
static void path_of(const struct root *r, const char *address, struct buf *out)
{
	char path[PATH_CAP], link[PATH_CAP];
	struct str rest, part;
	bool below = false;
	ssize_t n;

	snprintf(path, sizeof(path), "sys/bus/pci/devices/%s", address);
	n = root_readlink(r, path, link, sizeof(link));
	if (n <= 0)
		return;
	rest = str_of(link);
	while (rest.n && str_cut(&rest, '/', &part)) {
		if (below)
			add_component(out, part);
		else
			below = str_is(part, "devices");
	}
}

/* The number of a VF (PCI Express Base Specification 9.2.1.2): its routing id is that of the PF,
 * the offset, and a stride for each before it. */
static bool vf_number(const struct root *r, const struct pci_dev *d, unsigned *out)
{
	char pf[PCI_ADDR_CAP];
	uint64_t offset, stride;
	int64_t from;

	pci_addr_format(d->pf, pf);
	if (!read_number(r, pf, "sriov_offset", &offset) ||
		!read_number(r, pf, "sriov_stride", &stride) || !stride)
		return false;
	from = (d->addr.bus << 8 | d->addr.dev << 3 | d->addr.fn) -
	       (d->pf.bus << 8 | d->pf.dev << 3 | d->pf.fn) - (int64_t)offset;
	if (from < 0 || from % (int64_t)stride)
		return false;
	*out = (unsigned)(from / (int64_t)stride);
	return true;
}

const char *identity_slot(const struct root *r, const struct pci_dev *d, struct arena *mem)
{
	CLEANUP_BUF struct buf out = {0};
	char pf[PCI_ADDR_CAP];
	unsigned number;

	if (!d->is_vf) {
		path_of(r, d->name, &out);
	} else if (vf_number(r, d, &number)) {
		path_of(r, pci_addr_format(d->pf, pf), &out);
		if (out.len)
			buf_printf(&out, "/vf%u", number);
	}
	return out.len ? arena_dup(mem, out.p, out.len) : "";
}

/* The first entry of a directory that starts with `prefix`, or "". */
static void first_entry(
	const struct root *r, const char *path, const char *prefix, char *out, size_t cap)
{
	DIR *dir = root_opendir(r, path);
	struct dirent *entry;

	out[0] = 0;
	while (dir && !out[0] && (entry = readdir(dir)))
		if (entry->d_name[0] != '.' && str_starts(str_of(entry->d_name), prefix) &&
			strlen(entry->d_name) < cap)
			memcpy(out, entry->d_name, strlen(entry->d_name) + 1);
	if (dir)
		closedir(dir);
}

static const char *read_text(const struct root *r, const char *path, struct arena *mem)
{
	char text[128];
	ssize_t n = root_read(r, path, text, sizeof(text));

	while (n > 0 && text[n - 1] == ' ')
		n--;
	return n > 0 ? arena_dup(mem, text, (size_t)n) : "";
}

/* Documentation/ABI/testing/sysfs-class-nvme: nvme/nvmeN/serial, padded with blanks. */
static const char *nvme_serial(const struct root *r, const struct pci_dev *d, struct arena *mem)
{
	char path[PATH_CAP], name[32];

	if (pci_class_id(d) != 0x0108)
		return "";
	first_entry(r, attribute(path, d, "nvme"), "nvme", name, sizeof(name));
	if (!name[0])
		return "";
	snprintf(path, sizeof(path), "sys/bus/pci/devices/%s/nvme/%s/serial", d->name, name);
	return read_text(r, path, mem);
}

/* The address is the card's own when addr_assign_type is NET_ADDR_PERM (0; Documentation/ABI/
 * testing/sysfs-class-net). */
static const char *permanent_mac(const struct root *r, const struct pci_dev *d, struct arena *mem)
{
	char path[PATH_CAP], name[32];

	if (d->class >> 16 != 0x02 || d->is_vf)
		return "";
	first_entry(r, attribute(path, d, "net"), "", name, sizeof(name));
	if (!name[0])
		return "";
	snprintf(path, sizeof(path), "sys/bus/pci/devices/%s/net/%s/addr_assign_type", d->name,
		name);
	if (strcmp(read_text(r, path, mem), "0") != 0)
		return "";
	snprintf(path, sizeof(path), "sys/bus/pci/devices/%s/net/%s/address", d->name, name);
	return read_text(r, path, mem);
}

void identity_read(
	const struct pci_node *n, const struct pci_dev *d, struct arena *mem, struct identity *out)
{
	const struct root *r = n->root;
	char dsn[PCI_SERIAL_CAP];

	*out = (struct identity){.vendor = d->vendor,
		.device = d->device,
		.subvendor = d->subvendor,
		.subdevice = d->subdevice,
		.fn = d->addr.fn,
		.dsn = "",
		.nvme = nvme_serial(r, d, mem),
		.mac = permanent_mac(r, d, mem),
		.slot = identity_slot(r, d, mem)};
	if (pci_serial(n, d->addr, dsn))
		out->dsn = arena_dup(mem, dsn, strlen(dsn));
}

static bool both(const char *x, const char *y)
{
	return x[0] && y[0];
}

enum identity_match identity_compare(const struct identity *x, const struct identity *y)
{
	const char *const pairs[][2] = {{x->dsn, y->dsn}, {x->nvme, y->nvme}, {x->mac, y->mac}};
	bool serial = false;

	if (x->vendor != y->vendor || x->device != y->device || x->subvendor != y->subvendor ||
		x->subdevice != y->subdevice)
		return IDENTITY_OTHER;
	for (size_t i = 0; i < ARRAY_LEN(pairs); i++) {
		if (!both(pairs[i][0], pairs[i][1]))
			continue;
		if (strcmp(pairs[i][0], pairs[i][1]) != 0)
			return IDENTITY_OTHER;
		serial = true;
	}
	if (serial)
		return x->fn == y->fn ? IDENTITY_SERIAL : IDENTITY_OTHER;
	if (both(x->slot, y->slot) && !strcmp(x->slot, y->slot))
		return IDENTITY_SLOT;
	return IDENTITY_MODEL;
}

const char *identity_text(const struct identity *i, struct arena *mem)
{
	const char *serial = i->dsn[0] ? i->dsn : i->nvme;

	if (serial[0])
		return arena_printf(mem, "serial number %s", serial);
	if (i->mac[0])
		return arena_printf(mem, "MAC address %s", i->mac);
	return i->slot[0] ? arena_printf(mem, "slot %s", i->slot) : "no serial number";
}
