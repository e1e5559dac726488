// SPDX-License-Identifier: GPL-2.0-or-later
// The host guard's look at NICs: routes, addresses, bonds, bridges, VLANs.
#include "pci/hostuse_impl.h"
#include "pci/netroute.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>

enum { NET_FILE_MAX = 64 << 20, LABEL_CAP = 64 };

#define NETS "sys/class/net"

struct nets {
	struct use_graph g;
	const struct root *r;
	struct net_routes routes;
	struct net_addrs addrs;
	struct net_locals locals;
	char *doubt;    /* which file could not be read and why, NULL */
	char *stranger; /* leads out, and is no interface of sys/class/net; NULL */
};

static bool starts(const char *z, const char *prefix)
{
	return str_starts(str_of(z), prefix);
}

/* Interfaces and what they stand on. */

static void stand_by_name(struct nets *s, struct str upper, struct str lower)
{
	size_t up = use_graph_find(&s->g, upper), low = use_graph_find(&s->g, lower);

	if (up != NO_NODE && low != NO_NODE)
		use_graph_stand(&s->g, up, low);
}

/* bonding/slaves: the names, with blanks between. */
static void read_slaves(struct nets *s, struct str name)
{
	CLEANUP_BUF struct buf text = {.max = NET_FILE_MAX};
	CLEANUP_FREE char *path = mem_printf(NETS "/%.*s/bonding/slaves", STR_ARG(name));
	struct str rest, slave;

	if (root_slurp(s->r, path, &text) < 0)
		return;
	rest = buf_slice(&text);
	while (str_word(&rest, &slave))
		stand_by_name(s, name, slave);
}

/* brif: a directory of the bridge's ports. */
static void read_ports(struct nets *s, struct str name)
{
	CLEANUP_FREE char *path = mem_printf(NETS "/%.*s/brif", STR_ARG(name));
	DIR *d = root_opendir(s->r, path);
	struct dirent *entry;

	while (d && (entry = readdir(d)))
		stand_by_name(s, name, str_of(entry->d_name));
	if (d)
		closedir(d);
}

static void read_master(struct nets *s, struct str name)
{
	CLEANUP_FREE char *path = mem_printf(NETS "/%.*s/master", STR_ARG(name));
	char master[256];

	if (root_link_name(s->r, path, master, sizeof(master)) > 0)
		stand_by_name(s, str_of(master), name);
}

/* The kernel has a link for each pair in both directories (net/core/dev.c): upper_BOND in the
 * slave's, lower_SLAVE in the bond's. */
static void read_relation(struct nets *s, struct str name, const char *entry)
{
	if (starts(entry, "upper_"))
		stand_by_name(s, str_of(entry + 6), name);
	else if (starts(entry, "lower_"))
		stand_by_name(s, name, str_of(entry + 6));
	else if (!strcmp(entry, "master"))
		read_master(s, name);
	else if (!strcmp(entry, "bonding"))
		read_slaves(s, name);
	else if (!strcmp(entry, "brif"))
		read_ports(s, name);
}

static void read_relations(struct nets *s, size_t node)
{
	struct str name = str_of(s->g.node[node].name);
	CLEANUP_FREE char *path = mem_printf(NETS "/%.*s", STR_ARG(name));
	DIR *d = root_opendir(s->r, path);
	struct dirent *entry;

	while (d && (entry = readdir(d)))
		read_relation(s, name, entry->d_name);
	if (d)
		closedir(d);
}

static void read_functions(struct nets *s, size_t node)
{
	const char *link = s->g.node[node].link;
	CLEANUP_FREE char *path = NULL;
	char device[4096];

	if (link)
		use_graph_carry(&s->g, node, link);
	if (s->g.node[node].function || (link && strstr(link, "/virtual/")))
		return;
	path = mem_printf(NETS "/%s/device", s->g.node[node].name);
	if (root_readlink(s->r, path, device, sizeof(device)) > 0)
		use_graph_carry(&s->g, node, device);
}

/* Nothing can stand on a NIC where all that there is are NICs and the loopback: thousands of VFs
 * need no more than one look at the class directory. */
static bool has_stacks(const struct nets *s)
{
	for (size_t i = 0; i < s->g.n; i++)
		if (!s->g.node[i].function && strcmp(s->g.node[i].name, "lo") != 0)
			return true;
	return false;
}

static int read_interfaces(struct nets *s)
{
	int rc = use_graph_read(&s->g, s->r, NETS), no = errno;
	bool stacks;

	use_graph_sort(&s->g);
	for (size_t i = 0; i < s->g.n; i++)
		read_functions(s, i);
	stacks = has_stacks(s);
	for (size_t i = 0; i < s->g.n && stacks; i++)
		read_relations(s, i);
	errno = no;
	return rc;
}

/* The kernel's tables. */

static void doubt_file(struct nets *s, const char *path, const char *why)
{
	if (!s->doubt)
		s->doubt = mem_printf("%s: %s", path, why);
}

