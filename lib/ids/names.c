// SPDX-License-Identifier: GPL-2.0-or-later
// The names that the cluster sees.
#include "ids/names.h"

#define SOCKET_DIR "/var/lib/kubelet/device-plugins/kubevirt-/"
enum { SOCKET_PATH_MAX = 108 };

static bool is_alnum(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

static char upper(char c)
{
	return c >= 'a' && c <= 'z' ? (char)(c - 'a' + 'A') : c;
}

static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static bool is_space(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

/* "Advanced Micro Devices, Inc. [AMD/ATI]" gives AMD; "Intel Corporation" gives Intel. */
static struct str short_vendor(struct str name)
{
	const char *open = name.n ? memchr(name.p, '[', name.n) : NULL, *close;
	struct str word;

	if (open) {
		struct str rest = {open + 1, (size_t)(name.p + name.n - open - 1)};

		close = rest.n ? memchr(rest.p, ']', rest.n) : NULL;
		if (close) {
			rest.n = (size_t)(close - rest.p);
			if (rest.n && str_cut(&rest, '/', &word))
				return word;
		}
	}
	str_word(&name, &word);
	return word;
}

static void add_vendor(struct buf *out, struct str name)
{
	struct str word = short_vendor(name);

	for (size_t i = 0; i < word.n; i++)
		if (is_alnum(word.p[i]))
			buf_char(out, lower(word.p[i]));
	buf_str(out, ".com");
}

static void add_product(struct buf *out, struct str name)
{
	size_t start = out->len;

	name = str_trim(name);
	for (size_t i = 0; i < name.n; i++) {
		char c = name.p[i];

		if (is_space(c)) {
			if (!is_space(name.p[i - 1]))
				buf_char(out, '_');
		} else if (c == '/' || c == '.') {
			buf_char(out, '_');
		} else if (is_alnum(c) || c == '_') {
			buf_char(out, upper(c));
		}
	}
	while (out->len > start && out->p[out->len - 1] == '_')
		out->len--;
}

static bool too_long(size_t vendor, size_t product)
{
	return sizeof(SOCKET_DIR) - 1 + vendor + 1 + product + sizeof(".sock") - 1 >
	       SOCKET_PATH_MAX;
}

/* VIRTUAL_FUNCTION becomes VF, everywhere. */
static void shorten(struct buf *name, size_t start)
{
	static const char word[] = "VIRTUAL_FUNCTION";
	size_t n = sizeof(word) - 1;

	for (size_t i = start; i + n <= name->len; i++) {
		if (memcmp(name->p + i, word, n) != 0)
			continue;
		memcpy(name->p + i, "VF", 2);
		memmove(name->p + i + 2, name->p + i + n, name->len - i - n);
		name->len -= n - 2;
	}
}

void pci_resource_name(struct buf *out, const struct ids *ids, uint16_t vendor, uint16_t device)
{
	struct str vendor_name = ids_pci_vendor(ids, vendor);
	size_t start = out->len, vendor_len, product;

	add_vendor(out, vendor_name.p ? vendor_name : STR("Vendor"));
	vendor_len = out->len - start;
	buf_char(out, '/');
	product = out->len;
	add_product(out, ids_pci_device(ids, vendor, device));
	if (too_long(vendor_len, out->len - product))
		shorten(out, product);
	if (too_long(vendor_len, out->len - product))
		out->len = product;
	if (out->len == product)
		buf_printf(out, "%04x", device);
}

static void add_known(struct buf *out, struct str name, const char *kind, unsigned id)
{
	if (name.p)
		buf_add(out, name.p, name.n);
	else
		buf_printf(out, "%s %04x", kind, id);
}

void pci_description(
	struct buf *out, const struct ids *ids, uint16_t class, uint16_t vendor, uint16_t device)
{
	struct str name = ids_pci_subclass(ids, (uint8_t)(class >> 8), (uint8_t)(class & 0xff));

	if (!name.p)
		name = ids_pci_class(ids, (uint8_t)(class >> 8));
	add_known(out, name, "Class", class);
	buf_str(out, ": ");
	add_known(out, ids_pci_vendor(ids, vendor), "Vendor", vendor);
	buf_char(out, ' ');
	add_known(out, ids_pci_device(ids, vendor, device), "Device", device);
}
