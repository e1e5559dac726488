// SPDX-License-Identifier: GPL-2.0-or-later
// What the kernel is told.
#include "pci/bind.h"

#include "pci/console.h"

#include <errno.h>
#include <stdio.h>

enum { NAME_CAP = 64, PATH_CAP = 128 };

static const char *attribute(char path[static PATH_CAP], const char *address, const char *name)
{
	snprintf(path, PATH_CAP, "sys/bus/pci/devices/%s/%s", address, name);
	return path;
}

int bind_driver_of(const struct root *r, const char *address, char *out, size_t cap)
{
	char path[PATH_CAP];

	out[0] = 0;
	if (root_link_name(r, attribute(path, address, "driver"), out, cap) >= 0)
		return 0;
	if (errno != ENOENT)
		return -1;
	return root_exists(r, attribute(path, address, "")) ? 0 : -1;
}

int bind_override_of(const struct root *r, const char *address, char *out, size_t cap)
{
	char path[PATH_CAP];

	out[0] = 0;
	if (root_read(r, attribute(path, address, "driver_override"), out, cap) < 0)
		return -1;
	if (!strcmp(out, "(null)"))
		out[0] = 0;
	return 0;
}

static int set_override(
	const struct root *r, const char *address, const char *driver, struct err *e)
{
	char path[PATH_CAP], value[NAME_CAP];

	snprintf(value, sizeof(value), "%s\n", driver);
	if (root_write(r, attribute(path, address, "driver_override"), value) < 0)
		return err_sys(e, "write driver_override of %s", address);
	return 0;
}

static int unbind(const struct root *r, const char *address, struct err *e)
{
	char path[PATH_CAP], driver[NAME_CAP];

	if (bind_driver_of(r, address, driver, sizeof(driver)) < 0)
		return err_sys(e, "look at the driver of %s", address);
	if (!driver[0])
		return 0;
	if (root_write(r, attribute(path, address, "driver/unbind"), address) < 0)
		return err_sys(e, "unbind %s from %s", address, driver);
	return 0;
}

/* What the probe says is not enough: the kernel reports success of a write to drivers_probe even
 * when the driver refuses the function. */
static int verify(const struct root *r, const char *address, const char *want, struct err *e)
{
	char driver[NAME_CAP];

	if (bind_driver_of(r, address, driver, sizeof(driver)) < 0)
		return err_sys(e, "look at the driver of %s", address);
	if (!strcmp(driver, want))
		return 0;
	if (!want[0])
		return err_set(e, "%s did not let go of %s", driver, address);
	return err_set(e, "%s did not take %s: it is on %s (the kernel's reason is in dmesg)", want,
		address, driver[0] ? driver : "no driver");
}

static int probe(const struct root *r, const char *address, struct err *e)
{
	if (root_write(r, "sys/bus/pci/drivers_probe", address) < 0 && errno != EINVAL)
		return err_sys(e, "probe a driver for %s", address);
	return 0;
}

/* What udev would load for the function, where its old driver is not there any more. */
static void load_host_driver(
	const struct pci_node *n, const struct kmodules *k, const char *address, const char *driver)
{
	char path[PATH_CAP], alias[256];
	struct err ignored; /* the probe that follows shows whether it helped */

	snprintf(path, sizeof(path), "sys/bus/pci/drivers/%.64s", driver);
	if (driver[0] && root_exists(n->root, path))
		return;
	if (root_read(n->root, attribute(path, address, "modalias"), alias, sizeof(alias)) > 0)
		kmodule_load_alias(k, alias, NULL, &ignored);
}

/* Back to how the record says it was; no driver then, no driver now, unless `probes`. */
static int give_back(const struct pci_node *n, const struct kmodules *k, const char *address,
	const char *driver, const char *override, bool probes, struct err *e)
{
	char now[NAME_CAP];

	if (bind_driver_of(n->root, address, now, sizeof(now)) < 0)
		return err_sys(e, "look at the driver of %s", address);
	if (set_override(n->root, address, override, e) < 0)
		return -1;
	if (now[0] && strcmp(now, VFIO_PCI) != 0)
		return 0;
	if (unbind(n->root, address, e) < 0)
		return -1;
	if (!driver[0] && !probes)
		return verify(n->root, address, "", e);
	load_host_driver(n, k, address, driver);
	if (bind_driver_of(n->root, address, now, sizeof(now)) == 0 && now[0])
		return 0;
	return probe(n->root, address, e);
}

int bind_reserve(const struct root *r, const char *address, struct err *e)
{
	return set_override(r, address, VFIO_PCI, e);
}

int bind_undo_early(const struct pci_node *n, const char *address, struct err *e)
{
	char now[NAME_CAP];

	if (bind_driver_of(n->root, address, now, sizeof(now)) < 0)
		return err_sys(e, "look at the driver of %s", address);
	if (set_override(n->root, address, "", e) < 0)
		return -1;
	if (strcmp(now, VFIO_PCI) != 0)
		return 0;
	return unbind(n->root, address, e) < 0 ? -1 : probe(n->root, address, e);
}

int bind_load_vfio(const struct kmodules *k, struct err *e)
{
	if (kmodule_load(k, "vfio-pci", e) < 0)
		return -1;
	return kmodule_load(k, "vfio_iommu_type1", e);
}

