// SPDX-License-Identifier: GPL-2.0-or-later
// What a tree holds at one moment.
#include "view.h"

#include "base/root.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#define TEMP_PREFIX ".vfiobox-"

static void attribute(
	const struct root *r, const char *address, const char *name, char out[static VIEW_NAME])
{
	char path[256];

	snprintf(path, sizeof(path), "sys/bus/pci/devices/%s/%s", address, name);
	if (root_read(r, path, out, VIEW_NAME) < 0)
		out[0] = 0;
}

static void link_name(
	const struct root *r, const char *address, const char *name, char out[static VIEW_NAME])
{
	char path[256];

	snprintf(path, sizeof(path), "sys/bus/pci/devices/%s/%s", address, name);
	if (root_link_name(r, path, out, VIEW_NAME) < 0)
		out[0] = 0;
}

static void read_function(const struct root *r, struct view_function *f)
{
	char text[VIEW_NAME];

	link_name(r, f->address, "driver", f->driver);
	attribute(r, f->address, "driver_override", f->override);
	if (!strcmp(f->override, "(null)"))
		f->override[0] = 0;
	link_name(r, f->address, "iommu_group", text);
	f->group = text[0] ? atoi(text) : -1;
	attribute(r, f->address, "class", text);
	f->bridge = !strncmp(text, "0x0604", 6);
}

static int read_functions(struct view *v, const struct root *r)
{
	DIR *d = root_opendir(r, "sys/bus/pci/devices");
	const struct dirent *entry;

	if (!d)
		return -1;
	while ((entry = readdir(d))) {
		struct view_function *f = &v->function[v->functions];

		if (entry->d_name[0] == '.' || v->functions == VIEW_FUNCTIONS)
			continue;
		snprintf(f->address, sizeof(f->address), "%.60s", entry->d_name);
		read_function(r, f);
		v->functions++;
	}
	closedir(d);
	return 0;
}

static void add_file(struct view *v, int dirfd, const char *dir, const char *name)
{
	CLEANUP_CLOSE int fd = openat(dirfd, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	struct view_file *f;
	struct stat st;
	char *text;
	ssize_t n;
	struct err ignored;

	if (fd < 0 || fstat(fd, &st) < 0)
		return;
	text = arena_alloc(&v->mem, (size_t)st.st_size + 1);
	n = read(fd, text, (size_t)st.st_size);
	v->file = mem_resize(v->file, (v->files + 1) * sizeof(*v->file));
	f = &v->file[v->files++];
	*f = (struct view_file){.path = arena_printf(&v->mem, "%s/%s", dir, name),
		.text = {text, n < 0 ? 0 : (size_t)n}};
	if (str_ends(str_of(name), ".json"))
		f->json = json_parse(&v->mem, f->text.p, f->text.n, &ignored);
	if (f->json && json_type(f->json) != JSON_OBJECT)
		f->json = NULL;
}

/* Names and inodes: a file that is replaced under its name counts too. */
static uint64_t entries_of(DIR *d)
{
	const struct dirent *entry;
	uint64_t sum = 0;

	rewinddir(d);
	while ((entry = readdir(d))) {
		uint64_t h = entry->d_ino;

		if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, ".."))
			continue;
		for (const char *c = entry->d_name; *c; c++)
			h = (h ^ (unsigned char)*c) * 0x100000001b3;
		sum += h;
	}
	return sum;
}

static void add_temp(struct view *v, DIR *d, const char *dir, const char *name)
{
	v->temp = mem_resize(v->temp, (v->temps + 1) * sizeof(*v->temp));
	v->temp[v->temps++] =
		(struct view_temp){arena_printf(&v->mem, "%s/%s", dir, name), entries_of(d)};
}

static void read_store(struct view *v, const struct root *r, const char *dir)
{
	DIR *d = root_opendir(r, dir);
	const struct dirent *entry;
	const char *temp = NULL;

	while (d && (entry = readdir(d))) {
		const char *name = entry->d_name;

		if (!strcmp(name, ".") || !strcmp(name, ".."))
			continue;
		if (entry->d_type == DT_DIR)
			read_store(v, r, arena_printf(&v->mem, "%s/%s", dir, name));
		else if (str_starts(str_of(name), TEMP_PREFIX))
			temp = arena_dup(&v->mem, name, strlen(name));
		else
			add_file(v, dirfd(d), dir, name);
	}
	if (temp)
		add_temp(v, d, dir, temp);
	if (d)
		closedir(d);
}

static int by_path(const void *a, const void *b)
{
	return strcmp(((const struct view_file *)a)->path, ((const struct view_file *)b)->path);
}

int view_read(struct view *v, const char *tree, struct err *e)
{
	struct root r;
	int rc;

	*v = (struct view){0};
	if (root_init(&r, tree, e) < 0)
		return -1;
	rc = read_functions(v, &r);
	if (rc < 0)
		err_sys(e, "read the functions of %s", tree);
	read_store(v, &r, STATE);
	read_store(v, &r, RUN_STATE);
	if (v->files)
		qsort(v->file, v->files, sizeof(*v->file), by_path);
	root_close(&r);
	return rc;
}

