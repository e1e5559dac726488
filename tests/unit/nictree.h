// SPDX-License-Identifier: GPL-2.0-or-later
// A host for tests of VFs: the PF enp1s0 at 0000:01:00.0 with up to 7 VFs at 0000:01:10.0, .2, .4
// ..., what the kernel does when their number changes, wishes and claims.
#ifndef TESTS_NICTREE_H
#define TESTS_NICTREE_H

#include "hosttree.h"

#include "pci/state.h"

#define NIC_BRIDGE "pci0000:00/0000:00:1c.0/"
#define NIC_PF "0000:01:00.0"
#define NIC_WISH "n-enp1s0"

enum { NIC_TOTAL = 7 };

struct nics {
	struct scratch t;
	struct store store;
	struct ids ids;
	struct pci_node node;
	struct pci_state s;
};

PRINTF(3, 4)
static inline void nics_put(const struct nics *n, const char *text, const char *fmt, ...)
{
	CLEANUP_FREE char *path = NULL;
	va_list ap;

	va_start(ap, fmt);
	path = mem_vprintf(fmt, ap);
	va_end(ap);
	scratch_put(&n->t, path, text);
}

static inline void nics_relink(const struct nics *n, const char *path, const char *target)
{
	CLEANUP_FREE char *full = scratch_path(&n->t, path);

	unlink(full);
	if (target)
		host_link(&n->t, path, target);
}

/* A function's driver, "" for none, in its link and in uevent. */
static inline void nics_bind(const struct nics *n, const char *address, const char *driver)
{
	CLEANUP_FREE char *link = mem_printf("sys/devices/" NIC_BRIDGE "%s/driver", address);
	CLEANUP_FREE char *to = mem_printf("../../../../bus/pci/drivers/%s", driver);
	CLEANUP_FREE char *text = mem_printf("%s%s%sPCI_CLASS=20000\nPCI_ID=8086:10CA\n",
		driver[0] ? "DRIVER=" : "", driver, driver[0] ? "\n" : "");

	nics_relink(n, link, driver[0] ? to : NULL);
	nics_put(n, text, "sys/devices/" NIC_BRIDGE "%s/uevent", address);
	if (driver[0])
		nics_put(n, "", "sys/bus/pci/drivers/%s/unbind", driver);
}

static inline char *nics_vf(unsigned index)
{
	return mem_printf("0000:01:%02x.%u", 0x10 + 2 * index / 8, 2 * index % 8);
}

static inline void nics_add_vf(const struct nics *n, unsigned index, const char *driver)
{
	CLEANUP_FREE char *vf = nics_vf(index), *home = mem_printf(NIC_BRIDGE "%s", vf);
	CLEANUP_FREE char *pf = mem_printf("sys/devices/%s/physfn", home);
	CLEANUP_FREE char *group = mem_printf("sys/devices/%s/iommu_group", home);
	CLEANUP_FREE char *group_to = mem_printf("../../../../kernel/iommu_groups/%u", 20 + index);
	CLEANUP_FREE char *virtfn = mem_printf("sys/devices/" NIC_BRIDGE NIC_PF "/virtfn%u", index);
	CLEANUP_FREE char *virtfn_to = mem_printf("../%s", vf);

	host_function(&n->t, home, "20000", NULL);
	nics_put(n, "0x8086\n", "sys/devices/%s/vendor", home);
	nics_put(n, "(null)\n", "sys/devices/%s/driver_override", home);
	host_link(&n->t, pf, "../" NIC_PF);
	host_link(&n->t, group, group_to);
	host_link(&n->t, virtfn, virtfn_to);
	nics_bind(n, vf, driver);
}

static inline void nics_remove_vf(const struct nics *n, unsigned index)
{
	CLEANUP_FREE char *vf = nics_vf(index);
	CLEANUP_FREE char *home = mem_printf("%s/sys/devices/" NIC_BRIDGE "%s", n->t.dir, vf);
	CLEANUP_FREE char *link = mem_printf("sys/bus/pci/devices/%s", vf);
	CLEANUP_FREE char *virtfn = mem_printf("sys/devices/" NIC_BRIDGE NIC_PF "/virtfn%u", index);

	scratch_clear(home);
	nics_relink(n, link, NULL);
	nics_relink(n, virtfn, NULL);
}

