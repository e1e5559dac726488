// SPDX-License-Identifier: GPL-2.0-or-later
// Loading kernel modules without modprobe.
#include "pci/kmodule_impl.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

enum {
	FLAG_COMPRESSED_FILE = 4, /* MODULE_INIT_COMPRESSED_FILE of linux/module.h, since 5.17 */
	PATH_CAP = 4096,
	MODALIAS_MAX = 4096,
};

static bool is_release(const char *s)
{
	return s[0] && s[0] != '.' && !strchr(s, '/') && strlen(s) < 100;
}

void kmodules_init(struct kmodules *k, const struct root *r, const char *release)
{
	*k = (struct kmodules){.root = r};
	if (!is_release(release))
		return;
	snprintf(k->dir, sizeof(k->dir), "usr/lib/modules/%s", release);
	if (root_exists(r, k->dir + strlen("usr/")) || !root_exists(r, k->dir))
		snprintf(k->dir, sizeof(k->dir), "lib/modules/%s", release);
}

/* The text of an index; -1 and errno. */
static int read_index(const struct kmodules *k, const char *file, struct buf *text)
{
	char path[sizeof(k->dir) + 32];

	text->max = KMODULE_FILE_MAX;
	if (!k->dir[0]) {
		errno = ENOENT;
		return -1;
	}
	snprintf(path, sizeof(path), "%s/%s", k->dir, file);
	return root_slurp(k->root, path, text);
}

/* What is coming or going is not there: loading it waits for what becomes of it. */
static bool is_loaded(const struct kmodules *k, const char *name)
{
	char path[KMODULE_NAME_CAP + 32], state[16];

	snprintf(path, sizeof(path), "sys/module/%s", name);
	if (!root_exists(k->root, path))
		return false;
	snprintf(path, sizeof(path), "sys/module/%s/initstate", name);
	return root_read(k->root, path, state, sizeof(state)) <= 0 || !strcmp(state, "live");
}

bool kmodule_present(const struct kmodules *k, const char *name)
{
	CLEANUP_BUF struct buf builtin = {0};
	char module[KMODULE_NAME_CAP];

	if (!kmodule_name(str_of(name), module))
		return false;
	return is_loaded(k, module) || (read_index(k, "modules.builtin", &builtin) == 0 &&
					       kmodule_builtin_has(buf_slice(&builtin), module));
}

int kmodule_available(const struct kmodules *k, const char *name)
{
	CLEANUP_BUF struct buf text = {0};
	char module[KMODULE_NAME_CAP];
	struct kmodule_dep d;

	if (!kmodule_name(str_of(name), module))
		return 0;
	if (kmodule_present(k, name))
		return 1;
	return read_index(k, "modules.dep", &text) < 0
		       ? -1
		       : kmodule_dep_find(buf_slice(&text), module, &d);
}

/* In a tree that is none, the modules are another machine's, or a test's. */
static bool is_of_this_kernel(const struct root *r)
{
	CLEANUP_CLOSE int fd = root_open(r, "sys/module", O_PATH | O_DIRECTORY, 0);
	struct statfs fs;

	return fd >= 0 && fstatfs(fd, &fs) == 0 && (unsigned long)fs.f_type == SYSFS_MAGIC;
}

/* A load in progress, all that its steps need. */
struct load {
	const struct kmodules *k;
	const char *asked; /* as the caller named it */
	struct kmodule_conf conf;
	struct arena mem;
};

static void add_hint(const struct load *l, bool compressed, struct err *e)
{
	if (compressed && (e->no == EOPNOTSUPP || e->no == EINVAL || e->no == ENOEXEC))
		err_hint(e,
			"the kernel may not decompress modules itself; run on this host: "
			"modprobe %s",
			l->asked);
	else if (e->no == EPERM)
		err_hint(e, "root with CAP_SYS_MODULE may load modules, unless lockdown, "
			    "kernel.modules_disabled or module_blacklist= forbid it");
	else if (e->no == ENOKEY || e->no == EKEYREJECTED)
		err_hint(e, "the kernel takes signed modules only (Secure Boot)");
	else if (e->no == ENOENT || e->no == ENOEXEC)
		err_hint(e,
			"the file seems to be of another kernel; see dmesg, or run on this host: "
			"modprobe %s",
			l->asked);
	else if (e->no == ENOSYS)
		err_hint(e, "this kernel has no loadable modules");
	else
		err_hint(e, "see dmesg, or run on this host: modprobe %s", l->asked);
}

static int insert(
	struct load *l, const char *path, const char *module, bool compressed, struct err *e)
{
	CLEANUP_CLOSE int fd = root_open(l->k->root, path, O_RDONLY, 0);
	const char *options = kmodule_conf_options(&l->conf, module, &l->mem);

	if (fd < 0)
		return err_sys(e, "open module /%s", path);
	if (syscall(SYS_finit_module, fd, options, compressed ? FLAG_COMPRESSED_FILE : 0) == 0 ||
		errno == EEXIST)
		return 0;
	err_sys(e, "load module /%s", path);
	add_hint(l, compressed, e);
	return -1;
}

