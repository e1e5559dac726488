// SPDX-License-Identifier: GPL-2.0-or-later
// What kmod's files say: modules.dep, modules.alias, modules.builtin, modprobe.d, the command line.
#ifndef PCI_KMODULE_IMPL_H
#define PCI_KMODULE_IMPL_H

#include "base/arena.h"
#include "pci/kmodule.h"

enum {
	KMODULE_NAME_CAP = 64, /* MODULE_NAME_LEN of linux/moduleparam.h, rounded up */
	KMODULE_FILE_MAX = 32 * 1024 * 1024, /* of an index; Debian's modules.alias has 1.4 MiB */
};

/* "vfio-pci" -> "vfio_pci", as the kernel and sysfs write it; false when it is no module's name. */
bool kmodule_name(struct str text, char name[KMODULE_NAME_CAP]);
/* "kernel/drivers/vfio/pci/vfio-pci.ko.xz" -> "vfio_pci". */
bool kmodule_name_of_file(struct str path, char name[KMODULE_NAME_CAP]);
bool kmodule_is_compressed(struct str path);

/* A line of modules.dep: the module's file and what it needs, the last needed being the first to
 * load. */
struct kmodule_dep {
	struct str path, needs;
};
/* False: no such line. Borrows from `line`. */
bool kmodule_dep_line(struct str line, struct kmodule_dep *d);
/* The line of a module (normalised name) in the text of modules.dep. */
bool kmodule_dep_find(struct str text, const char *name, struct kmodule_dep *d);
/* The files to load, in order, the module's own last; in `mem`, borrowing from `d`. */
size_t kmodule_dep_order(const struct kmodule_dep *d, struct arena *mem, struct str **files);

/* A line of modules.alias: "alias PATTERN MODULE". */
bool kmodule_alias_line(struct str line, struct str *pattern, char module[KMODULE_NAME_CAP]);
/* The next module in *text with an alias that matches; false at the end. */
bool kmodule_alias_next(struct str *text, struct str modalias, char module[KMODULE_NAME_CAP]);
/* As fnmatch(3) over bytes: * ? [a-z] [!a-z] \x, no classes. O(pattern * text). */
bool kmodule_glob(struct str pattern, struct str text);

/* modules.builtin names the module. */
bool kmodule_builtin_has(struct str text, const char *name);

/* A setting of modprobe.d, in the order they were read. `{0}` is none; all of it is in an arena. */
enum kmodule_setting_kind {
	KMODULE_BLACKLIST, /* by "blacklist", or by "install": another command loads it */
	KMODULE_OPTIONS,
};
struct kmodule_setting {
	enum kmodule_setting_kind kind;
	char module[KMODULE_NAME_CAP];
	struct str options; /* "a=1 b=2" */
	struct kmodule_setting *next;
};
struct kmodule_conf {
	struct kmodule_setting *first, **last;
};

/* Adds what a file of modprobe.d says; unknown lines (softdep, remove, ...) are left out. */
void kmodule_conf_text(struct kmodule_conf *c, struct arena *mem, struct str text);
/* Adds "modprobe.blacklist=a,b" (modprobe's), "module_blacklist=a,b" (the kernel's own) and
 * "module.option=value" of the kernel's command line. */
void kmodule_conf_cmdline(struct kmodule_conf *c, struct arena *mem, struct str text);
/* Reads all of it below the root: etc, run, usr/local/lib, usr/lib, lib/modprobe.d (of files of one
 * name the first counts, and "x.conf -> /dev/null" hides one), proc/cmdline. */
int kmodule_conf_read(
	struct kmodule_conf *c, const struct root *r, struct arena *mem, struct err *e);

/* Blacklisted: not to be loaded because of an alias. */
bool kmodule_conf_forbids(const struct kmodule_conf *c, const char *module);
/* All options of a module, in `mem`; "" without. */
const char *kmodule_conf_options(
	const struct kmodule_conf *c, const char *module, struct arena *mem);

#endif
