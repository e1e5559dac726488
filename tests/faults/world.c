// SPDX-License-Identifier: GPL-2.0-or-later
// The world of one scenario.
#include "world.h"

#include "tree.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define NODE "step"
enum { WORDS = 32, COMMAND_CAP = 512 };

static char *const environment[] = {(char *)"PATH=/usr/bin:/bin", (char *)"USER=admin", NULL};

/* The command's words, then where it is; `text` holds them. */
static void split(char *text, char **argv, const char *binary, const char *tree)
{
	char *save = NULL;
	size_t n = 0;

	argv[n++] = (char *)binary;
	for (char *word = strtok_r(text, " ", &save); word && n < WORDS - 5;
		word = strtok_r(NULL, " ", &save))
		argv[n++] = word;
	argv[n++] = (char *)"--root";
	argv[n++] = (char *)tree;
	argv[n++] = (char *)"--node";
	argv[n++] = (char *)NODE;
	argv[n] = NULL;
}

static void read_back(int fd, struct buf *said)
{
	char text[8192];
	ssize_t n = pread(fd, text, sizeof(text), 0);

	buf_clear(said);
	if (n > 0)
		buf_add(said, text, (size_t)n);
}

int world_run(struct world *w, const char *tree, const char *command, struct trace *t,
	struct buf *said, struct err *e)
{
	CLEANUP_CLOSE int output = memfd_create("output", MFD_CLOEXEC);
	char text[COMMAND_CAP], *argv[WORDS];
	struct kernel k;
	int rc;

	snprintf(text, sizeof(text), "%s", command);
	split(text, argv, w->binary, tree);
	if (kernel_open(&k, tree, e) < 0)
		return -1;
	if (tree == w->now)
		k.changed = &w->changed;
	t->argv = argv;
	t->envp = environment;
	t->tree = tree;
	t->kernel = &k;
	t->output = output;
	t->limit = RUN_LIMIT;
	rc = trace_run(t, NULL, e);
	kernel_close(&k);
	if (said)
		read_back(output, said);
	return rc;
}

/* Steps of a start */

static int put(const char *tree, const char *path, const char *text, struct err *e)
{
	char dir[256];
	struct root r;
	CLEANUP_CLOSE int fd = -1;

	if (root_init(&r, tree, e) < 0)
		return -1;
	snprintf(dir, sizeof(dir), "%.*s", (int)(strrchr(path, '/') - path), path);
	root_mkdirs(&r, dir, 0755);
	fd = root_open(&r, path, O_WRONLY | O_CREAT | O_APPEND, 0644);
	root_close(&r);
	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		return err_sys(e, "write %s", path);
	return 0;
}

static void path_of_wish(const char *address, char *path, size_t cap)
{
	size_t n = (size_t)snprintf(path, cap, CLUSTER_WISHES "/" NODE "-");

	for (const char *c = address; *c && n + 6 < cap; c++)
		if (*c != ':' && *c != '.')
			path[n++] = *c;
	memcpy(path + n, ".json", 6);
}

/* `adopted` "": it says nothing of another agent. */
static int wish(const char *tree, const char *address, const char *adopted, struct err *e)
{
	char path[256], text[1024], status[256] = "", sentinel[] = STATE "/desired/machine";
	char file[512];

	path_of_wish(address, path, sizeof(path));
	if (adopted[0])
		snprintf(status, sizeof(status),
			", \"status\": {\"kernelDriverToUnbind\": \"%s\", "
			"\"passthroughEnabled\": true}",
			adopted);
	snprintf(text, sizeof(text),
		"{\"apiVersion\": \"devices.harvesterhci.io/v1beta1\", \"kind\": "
		"\"PCIDeviceClaim\", \"metadata\": {\"name\": \"%.*s\", \"uid\": "
		"\"5a1c7e0a-0f9c-4b43-8d3c-6c1b5a1d0001\"}, \"spec\": {\"address\": \"%s\", "
		"\"nodeName\": \"" NODE "\", \"userName\": \"admin\"}%s}\n",
		(int)strcspn(path + strlen(CLUSTER_WISHES "/"), "."),
		path + strlen(CLUSTER_WISHES "/"), address, status);
	if (put(tree, path, text, e) < 0)
		return -1;
	snprintf(file, sizeof(file), "%s/%s", tree, sentinel);
	if (access(file, F_OK) == 0)
		return 0;
	return put(tree, sentinel,
		"product-uuid 8d1f0c52-1c2b-4e57-9f0e-3c1a5d0b7e21\n"
		"machine-id 7c1e0d3b6a594f2e8f0d1c2b3a495867\nnode " NODE "\n",
		e);
}

static int unwish(const char *tree, const char *address, struct err *e)
{
	char path[256], file[512];

	path_of_wish(address, path, sizeof(path));
	snprintf(file, sizeof(file), "%s/%s", tree, path);
	return unlink(file) < 0 ? err_sys(e, "remove %s", file) : 0;
}

