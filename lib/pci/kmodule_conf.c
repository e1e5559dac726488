// SPDX-License-Identifier: GPL-2.0-or-later
// What the administrator says of modules: modprobe.d and the kernel's command line.
#include "pci/kmodule_impl.h"

#include <errno.h>
#include <stdio.h>

enum { CONF_MAX = 1024 * 1024, CONF_FILES_MAX = 1000, CMDLINE_MAX = 64 * 1024 };

/* kmod's, the first winning. */
static const char *const dirs[] = {"etc/modprobe.d", "run/modprobe.d", "usr/local/lib/modprobe.d",
	"usr/lib/modprobe.d", "lib/modprobe.d"};

static void add(struct kmodule_conf *c, struct arena *mem, enum kmodule_setting_kind kind,
	struct str module, struct str options)
{
	struct kmodule_setting *s = arena_alloc(mem, sizeof(*s));

	if (!kmodule_name(module, s->module))
		return;
	s->kind = kind;
	s->options = (struct str){arena_dup(mem, options.p, options.n), options.n};
	if (!c->last)
		c->last = &c->first;
	*c->last = s;
	c->last = &s->next;
}

static bool is_text(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if ((unsigned char)s.p[i] < ' ' && s.p[i] != '\t')
			return false;
	return s.n > 0;
}

static void add_line(struct kmodule_conf *c, struct arena *mem, struct str line)
{
	struct str keyword, module, rest = line;

	if (!str_word(&rest, &keyword) || keyword.p[0] == '#' || !str_word(&rest, &module))
		return;
	rest = str_trim(rest);
	if (str_is(keyword, "blacklist") || str_is(keyword, "install"))
		add(c, mem, KMODULE_BLACKLIST, module, (struct str){"", 0});
	else if (str_is(keyword, "options") && is_text(rest))
		add(c, mem, KMODULE_OPTIONS, module, rest);
}

void kmodule_conf_text(struct kmodule_conf *c, struct arena *mem, struct str text)
{
	CLEANUP_BUF struct buf joined = {0};
	struct str line;

	while (str_cut(&text, '\n', &line)) {
		bool goes_on = str_ends(line, "\\") && text.n;

		buf_add(&joined, line.p, line.n - goes_on);
		if (goes_on)
			continue;
		add_line(c, mem, buf_slice(&joined));
		buf_clear(&joined);
	}
}

/* The next word; blanks between double quotes are part of it. */
static bool next_argument(struct str *s, struct str *word)
{
	bool quoted = false;
	size_t i;

	*s = str_trim(*s);
	for (i = 0; i < s->n && (quoted || !strchr(" \t\n", s->p[i]) || !s->p[i]); i++)
		quoted ^= s->p[i] == '"';
	*word = (struct str){s->p, i};
	s->p += i;
	s->n -= i;
	return i > 0;
}

static void add_argument(struct kmodule_conf *c, struct arena *mem, struct str word)
{
	struct str rest = word, module, list;

	if (str_starts(word, "modprobe.blacklist=") || str_starts(word, "module_blacklist=")) {
		str_cut(&rest, '=', &list);
		while (str_cut(&rest, ',', &module))
			add(c, mem, KMODULE_BLACKLIST, module, (struct str){"", 0});
		return;
	}
	if (str_cut(&rest, '.', &module) && is_text(rest) && rest.p[0] != '=')
		add(c, mem, KMODULE_OPTIONS, module, rest);
}

void kmodule_conf_cmdline(struct kmodule_conf *c, struct arena *mem, struct str text)
{
	struct str word;

	while (next_argument(&text, &word)) {
		if (str_is(word, "--"))
			return;
		add_argument(c, mem, word);
	}
}

struct conf_file {
	const char *dir;
	char *name;
};

struct conf_files {
	struct conf_file *p;
	size_t n;
};

static bool has(const struct conf_files *v, const char *name)
{
	for (size_t i = 0; i < v->n; i++)
		if (!strcmp(v->p[i].name, name))
			return true;
	return false;
}

static bool is_conf(const struct dirent *entry)
{
	return entry->d_name[0] != '.' && str_ends(str_of(entry->d_name), ".conf") &&
	       (entry->d_type == DT_REG || entry->d_type == DT_LNK || entry->d_type == DT_UNKNOWN);
}

static int find_files(struct conf_files *v, const struct root *r, const char *dir,
	struct arena *mem, struct err *e)
{
	DIR *d = root_opendir(r, dir);
	const struct dirent *entry;
	int rc;

	if (!d)
		return errno == ENOENT || errno == ENOTDIR ? 0 : err_sys(e, "read /%s", dir);
	while (errno = 0, (entry = readdir(d))) {
		if (!is_conf(entry) || has(v, entry->d_name) || v->n == CONF_FILES_MAX)
			continue;
		v->p[v->n++] = (struct conf_file){
			dir, arena_dup(mem, entry->d_name, strlen(entry->d_name))};
	}
	rc = errno ? err_sys(e, "read /%s", dir) : 0;
	closedir(d);
	return rc;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct conf_file *)a)->name, ((const struct conf_file *)b)->name);
}

/* A link to nowhere, or to a device, is how a file is hidden. */
static int read_file(struct kmodule_conf *c, const struct root *r, const char *path,
	struct arena *mem, struct err *e)
{
	CLEANUP_BUF struct buf text = {.max = CONF_MAX};
	struct stat st;

	if (root_stat(r, path, &st) == 0 && !S_ISREG(st.st_mode))
		return 0;
	if (root_slurp(r, path, &text) < 0)
		return errno == ENOENT ? 0 : err_sys(e, "read /%s", path);
	kmodule_conf_text(c, mem, buf_slice(&text));
	return 0;
}

int kmodule_conf_read(
	struct kmodule_conf *c, const struct root *r, struct arena *mem, struct err *e)
{
	CLEANUP_BUF struct buf cmdline = {.max = CMDLINE_MAX};
	struct conf_files v = {arena_alloc(mem, CONF_FILES_MAX * sizeof(*v.p)), 0};
	char path[320];

	for (size_t i = 0; i < ARRAY_LEN(dirs); i++)
		if (find_files(&v, r, dirs[i], mem, e) < 0)
			return -1;
	qsort(v.p, v.n, sizeof(*v.p), by_name);
	for (size_t i = 0; i < v.n; i++) {
		snprintf(path, sizeof(path), "%s/%s", v.p[i].dir, v.p[i].name);
		if (read_file(c, r, path, mem, e) < 0)
			return -1;
	}
	if (root_slurp(r, "proc/cmdline", &cmdline) < 0 && errno != ENOENT)
		return err_sys(e, "read /proc/cmdline");
	kmodule_conf_cmdline(c, mem, buf_slice(&cmdline));
	return 0;
}

bool kmodule_conf_forbids(const struct kmodule_conf *c, const char *module)
{
	for (const struct kmodule_setting *s = c->first; s; s = s->next)
		if (s->kind == KMODULE_BLACKLIST && !strcmp(s->module, module))
			return true;
	return false;
}

const char *kmodule_conf_options(
	const struct kmodule_conf *c, const char *module, struct arena *mem)
{
	CLEANUP_BUF struct buf all = {0};

	for (const struct kmodule_setting *s = c->first; s; s = s->next) {
		if (s->kind != KMODULE_OPTIONS || strcmp(s->module, module) != 0)
			continue;
		if (all.len)
			buf_char(&all, ' ');
		buf_add(&all, s->options.p, s->options.n);
	}
	return arena_dup(mem, all.p, all.len);
}
