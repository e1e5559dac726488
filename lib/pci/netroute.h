// SPDX-License-Identifier: GPL-2.0-or-later
// The kernel's text tables of routes and addresses: /proc/net/route, ipv6_route, if_inet6, fib_trie
// (net/ipv4/fib_trie.c, net/ipv6/route.c, net/ipv6/addrconf.c).
#ifndef PCI_NETROUTE_H
#define PCI_NETROUTE_H

#include "base/base.h"
#include "base/err.h"

enum { NET_NAME_CAP = 16 }; /* IFNAMSIZ, with the NUL */

/* Addresses are in network order; IPv4 takes the first four bytes. */
struct net_route {
	char dev[NET_NAME_CAP]; /* "*" when it has none */
	uint8_t to[16];
	unsigned bits; /* of the prefix */
	bool v6;
	bool direct; /* without a gateway */
	bool reject; /* unreachable, prohibited: leads nowhere */
};

struct net_routes {
	struct net_route *route;
	size_t n, cap;
};

struct net_addr {
	char dev[NET_NAME_CAP];
	uint8_t addr[16];
	bool link_local; /* or of the loopback interface: not an address that anybody gave it */
};

struct net_addrs {
	struct net_addr *addr;
	size_t n, cap;
};

/* IPv4 addresses of the host, of whatever interface, without 127.0.0.0/8. */
struct net_locals {
	uint8_t (*addr)[4];
	size_t n, cap;
};

/* These add to what is there; -1 and `e` for a line that is none of such a file. /proc/net/route
 * has the main table only, and of several next hops of one route only the first; ipv6_route has all
 * tables. */
int net_route4_parse(struct net_routes *r, struct str text, struct err *e);
int net_route6_parse(struct net_routes *r, struct str text, struct err *e);
int net_inet6_parse(struct net_addrs *a, struct str text, struct err *e);
/* fib_trie is a drawing for people: what is not understood is passed over. */
void net_fib_trie_parse(struct net_locals *l, struct str text);

void net_routes_free(struct net_routes *r);
void net_addrs_free(struct net_addrs *a);
void net_locals_free(struct net_locals *l);

/* A route to everywhere: 0.0.0.0/0, its halves 0.0.0.0/1 and 128.0.0.0/1, the same of IPv6, and all
 * of the IPv6 internet, 2000::/3. */
bool net_route_is_default(const struct net_route *r);

/* Is the IPv4 address in the route's prefix? */
bool net_route_has4(const struct net_route *r, const uint8_t addr[4]);

#endif
