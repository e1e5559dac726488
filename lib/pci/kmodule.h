// SPDX-License-Identifier: GPL-2.0-or-later
// Loading kernel modules without modprobe: finit_module(2) of what lib/modules/<release> has below
// the root, dependencies first (modules.dep, modules.alias, modules.builtin of kmod).
#ifndef PCI_KMODULE_H
#define PCI_KMODULE_H

#include "base/root.h"

/* Owned by the caller, holds no memory; every call reads the files anew. `release` is that of the
 * running kernel (uname). `root` is borrowed. */
struct kmodules {
	const struct root *root;
	char dir[128]; /* lib/modules/<release>, or usr/lib/modules/<release>; "" unusable */
};
void kmodules_init(struct kmodules *k, const struct root *r, const char *release);

/* Already in the kernel (sys/module/<name>, or built in). '-' and '_' are the same. */
bool kmodule_present(const struct kmodules *k, const char *name);

/* There, or a file of lib/modules that kmodule_load() would take: 1; 0 when neither; -1 and errno
 * when modules.dep, which would tell, cannot be read. */
int kmodule_available(const struct kmodules *k, const char *name);

/* Loads the module and what it needs, with the options that modprobe.d and the kernel's command
 * line have for them; already there is success, without any file of lib/modules. Compressed files
 * go to the kernel as they are (MODULE_INIT_COMPRESSED_FILE, Linux 5.17). A kernel that cannot
 * decompress them is an error whose hint names the modprobe command; so are other refusals of the
 * kernel. Modules that modprobe.d blacklists are still loaded by name. Soft dependencies are not
 * followed. Nothing is loaded from a tree whose sys/module is no sysfs: its modules are of another
 * machine. */
int kmodule_load(const struct kmodules *k, const char *name, struct err *e);

/* Loads every module whose alias matches (modalias of a device, as udev would); 0 also when none
 * does, or without modules.alias. `loaded` (may be NULL) counts modules that were found and are
 * there now. One that fails does not keep the others from being loaded: -1, `e` of the first. Left
 * out is what modprobe.d ({etc,run,usr/local/lib,usr/lib,lib}/modprobe.d) blacklists or has an
 * install command for, and what the kernel's command line blacklists. */
int kmodule_load_alias(
	const struct kmodules *k, const char *modalias, unsigned *loaded, struct err *e);

#endif
