// SPDX-License-Identifier: GPL-2.0-or-later
// Block devices or network interfaces that stand on each other, down to the PCI functions.
#include "pci/hostuse_impl.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

void use_graph_free(struct use_graph *g)
{
	free(g->node);
	free(g->link);
	free(g->queue);
	arena_free(&g->mem);
	*g = (struct use_graph){0};
}

void use_graph_add(struct use_graph *g, const char *name, const char *link)
{
	if (g->n == g->cap) {
		g->cap = g->cap ? g->cap * 2 : 64;
		g->node = mem_resize(g->node, g->cap * sizeof(*g->node));
	}
	g->node[g->n++] = (struct use_node){
		.name = arena_dup(&g->mem, name, strlen(name)),
		.link = link ? arena_dup(&g->mem, link, strlen(link)) : NULL,
	};
}

int use_graph_read(struct use_graph *g, const struct root *r, const char *dir)
{
	DIR *d = root_opendir(r, dir);
	struct dirent *entry;
	int no;

	if (!d)
		return -1;
	for (errno = 0; (entry = readdir(d)); errno = 0) {
		char link[4096];
		ssize_t n;

		if (entry->d_name[0] == '.')
			continue;
		n = readlinkat(dirfd(d), entry->d_name, link, sizeof(link) - 1);
		if (n < 0 && entry->d_type != DT_DIR && entry->d_type != DT_UNKNOWN)
			continue;
		link[n < 0 ? 0 : n] = 0;
		use_graph_add(g, entry->d_name, n < 0 ? NULL : link);
	}
	no = errno;
	closedir(d);
	errno = no;
	return no ? -1 : 0;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct use_node *)a)->name, ((const struct use_node *)b)->name);
}

void use_graph_sort(struct use_graph *g)
{
	size_t kept = 0;

	if (g->n)
		qsort(g->node, g->n, sizeof(*g->node), by_name);
	for (size_t i = 0; i < g->n; i++)
		if (!kept || strcmp(g->node[kept - 1].name, g->node[i].name) != 0)
			g->node[kept++] = g->node[i];
	g->n = kept;
	g->queue = mem_resize(g->queue, (g->n + 1) * sizeof(*g->queue));
}

size_t use_graph_find(const struct use_graph *g, struct str name)
{
	size_t low = 0, high = g->n;

	while (low < high) {
		size_t mid = low + (high - low) / 2;
		const char *at = g->node[mid].name;
		int c = strncmp(at, name.p, name.n);

		c = c ? c : at[name.n] != 0;
		if (c == 0)
			return mid;
		if (c < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return NO_NODE;
}

static bool listed(const struct use_graph *g, size_t at, size_t to)
{
	for (; at; at = g->link[at - 1].next)
		if (g->link[at - 1].to == to)
			return true;
	return false;
}

static void add_link(struct use_graph *g, size_t *first, size_t to)
{
	if (g->links == g->links_cap) {
		g->links_cap = g->links_cap ? g->links_cap * 2 : 64;
		g->link = mem_resize(g->link, g->links_cap * sizeof(*g->link));
	}
	g->link[g->links] = (struct use_link){to, *first, HOST_REASONS};
	*first = ++g->links;
}

void use_graph_stand(struct use_graph *g, size_t upper, size_t lower)
{
	if (upper == lower)
		return;
	g->node[lower].has_upper = true;
	if (!listed(g, g->node[upper].lower, lower))
		add_link(g, &g->node[upper].lower, lower);
}

void use_graph_carry(struct use_graph *g, size_t node, const char *path)
{
	struct str rest = str_of(path), part;

	while (str_cut(&rest, '/', &part)) {
		const struct pci_dev *d;
		struct pci_addr a;

		if (!pci_addr_parse(part, &a) || !(d = pci_find(g->inv, a)) || pci_is_bridge(d))
			continue;
		if (!listed(g, g->node[node].function, (size_t)(d - g->inv->dev)))
			add_link(g, &g->node[node].function, (size_t)(d - g->inv->dev));
	}
}

bool use_graph_has(const struct use_graph *g, size_t upper, size_t lower)
{
	return listed(g, g->node[upper].lower, lower);
}

/* From a node that carries something up to where the walk began, and what uses that. */
static void add_uses(struct use_graph *g, struct use_list *l, size_t at, size_t start,
	enum host_reason reason, const char *label)
{
	CLEANUP_BUF struct buf rest = {0};
	struct use_node *n = &g->node[at];

	for (size_t i = at;; i = g->node[i].from) {
		if (!g->node[i].silent || i == start)
			buf_printf(&rest, "%s%s", rest.len ? " → " : "", g->node[i].name);
		if (i == start)
			break;
	}
	if (label)
		buf_printf(&rest, "%s%s", rest.len ? " → " : "", label);
	for (size_t i = n->function; i; i = g->link[i - 1].next)
		use_list_add(l, g->link[i - 1].to, reason, buf_z(&rest));
}

/* An address or a membership says no more than the default route, the management network or the
 * uplink have said on the same way. */
static bool is_told(enum host_reason told, enum host_reason reason)
{
	return (reason == HOST_NETWORK_ADDRESS || reason == HOST_NETWORK_MEMBER) && told < reason;
}

static void reach(struct use_graph *g, size_t node, size_t from, size_t by)
{
	g->node[node].round = g->round;
	g->node[node].from = from;
	g->node[node].by = by;
	g->node[node].covered = true;
	g->queue[g->reached++] = node;
}

static void tell(struct use_graph *g, struct use_list *l, size_t at, size_t start,
	enum host_reason reason, const char *label)
{
	enum host_reason *told = at == start ? NULL : &g->link[g->node[at].by].told;

	if (!told || !is_told(*told, reason))
		add_uses(g, l, at, start, reason, label);
	if (told && reason < *told)
		*told = reason;
}

bool use_graph_follow(struct use_graph *g, struct use_list *l, size_t start,
	enum host_reason reason, const char *label)
{
	bool grounded = false;

	g->round++;
	g->reached = 0;
	reach(g, start, start, 0);
	for (size_t i = 0; i < g->reached; i++) {
		size_t at = g->queue[i];

		grounded |= g->node[at].function || !g->node[at].lower;
		tell(g, l, at, start, reason, label);
		for (size_t j = g->node[at].lower; j; j = g->link[j - 1].next)
			if (g->node[g->link[j - 1].to].round != g->round)
				reach(g, g->link[j - 1].to, at, j - 1);
	}
	return grounded;
}

void use_graph_unknown(struct use_graph *g, struct use_list *l, const char *why)
{
	CLEANUP_FREE char *label = mem_printf("? (%s)", why);

	for (size_t i = 0; i < g->n; i++)
		if (g->node[i].function && !(g->node[i].silent && g->node[i].has_upper))
			add_uses(g, l, i, i, HOST_UNKNOWN, label);
}
