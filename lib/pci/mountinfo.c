// SPDX-License-Identifier: GPL-2.0-or-later
// /proc/PID/mountinfo and /proc/swaps.
#include "pci/mountinfo.h"

static int octal(const char *p)
{
	int v = 0;

	for (int i = 0; i < 3; i++) {
		if (p[i] < '0' || p[i] > '7')
			return -1;
		v = v * 8 + (p[i] - '0');
	}
	return v;
}

const char *mount_unescape(struct arena *mem, struct str s)
{
	char *out = arena_alloc(mem, s.n + 1), *to = out;

	for (size_t i = 0; i < s.n; i++) {
		int v = s.p[i] == '\\' && s.n - i > 3 ? octal(s.p + i + 1) : -1;

		if (v > 255)
			v = -1;
		*to = v >= 0 ? (char)v : s.p[i];
		if (!*to)
			return NULL;
		to++;
		i += v >= 0 ? 3 : 0;
	}
	*to = 0;
	return out;
}

bool mount_option(struct str *options, struct str *key, struct str *value)
{
	if (!str_cut(options, ',', value))
		return false;
	if (!value->n || !memchr(value->p, '=', value->n)) {
		*key = *value;
		*value = STR("");
		return true;
	}
	str_cut(value, '=', key);
	return true;
}

static bool device_number(struct str s, struct mount *m)
{
	struct str major;
	uint64_t v;

	if (!str_cut(&s, ':', &major) || !str_u64(major, UINT32_MAX, &v))
		return false;
	m->major = (uint32_t)v;
	if (!str_u64(s, UINT32_MAX, &v))
		return false;
	m->minor = (uint32_t)v;
	return true;
}

static bool text_field(struct arena *mem, struct str s, const char **out)
{
	*out = mount_unescape(mem, s);
	return *out != NULL;
}

/* After the optional fields and "-": type, source (which may be empty), options of the superblock.
 */
static const char *parse_tail(struct arena *mem, struct str rest, struct mount *m)
{
	struct str fs, source;

	if (!str_cut(&rest, ' ', &fs) || !fs.n || !text_field(mem, fs, &m->fs))
		return "no filesystem type";
	if (!str_cut(&rest, ' ', &source) || !text_field(mem, source, &m->source))
		return "no source";
	m->options = (struct str){arena_dup(mem, rest.p, rest.n), rest.n};
	return NULL;
}

/* NULL, or what is wrong with the line. */
static const char *parse_line(struct arena *mem, struct str line, struct mount *m)
{
	struct str id, parent, device, root, point, word;

	*m = (struct mount){0};
	if (line.n && memchr(line.p, 0, line.n))
		return "a NUL byte";
	if (!str_cut(&line, ' ', &id) || !str_u64(id, UINT64_MAX, &m->id))
		return "no mount id";
	if (!str_cut(&line, ' ', &parent) || !str_u64(parent, UINT64_MAX, &m->parent))
		return "no parent id";
	if (!str_cut(&line, ' ', &device) || !device_number(device, m))
		return "no device number";
	if (!str_cut(&line, ' ', &root) || !root.n || !text_field(mem, root, &m->root))
		return "no root";
	if (!str_cut(&line, ' ', &point) || !text_field(mem, point, &m->point) ||
		m->point[0] != '/')
		return "no mount point";
	if (!str_cut(&line, ' ', &word) || !word.n)
		return "no mount options";
	while (str_cut(&line, ' ', &word))
		if (str_is(word, "-"))
			return parse_tail(mem, line, m);
	return "no separator";
}

struct point_key {
	const char *point;
	size_t n, index;
};

static int by_point(const void *a, const void *b)
{
	const struct point_key *x = a, *y = b;
	int c = memcmp(x->point, y->point, x->n < y->n ? x->n : y->n);

	if (c || x->n != y->n)
		return c ? c : x->n < y->n ? -1 : 1;
	return x->index < y->index ? -1 : x->index > y->index;
}

static void sort_points(struct mountinfo *mi)
{
	CLEANUP_FREE struct point_key *key = mem_alloc(mi->n * sizeof(*key));

	for (size_t i = 0; i < mi->n; i++)
		key[i] = (struct point_key){mi->mount[i].point, strlen(mi->mount[i].point), i};
	qsort(key, mi->n, sizeof(*key), by_point);
	mi->by_point = mem_alloc(mi->n * sizeof(*mi->by_point));
	for (size_t i = 0; i < mi->n; i++)
		mi->by_point[i] = key[i].index;
}

int mountinfo_parse(struct mountinfo *mi, struct str text, struct err *e)
{
	size_t cap = 0;
	struct str line;

	*mi = (struct mountinfo){0};
	while (text.n && str_cut(&text, '\n', &line)) {
		const char *why;

		if (mi->n == cap) {
			cap = cap ? cap * 2 : 64;
			mi->mount = mem_resize(mi->mount, cap * sizeof(*mi->mount));
		}
		why = parse_line(&mi->mem, line, &mi->mount[mi->n]);
		if (why) {
			err_set(e, "line %zu: %s", mi->n + 1, why);
			mountinfo_free(mi);
			return -1;
		}
		mi->n++;
	}
	sort_points(mi);
	return 0;
}

void mountinfo_free(struct mountinfo *mi)
{
	free(mi->mount);
	free(mi->by_point);
	arena_free(&mi->mem);
	*mi = (struct mountinfo){0};
}

static int point_cmp(const char *point, const char *key, size_t n)
{
	int c = strncmp(point, key, n);

	return c ? c : point[n] != 0;
}

size_t mountinfo_at(const struct mountinfo *mi, const char *point, size_t n, size_t *first)
{
	size_t low = 0, high = mi->n, count = 0;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (point_cmp(mi->mount[mi->by_point[mid]].point, point, n) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	*first = low;
	while (low + count < mi->n &&
		point_cmp(mi->mount[mi->by_point[low + count]].point, point, n) == 0)
		count++;
	return count;
}

static const char *parse_swap(struct arena *mem, struct str line, struct swap *s)
{
	struct str path, type;

	if (line.n && memchr(line.p, 0, line.n))
		return "a NUL byte";
	if (!str_word(&line, &path) || !text_field(mem, path, &s->path) || s->path[0] != '/')
		return "no path";
	if (!str_word(&line, &type) || (!str_is(type, "partition") && !str_is(type, "file")))
		return "neither partition nor file";
	s->is_file = str_is(type, "file");
	return NULL;
}

int swaps_parse(struct arena *mem, struct swap **swap, size_t *n, struct str text, struct err *e)
{
	size_t lines = 0, number = 0;
	struct str line;

	for (size_t i = 0; i < text.n; i++)
		lines += text.p[i] == '\n';
	*swap = arena_alloc(mem, (lines + 1) * sizeof(**swap));
	*n = 0;
	while (text.n && str_cut(&text, '\n', &line)) {
		const char *why;

		if (++number == 1 && str_starts(line, "Filename"))
			continue;
		why = parse_swap(mem, line, &(*swap)[*n]);
		if (why)
			return err_set(e, "line %zu: %s", number, why);
		++*n;
	}
	return 0;
}