void view_free(struct view *v)
{
	free(v->file);
	free(v->temp);
	arena_free(&v->mem);
	*v = (struct view){0};
}

const struct view_function *view_function(const struct view *v, const char *address)
{
	for (size_t i = 0; i < v->functions; i++)
		if (!strcmp(v->function[i].address, address))
			return &v->function[i];
	return NULL;
}

const struct view_file *view_file(const struct view *v, const char *path)
{
	for (size_t i = 0; i < v->files; i++)
		if (!strcmp(v->file[i].path, path))
			return &v->file[i];
	return NULL;
}

static bool is_in(const char *path, const char *dir)
{
	size_t n = strlen(dir);

	return !strncmp(path, dir, n) && path[n] == '/';
}

const struct view_file *view_next(
	const struct view *v, const struct view_file *last, const char *dir)
{
	size_t i = last ? (size_t)(last - v->file) + 1 : 0;

	for (; i < v->files; i++)
		if (is_in(v->file[i].path, dir))
			return &v->file[i];
	return NULL;
}

const char *view_address_of_wish(const struct view_file *f)
{
	const char *z = json_z(json_path(f->json, "spec", "address", NULL));

	return z ? z : "";
}

const struct view_file *view_record(const struct view *v, const char *address)
{
	for (const struct view_file *f = view_next(v, NULL, RECORDS); f;
		f = view_next(v, f, RECORDS)) {
		const char *z = json_z(json_get(f->json, "address"));

		if (z && !strcmp(z, address))
			return f;
	}
	return NULL;
}

static bool differs_by_run(struct str key)
{
	return str_is(key, "lastTransitionTime") || str_is(key, "uid") ||
	       str_is(key, "vfiobox.io/derived-from-uid");
}

static const struct json *next_that_counts(const struct json *of, const struct json *c)
{
	while (c && differs_by_run(json_key(c)))
		c = json_next(of, c);
	return c;
}

/* Members in their order: one writer writes them. */
bool view_same_observed(const struct json *a, const struct json *b)
{
	const struct json *x, *y;

	if (json_type(a) != json_type(b))
		return false;
	if (json_type(a) != JSON_OBJECT && json_type(a) != JSON_ARRAY)
		return json_equal(a, b);
	x = next_that_counts(a, json_first(a));
	y = next_that_counts(b, json_first(b));
	while (x && y) {
		if (!str_eq(json_key(x), json_key(y)) || !view_same_observed(x, y))
			return false;
		x = next_that_counts(a, json_next(a, x));
		y = next_that_counts(b, json_next(b, y));
	}
	return !x && !y;
}

void view_difference(const struct json **a, const struct json **b)
{
	const struct json *x = next_that_counts(*a, json_first(*a));
	const struct json *y = next_that_counts(*b, json_first(*b));

	while (x && y && str_eq(json_key(x), json_key(y)) && view_same_observed(x, y)) {
		x = next_that_counts(*a, json_next(*a, x));
		y = next_that_counts(*b, json_next(*b, y));
	}
	if (!x || !y || !str_eq(json_key(x), json_key(y)))
		return;
	*a = x;
	*b = y;
	view_difference(a, b);
}

/* FNV-1a, 64 bits; the length keeps neighbours apart. */
static void digest(uint64_t *sum, const void *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		*sum = (*sum ^ ((const unsigned char *)p)[i]) * 0x100000001b3;
	*sum = (*sum ^ n) * 0x100000001b3;
}

static void digest_json(uint64_t *sum, const struct json *v)
{
	enum json_type type = json_type(v);

	digest(sum, &type, sizeof(type));
	if (type == JSON_OBJECT || type == JSON_ARRAY) {
		json_each (c, v) {
			struct str key = json_key(c);

			digest(sum, key.p, key.n);
			if (!differs_by_run(key))
				digest_json(sum, c);
		}
	} else {
		CLEANUP_BUF struct buf text = {0};

		json_write(&text, v, JSON_MINIMAL);
		digest(sum, text.p, text.len);
	}
}

static bool names_its_writer(const char *path)
{
	return str_ends(str_of(path), ".lock");
}

uint64_t view_digest(const struct view *v)
{
	uint64_t sum = 0xcbf29ce484222325;

	for (size_t i = 0; i < v->functions; i++) {
		digest(&sum, v->function[i].address, strlen(v->function[i].address));
		digest(&sum, v->function[i].driver, strlen(v->function[i].driver));
		digest(&sum, v->function[i].override, strlen(v->function[i].override));
	}
	for (size_t i = 0; i < v->files; i++) {
		const struct view_file *f = &v->file[i];

		digest(&sum, f->path, strlen(f->path));
		if (f->json)
			digest_json(&sum, f->json);
		else if (!names_its_writer(f->path))
			digest(&sum, f->text.p, f->text.n);
	}
	for (size_t i = 0; i < v->temps; i++)
		digest(&sum, v->temp[i].path, strcspn(v->temp[i].path, "-"));
	return sum;
}
