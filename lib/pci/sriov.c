// SPDX-License-Identifier: GPL-2.0-or-later
// The PFs of NICs, as sysfs has them (Documentation/ABI/testing/sysfs-bus-pci, sriov_*).
#include "pci/state.h"

#include <stdio.h>

enum { PATH_CAP = 320 };

static bool read_number(const struct root *r, const char *path, unsigned *out)
{
	char text[32];
	ssize_t n = root_read(r, path, text, sizeof(text));
	uint64_t v;

	if (n <= 0 || !str_u64((struct str){text, (size_t)n}, UINT32_MAX, &v))
		return false;
	*out = (unsigned)v;
	return true;
}

bool nic_attribute(const struct root *r, const char *address, const char *name, unsigned *out)
{
	char path[PATH_CAP];

	snprintf(path, sizeof(path), "sys/bus/pci/devices/%s/%s", address, name);
	return read_number(r, path, out);
}

/* Of a switchdev's ports: "pf0vf3", "c1pf0sf8"; the PF's own is "p0" (net/devlink/port.c,
 * __devlink_port_phys_port_name_get()). */
static bool is_representor(const struct root *r, const char *address, const char *interface)
{
	char path[PATH_CAP], port[64];

	snprintf(path, sizeof(path), "sys/bus/pci/devices/%s/net/%s/phys_port_name", address,
		interface);
	return root_read(r, path, port, sizeof(port)) > 0 &&
	       (strstr(port, "vf") || strstr(port, "sf"));
}

static unsigned ifindex(const struct root *r, const char *address, const char *interface)
{
	char path[PATH_CAP];
	unsigned index = UINT32_MAX;

	snprintf(path, sizeof(path), "sys/bus/pci/devices/%s/net/%s/ifindex", address, interface);
	read_number(r, path, &index);
	return index;
}

static bool goes_before(const struct root *r, const char *address, const char *x, const char *y)
{
	bool x_is = is_representor(r, address, x), y_is = is_representor(r, address, y);
	unsigned i = ifindex(r, address, x), j = ifindex(r, address, y);

	if (x_is != y_is)
		return y_is;
	return i != j ? i < j : strcmp(x, y) < 0;
}

void nic_interface(const struct root *r, const char *address, char out[static NIC_NAME_CAP])
{
	char path[PATH_CAP];
	struct dirent *entry;
	DIR *dir;

	out[0] = 0;
	snprintf(path, sizeof(path), "sys/bus/pci/devices/%s/net", address);
	dir = root_opendir(r, path);
	while (dir && (entry = readdir(dir))) {
		size_t len = strlen(entry->d_name);

		if (entry->d_name[0] == '.' || len >= NIC_NAME_CAP)
			continue;
		if (!out[0] || goes_before(r, address, entry->d_name, out))
			memcpy(out, entry->d_name, len + 1);
	}
	if (dir)
		closedir(dir);
}

const char *nic_object_name(struct arena *mem, const char *node, const char *interface)
{
	char *name = arena_printf(mem, "%s-%s", node, interface);

	for (char *c = name + strlen(node); *c; c++) {
		if (*c >= 'A' && *c <= 'Z')
			*c = (char)(*c - 'A' + 'a');
		else if (!(*c >= 'a' && *c <= 'z') && !(*c >= '0' && *c <= '9') && *c != '.')
			*c = '-';
	}
	return name;
}

static struct nic_pf *by_name(struct pci_state *s, const char *name)
{
	for (size_t i = 0; i < s->sriov.pfs; i++)
		if (!strcmp(s->sriov.pf[i].name, name))
			return &s->sriov.pf[i];
	return NULL;
}

static bool read_pf(struct pci_state *s, const struct pci_dev *d, struct nic_pf *pf)
{
	char interface[NIC_NAME_CAP];

	*pf = (struct nic_pf){.dev = d, .name = ""};
	if (d->class >> 16 != 0x02 || d->is_vf ||
		!nic_attribute(s->node->root, d->name, "sriov_totalvfs", &pf->total) || !pf->total)
		return false;
	nic_interface(s->node->root, d->name, interface);
	pf->interface = arena_dup(&s->mem, interface, strlen(interface));
	if (interface[0])
		pf->name = nic_object_name(&s->mem, s->node->name, interface);
	if (by_name(s, pf->name)) /* two that differ in case only */
		pf->name = pci_object_name(&s->mem, s->node->name, d->addr);
	pf->counted = nic_attribute(s->node->root, d->name, "sriov_numvfs", &pf->vfs);
	pf->kept_out = pci_state_is_kept_out(s, d);
	return true;
}