/* ENOENT of a file that may be missing is no doubt. */
static bool slurp(struct nets *s, const char *path, bool may_miss, struct buf *text)
{
	text->max = NET_FILE_MAX;
	if (root_slurp(s->r, path, text) == 0)
		return true;
	if (errno != ENOENT || !may_miss)
		doubt_file(s, path, strerror(errno));
	return false;
}

static void read_tables(struct nets *s)
{
	static const char route[] = "proc/1/net/route", route6[] = "proc/1/net/ipv6_route",
			  inet6[] = "proc/1/net/if_inet6";
	CLEANUP_BUF struct buf text = {0}, text6 = {0}, addrs = {0}, trie = {0};
	struct err e;

	if (slurp(s, route, false, &text) && net_route4_parse(&s->routes, buf_slice(&text), &e) < 0)
		doubt_file(s, route, e.text);
	if (slurp(s, route6, true, &text6) &&
		net_route6_parse(&s->routes, buf_slice(&text6), &e) < 0)
		doubt_file(s, route6, e.text);
	if (slurp(s, inet6, true, &addrs) && net_inet6_parse(&s->addrs, buf_slice(&addrs), &e) < 0)
		doubt_file(s, inet6, e.text);
	trie.max = NET_FILE_MAX;
	if (root_slurp(s->r, "proc/1/net/fib_trie", &trie) == 0)
		net_fib_trie_parse(&s->locals, buf_slice(&trie));
}

/* The default route. */

/* A port that Open vSwitch has made itself is tied to its switch by nothing in sysfs: if such a one
 * leads out, so does every NIC of the switch. */
static void stand_on_switch(struct nets *s, size_t node)
{
	static const char *const not_switched[] = {"bridge", "bonding", "tun_flags"};
	size_t ovs = use_graph_find(&s->g, STR("ovs-system"));
	CLEANUP_FREE char *path = mem_printf(NETS "/%s/type", s->g.node[node].name);
	char type[16];

	if (ovs == NO_NODE || ovs == node || s->g.node[node].lower || s->g.node[node].function)
		return;
	for (size_t i = 0; i < ARRAY_LEN(not_switched); i++) {
		CLEANUP_FREE char *mark =
			mem_printf(NETS "/%s/%s", s->g.node[node].name, not_switched[i]);

		if (root_exists(s->r, mark))
			return;
	}
	if (root_read(s->r, path, type, sizeof(type)) < 0 || !strcmp(type, "1"))
		use_graph_stand(&s->g, node, ovs);
}

static bool has_no_device(const struct net_route *route)
{
	return !strcmp(route->dev, "*") || !strcmp(route->dev, "lo");
}

static void scan_default_routes(struct nets *s, struct use_list *l)
{
	CLEANUP_FREE bool *told = mem_alloc(s->g.n);

	for (size_t i = 0; i < s->routes.n; i++) {
		const struct net_route *route = &s->routes.route[i];
		size_t node;

		if (!net_route_is_default(route) || has_no_device(route))
			continue;
		node = use_graph_find(&s->g, str_of(route->dev));
		if (node == NO_NODE && !s->stranger)
			s->stranger = mem_printf("the default route leads through %s, which is not "
						 "in " NETS,
				route->dev);
		if (node == NO_NODE || told[node])
			continue;
		told[node] = true;
		stand_on_switch(s, node);
		use_graph_follow(&s->g, l, node, HOST_DEFAULT_ROUTE, "default route");
	}
}

/* Harvester's networks: mgmt-br over mgmt-bo, and for others NAME-br over NAME-bo. */

static void scan_management(struct nets *s, struct use_list *l)
{
	size_t bridge = use_graph_find(&s->g, STR("mgmt-br"));
	size_t bond = use_graph_find(&s->g, STR("mgmt-bo"));

	if (bridge != NO_NODE)
		use_graph_follow(&s->g, l, bridge, HOST_MANAGEMENT_NIC, NULL);
	if (bond != NO_NODE && (bridge == NO_NODE || s->g.node[bond].round != s->g.round))
		use_graph_follow(&s->g, l, bond, HOST_MANAGEMENT_NIC, NULL);
}

static void scan_uplink_bond(struct nets *s, struct use_list *l, size_t bond)
{
	struct str name = str_of(s->g.node[bond].name);
	CLEANUP_FREE char *over = NULL;
	size_t bridge;

	if (!str_ends(name, "-bo") || str_is(name, "mgmt-bo"))
		return;
	over = mem_printf("%.*s-br", (int)(name.n - 3), name.p);
	bridge = use_graph_find(&s->g, str_of(over));
	if (bridge != NO_NODE && use_graph_has(&s->g, bridge, bond))
		use_graph_follow(&s->g, l, bond, HOST_VLAN_UPLINK, over);
}

static void scan_uplinks(
	struct nets *s, struct use_list *l, const char *const *uplinks, size_t n_uplinks)
{
	for (size_t i = 0; i < n_uplinks; i++) {
		size_t node = use_graph_find(&s->g, str_of(uplinks[i]));

		if (node != NO_NODE)
			use_graph_follow(
				&s->g, l, node, HOST_VLAN_UPLINK, "uplink of a VlanConfig");
	}
	for (size_t i = 0; i < s->g.n; i++)
		scan_uplink_bond(s, l, i);
}

