// SPDX-License-Identifier: GPL-2.0-or-later
// Others at work on the same functions: driverctl, who set a driver_override or bound vfio-pci,
// other device plugins; and who holds our own lock.
#include "pci/bind.h"
#include "pci/doctor_impl.h"
#include "pci/object.h"

#include <errno.h>
#include <stdio.h>
#include <sys/sysmacros.h>

#define DRIVERCTL "etc/driverctl.d"
#define PLUGINS "var/lib/kubelet/device-plugins"

enum { LOCKS_MAX = 16 << 20 };

/* A file per function, "0000:65:00.0" or "pci-0000:65:00.0", with the driver's name in it. */
static void check_driverctl_file(void *ctx, const char *name)
{
	struct look *l = ctx;
	const char *address = strncmp(name, "pci-", 4) ? name : name + 4;
	const struct pci_dev *d;
	char path[300], driver[64];
	struct pci_addr a;
	bool same;

	if (!pci_addr_parse(str_of(address), &a))
		return;
	d = pci_find(&l->inv, a);
	if (!d || !look_is_claimed(l, d))
		return;
	snprintf(path, sizeof(path), DRIVERCTL "/%s", name);
	if (root_read(l->root, path, driver, sizeof(driver)) < 0)
		snprintf(driver, sizeof(driver), "?");
	same = !strcmp(driver, VFIO_PCI);
	found(l, same ? DOCTOR_NOTE : DOCTOR_PROBLEM, TOPIC_DRIVERCTL, d->name,
		"it is claimed, and driverctl has \"%s\" for it (/%s): two agents %s", driver, path,
		same ? "bind it, and a release here does not last" : "want different drivers");
	found_todo(l, "driverctl unset-override %s", d->name);
}

static void say_foreign(struct look *l, const struct pci_dev *d, const char *override)
{
	found(l, DOCTOR_NOTE, TOPIC_FOREIGN, d->name,
		"it is on %s, and vfiobox did not put it there%s", d->driver,
		override[0] ? ""
			    : "; it has no driver_override: a dynamic id did that (new_id, as the "
			      "Go controller writes, or ids=), or a hand");
	found_todo(l, "whoever bound it has to give it back before it can be claimed; dynamic ids "
		      "cannot be read and last until vfio-pci is unloaded");
}

static void check_driver(struct look *l, const struct pci_dev *d)
{
	char override[64];

	if (pci_state_ours(&l->state, d) || look_member(l, d) ||
		bind_override_of(l->root, d->name, override, sizeof(override)) < 0)
		return;
	if (pci_is_user_driver(d->driver)) {
		say_foreign(l, d, override);
	} else if (override[0]) {
		found(l, DOCTOR_NOTE, TOPIC_OVERRIDE, d->name,
			"driver_override is \"%s\", and vfiobox did not set it", override);
		found_todo(l, "echo > /sys/bus/pci/devices/%s/driver_override, if nobody needs it",
			d->name);
	}
}

/* Sockets of KubeVirt's way: the whole resource name with '-' for '/', or, NVIDIA's plugin, the
 * part after it. */
static void check_socket(
	struct look *l, const struct pci_dev *d, const char *resource, const char *name)
{
	char path[600], *slash;
	int n = snprintf(path, sizeof(path), PLUGINS "/kubevirt-%s.sock", name);

	if (n < 0 || (size_t)n >= sizeof(path))
		return;
	for (slash = path + strlen(PLUGINS) + 1; (slash = strchr(slash, '/')); *slash = '-')
		;
	if (!root_exists(l->root, path))
		return;
	found(l, DOCTOR_NOTE, TOPIC_PLUGIN, d->name,
		"another device plugin has, or had, a socket for its resource %s: /%s", resource,
		path);
	found_todo(l, "if something listens there (ss -xlp), take that plugin away: the Go "
		      "controller, KubeVirt's own, or NVIDIA's; else remove the file");
}

static void check_plugins(struct look *l, const struct pci_dev *d)
{
	CLEANUP_ARENA struct arena mem = {0};
	const char *resource = object_resource_name(&l->state, &mem, d);
	const char *tail = strchr(resource, '/');

	check_socket(l, d, resource, resource);
	if (tail)
		check_socket(l, d, resource, tail + 1);
}

static void check_lock(struct look *l)
{
	CLEANUP_BUF struct buf locks = {.max = LOCKS_MAX};
	char path[128], text[128];
	struct stat st;
	long pid;

	snprintf(path, sizeof(path), "%s/pcid.lock", l->node->store->run);
	if (root_stat(l->root, path, &st) < 0)
		return;
	if (root_slurp(l->root, "proc/locks", &locks) < 0) {
		found(l, DOCTOR_NOTE, TOPIC_LOCK, "", "who holds %s is not known: proc/locks: %s",
			path, strerror(errno));
		found_todo(l, "pcid apply says so when it has to wait");
		return;
	}
	pid = doctor_lock_holder(
		buf_slice(&locks), major(st.st_dev), minor(st.st_dev), (uint64_t)st.st_ino);
	if (!pid) {
		found(l, DOCTOR_OK, TOPIC_LOCK, "", "nobody holds %s", path);
		return;
	}
	/* The file names its holder: pid, in its own namespace, and host. */
	if (root_read(l->root, path, text, sizeof(text)) <= 0)
		snprintf(text, sizeof(text), "%s", "?");
	if (pid > 0)
		found(l, DOCTOR_NOTE, TOPIC_LOCK, "",
			"process %ld holds %s (it says: %s): no other pcid acts meanwhile", pid,
			path, text);
	else
		found(l, DOCTOR_NOTE, TOPIC_LOCK, "",
			"a process of another pid namespace holds %s (it says: %s): no other pcid "
			"acts meanwhile",
			path, text);
	found_todo(l, "if it is a daemon of ours that is as it should be; else see what it waits "
		      "for");
}

void doctor_check_agents(struct look *l)
{
	check_lock(l);
	if (!l->has_state)
		return;
	look_entries(l, DRIVERCTL, check_driverctl_file, l);
	for (size_t i = 0; i < l->inv.n; i++) {
		check_driver(l, &l->inv.dev[i]);
		if (look_is_claimed(l, &l->inv.dev[i]))
			check_plugins(l, &l->inv.dev[i]);
	}
}