static int tell_kernel(
	const char *tree, const char *address, const char *name, const char *value, struct err *e)
{
	char path[256], dir[64];
	struct kernel k;
	ssize_t n;

	if (kernel_open(&k, tree, e) < 0)
		return -1;
	snprintf(path, sizeof(path), "sys/bus/pci/devices/%s/driver", address);
	n = root_link_name(&k.root, path, dir, sizeof(dir));
	if (!strcmp(name, "unbind"))
		snprintf(path, sizeof(path), "sys/bus/pci/drivers/%s/unbind", n > 0 ? dir : "");
	else if (!strcmp(name, "drivers_probe"))
		snprintf(path, sizeof(path), "sys/bus/pci/drivers_probe");
	else
		snprintf(path, sizeof(path), "sys/bus/pci/devices/%s/%s", address, name);
	n = kernel_write(&k, path, str_of(value));
	kernel_close(&k);
	errno = n < 0 ? (int)-n : 0;
	return n < 0 ? err_sys(e, "tell the kernel %s of %s", name, address) : 0;
}

static int bind_by_hand(const char *tree, const char *address, struct err *e)
{
	return tell_kernel(tree, address, "driver_override", VFIO, e) < 0 ||
			       tell_kernel(tree, address, "unbind", address, e) < 0 ||
			       tell_kernel(tree, address, "drivers_probe", address, e) < 0
		       ? -1
		       : 0;
}

static int run_vfiobox(struct world *w, const char *command, struct err *e)
{
	CLEANUP_BUF struct buf said = {0};
	struct trace t = {0};

	if (world_run(w, w->start, command, &t, &said, e) < 0)
		return -1;
	if (!WIFEXITED(t.status) || WEXITSTATUS(t.status) != 0)
		return err_set(
			e, "%s: status %#x: %.300s", command, (unsigned)t.status, buf_z(&said));
	return 0;
}

static int look_at_host(struct world *w, struct err *e)
{
	view_free(&w->host);
	return view_read(&w->host, w->start, e);
}

/* Nothing has a driver yet, and what was in /run is gone. */
static int boot(struct world *w, struct err *e)
{
	char path[512];

	if (look_at_host(w, e) < 0)
		return -1;
	for (size_t i = 0; i < w->host.functions; i++) {
		const struct view_function *f = &w->host.function[i];

		if (f->bridge)
			continue;
		if (tell_kernel(w->start, f->address, "driver_override", "\n", e) < 0 ||
			(f->driver[0] &&
				tell_kernel(w->start, f->address, "unbind", f->address, e) < 0))
			return -1;
	}
	snprintf(path, sizeof(path), "%s/run/vfiobox", w->start);
	tree_remove(path);
	snprintf(path, sizeof(path), "%s/proc/sys/kernel/random/boot_id", w->start);
	unlink(path);
	if (put(w->start, "proc/sys/kernel/random/boot_id",
		    "22222222-2222-4222-8222-222222222222\n", e) < 0)
		return -1;
	return look_at_host(w, e);
}

static int step(struct world *w, const char *line, struct err *e)
{
	char verb[16] = "", address[32] = "", driver[32] = "", text[64];

	if (!strncmp(line, "vfiobox ", 8))
		return run_vfiobox(w, line + 8, e);
	if (!strcmp(line, "boot"))
		return boot(w, e);
	if (sscanf(line, "%15s %31s %31s", verb, address, driver) < 2)
		return err_set(e, "'%s' is no step", line);
	if (!strcmp(verb, "override"))
		return tell_kernel(w->start, address, "driver_override", driver, e) < 0
			       ? -1
			       : look_at_host(w, e);
	if (!strcmp(verb, "wish") || !strcmp(verb, "adopt"))
		return wish(w->start, address, driver, e);
	if (!strcmp(verb, "unwish"))
		return unwish(w->start, address, e);
	if (!strcmp(verb, "bind"))
		return bind_by_hand(w->start, address, e);
	if (strcmp(verb, "refuse") != 0)
		return err_set(e, "'%s' is no step", line);
	snprintf(text, sizeof(text), "%s " VFIO "\n", address);
	return put(w->start, ".kernel/refuses", text, e);
}

static int take_steps(struct world *w, struct err *e)
{
	struct str rest = str_of(w->scenario->start ? w->scenario->start : ""), line;

	while (str_cut(&rest, '\n', &line)) {
		CLEANUP_FREE char *z = mem_dup(line.p, line.n);

		if (step(w, z, e) < 0)
			return err_wrap(e, "%s", z);
	}
	return 0;
}

/* The drivers of the machine's ids are known before anything moves. */
static int make_kernel(const char *tree, struct err *e)
{
	struct kernel k;

	if (kernel_open(&k, tree, e) < 0)
		return -1;
	kernel_close(&k);
	return 0;
}

