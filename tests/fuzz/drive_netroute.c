// SPDX-License-Identifier: GPL-2.0-or-later
// Driver of the parsers of routes and addresses. The first line says which file follows: route,
// ipv6_route, if_inet6 or fib_trie.
#include "drive.h"
#include "pci/netroute.h"

static void put_bytes(FILE *out, const uint8_t *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		fprintf(out, "%02x", p[i]);
}

static void put_routes(FILE *out, const struct net_routes *routes)
{
	for (size_t i = 0; i < routes->n; i++) {
		const struct net_route *r = &routes->route[i];

		put_bytes(out, r->to, r->v6 ? 16 : 4);
		fprintf(out, "/%u %s%s%s%s\n", r->bits, r->dev, r->direct ? " direct" : "",
			r->reject ? " reject" : "", net_route_is_default(r) ? " default" : "");
		if (!r->v6 && !net_route_has4(r, r->to))
			fprintf(out, "bits below the mask\n");
	}
}

static int drive_routes(int (*parse)(struct net_routes *, struct str, struct err *), struct str s,
	FILE *out, struct err *e)
{
	struct net_routes routes = {0};
	int rc = parse(&routes, s, e);

	if (rc == 0)
		put_routes(out, &routes);
	net_routes_free(&routes);
	return rc;
}

static int drive_inet6(struct str s, FILE *out, struct err *e)
{
	struct net_addrs addrs = {0};
	int rc = net_inet6_parse(&addrs, s, e);

	for (size_t i = 0; rc == 0 && i < addrs.n; i++) {
		put_bytes(out, addrs.addr[i].addr, 16);
		fprintf(out, " %s%s\n", addrs.addr[i].dev, addrs.addr[i].link_local ? " link" : "");
	}
	net_addrs_free(&addrs);
	return rc;
}

static int drive_trie(struct str s, FILE *out)
{
	struct net_locals locals = {0};

	net_fib_trie_parse(&locals, s);
	for (size_t i = 0; i < locals.n; i++) {
		put_bytes(out, locals.addr[i], 4);
		putc('\n', out);
	}
	net_locals_free(&locals);
	return 0;
}

int drive(const unsigned char *data, size_t len, FILE *out, FILE *why)
{
	struct str rest = {(const char *)data, len}, kind = {"", 0};
	struct err e;
	int rc;

	if (len)
		str_cut(&rest, '\n', &kind);
	if (str_is(kind, "route"))
		rc = drive_routes(net_route4_parse, rest, out, &e);
	else if (str_is(kind, "ipv6_route"))
		rc = drive_routes(net_route6_parse, rest, out, &e);
	else if (str_is(kind, "if_inet6"))
		rc = drive_inet6(rest, out, &e);
	else if (str_is(kind, "fib_trie"))
		rc = drive_trie(rest, out);
	else
		rc = err_set(&e, "the first line names none of the files");
	if (rc < 0)
		fprintf(why, "%s\n", e.text);
	return rc < 0;
}
