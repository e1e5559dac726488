// SPDX-License-Identifier: GPL-2.0-or-later
// Look-ups in the table of names. Every offset is checked: a damaged table knows nothing.
#include "ids/ids.h"

#include "ids/ids_table.h"
#include "ids/ids_text.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

extern const unsigned char ids_table_start[] __attribute__((visibility("hidden")));
extern const unsigned char ids_table_end[] __attribute__((visibility("hidden")));

void ids_builtin(struct ids *ids)
{
	*ids = (struct ids){
		.table = ids_table_start, .size = (size_t)(ids_table_end - ids_table_start)};
}

static int slurp(const char *path, struct buf *text, struct err *e)
{
	CLEANUP_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC);
	char *room;
	ssize_t n;

	if (fd < 0)
		return err_sys(e, "open %s", path);
	while ((room = buf_room(text, 65536))) {
		n = read(fd, room, 65536);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_sys(e, "read %s", path);
		if (n == 0)
			return 0;
		text->len += (size_t)n;
	}
	return err_set(e, "%s: over 16 MiB", path);
}

int ids_load(struct ids *ids, const char *path, struct err *e)
{
	CLEANUP_BUF struct buf text = {.max = IDS_MAX_TEXT};
	struct buf table = {0};
	struct ids_text names = {0};

	if (slurp(path, &text, e) < 0)
		return -1;
	if (ids_text_add(&names, text.p ? text.p : "", text.len, false, e) < 0) {
		ids_text_free(&names);
		return err_wrap(e, "%s", path);
	}
	ids_text_table(&names, &table);
	ids_text_free(&names);
	*ids = (struct ids){.table = (unsigned char *)table.p, .size = table.len, .heap = table.p};
	return 0;
}

void ids_free(struct ids *ids)
{
	free(ids->heap);
	*ids = (struct ids){0};
}

/* One kind's part of the table. */
struct part {
	const unsigned char *parent, *child;
	uint32_t parents, children;
};

static bool fits(const struct ids *ids, uint32_t at, uint64_t count, unsigned size)
{
	return at <= ids->size && count * size <= ids->size - at;
}

static bool part_of(const struct ids *ids, enum ids_kind kind, struct part *out)
{
	const unsigned char *p = ids->table;
	uint32_t at, below;

	if (ids->size < IDS_HEADER + IDS_KINDS * IDS_KIND_SIZE || ids_get32(p) != IDS_MAGIC)
		return false;
	p += IDS_HEADER + kind * IDS_KIND_SIZE;
	at = ids_get32(p);
	out->parents = ids_get32(p + 4);
	below = ids_get32(p + 8);
	out->children = ids_get32(p + 12);
	if (!fits(ids, at, (uint64_t)out->parents + 1, IDS_PARENT_SIZE) ||
		!fits(ids, below, out->children, IDS_CHILD_SIZE))
		return false;
	out->parent = ids->table + at;
	out->child = ids->table + below;
	return true;
}

/* Binary search of records that have their id at offset 4. */
static const unsigned char *search(
	const unsigned char *first, uint32_t n, unsigned size, unsigned id)
{
	uint32_t low = 0, high = n;

	while (low < high) {
		uint32_t mid = low + (high - low) / 2;
		unsigned at = ids_get16(first + (size_t)mid * size + 4);

		if (at == id)
			return first + (size_t)mid * size;
		if (at < id)
			low = mid + 1;
		else
			high = mid;
	}
	return NULL;
}

static struct str name_of(const struct ids *ids, const unsigned char *record)
{
	uint32_t at;
	size_t n;

	if (!record)
		return (struct str){NULL, 0};
	at = ids_get32(record);
	n = ids_get16(record + 6);
	if (at > ids->size || n > ids->size - at)
		return (struct str){NULL, 0};
	return (struct str){(const char *)ids->table + at, n};
}

static struct str parent_name(const struct ids *ids, enum ids_kind kind, unsigned id)
{
	struct part p;

	if (!part_of(ids, kind, &p))
		return (struct str){NULL, 0};
	return name_of(ids, search(p.parent, p.parents, IDS_PARENT_SIZE, id));
}

static struct str child_name(
	const struct ids *ids, enum ids_kind kind, unsigned parent, unsigned id)
{
	struct part p;
	const unsigned char *record;
	uint32_t first, end;

	if (!part_of(ids, kind, &p))
		return (struct str){NULL, 0};
	record = search(p.parent, p.parents, IDS_PARENT_SIZE, parent);
	if (!record)
		return (struct str){NULL, 0};
	first = ids_get32(record + 8);
	end = ids_get32(record + IDS_PARENT_SIZE + 8);
	if (first > end || end > p.children)
		return (struct str){NULL, 0};
	return name_of(ids,
		search(p.child + (size_t)first * IDS_CHILD_SIZE, end - first, IDS_CHILD_SIZE, id));
}

struct str ids_pci_vendor(const struct ids *ids, uint16_t vendor)
{
	return parent_name(ids, IDS_PCI_VENDORS, vendor);
}

struct str ids_pci_device(const struct ids *ids, uint16_t vendor, uint16_t device)
{
	return child_name(ids, IDS_PCI_VENDORS, vendor, device);
}

struct str ids_pci_class(const struct ids *ids, uint8_t class)
{
	return parent_name(ids, IDS_PCI_CLASSES, class);
}

struct str ids_pci_subclass(const struct ids *ids, uint8_t class, uint8_t subclass)
{
	return child_name(ids, IDS_PCI_CLASSES, class, subclass);
}

struct str ids_usb_vendor(const struct ids *ids, uint16_t vendor)
{
	return parent_name(ids, IDS_USB_VENDORS, vendor);
}

struct str ids_usb_product(const struct ids *ids, uint16_t vendor, uint16_t product)
{
	return child_name(ids, IDS_USB_VENDORS, vendor, product);
}

struct str ids_usb_class(const struct ids *ids, uint8_t class)
{
	return parent_name(ids, IDS_USB_CLASSES, class);
}

bool ids_pci_device_at(const struct ids *ids, size_t i, uint16_t *vendor, uint16_t *device)
{
	struct part p;
	uint32_t low = 0, high;

	if (!part_of(ids, IDS_PCI_VENDORS, &p) || i >= p.children)
		return false;
	high = p.parents;
	while (high - low > 1) {
		uint32_t mid = low + (high - low) / 2;

		if (ids_get32(p.parent + (size_t)mid * IDS_PARENT_SIZE + 8) <= i)
			low = mid;
		else
			high = mid;
	}
	*vendor = ids_get16(p.parent + (size_t)low * IDS_PARENT_SIZE + 4);
	*device = ids_get16(p.child + i * IDS_CHILD_SIZE + 4);
	return true;
}
