// SPDX-License-Identifier: GPL-2.0-or-later
// Who holds a VFIO group open.
#include "pci/inuse.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

/* A device node to look for. */
struct node {
	dev_t rdev;
	int group;
};

struct search {
	const struct root *root;
	struct node *node;
	size_t nodes;
	struct holder *found;
	size_t n;
	struct arena *mem;
};

/* "10:196" of a `dev` attribute. */
static bool parse_dev(struct str s, dev_t *out)
{
	struct str major;
	uint64_t a, b;

	if (!str_cut(&s, ':', &major) || !s.p || !str_u64(major, UINT32_MAX, &a) ||
		!str_u64(s, UINT32_MAX, &b))
		return false;
	*out = makedev((unsigned)a, (unsigned)b);
	return true;
}

/* False when the number of the node cannot be read. */
static bool add_node(struct search *s, const char *path, int group)
{
	char text[32];
	ssize_t n = root_read(s->root, path, text, sizeof(text));
	dev_t rdev;

	if (n <= 0 || !parse_dev((struct str){text, (size_t)n}, &rdev))
		return false;
	for (size_t i = 0; i < s->nodes; i++)
		if (s->node[i].rdev == rdev)
			return true;
	s->node = mem_resize(s->node, (s->nodes + 1) * sizeof(*s->node));
	s->node[s->nodes++] = (struct node){rdev, group};
	return true;
}

static void found(struct search *s, int group, int pid, const char *program)
{
	for (size_t i = 0; i < s->n; i++)
		if (s->found[i].group == group && s->found[i].pid == pid)
			return;
	s->found = mem_resize(s->found, (s->n + 1) * sizeof(*s->found));
	s->found[s->n++] = (struct holder){group, pid, program};
}

static bool add_cdevs(struct search *s, const struct pci_dev *d)
{
	char path[512];
	bool any = false;
	DIR *dir;
	struct dirent *entry;

	snprintf(path, sizeof(path), "sys/bus/pci/devices/%s/vfio-dev", d->name);
	dir = root_opendir(s->root, path);
	while (dir && (entry = readdir(dir))) {
		if (!str_starts(str_of(entry->d_name), "vfio"))
			continue;
		snprintf(path, sizeof(path), "sys/bus/pci/devices/%s/vfio-dev/%s/dev", d->name,
			entry->d_name);
		any = add_node(s, path, d->group) || any;
	}
	if (dir)
		closedir(dir);
	return any;
}

static void add_nodes_of(struct search *s, const struct pci_dev *d)
{
	char path[64];
	bool group, cdev;

	if (d->group == PCI_NO_GROUP)
		return;
	snprintf(path, sizeof(path), "sys/class/vfio/%d/dev", d->group);
	group = add_node(s, path, d->group);
	cdev = add_cdevs(s, d);
	if (!group && !cdev && !strcmp(d->driver, "vfio-pci"))
		found(s, d->group, 0, "the number of its VFIO node cannot be read");
}

static const char *program_of(const struct search *s, const char *pid)
{
	char path[64], comm[64];

	snprintf(path, sizeof(path), "proc/%.20s/comm", pid);
	if (root_read(s->root, path, comm, sizeof(comm)) < 0)
		return "?";
	return arena_dup(s->mem, comm, strlen(comm));
}

static void found_in_all(struct search *s, const char *why)
{
	for (size_t i = 0; i < s->nodes; i++)
		found(s, s->node[i].group, 0, why);
}

static void found_in_process(struct search *s, const char *pid)
{
	const char *why = strerror(errno);

	found_in_all(
		s, arena_printf(s->mem, "open files of process %s cannot be read: %s", pid, why));
}

/* AT_STATX_DONT_SYNC: the answer of a dead network filesystem is not waited for. */
static void look_at_fd(struct search *s, int dirfd, const char *fd, const char *pid)
{
	struct statx st;

	if (statx(dirfd, fd, AT_STATX_DONT_SYNC | AT_NO_AUTOMOUNT, STATX_TYPE, &st) < 0) {
		if (errno != ENOENT && errno != ESRCH)
			found_in_process(s, pid);
		return;
	}
	if (!S_ISCHR(st.stx_mode))
		return;
	for (size_t i = 0; i < s->nodes; i++)
		if (s->node[i].rdev == makedev(st.stx_rdev_major, st.stx_rdev_minor))
			found(s, s->node[i].group, atoi(pid), program_of(s, pid));
}

static void look_at_process(struct search *s, const char *pid)
{
	char path[64];
	DIR *dir;
	struct dirent *entry;

	snprintf(path, sizeof(path), "proc/%.20s/fd", pid);
	dir = root_opendir(s->root, path);
	if (!dir) {
		if (errno != ENOENT && errno != ESRCH)
			found_in_process(s, pid);
		return;
	}
	for (errno = 0; (entry = readdir(dir)); errno = 0)
		if (entry->d_name[0] != '.')
			look_at_fd(s, dirfd(dir), entry->d_name, pid);
	if (errno && errno != ENOENT && errno != ESRCH)
		found_in_process(s, pid);
	closedir(dir);
}

static int walk_processes(struct search *s, struct err *e)
{
	DIR *proc = root_opendir(s->root, "proc");
	struct dirent *entry;
	uint64_t pid;
	int no;

	if (!proc)
		return err_sys(e, "read /proc");
	for (errno = 0; (entry = readdir(proc)); errno = 0)
		if (str_u64(str_of(entry->d_name), INT32_MAX, &pid))
			look_at_process(s, entry->d_name);
	if (errno)
		err_sys(e, "read /proc");
	no = errno;
	closedir(proc);
	return no ? -1 : 0;
}

int holders_find(const struct root *r, const struct pci_dev *const *dev, size_t n,
	struct arena *mem, struct holder **out, size_t *count, struct err *e)
{
	struct search s = {.root = r, .mem = mem};
	int rc = 0;

	for (size_t i = 0; i < n; i++)
		add_nodes_of(&s, dev[i]);
	if (s.nodes)
		rc = walk_processes(&s, e);
	*count = s.n;
	*out = arena_alloc(mem, (s.n + 1) * sizeof(**out));
	if (s.n)
		memcpy(*out, s.found, s.n * sizeof(**out));
	free(s.found);
	free(s.node);
	return rc;
}