int world_open(struct world *w, const struct scenario *s, const char *machine, const char *dir,
	const char *binary, struct err *e)
{
	*w = (struct world){.scenario = s, .binary = binary};
	snprintf(w->start, sizeof(w->start), "%s/start", dir);
	snprintf(w->now, sizeof(w->now), "%s/now", dir);
	snprintf(w->aside, sizeof(w->aside), "%s/aside", dir);
	if (tree_copy(machine, w->start, e) < 0 || make_kernel(w->start, e) < 0 ||
		look_at_host(w, e) < 0 || take_steps(w, e) < 0)
		return -1;
	return view_read(&w->before, w->start, e);
}

void world_close(struct world *w)
{
	for (size_t i = 0; i < w->references; i++) {
		free(w->reference[i].key);
		view_free(&w->reference[i].view);
	}
	view_free(&w->host);
	view_free(&w->before);
	buf_free(&w->changed);
	free(w->well);
	tree_remove(w->start);
}

int world_boot(struct world *w, const char *tree, struct err *e)
{
	struct kernel k;
	int rc;

	if (kernel_open(&k, tree, e) < 0)
		return -1;
	if (tree == w->now)
		k.changed = &w->changed;
	rc = kernel_boot(&k, e);
	kernel_close(&k);
	return rc;
}

bool world_is_known(const struct world *w, uint64_t state)
{
	for (size_t i = 0; i < w->wells; i++)
		if (w->well[i] == state)
			return true;
	return false;
}

void world_went_well(struct world *w, uint64_t state)
{
	if (w->wells == w->well_cap) {
		w->well_cap = w->well_cap ? 2 * w->well_cap : 256;
		w->well = mem_resize(w->well, w->well_cap * sizeof(*w->well));
	}
	w->well[w->wells++] = state;
}

/* The first time a copy; then only what has changed is put back: of sysfs what its kernel has said,
 * and the store. Nothing else changes, as the points of every run show. */
int world_renew(struct world *w, struct err *e)
{
	struct str rest = buf_slice(&w->changed), line;

	if (access(w->now, F_OK) < 0)
		return tree_copy(w->start, w->now, e);
	while (str_cut(&rest, '\n', &line)) {
		CLEANUP_FREE char *path = mem_dup(line.p, line.n);

		if (line.n && tree_restore(w->start, w->now, path, e) < 0)
			return -1;
	}
	buf_clear(&w->changed);
	return tree_restore(w->start, w->now, "run", e) < 0 ||
			       tree_restore(w->start, w->now, "var", e) < 0
		       ? -1
		       : 0;
}

/* References */

static char *key_of(const struct view *now, bool rebooted)
{
	CLEANUP_BUF struct buf key = {0};
	const char *z;

	buf_printf(&key, "%d", rebooted);
	for (const struct view_file *f = view_next(now, NULL, STATE "/desired"); f;
		f = view_next(now, f, STATE "/desired")) {
		buf_printf(&key, " %s ", f->path);
		json_write(&key, json_get(f->json, "spec"), JSON_MINIMAL);
	}
	z = buf_z(&key);
	return mem_dup(z, strlen(z));
}

static int put_wishes(const char *tree, const struct view *now, struct err *e)
{
	char dir[512];

	snprintf(dir, sizeof(dir), "%s/" STATE "/desired", tree);
	tree_remove(dir);
	for (const struct view_file *f = view_next(now, NULL, STATE "/desired"); f;
		f = view_next(now, f, STATE "/desired")) {
		CLEANUP_FREE char *text = mem_dup(f->text.p, f->text.n);

		if (put(tree, f->path, text, e) < 0)
			return -1;
	}
	return 0;
}

static int make_reference(
	struct world *w, struct reference *r, const struct view *now, bool rebooted, struct err *e)
{
	struct trace t = {0};
	int rc = tree_copy(w->start, w->aside, e);

	if (rc == 0)
		rc = put_wishes(w->aside, now, e);
	if (rc == 0 && rebooted)
		rc = world_boot(w, w->aside, e);
	if (rc == 0)
		rc = world_run(w, w->aside, RESTART, &t, NULL, e);
	if (rc == 0)
		rc = view_read(&r->view, w->aside, e);
	r->status = t.status;
	tree_remove(w->aside);
	return rc;
}

const struct reference *world_reference(
	struct world *w, const struct view *now, bool rebooted, struct err *e)
{
	CLEANUP_FREE char *key = key_of(now, rebooted);
	struct reference *r;

	for (size_t i = 0; i < w->references; i++)
		if (!strcmp(w->reference[i].key, key))
			return &w->reference[i];
	if (w->references == WORLD_REFERENCES) {
		err_set(e, "more than %d outcomes", WORLD_REFERENCES);
		return NULL;
	}
	r = &w->reference[w->references];
	if (make_reference(w, r, now, rebooted, e) < 0)
		return NULL;
	r->key = mem_dup(key, strlen(key));
	w->references++;
	return r;
}
