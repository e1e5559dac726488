// SPDX-License-Identifier: GPL-2.0-or-later
// The names that the cluster sees.
#include "ids/names.h"

#define SOCKET_DIR "/var/lib/kubelet/device-plugins/kubevirt-/"
#define TOP_DOMAIN ".com"
#define UNKNOWN_VENDOR "vendor"
enum { SOCKET_PATH_MAX = 108, DOMAIN_MAX = 253 /* RFC 1123, as Kubernetes checks it */ };

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

/* The first "[x]" of the name, x not empty. */
static bool in_brackets(struct str name, struct str *x)
{
	struct str before, rest = name;

	while (str_cut(&rest, '[', &before) && rest.p) {
		struct str after = rest;

		if (str_cut(&after, ']', x) && after.p && x->n)
			return true;
	}
	return false;
}

/* "Advanced Micro Devices, Inc. [AMD/ATI]" gives AMD; "Intel Corporation" gives Intel. */
static struct str short_vendor(struct str name)
{
	struct str x, word;

	if (in_brackets(name, &x))
		str_cut(&x, '/', &word);
	else
		str_word(&name, &word);
	return word;
}

static void add_vendor(struct buf *out, struct str name)
{
	struct str word = short_vendor(name);
	size_t start = out->len, n;

	for (size_t i = 0; i < word.n; i++)
		if (is_alnum(word.p[i]))
			buf_char(out, lower(word.p[i]));
	n = out->len - start;
	if (!n || n + sizeof(TOP_DOMAIN) - 1 > DOMAIN_MAX) {
		out->len = start;
		buf_str(out, UNKNOWN_VENDOR);
	}
	buf_str(out, TOP_DOMAIN);
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
	struct ids_name room;
	size_t start = out->len, vendor_len, product;

	add_vendor(out, ids_pci_vendor(ids, vendor, &room));
	vendor_len = out->len - start;
	buf_char(out, '/');
	product = out->len;
	add_product(out, ids_pci_device(ids, vendor, device, &room));
	if (too_long(vendor_len, out->len - product))
		shorten(out, product);
	if (too_long(vendor_len, out->len - product))
		out->len = product;
	if (out->len > product && out->p[product] == '_')
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
	uint8_t base = (uint8_t)(class >> 8), sub = (uint8_t)(class & 0xff);
	struct ids_name room;
	struct str name = ids_pci_subclass(ids, base, sub, &room);

	if (!name.p)
		name = ids_pci_class(ids, base, &room);
	add_known(out, name, "Class", class);
	buf_str(out, ": ");
	add_known(out, ids_pci_vendor(ids, vendor, &room), "Vendor", vendor);
	buf_char(out, ' ');
	add_known(out, ids_pci_device(ids, vendor, device, &room), "Device", device);
}
