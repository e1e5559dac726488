// SPDX-License-Identifier: GPL-2.0-or-later
// The sandbox of pcid's daemon.
#include "pci/confine.h"

#include <linux/capability.h>
#include <sys/syscall.h>

enum { OWN = SANDBOX_READ | SANDBOX_WRITE | SANDBOX_MAKE };

/* Linking and unlinking of drivers is written through sys/bus/pci, the attributes of a function
 * through the link there, which leads to sys/devices. A driver's firmware is read by the process
 * whose write made the driver probe, before Linux 5.19 with that process's rights. A file of
 * modprobe.d is hidden by a link to dev/null. */
static const struct sandbox_path fixed[] = {
	{"sys", SANDBOX_READ},
	{"sys/devices", SANDBOX_READ | SANDBOX_WRITE},
	{"sys/bus/pci", SANDBOX_READ | SANDBOX_WRITE},
	{"sys/bus/platform", SANDBOX_READ | SANDBOX_WRITE},
	{"sys/class/vtconsole", SANDBOX_READ | SANDBOX_WRITE},
	{"proc", SANDBOX_READ},
	{"dev/null", SANDBOX_READ},
	{"etc/machine-id", SANDBOX_READ},
	{"etc/modprobe.d", SANDBOX_READ},
	{"run/modprobe.d", SANDBOX_READ},
	{"usr/local/lib/modprobe.d", SANDBOX_READ},
	{"usr/lib/modprobe.d", SANDBOX_READ},
	{"lib/modprobe.d", SANDBOX_READ},
	{"usr/lib/modules", SANDBOX_READ},
	{"lib/modules", SANDBOX_READ},
	{"usr/lib/firmware", SANDBOX_READ},
	{"lib/firmware", SANDBOX_READ},
};

static const int own_calls[] = {SYS_finit_module};

static int make_directory(const struct root *r, const char *path, struct err *e)
{
	if (root_mkdirs(r, path, 0755) < 0)
		return err_sys(e, "make %s", path);
	return 0;
}

int pci_confine(const struct pci_node *n, struct sandbox_result *out, struct err *e)
{
	struct sandbox_path path[ARRAY_LEN(fixed) + 2];
	const struct sandbox box = {
		.capabilities = 1ull << CAP_SYS_MODULE,
		.root = n->root,
		.path = path,
		.paths = ARRAY_LEN(path),
		.calls = SANDBOX_CALLS_LOOK | SANDBOX_CALLS_CHANGE | SANDBOX_CALLS_LOOP |
			 SANDBOX_CALLS_THREADS | SANDBOX_CALLS_MESSAGES,
		.call = own_calls,
		.n_calls = ARRAY_LEN(own_calls),
	};

	memcpy(path, fixed, sizeof(fixed));
	path[ARRAY_LEN(fixed)] = (struct sandbox_path){n->store->state, OWN};
	path[ARRAY_LEN(fixed) + 1] = (struct sandbox_path){n->store->run, OWN};
	if (make_directory(n->root, n->store->state, e) < 0 ||
		make_directory(n->root, n->store->run, e) < 0)
		return -1;
	return sandbox_enter(&box, out, e);
}