static int bind_all(const struct pci_node *n, struct unit *u, struct err *e)
{
	for (size_t i = 0; i < u->n; i++)
		if (u->member[i].action == ACTION_BIND &&
			set_override(n->root, u->member[i].dev->name, VFIO_PCI, e) < 0)
			return -1;
	for (size_t i = 0; i < u->n; i++) {
		const struct pci_dev *d = u->member[i].dev;

		if (u->member[i].action != ACTION_BIND || !strcmp(d->driver, VFIO_PCI))
			continue;
		if (console_let_go(n, d, &u->member[i].kept->console, e) < 0)
			return -1;
		if (d->driver[0])
			pci_progress(n, "%s: unbind from %s", d->name, d->driver);
		if (unbind(n->root, d->name, e) < 0 || verify(n->root, d->name, "", e) < 0 ||
			probe(n->root, d->name, e) < 0)
			return -1;
	}
	for (size_t i = 0; i < u->n; i++) {
		const struct pci_dev *d = u->member[i].dev;

		if (u->member[i].action != ACTION_BIND)
			continue;
		if (verify(n->root, d->name, VFIO_PCI, e) < 0)
			return -1;
		pci_progress(n, "%s: bound to vfio-pci", d->name);
	}
	return 0;
}

/* What an interrupted transaction left on vfio-pci or on no driver goes back to where it came from;
 * what was on a host driver until now, to that. */
static const char *home_of(const struct member *m)
{
	bool left = !m->dev->driver[0] || !strcmp(m->dev->driver, VFIO_PCI);

	return left ? m->kept->driver : m->dev->driver;
}

/* The host's screen is not worth a release: what fails is said. */
static void bring_console_back(const struct pci_node *n, const struct member *m)
{
	struct err e;

	if (console_bring_back(n, m->dev, &m->kept->console, &e) < 0)
		pci_progress(
			n, "%s: the host's console did not come back: %s", m->dev->name, e.text);
}

static void undo_one(
	const struct pci_node *n, const struct kmodules *k, const struct member *m, struct err *e)
{
	const char *driver = home_of(m);
	struct err why;

	if (give_back(n, k, m->dev->name, driver, m->kept->override, false, &why) < 0 ||
		verify(n->root, m->dev->name, driver, &why) < 0)
		err_hint(e, "and it could not be undone: %.200s", why.text);
	else
		pci_progress(n, "%s: undone, on %s as before", m->dev->name,
			driver[0] ? driver : "no driver");
}

static void undo(const struct pci_node *n, const struct kmodules *k, struct unit *u, struct err *e)
{
	for (size_t i = 0; i < u->n; i++)
		if (u->member[i].action == ACTION_BIND)
			undo_one(n, k, &u->member[i], e);
	for (size_t i = 0; i < u->n; i++)
		if (u->member[i].action == ACTION_BIND)
			bring_console_back(n, &u->member[i]);
}

bool bind_is_undone(const struct root *r, const struct member *m)
{
	char now[NAME_CAP], override[NAME_CAP];

	return bind_driver_of(r, m->dev->name, now, sizeof(now)) == 0 &&
	       bind_override_of(r, m->dev->name, override, sizeof(override)) == 0 &&
	       !strcmp(now, home_of(m)) && !strcmp(override, m->kept->override);
}

int bind_group(const struct pci_node *n, const struct kmodules *k, struct unit *u, struct err *e)
{
	if (bind_all(n, u, e) == 0)
		return 0;
	undo(n, k, u, e);
	return -1;
}

static void fail(struct member *m, enum reason r, struct arena *mem, const char *text)
{
	m->done = false;
	m->reason = r;
	m->message = arena_dup(mem, text, strlen(text));
}

static void release_one(
	const struct pci_node *n, const struct kmodules *k, struct member *m, struct arena *mem)
{
	char now[NAME_CAP];
	struct err e;

	if (give_back(n, k, m->dev->name, m->kept->driver, m->kept->override, m->kept->unprobed,
		    &e) < 0) {
		fail(m, REASON_RELEASE_FAILED, mem, e.text);
		return;
	}
	if (bind_driver_of(n->root, m->dev->name, now, sizeof(now)) < 0) {
		fail(m, REASON_RELEASE_FAILED, mem, "it vanished while it was given back");
		return;
	}
	if (!strcmp(now, m->kept->driver)) {
		m->done = true;
		pci_progress(
			n, "%s: back on %s", m->dev->name, now[0] ? now : "no driver, as before");
	} else if (!strcmp(now, VFIO_PCI)) {
		fail(m, REASON_RELEASE_FAILED, mem, "it is still on vfio-pci");
	} else if (now[0] && m->kept->unprobed) {
		m->done = true;
		pci_progress(n, "%s: given back to %s", m->dev->name, now);
	} else if (now[0]) {
		m->done = true;
		pci_progress(n, "%s: given back; %s took it, not %s as before", m->dev->name, now,
			m->kept->driver);
	} else {
		m->message = arena_printf(mem,
			"%s did not take it back: run 'modprobe %s', then 'vfiobox pcid apply'",
			m->kept->driver, m->kept->driver);
		m->reason = REASON_DRIVER_MISSING;
	}
}

int bind_release(
	const struct pci_node *n, const struct kmodules *k, struct unit *u, struct arena *mem)
{
	int rc = 0;

	for (size_t i = 0; i < u->n; i++) {
		struct member *m = &u->member[i];

		if (m->action != ACTION_RELEASE)
			continue;
		pci_progress(n, "%s: give back to %s", m->dev->name,
			m->kept->driver[0] ? m->kept->driver : "no driver");
		release_one(n, k, m, mem);
		if (m->done)
			bring_console_back(n, m);
		if (!m->done)
			rc = -1;
	}
	return rc;
}