static void read_pfs(struct pci_state *s)
{
	struct nic_pf pf;
	size_t n = 0;

	for (size_t i = 0; i < s->inv.n; i++)
		n += s->inv.dev[i].class >> 16 == 0x02 && !s->inv.dev[i].is_vf;
	s->sriov.pf = arena_alloc(&s->mem, (n + 1) * sizeof(pf));
	for (size_t i = 0; i < s->inv.n; i++)
		if (read_pf(s, &s->inv.dev[i], &pf))
			s->sriov.pf[s->sriov.pfs++] = pf;
}

/* A wish goes to the PF that has its name. A PF that lost its interface, or has another name in
 * this boot, is found by the wish's address and keeps the object's name. */
static void match_wishes(struct pci_state *s)
{
	for (size_t i = 0; i < s->sriov.wishes; i++) {
		struct nic_pf *pf = by_name(s, s->sriov.wish[i].name);

		if (pf)
			pf->wish = &s->sriov.wish[i];
	}
	for (size_t i = 0; i < s->sriov.wishes; i++) {
		const struct nic_wish *w = &s->sriov.wish[i];
		const struct nic_pf *at = w->addr_ok ? sriov_pf_at(s, w->addr) : NULL;

		if (!at || at->wish || by_name(s, w->name))
			continue;
		s->sriov.pf[at - s->sriov.pf].wish = w;
		s->sriov.pf[at - s->sriov.pf].name = w->name;
	}
}

int sriov_read(struct pci_state *s, struct err *e)
{
	struct sriov *v = &s->sriov;

	if (nic_wishes_read(s->node, &s->mem, &v->wish, &v->wishes, e) < 0 ||
		nic_kept_read_all(s->node, &s->mem, &v->kept, &v->kepts, e) < 0)
		return -1;
	read_pfs(s);
	match_wishes(s);
	return 0;
}

const struct nic_pf *sriov_pf_at(const struct pci_state *s, struct pci_addr a)
{
	for (size_t i = 0; i < s->sriov.pfs; i++)
		if (pci_addr_cmp(s->sriov.pf[i].dev->addr, a) == 0)
			return &s->sriov.pf[i];
	return NULL;
}

const struct nic_pf *sriov_pf_named(const struct pci_state *s, const char *interface)
{
	for (size_t i = 0; i < s->sriov.pfs; i++)
		if (interface[0] && !strcmp(s->sriov.pf[i].interface, interface))
			return &s->sriov.pf[i];
	return NULL;
}

const struct nic_kept *sriov_kept_at(const struct pci_state *s, struct pci_addr a)
{
	for (size_t i = 0; i < s->sriov.kepts; i++)
		if (s->sriov.kept[i].readable && pci_addr_cmp(s->sriov.kept[i].addr, a) == 0)
			return &s->sriov.kept[i];
	return NULL;
}

const struct pci_dev *sriov_next_vf(
	const struct pci_state *s, const struct pci_dev *pf, size_t *from)
{
	while (*from < s->inv.n) {
		const struct pci_dev *d = &s->inv.dev[(*from)++];

		if (d->is_vf && pci_addr_cmp(d->pf, pf->addr) == 0)
			return d;
	}
	return NULL;
}

const struct wish *sriov_claim_on(const struct pci_state *s, const struct pci_dev *d)
{
	const struct wish *w = pci_state_wish(s, d->addr);
	const struct pci_dev *const *peer;
	size_t n;

	if (w || d->group == PCI_NO_GROUP)
		return w;
	n = pci_state_group(s, d->group, &peer);
	for (size_t i = 0; i < n && !w; i++)
		w = pci_state_wish(s, peer[i]->addr);
	return w;
}
