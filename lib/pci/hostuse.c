// SPDX-License-Identifier: GPL-2.0-or-later
// What the host itself lives on: the list, its order, and the console.
#include "pci/hostuse.h"

#include "base/utf8.h"
#include "pci/condition.h"
#include "pci/hostuse_impl.h"

#include <errno.h>
#include <stdio.h>

/* In the order of enum host_reason. */
/* The host's reasons are the first of the list of all reasons. */
_Static_assert((int)HOST_ROOT_DISK == (int)REASON_ROOT_DISK, "same order as condition.h");
_Static_assert((int)HOST_MOUNTED == (int)REASON_MOUNTED, "same order as condition.h");
_Static_assert((int)HOST_UNKNOWN == (int)REASON_HOST_UNKNOWN, "same order as condition.h");

const char *host_reason_name(enum host_reason r)
{
	return reason_name((enum reason)r);
}

bool host_reason_final(enum host_reason r)
{
	return !reason_can_override((enum reason)r);
}

bool on_host_driver(const struct pci_dev *d)
{
	return d->driver[0] && !pci_is_user_driver(d->driver);
}

/* A mount point may be any bytes; what is shown is text. */
static char *printable(struct arena *mem, const char *z)
{
	size_t n = strlen(z), out = 0;
	char *text = arena_alloc(mem, n + 1);

	for (size_t i = 0; i < n;) {
		uint32_t cp;
		size_t len = utf8_decode(z + i, n - i, &cp);

		if (!len || utf8_is_control(cp)) {
			text[out++] = '?';
			i += len ? len : 1;
			continue;
		}
		memcpy(text + out, z + i, len);
		out += len;
		i += len;
	}
	text[out] = 0;
	return text;
}

void use_list_add(struct use_list *l, size_t dev, enum host_reason reason, const char *rest)
{
	CLEANUP_FREE char *chain = mem_printf("%s → %s", l->inv->dev[dev].name, rest);

	if (l->h->n == l->cap) {
		l->cap = l->cap ? l->cap * 2 : 16;
		l->h->use = mem_resize(l->h->use, l->cap * sizeof(*l->h->use));
	}
	l->h->use[l->h->n++] =
		(struct host_use){l->inv->dev[dev].addr, reason, printable(&l->h->mem, chain)};
}

/* The console. */

static bool is_virtual_terminal(struct str name)
{
	uint64_t v;

	return str_starts(name, "tty") &&
	       str_u64((struct str){name.p + 3, name.n - 3}, UINT32_MAX, &v);
}

static bool all_virtual_terminals(struct str active)
{
	struct str name;

	while (str_word(&active, &name))
		if (!is_virtual_terminal(name))
			return false;
	return true;
}

static bool is_boot_vga(const struct root *r, const struct pci_dev *d)
{
	char path[64 + PCI_ADDR_CAP], text[8];

	snprintf(path, sizeof(path), "sys/bus/pci/devices/%s/boot_vga", d->name);
	return root_read(r, path, text, sizeof(text)) > 0 && !strcmp(text, "1");
}

static bool is_vga(const struct pci_dev *d)
{
	return pci_class_id(d) == 0x0300;
}

/* A VGA that shows something: one on a host driver, and the one the firmware left on. */
static bool is_screen(const struct root *r, const struct pci_dev *d)
{
	return is_vga(d) && (on_host_driver(d) || (!d->driver[0] && is_boot_vga(r, d)));
}

static bool other_screen(const struct root *r, const struct pci_inventory *inv, size_t but)
{
	for (size_t i = 0; i < inv->n; i++)
		if (i != but && is_screen(r, &inv->dev[i]))
			return true;
	return false;
}

/* Without one the machine was started without a screen, and lives without. */
static bool any_boot_vga(const struct root *r, const struct pci_inventory *inv)
{
	for (size_t i = 0; i < inv->n; i++)
		if (is_vga(&inv->dev[i]) && is_boot_vga(r, &inv->dev[i]))
			return true;
	return false;
}

/* /sys/class/tty/console/active: "tty0 ttyS0". A serial or hypervisor console is left when the
 * screen is gone. */
static void scan_console(struct use_list *l, const struct root *r)
{
	char active[1024], label[1100];
	ssize_t n = root_read(r, "sys/class/tty/console/active", active, sizeof(active));

	if (n < 0)
		snprintf(label, sizeof(label), "console (sys/class/tty/console/active: %s)",
			strerror(errno));
	else if (!all_virtual_terminals((struct str){active, (size_t)n}))
		return;
	else
		snprintf(label, sizeof(label), "console%s%s", n ? " " : "", active);
	for (size_t i = 0; i < l->inv->n; i++)
		if (is_screen(r, &l->inv->dev[i]) && !other_screen(r, l->inv, i) &&
			any_boot_vga(r, l->inv))
			use_list_add(l, i, HOST_CONSOLE, label);
}

/* The order. */

struct ranked {
	struct host_use use;
	size_t found; /* as the how-manieth */
};

static int by_reason(const struct ranked *x, const struct ranked *y)
{
	int c = pci_addr_cmp(x->use.addr, y->use.addr);

	return c ? c : (int)x->use.reason - (int)y->use.reason;
}

static int by_found(const struct ranked *x, const struct ranked *y)
{
	return x->found < y->found ? -1 : x->found > y->found;
}

static int by_chain(const void *a, const void *b)
{
	const struct ranked *x = a, *y = b;
	int c = by_reason(x, y);

	c = c ? c : strcmp(x->use.chain, y->use.chain);
	return c ? c : by_found(x, y);
}

static int by_order(const void *a, const void *b)
{
	int c = by_reason(a, b);

	return c ? c : by_found(a, b);
}

/* Each once, by address and reason; of one reason as they were found, the mount of / before /home.
 */
static void put_in_order(struct host_uses *h)
{
	CLEANUP_FREE struct ranked *at = mem_alloc(h->n * sizeof(*at));
	size_t n = 0;

	for (size_t i = 0; i < h->n; i++)
		at[i] = (struct ranked){h->use[i], i};
	qsort(at, h->n, sizeof(*at), by_chain);
	for (size_t i = 0; i < h->n; i++)
		if (!n || by_reason(&at[n - 1], &at[i]) != 0 ||
			strcmp(at[n - 1].use.chain, at[i].use.chain) != 0)
			at[n++] = at[i];
	qsort(at, n, sizeof(*at), by_order);
	for (size_t i = 0; i < n; i++)
		h->use[i] = at[i].use;
	h->n = n;
}

int host_uses_scan(struct host_uses *h, const struct root *r, const struct pci_inventory *inv,
	const char *const *uplinks, size_t n_uplinks, struct err *e)
{
	struct use_list l = {.h = h, .inv = inv};

	(void)e;
	*h = (struct host_uses){0};
	host_block_scan(&l, r);
	host_net_scan(&l, r, uplinks, n_uplinks);
	scan_console(&l, r);
	put_in_order(h);
	return 0;
}

void host_uses_free(struct host_uses *h)
{
	free(h->use);
	arena_free(&h->mem);
	*h = (struct host_uses){0};
}

size_t host_uses_of(const struct host_uses *h, struct pci_addr a, const struct host_use **first)
{
	size_t low = 0, high = h->n, n = 0;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (pci_addr_cmp(h->use[mid].addr, a) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	while (low + n < h->n && pci_addr_cmp(h->use[low + n].addr, a) == 0)
		n++;
	*first = n ? &h->use[low] : NULL;
	return n;
}
