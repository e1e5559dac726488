// SPDX-License-Identifier: GPL-2.0-or-later
// kept/pcidevices/: functions that are ours.
#include "pci/kept.h"

#include <stdio.h>

static bool hex16(const struct json *object, const char *key, uint16_t *out)
{
	uint64_t v;

	if (!str_hex(json_str(json_get(object, key)), 0xffff, &v))
		return false;
	*out = (uint16_t)v;
	return true;
}

static const char *text(const struct json *object, const char *key)
{
	const char *z = json_z(json_get(object, key));

	return z ? z : "";
}

static void parse_identity(struct identity *id, const struct json *object)
{
	const struct json *serial = json_get(object, "serial");

	id->dsn = text(serial, "dsn");
	id->nvme = text(serial, "nvme");
	id->mac = text(serial, "mac");
	id->slot = text(object, "slot");
}

/* Everything that a release needs must be there, else the record is not readable. */
void kept_parse(struct kept *k, const char *name, const struct json *object)
{
	uint64_t format, class;

	*k = (struct kept){.name = name,
		.id = {.dsn = "", .nvme = "", .mac = "", .slot = ""},
		.driver = "",
		.override = "",
		.resource = "",
		.group = ""};
	if (!object)
		return;

	k->driver = text(object, "driver");
	k->override = text(object, "driverOverride");
	k->resource = text(object, "resourceName");
	k->group = text(object, "group");
	k->unprobed = json_bool(json_get(object, "unprobed"), false);
	k->verified = json_bool(json_get(object, "verified"), false);
	parse_identity(&k->id, object);
	k->readable = json_u64(json_get(object, "formatVersion"), &format) &&
		      format == KEPT_FORMAT &&
		      pci_addr_parse(json_str(json_get(object, "address")), &k->addr) &&
		      hex16(object, "vendorId", &k->id.vendor) &&
		      hex16(object, "deviceId", &k->id.device) &&
		      hex16(object, "subsystemVendorId", &k->id.subvendor) &&
		      hex16(object, "subsystemDeviceId", &k->id.subdevice) &&
		      str_hex(json_str(json_get(object, "class")), 0xffffff, &class) &&
		      json_is(json_get(object, "driver"), JSON_STRING) &&
		      console_from_json(&k->console, json_get(object, "console"));
	if (!k->readable)
		return;
	k->class = (uint32_t) class;
	k->id.fn = k->addr.fn;
	if (!pci_addr_parse(json_str(json_get(object, "claimAddress")), &k->claim_addr))
		k->claim_addr = k->addr;
}

int kept_read_all(const struct pci_node *n, struct arena *mem, struct kept **out, size_t *count,
	struct err *e)
{
	char **names;

	*out = NULL;
	if (store_list(n->store, STORE_KEPT, PLURAL_DEVICES, mem, &names, count, e) < 0)
		return -1;
	if (*count)
		*out = arena_alloc(mem, *count * sizeof(**out));
	for (size_t i = 0; i < *count; i++) {
		struct kept *k = &(*out)[i];
		struct json *object = NULL;
		struct err ignored;

		store_read(n->store, STORE_KEPT, PLURAL_DEVICES, names[i], mem, &object, &ignored);
		kept_parse(k, names[i], object);
	}
	return 0;
}

static void set_hex(struct arena *mem, struct json *object, const char *key, unsigned v, int digits)
{
	char hex[16];

	snprintf(hex, sizeof(hex), "%0*x", digits, v);
	json_set_z(mem, object, key, hex);
}

static void set_known(struct arena *mem, struct json *object, const char *key, const char *value)
{
	if (value[0])
		json_set_z(mem, object, key, value);
}

static void set_identity(struct arena *mem, struct json *object, const struct identity *id)
{
	struct json *serial;

	set_hex(mem, object, "vendorId", id->vendor, 4);
	set_hex(mem, object, "deviceId", id->device, 4);
	set_hex(mem, object, "subsystemVendorId", id->subvendor, 4);
	set_hex(mem, object, "subsystemDeviceId", id->subdevice, 4);
	serial = json_make(mem, object, "serial");
	set_known(mem, serial, "dsn", id->dsn);
	set_known(mem, serial, "nvme", id->nvme);
	set_known(mem, serial, "mac", id->mac);
	set_known(mem, object, "slot", id->slot);
}

int kept_put(struct store_batch *b, const struct kept *k, struct err *e)
{
	CLEANUP_ARENA struct arena mem = {0};
	struct json *object = json_object(&mem);
	char address[PCI_ADDR_CAP];

	json_set_int(&mem, object, "formatVersion", KEPT_FORMAT);
	json_set_z(&mem, object, "address", pci_addr_format(k->addr, address));
	if (pci_addr_cmp(k->addr, k->claim_addr) != 0)
		json_set_z(&mem, object, "claimAddress", pci_addr_format(k->claim_addr, address));
	set_identity(&mem, object, &k->id);
	set_hex(&mem, object, "class", k->class, 6);
	json_set_z(&mem, object, "driver", k->driver);
	json_set_z(&mem, object, "driverOverride", k->override);
	json_set_z(&mem, object, "resourceName", k->resource);
	set_known(&mem, object, "group", k->group);
	if (k->unprobed)
		json_set_bool(&mem, object, "unprobed", true);
	json_set_bool(&mem, object, "verified", k->verified);
	if (k->console.n)
		json_set(&mem, object, "console", console_to_json(&k->console, &mem));
	return store_put(b, STORE_KEPT, PLURAL_DEVICES, k->name, object, e);
}

bool kept_is_model(const struct kept *k, const struct pci_dev *d)
{
	return k->id.vendor == d->vendor && k->id.device == d->device &&
	       k->id.subvendor == d->subvendor && k->id.subdevice == d->subdevice;
}

bool kept_is(const struct kept *k, const struct pci_dev *d)
{
	return !k->mismatch && kept_is_model(k, d);
}
