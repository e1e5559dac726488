// SPDX-License-Identifier: GPL-2.0-or-later
// Look-ups in the table of names. Every offset is checked, whatever the table's bytes are.
#include "ids/ids.h"

#include "ids/ids_table.h"
#include "ids/ids_text.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

static const struct str unknown = {NULL, 0};

extern const unsigned char ids_table_start[] __attribute__((visibility("hidden")));
extern const unsigned char ids_table_end[] __attribute__((visibility("hidden")));

void ids_builtin(struct ids *ids)
{
	*ids = (struct ids){
		.table = ids_table_start, .size = (size_t)(ids_table_end - ids_table_start)};
}

enum { SLURP_STEP = 65536 };

static int slurp(const char *path, struct buf *text, struct err *e)
{
	CLEANUP_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC);
	char *room;
	ssize_t n;

	if (fd < 0)
		return err_sys(e, "open %s", path);
	while ((room = buf_room(text, SLURP_STEP))) {
		n = read(fd, room, SLURP_STEP);
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
	CLEANUP_BUF struct buf text = {.max = IDS_MAX_TEXT + SLURP_STEP};
	struct buf table = {0};
	struct ids_text names = {0};
	int rc;

	if (slurp(path, &text, e) < 0)
		return -1;
	rc = ids_text_add(&names, text.p, text.len, false, e);
	if (rc == 0)
		rc = ids_text_table(&names, NULL, 0, &table, e);
	ids_text_free(&names);
	if (rc < 0)
		return err_wrap(e, "%s", path);
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

static bool has_header(const struct ids *ids)
{
	return ids->size >= IDS_HEADER + IDS_KINDS * IDS_KIND_SIZE &&
	       ids_get32(ids->table) == IDS_MAGIC;
}

static bool part_of(const struct ids *ids, enum ids_kind kind, struct part *out)
{
	const unsigned char *p;
	uint32_t at, below;

	if (!has_header(ids))
		return false;
	p = ids->table + IDS_HEADER + kind * IDS_KIND_SIZE;
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

/* Binary search of records that begin with their id. */
static const unsigned char *search(
	const unsigned char *first, uint32_t n, unsigned size, unsigned id)
{
	uint32_t low = 0, high = n;

	while (low < high) {
		uint32_t mid = low + (high - low) / 2;
		unsigned at = ids_get16(first + (size_t)mid * size);

		if (at == id)
			return first + (size_t)mid * size;
		if (at < id)
			low = mid + 1;
		else
			high = mid;
	}
	return NULL;
}

/* The texts, and the name that is being spelled out. */
struct speller {
	const unsigned char *word, *text;
	uint32_t words;
	size_t size; /* of the texts */
	struct ids_name *room;
	size_t n;
};

static bool speller_init(struct speller *s, const struct ids *ids, struct ids_name *room)
{
	uint32_t words = ids_get32(ids->table + 8), text = ids_get32(ids->table + 16);

	*s = (struct speller){.words = ids_get32(ids->table + 12), .room = room};
	if (!fits(ids, words, s->words, IDS_WORD_SIZE) || text > ids->size)
		return false;
	s->word = ids->table + words;
	s->text = ids->table + text;
	s->size = ids->size - text;
	return true;
}

static bool spell(struct speller *s, unsigned char c)
{
	if (s->n == sizeof(s->room->text))
		return false;
	s->room->text[s->n++] = (char)c;
	return true;
}

static bool spell_word(struct speller *s, uint32_t number)
{
	size_t at;

	if (number >= s->words)
		return false;
	for (at = ids_get24(s->word + (size_t)number * IDS_WORD_SIZE); at < s->size && s->text[at];
		at++)
		if (!spell(s, s->text[at]))
			return false;
	return at < s->size;
}

static bool spell_name(struct speller *s, size_t at)
{
	for (; at < s->size && s->text[at]; at++) {
		unsigned char c = s->text[at];
		bool coded = c >= IDS_WORD_CODE || c == IDS_LITERAL_CODE;

		if (coded && ++at == s->size)
			return false;
		if (c >= IDS_WORD_CODE ? !spell_word(s, (c & 0x7fU) << 8 | s->text[at])
				       : !spell(s, s->text[at]))
			return false;
	}
	return at < s->size;
}

/* Of a parent's or a child's record. */
static struct str name_of(const struct ids *ids, const unsigned char *record, struct ids_name *room)
{
	struct speller s;

	if (!record || !speller_init(&s, ids, room) || !spell_name(&s, ids_get24(record + 2)))
		return unknown;
	return s.n ? (struct str){room->text, s.n} : unknown;
}

static struct str parent_name(
	const struct ids *ids, enum ids_kind kind, unsigned id, struct ids_name *room)
{
	struct part p;

	if (!part_of(ids, kind, &p))
		return unknown;
	return name_of(ids, search(p.parent, p.parents, IDS_PARENT_SIZE, id), room);
}

static struct str child_name(const struct ids *ids, enum ids_kind kind, unsigned parent,
	unsigned id, struct ids_name *room)
{
	struct part p;
	const unsigned char *record;
	uint32_t first, end;

	if (!part_of(ids, kind, &p))
		return unknown;
	record = search(p.parent, p.parents, IDS_PARENT_SIZE, parent);
	if (!record)
		return unknown;
	first = ids_get24(record + 5);
	end = ids_get24(record + IDS_PARENT_SIZE + 5);
	if (first > end || end > p.children)
		return unknown;
	record = search(p.child + (size_t)first * IDS_CHILD_SIZE, end - first, IDS_CHILD_SIZE, id);
	return name_of(ids, record, room);
}

struct str ids_pci_vendor(const struct ids *ids, uint16_t vendor, struct ids_name *room)
{
	return parent_name(ids, IDS_PCI_VENDORS, vendor, room);
}

struct str ids_pci_device(
	const struct ids *ids, uint16_t vendor, uint16_t device, struct ids_name *room)
{
	return child_name(ids, IDS_PCI_VENDORS, vendor, device, room);
}

struct str ids_pci_class(const struct ids *ids, uint8_t class, struct ids_name *room)
{
	return parent_name(ids, IDS_PCI_CLASSES, class, room);
}

struct str ids_pci_subclass(
	const struct ids *ids, uint8_t class, uint8_t subclass, struct ids_name *room)
{
	return child_name(ids, IDS_PCI_CLASSES, class, subclass, room);
}

struct str ids_usb_vendor(const struct ids *ids, uint16_t vendor, struct ids_name *room)
{
	return parent_name(ids, IDS_USB_VENDORS, vendor, room);
}

struct str ids_usb_product(
	const struct ids *ids, uint16_t vendor, uint16_t product, struct ids_name *room)
{
	return child_name(ids, IDS_USB_VENDORS, vendor, product, room);
}

struct str ids_usb_class(const struct ids *ids, uint8_t class, struct ids_name *room)
{
	return parent_name(ids, IDS_USB_CLASSES, class, room);
}

/* The i-th child of a kind: its own id, and that of the last parent whose first child is not
 * behind it. */
static bool child_at(
	const struct ids *ids, enum ids_kind kind, size_t i, uint16_t *parent, uint16_t *child)
{
	struct part p;
	uint32_t low = 0, high;

	if (!part_of(ids, kind, &p) || i >= p.children)
		return false;
	high = p.parents;
	while (high - low > 1) {
		uint32_t mid = low + (high - low) / 2;

		if (ids_get24(p.parent + (size_t)mid * IDS_PARENT_SIZE + 5) <= i)
			low = mid;
		else
			high = mid;
	}
	*parent = ids_get16(p.parent + (size_t)low * IDS_PARENT_SIZE);
	*child = ids_get16(p.child + i * IDS_CHILD_SIZE);
	return true;
}

bool ids_pci_device_at(const struct ids *ids, size_t i, uint16_t *vendor, uint16_t *device)
{
	return child_at(ids, IDS_PCI_VENDORS, i, vendor, device);
}

bool ids_usb_product_at(const struct ids *ids, size_t i, uint16_t *vendor, uint16_t *product)
{
	return child_at(ids, IDS_USB_VENDORS, i, vendor, product);
}