/* Addresses. */

static void format_route(const struct net_route *r, char out[LABEL_CAP])
{
	char text[INET6_ADDRSTRLEN] = "?";

	inet_ntop(r->v6 ? AF_INET6 : AF_INET, r->to, text, sizeof(text));
	snprintf(out, LABEL_CAP, "route to %s/%u", text, r->bits);
}

/* Every interface whose network holds the address the closest: the tables do not say which of two
 * NICs in one network has it. */
static void label_local(struct nets *s, const uint8_t addr[4], char (*label)[LABEL_CAP])
{
	int closest = -1;

	for (size_t i = 0; i < s->routes.n; i++) {
		const struct net_route *r = &s->routes.route[i];

		if (r->direct && net_route_has4(r, addr) && (int)r->bits > closest)
			closest = (int)r->bits;
	}
	for (size_t i = 0; i < s->routes.n; i++) {
		const struct net_route *r = &s->routes.route[i];
		size_t node;

		if (!r->direct || (int)r->bits != closest || !net_route_has4(r, addr))
			continue;
		node = use_graph_find(&s->g, str_of(r->dev));
		if (node != NO_NODE && (!label[node][0] || starts(label[node], "route")))
			inet_ntop(AF_INET, addr, label[node], LABEL_CAP);
	}
}

static void label_interfaces(struct nets *s, char (*label)[LABEL_CAP])
{
	for (size_t i = 0; i < s->routes.n; i++) {
		const struct net_route *r = &s->routes.route[i];
		size_t node = r->v6 ? NO_NODE : use_graph_find(&s->g, str_of(r->dev));

		if (node != NO_NODE && !label[node][0])
			format_route(r, label[node]);
	}
	for (size_t i = 0; i < s->locals.n; i++)
		label_local(s, s->locals.addr[i], label);
	for (size_t i = 0; i < s->addrs.n; i++) {
		const struct net_addr *a = &s->addrs.addr[i];
		size_t node = a->link_local ? NO_NODE : use_graph_find(&s->g, str_of(a->dev));

		if (node != NO_NODE && (!label[node][0] || starts(label[node], "route")))
			inet_ntop(AF_INET6, a->addr, label[node], LABEL_CAP);
	}
}

static void scan_addresses(struct nets *s, struct use_list *l)
{
	CLEANUP_FREE char(*label)[LABEL_CAP] = mem_alloc(s->g.n * sizeof(*label));

	label_interfaces(s, label);
	for (size_t i = 0; i < s->g.n; i++)
		if (label[i][0])
			use_graph_follow(&s->g, l, i, HOST_NETWORK_ADDRESS, label[i]);
}

/* From what stands highest; in a circle, from anything. */
static void scan_members(struct nets *s, struct use_list *l)
{
	for (int circles = 0; circles < 2; circles++)
		for (size_t i = 0; i < s->g.n; i++)
			if (circles ? s->g.node[i].has_upper && !s->g.node[i].covered
				    : s->g.node[i].lower && !s->g.node[i].has_upper)
				use_graph_follow(&s->g, l, i, HOST_NETWORK_MEMBER, NULL);
}

/* The whole. */

static void doubt_nics(struct use_list *l, const char *why)
{
	CLEANUP_FREE char *rest = mem_printf("? (%s)", why);

	for (size_t i = 0; i < l->inv->n; i++)
		if (l->inv->dev[i].class >> 16 == 0x02 && on_host_driver(&l->inv->dev[i]))
			use_list_add(l, i, HOST_UNKNOWN, rest);
}

static void scan_interfaces(
	struct nets *s, struct use_list *l, const char *const *uplinks, size_t n_uplinks)
{
	read_tables(s);
	scan_default_routes(s, l);
	scan_management(s, l);
	scan_uplinks(s, l, uplinks, n_uplinks);
	scan_addresses(s, l);
	scan_members(s, l);
	if (s->doubt)
		use_graph_unknown(&s->g, l, s->doubt);
	if (s->stranger)
		doubt_nics(l, s->stranger);
}

void host_net_scan(
	struct use_list *l, const struct root *r, const char *const *uplinks, size_t n_uplinks)
{
	struct nets s = {.r = r, .g.inv = l->inv};

	if (read_interfaces(&s) == 0) {
		scan_interfaces(&s, l, uplinks, n_uplinks);
	} else {
		int no = errno;
		CLEANUP_FREE char *why = mem_printf(NETS ": %s", strerror(no));

		if (no != ENOENT || root_exists(r, "proc/1/net/route"))
			doubt_nics(l, why);
	}
	use_graph_free(&s.g);
	net_routes_free(&s.routes);
	net_addrs_free(&s.addrs);
	net_locals_free(&s.locals);
	free(s.doubt);
	free(s.stranger);
}
