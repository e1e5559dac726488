// SPDX-License-Identifier: GPL-2.0-or-later
// Is the system up, and what must be known before it is.
#include "pci/settled.h"

#include "pci/condition.h"
#include "pci/identity.h"
#include "pci/kept.h"

#include <fcntl.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#define PLURAL_HOSTUSE "hostuse"
#define PLURAL_NODE "node"

static const char *mark_path(const struct pci_node *n, char *out, size_t cap)
{
	snprintf(out, cap, "%s/settled", n->store->run);
	return out;
}

bool settled_is(const struct pci_node *n)
{
	char path[128];
	struct timespec up;

	if (root_exists(n->root, "etc/initrd-release"))
		return false;
	if (!root_exists(n->root, "run/systemd/system") ||
		root_exists(n->root, mark_path(n, path, sizeof(path))))
		return true;
	return clock_gettime(CLOCK_BOOTTIME, &up) == 0 && up.tv_sec >= SETTLED_AFTER_S;
}

int settled_mark(const struct pci_node *n, struct err *e)
{
	char path[128];
	CLEANUP_CLOSE int fd = -1;

	if (root_mkdirs(n->root, n->store->run, 0755) < 0)
		return err_sys(e, "make %s", n->store->run);
	fd = root_open(n->root, mark_path(n, path, sizeof(path)), O_WRONLY | O_CREAT, 0644);
	return fd < 0 ? err_sys(e, "write %s", path) : 0;
}

static bool read_use(const struct json *object, struct last_use *u)
{
	uint64_t vendor, device;
	enum reason reason;
	const char *slot = json_z(json_get(object, "slot"));

	if (!pci_addr_parse(json_str(json_get(object, "address")), &u->addr) ||
		!str_hex(json_str(json_get(object, "vendorId")), 0xffff, &vendor) ||
		!str_hex(json_str(json_get(object, "deviceId")), 0xffff, &device) ||
		!reason_parse(json_str(json_get(object, "reason")), &reason) ||
		(int)reason >= HOST_REASONS)
		return false;
	u->vendor = (uint16_t)vendor;
	u->device = (uint16_t)device;
	u->slot = slot ? slot : "";
	u->reason = (enum host_reason)reason;
	return true;
}

static int read_file(const struct pci_node *n, const char *plural, const char *name,
	struct arena *mem, struct json **out, struct err *e)
{
	uint64_t format;

	if (store_read(n->store, STORE_KEPT, plural, name, mem, out, e) < 0)
		return -1;
	if (!*out || (json_u64(json_get(*out, "formatVersion"), &format) && format == KEPT_FORMAT))
		return 0;
	return err_set(
		e, "kept/%s/%s.json is of a format that this program does not know", plural, name);
}

int last_uses_read(const struct pci_node *n, struct arena *mem, struct last_use **out,
	size_t *count, struct err *e)
{
	const struct json *list;
	struct json *object;

	*out = NULL;
	*count = 0;
	if (read_file(n, PLURAL_HOSTUSE, "last", mem, &object, e) < 0)
		return -1;
	list = json_get(object, "uses");
	*out = arena_alloc(mem, (json_count(list) + 1) * sizeof(**out));
	json_each (use, list)
		if (read_use(use, &(*out)[*count]))
			++*count;
	return 0;
}

static struct json *use_object(const struct pci_node *n, const struct pci_dev *d,
	enum host_reason reason, struct arena *mem)
{
	struct json *use = json_object(mem);

	json_set_z(mem, use, "address", d->name);
	json_set_z(mem, use, "vendorId", arena_printf(mem, "%04x", d->vendor));
	json_set_z(mem, use, "deviceId", arena_printf(mem, "%04x", d->device));
	json_set_z(mem, use, "slot", identity_slot(n->root, d, mem));
	json_set_z(mem, use, "reason", host_reason_name(reason));
	return use;
}

static bool has_use(const struct json *list, const struct json *use)
{
	json_each (have, list)
		if (json_equal(have, use))
			return true;
	return false;
}

int last_uses_put(const struct pci_node *n, const struct pci_inventory *inv,
	const struct host_uses *now, struct store_batch *b, struct err *e)
{
	CLEANUP_ARENA struct arena mem = {0};
	struct json *old, *object = json_object(&mem), *list;
	char boot[STORE_BOOT_ID_CAP];

	if (store_boot_id(n->store, boot, sizeof(boot)) < 0)
		return 0; /* nothing tells one boot from the next */
	if (read_file(n, PLURAL_HOSTUSE, "last", &mem, &old, e) < 0)
		return -1;
	json_set_int(&mem, object, "formatVersion", KEPT_FORMAT);
	json_set_z(&mem, object, "bootId", boot);
	list = str_is(json_str(json_get(old, "bootId")), boot)
		       ? json_copy(&mem, json_get(old, "uses"))
		       : NULL;
	list = json_set(&mem, object, "uses", list ? list : json_array(&mem));
	for (size_t i = 0; i < now->n; i++) {
		const struct pci_dev *d = pci_find(inv, now->use[i].addr);
		struct json *use;

		if (!d || now->use[i].reason == HOST_UNKNOWN)
			continue;
		use = use_object(n, d, now->use[i].reason, &mem);
		if (!has_use(list, use))
			json_add(&mem, list, use);
	}
	return store_put(b, STORE_KEPT, PLURAL_HOSTUSE, "last", object, e);
}

int node_name_read(const struct pci_node *n, struct arena *mem, const char **was, struct err *e)
{
	struct json *object;
	const char *name;

	*was = NULL;
	if (read_file(n, PLURAL_NODE, "name", mem, &object, e) < 0)
		return -1;
	name = json_z(json_get(object, "name"));
	if (name && strcmp(name, n->name) != 0)
		*was = name;
	return 0;
}

int node_name_put(const struct pci_node *n, struct store_batch *b, struct err *e)
{
	CLEANUP_ARENA struct arena mem = {0};
	struct json *object = json_object(&mem);

	json_set_int(&mem, object, "formatVersion", KEPT_FORMAT);
	json_set_z(&mem, object, "name", n->name);
	return store_put(b, STORE_KEPT, PLURAL_NODE, "name", object, e);
}