/* Paths of modules.dep are relative to it, or, of an old depmod, absolute. */
static int load_file(struct load *l, struct str file, struct err *e)
{
	char path[PATH_CAP], module[KMODULE_NAME_CAP];
	bool absolute = str_starts(file, "/");
	int n = snprintf(path, sizeof(path), "%s%s%.*s", absolute ? "" : l->k->dir,
		absolute ? "" : "/", STR_ARG(file));

	if (n < 0 || (size_t)n >= sizeof(path) || !kmodule_name_of_file(file, module))
		return err_set(e, "modules.dep names a file with no usable name");
	if (is_loaded(l->k, module))
		return 0;
	return insert(l, path + strspn(path, "/"), module, kmodule_is_compressed(file), e);
}

static int load_with_needs(struct load *l, const struct kmodule_dep *d, struct err *e)
{
	struct str *files;
	size_t n = kmodule_dep_order(d, &l->mem, &files);

	if (!is_of_this_kernel(l->k->root)) {
		err_set(e, "load module %s: sys/module below this root is not a kernel's",
			l->asked);
		return err_hint(e, "modules are loaded only where /sys is mounted below the root");
	}
	if (kmodule_conf_read(&l->conf, l->k->root, &l->mem, e) < 0)
		return -1;
	for (size_t i = 0; i < n; i++)
		if (load_file(l, files[i], e) < 0)
			return -1;
	return 0;
}

static int not_found(const struct kmodules *k, const char *name, struct err *e)
{
	err_set(e, "module %s is not in the kernel, and /%s has no such file", name,
		k->dir[0] ? k->dir : "lib/modules");
	return err_hint(e,
		"install the modules of the running kernel, or run on this host: "
		"modprobe %s",
		name);
}

int kmodule_load(const struct kmodules *k, const char *name, struct err *e)
{
	CLEANUP_BUF struct buf text = {0};
	struct load l = {.k = k, .asked = name};
	char module[KMODULE_NAME_CAP];
	struct kmodule_dep d;
	int rc;

	if (!kmodule_name(str_of(name), module))
		return err_set(e, "\"%.64s\" cannot be the name of a module", name);
	if (kmodule_present(k, name))
		return 0;
	if (read_index(k, "modules.dep", &text) < 0 && errno != ENOENT)
		return err_sys(e, "read /%s/modules.dep", k->dir);
	if (!kmodule_dep_find(buf_slice(&text), module, &d))
		return not_found(k, name, e);
	rc = load_with_needs(&l, &d, e);
	arena_free(&l.mem);
	return rc;
}

struct found {
	char (*name)[KMODULE_NAME_CAP];
	size_t n;
};

static void add_found(struct found *f, const char *module)
{
	for (size_t i = 0; i < f->n; i++)
		if (!strcmp(f->name[i], module))
			return;
	f->name = mem_resize(f->name, (f->n + 1) * sizeof(*f->name));
	memcpy(f->name[f->n++], module, KMODULE_NAME_CAP);
}

/* Drops what is blacklisted. */
static int drop_forbidden(struct found *f, const struct kmodules *k, struct err *e)
{
	CLEANUP_ARENA struct arena mem = {0};
	struct kmodule_conf conf = {0};
	size_t kept = 0;

	if (f->n && kmodule_conf_read(&conf, k->root, &mem, e) < 0)
		return -1;
	for (size_t i = 0; i < f->n; i++)
		if (!kmodule_conf_forbids(&conf, f->name[i]))
			memmove(f->name[kept++], f->name[i], KMODULE_NAME_CAP);
	f->n = kept;
	return 0;
}

static int load_found(const struct found *f, const struct kmodules *k, struct err *e)
{
	struct err again;
	int rc = 0;

	for (size_t i = 0; i < f->n; i++)
		if (kmodule_load(k, f->name[i], rc ? &again : e) < 0)
			rc = -1;
	return rc;
}

int kmodule_load_alias(
	const struct kmodules *k, const char *modalias, unsigned *loaded, struct err *e)
{
	CLEANUP_BUF struct buf text = {0};
	char module[KMODULE_NAME_CAP];
	struct found f = {0};
	struct str rest;
	int rc;

	if (loaded)
		*loaded = 0;
	if (strlen(modalias) > MODALIAS_MAX)
		return err_set(
			e, "modalias %.40s...: longer than %d bytes", modalias, MODALIAS_MAX);
	if (read_index(k, "modules.alias", &text) < 0)
		return errno == ENOENT ? 0 : err_sys(e, "read /%s/modules.alias", k->dir);
	rest = buf_slice(&text);
	while (kmodule_alias_next(&rest, str_of(modalias), module))
		add_found(&f, module);
	rc = drop_forbidden(&f, k, e);
	if (rc == 0)
		rc = load_found(&f, k, e);
	if (loaded && rc == 0)
		*loaded = (unsigned)f.n;
	free(f.name);
	return rc;
}