static inline void nics_show_count(const struct nics *n, unsigned count)
{
	CLEANUP_FREE char *text = mem_printf("%u\n", count);

	nics_put(n, text, "sys/devices/" NIC_BRIDGE NIC_PF "/sriov_numvfs");
}

static inline void nics_set_vfs(const struct nics *n, unsigned count, const char *driver)
{
	for (unsigned i = 0; i < NIC_TOTAL; i++) {
		nics_remove_vf(n, i);
		if (i < count)
			nics_add_vf(n, i, driver);
	}
	nics_show_count(n, count);
}

static inline void nics_open(struct nics *n)
{
	struct err e;

	*n = (struct nics){0};
	host_open(&n->t);
	host_nic(&n->t, 1, "enp1s0");
	scratch_put(&n->t, "sys/class/net/enp1s0/ifindex", "2\n");
	nics_bind(n, NIC_PF, "igb");
	nics_put(n, "0x8086\n", "sys/devices/" NIC_BRIDGE NIC_PF "/vendor");
	nics_put(n, "7\n", "sys/devices/" NIC_BRIDGE NIC_PF "/sriov_totalvfs");
	nics_put(n, "1\n", "sys/devices/" NIC_BRIDGE NIC_PF "/sriov_drivers_autoprobe");
	nics_put(n, "(null)\n", "sys/devices/" NIC_BRIDGE NIC_PF "/driver_override");
	nics_show_count(n, 0);
	scratch_put(&n->t, "sys/bus/pci/drivers_probe", "");
	scratch_put(&n->t, "proc/sys/kernel/random/boot_id", "b\n");
	scratch_mkdir(&n->t, "sys/module/vfio_pci");
	scratch_mkdir(&n->t, "sys/module/vfio_iommu_type1");
	ids_builtin(&n->ids);
	assert_int_equal(store_init(&n->store, &n->t.root, NULL, &e), 0);
	assert_int_equal(store_sentinel_write(&n->store, "n", &e), 0);
	n->node = (struct pci_node){
		.root = &n->t.root, .store = &n->store, .ids = &n->ids, .name = "n"};
}

static inline void nics_close(struct nics *n)
{
	scratch_close(&n->t);
}

/* A wish for VFs, as somebody wrote it; `more` are further members of metadata, or "". */
static inline void nics_wish(const struct nics *n, const char *tree, const char *name,
	const char *more, const char *spec)
{
	CLEANUP_FREE char *text = mem_printf("{\"metadata\": {\"name\": \"%s\", \"uid\": \"1\"%s}, "
					     "\"spec\": {\"nodeName\": \"n\", %s}}",
		name, more, spec);

	nics_put(n, text, "var/lib/vfiobox/desired/%s/sriovnetworkdevices/%s.json", tree, name);
}

static inline void nics_want(const struct nics *n, unsigned count)
{
	CLEANUP_FREE char *spec = mem_printf("\"address\": \"" NIC_PF "\", \"numVFs\": %u", count);

	nics_wish(n, "local", NIC_WISH, "", spec);
}

static inline char *nics_claim_name(const char *address)
{
	char *name = mem_printf("n-%s", address), *to = name;

	for (const char *c = name; *c; c++)
		if (*c != ':' && *c != '.')
			*to++ = *c;
	*to = 0;
	return name;
}

static inline char *nics_claim_path(const char *address)
{
	CLEANUP_FREE char *name = nics_claim_name(address);

	return mem_printf("var/lib/vfiobox/desired/local/pcideviceclaims/%s.json", name);
}

static inline void nics_claim(const struct nics *n, const char *address)
{
	CLEANUP_FREE char *name = nics_claim_name(address), *path = nics_claim_path(address);
	CLEANUP_FREE char *text =
		mem_printf("{\"metadata\": {\"name\": \"%s\", \"uid\": \"2\"}, \"spec\": "
			   "{\"nodeName\": \"n\", \"address\": \"%s\", \"userName\": \"u\"}}",
			name, address);

	scratch_put(&n->t, path, text);
}

static inline void nics_unclaim(const struct nics *n, const char *address)
{
	CLEANUP_FREE char *path = nics_claim_path(address);
	CLEANUP_FREE char *full = scratch_path(&n->t, path);

	assert_int_equal(unlink(full), 0);
}

#endif
