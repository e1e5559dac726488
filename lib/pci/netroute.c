// SPDX-License-Identifier: GPL-2.0-or-later
// The kernel's text tables of routes and addresses.
#include "pci/netroute.h"

enum { RTF_REJECTED = 0x200, SCOPE_LINK = 0x20, SCOPE_HOST = 0x10 }; /* linux/route.h, ipv6.h */

static void *grow(void *items, size_t n, size_t *cap, size_t size)
{
	if (n < *cap)
		return items;
	*cap = *cap ? *cap * 2 : 32;
	return mem_resize(items, *cap * size);
}

static bool device_name(struct str s, char out[NET_NAME_CAP])
{
	if (!s.n || s.n >= NET_NAME_CAP || memchr(s.p, 0, s.n) || memchr(s.p, '/', s.n))
		return false;
	memcpy(out, s.p, s.n);
	out[s.n] = 0;
	return true;
}

/* Hexadecimal without "0x", of exactly `digits` (0: of any length). */
static bool hex_field(struct str s, size_t digits, uint64_t max, uint64_t *v)
{
	if ((digits && s.n != digits) || (s.n > 1 && (s.p[1] == 'x' || s.p[1] == 'X')))
		return false;
	return str_hex(s, max, v);
}

static bool address6(struct str s, uint8_t out[16])
{
	if (s.n != 32)
		return false;
	for (size_t i = 0; i < 16; i++) {
		uint64_t v;

		if (!hex_field((struct str){s.p + 2 * i, 2}, 2, 0xff, &v))
			return false;
		out[i] = (uint8_t)v;
	}
	return true;
}

/* /proc/net/route prints the bytes of the network as one number of this machine: the first byte is
 * the lowest on all that vfiobox is built for. */
static bool address4(struct str s, uint8_t out[4])
{
	uint64_t v;

	if (!hex_field(s, 8, UINT32_MAX, &v))
		return false;
	for (unsigned i = 0; i < 4; i++)
		out[i] = (uint8_t)(v >> 8 * i);
	return true;
}

static bool prefix_of_mask(const uint8_t mask[4], unsigned *bits)
{
	uint32_t v = (uint32_t)mask[0] << 24 | (uint32_t)mask[1] << 16 | (uint32_t)mask[2] << 8 |
		     mask[3];

	for (*bits = 0; *bits < 32 && (v & 0x80000000U); v <<= 1)
		++*bits;
	return v == 0;
}

/* Iface Destination Gateway Flags RefCnt Use Metric Mask ... */
static bool parse_route4(struct str line, struct net_route *r)
{
	struct str dev, to, gateway, flags, skipped, mask;
	uint8_t via[4], bytes[4];
	uint64_t v;

	*r = (struct net_route){0};
	if (!str_word(&line, &dev) || !str_word(&line, &to) || !str_word(&line, &gateway) ||
		!str_word(&line, &flags))
		return false;
	for (int i = 0; i < 3; i++)
		if (!str_word(&line, &skipped))
			return false;
	if (!str_word(&line, &mask) || !device_name(dev, r->dev) || !address4(to, r->to) ||
		!address4(gateway, via) || !hex_field(flags, 0, UINT32_MAX, &v) ||
		!address4(mask, bytes) || !prefix_of_mask(bytes, &r->bits))
		return false;
	r->direct = !(via[0] | via[1] | via[2] | via[3]);
	r->reject = v & RTF_REJECTED;
	return true;
}

int net_route4_parse(struct net_routes *r, struct str text, struct err *e)
{
	size_t number = 0;
	struct str line;

	while (text.n && str_cut(&text, '\n', &line)) {
		if (++number == 1 && str_starts(line, "Iface"))
			continue;
		r->route = grow(r->route, r->n, &r->cap, sizeof(*r->route));
		if (!parse_route4(line, &r->route[r->n]))
			return err_set(e, "line %zu is no route", number);
		r->n++;
	}
	return 0;
}

/* to bits from bits gateway metric refcount use flags dev */
static bool parse_route6(struct str line, struct net_route *r)
{
	struct str to, bits, skipped, gateway, flags, dev;
	static const uint8_t none[16];
	uint8_t via[16];
	uint64_t v, f;

	*r = (struct net_route){.v6 = true};
	if (!str_word(&line, &to) || !str_word(&line, &bits) || !str_word(&line, &skipped) ||
		!str_word(&line, &skipped) || !str_word(&line, &gateway))
		return false;
	for (int i = 0; i < 3; i++)
		if (!str_word(&line, &skipped))
			return false;
	if (!str_word(&line, &flags) || !str_word(&line, &dev) || !address6(to, r->to) ||
		!hex_field(bits, 2, 128, &v) || !address6(gateway, via) ||
		!hex_field(flags, 8, UINT32_MAX, &f) || !device_name(dev, r->dev))
		return false;
	r->bits = (unsigned)v;
	r->direct = !memcmp(via, none, sizeof(via));
	r->reject = f & RTF_REJECTED;
	return true;
}

