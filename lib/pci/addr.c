// SPDX-License-Identifier: GPL-2.0-or-later
// PCI addresses.
#include "pci/addr.h"

#include <stdio.h>

static bool field(struct str s, size_t min, size_t max, uint64_t top, uint64_t *v)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] == 'x' || s.p[i] == 'X')
			return false;
	return s.n >= min && s.n <= max && str_hex(s, top, v);
}

bool pci_addr_parse(struct str s, struct pci_addr *out)
{
	struct str domain, bus, dev;
	uint64_t v[4];

	if (!str_cut(&s, ':', &domain) || !str_cut(&s, ':', &bus) || !str_cut(&s, '.', &dev) ||
		!s.p)
		return false;
	if (!field(domain, 4, 8, UINT32_MAX, &v[0]) || !field(bus, 2, 2, 0xff, &v[1]) ||
		!field(dev, 2, 2, 0x1f, &v[2]) || !field(s, 1, 1, 7, &v[3]))
		return false;
	*out = (struct pci_addr){(uint32_t)v[0], (uint8_t)v[1], (uint8_t)v[2], (uint8_t)v[3]};
	return true;
}

bool pci_addr_parse_short(struct str s, struct pci_addr *out)
{
	char full[PCI_ADDR_CAP];

	if (pci_addr_parse(s, out))
		return true;
	if (s.n != 7)
		return false;
	snprintf(full, sizeof(full), "0000:%.*s", STR_ARG(s));
	return pci_addr_parse(str_of(full), out);
}

static char *put_hex(char *at, uint32_t v, unsigned digits)
{
	for (unsigned i = digits; i-- > 0;)
		*at++ = "0123456789abcdef"[v >> (4 * i) & 0xf];
	return at;
}

/* By hand: thousands of these make up much of a list. */
const char *pci_addr_format(struct pci_addr a, char out[static PCI_ADDR_CAP])
{
	unsigned digits = 4;
	char *at;

	while (digits < 8 && a.domain >> (4 * digits))
		digits++;
	at = put_hex(out, a.domain, digits);
	*at++ = ':';
	at = put_hex(at, a.bus, 2);
	*at++ = ':';
	at = put_hex(at, a.dev & 0x1fu, 2);
	*at++ = '.';
	at = put_hex(at, a.fn & 7u, 1);
	*at = 0;
	return out;
}

int pci_addr_cmp(struct pci_addr a, struct pci_addr b)
{
	uint64_t x = (uint64_t)a.domain << 16 | (uint64_t)a.bus << 8 | (uint64_t)a.dev << 3 | a.fn;
	uint64_t y = (uint64_t)b.domain << 16 | (uint64_t)b.bus << 8 | (uint64_t)b.dev << 3 | b.fn;

	return x < y ? -1 : x > y;
}