int net_route6_parse(struct net_routes *r, struct str text, struct err *e)
{
	size_t number = 0;
	struct str line;

	while (text.n && str_cut(&text, '\n', &line)) {
		number++;
		r->route = grow(r->route, r->n, &r->cap, sizeof(*r->route));
		if (!parse_route6(line, &r->route[r->n]))
			return err_set(e, "line %zu is no route", number);
		r->n++;
	}
	return 0;
}

/* address index bits scope flags dev */
static bool parse_inet6(struct str line, struct net_addr *a)
{
	struct str addr, skipped, scope, dev;
	uint64_t v;

	*a = (struct net_addr){0};
	if (!str_word(&line, &addr) || !str_word(&line, &skipped) || !str_word(&line, &skipped) ||
		!str_word(&line, &scope) || !str_word(&line, &skipped) || !str_word(&line, &dev))
		return false;
	if (!address6(addr, a->addr) || !hex_field(scope, 0, UINT32_MAX, &v) ||
		!device_name(dev, a->dev))
		return false;
	a->link_local = v == SCOPE_LINK || v == SCOPE_HOST;
	return true;
}

int net_inet6_parse(struct net_addrs *a, struct str text, struct err *e)
{
	size_t number = 0;
	struct str line;

	while (text.n && str_cut(&text, '\n', &line)) {
		number++;
		a->addr = grow(a->addr, a->n, &a->cap, sizeof(*a->addr));
		if (!parse_inet6(line, &a->addr[a->n]))
			return err_set(e, "line %zu is no address", number);
		a->n++;
	}
	return 0;
}

static bool dotted(struct str s, uint8_t out[4])
{
	struct str part;
	uint64_t v;

	for (int i = 0; i < 4; i++) {
		if (!str_cut(&s, '.', &part) || !str_u64(part, 255, &v))
			return false;
		out[i] = (uint8_t)v;
	}
	return !s.p;
}

/* The leaf "|-- 10.2.0.2" and below it, one line for each route: "/32 host LOCAL". A table that is
 * both main and local is drawn twice: neighbours only are compared. */
void net_fib_trie_parse(struct net_locals *l, struct str text)
{
	uint8_t leaf[4] = {0};
	struct str line, word, scope, type;

	while (text.n && str_cut(&text, '\n', &line)) {
		if (!str_word(&line, &word))
			continue;
		if (str_is(word, "|--")) {
			if (!str_word(&line, &word) || !dotted(word, leaf))
				memset(leaf, 0, sizeof(leaf));
			continue;
		}
		if (!str_is(word, "/32") || !str_word(&line, &scope) || !str_word(&line, &type) ||
			!str_is(type, "LOCAL") || leaf[0] == 0 || leaf[0] == 127)
			continue;
		if (l->n && !memcmp(l->addr[l->n - 1], leaf, sizeof(leaf)))
			continue;
		l->addr = grow(l->addr, l->n, &l->cap, sizeof(*l->addr));
		memcpy(l->addr[l->n++], leaf, sizeof(leaf));
	}
}

void net_routes_free(struct net_routes *r)
{
	free(r->route);
	*r = (struct net_routes){0};
}

void net_addrs_free(struct net_addrs *a)
{
	free(a->addr);
	*a = (struct net_addrs){0};
}

void net_locals_free(struct net_locals *l)
{
	free(l->addr);
	*l = (struct net_locals){0};
}

bool net_route_is_default(const struct net_route *r)
{
	if (r->reject)
		return false;
	return r->bits <= 1 || (r->v6 && r->bits <= 3 && (r->to[0] & 0xe0) == 0x20);
}

bool net_route_has4(const struct net_route *r, const uint8_t addr[4])
{
	for (unsigned i = 0; i < 4; i++) {
		unsigned bits = r->bits > 8 * i ? r->bits - 8 * i : 0;
		unsigned mask = bits >= 8 ? 0xff : 0xffu << (8 - bits) & 0xff;

		if ((r->to[i] ^ addr[i]) & mask)
			return false;
	}
	return !r->v6;
}
