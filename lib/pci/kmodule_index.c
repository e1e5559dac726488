// SPDX-License-Identifier: GPL-2.0-or-later
// The text indexes of lib/modules/<release>: names, dependencies, aliases.
#include "pci/kmodule_impl.h"

static bool is_name_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '_' || c == '-';
}

bool kmodule_name(struct str text, char name[KMODULE_NAME_CAP])
{
	if (!text.n || text.n >= KMODULE_NAME_CAP)
		return false;
	for (size_t i = 0; i < text.n; i++) {
		if (!is_name_char(text.p[i]))
			return false;
		name[i] = text.p[i] == '-' ? '_' : text.p[i];
	}
	name[text.n] = 0;
	return true;
}

static const char *const compressions[] = {".xz", ".zst", ".gz"};

static struct str without_compression(struct str path)
{
	for (size_t i = 0; i < ARRAY_LEN(compressions); i++)
		if (str_ends(path, compressions[i])) {
			path.n -= strlen(compressions[i]);
			break;
		}
	return path;
}

bool kmodule_is_compressed(struct str path)
{
	return without_compression(path).n != path.n;
}

bool kmodule_name_of_file(struct str path, char name[KMODULE_NAME_CAP])
{
	struct str base = without_compression(path);
	size_t start;

	if (!str_ends(base, ".ko"))
		return false;
	base.n -= strlen(".ko");
	for (start = base.n; start && base.p[start - 1] != '/';)
		start--;
	return kmodule_name((struct str){base.p + start, base.n - start}, name);
}

static bool is_path(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] <= ' ' || s.p[i] == 0x7f)
			return false;
	return s.n > 0;
}

bool kmodule_dep_line(struct str line, struct kmodule_dep *d)
{
	char name[KMODULE_NAME_CAP];
	struct str rest = line, needs, word;

	if (!line.n || !memchr(line.p, ':', line.n) || !str_cut(&rest, ':', &d->path))
		return false;
	d->path = str_trim(d->path);
	d->needs = needs = str_trim(rest);
	if (!is_path(d->path) || !kmodule_name_of_file(d->path, name))
		return false;
	while (str_word(&needs, &word))
		if (!is_path(word) || !kmodule_name_of_file(word, name))
			return false;
	return true;
}

bool kmodule_dep_find(struct str text, const char *name, struct kmodule_dep *d)
{
	char found[KMODULE_NAME_CAP];
	struct str line;

	while (str_cut(&text, '\n', &line)) {
		struct str rest = line, path;

		if (str_cut(&rest, ':', &path) && kmodule_name_of_file(str_trim(path), found) &&
			!strcmp(found, name) && kmodule_dep_line(line, d))
			return true;
	}
	return false;
}

size_t kmodule_dep_order(const struct kmodule_dep *d, struct arena *mem, struct str **files)
{
	struct str needs = d->needs, word;
	size_t n = 0, at;

	while (str_word(&needs, &word))
		n++;
	*files = arena_alloc(mem, (n + 1) * sizeof(**files));
	needs = d->needs;
	for (at = n; at && str_word(&needs, &word);)
		(*files)[--at] = word;
	(*files)[n] = d->path;
	return n + 1;
}

/* What a bracket expression at p[0] = '[' says of c: its length in *used, 0 when it is not closed
 * and the '[' stands for itself. */
static bool in_bracket(struct str pattern, unsigned char c, size_t *used)
{
	const char *p = pattern.p;
	size_t i = 1, first;
	bool negated, found = false;

	*used = 0;
	negated = i < pattern.n && (p[i] == '!' || p[i] == '^');
	i += negated;
	for (first = i; i < pattern.n && (p[i] != ']' || i == first); i++) {
		unsigned char low = (unsigned char)p[i], high = low;

		if (i + 2 < pattern.n && p[i + 1] == '-' && p[i + 2] != ']') {
			high = (unsigned char)p[i + 2];
			i += 2;
		}
		found = found || (c >= low && c <= high);
	}
	if (i >= pattern.n)
		return false;
	*used = i + 1;
	return found != negated;
}

/* The pattern's length that matches one byte, 0 when it does not; pattern is not empty, no '*'. */
static size_t match_one(struct str pattern, char c)
{
	size_t used = 1;
	bool same;

	if (pattern.p[0] == '?')
		return 1;
	if (pattern.p[0] == '[') {
		same = in_bracket(pattern, (unsigned char)c, &used);
		if (used)
			return same ? used : 0;
		used = 1;
	} else if (pattern.p[0] == '\\' && pattern.n > 1) {
		used = 2;
	}
	return pattern.p[used - 1] == c ? used : 0;
}

/* Only the last '*' is ever tried again: one before it can take no more than it has. */
bool kmodule_glob(struct str pattern, struct str text)
{
	size_t p = 0, t = 0, star = SIZE_MAX, again = 0;

	while (t < text.n) {
		size_t used = 0;

		if (p < pattern.n && pattern.p[p] == '*') {
			star = ++p;
			again = t;
			continue;
		}
		if (p < pattern.n)
			used = match_one((struct str){pattern.p + p, pattern.n - p}, text.p[t]);
		if (used) {
			p += used;
			t++;
		} else if (star != SIZE_MAX) {
			p = star;
			t = ++again;
		} else {
			return false;
		}
	}
	while (p < pattern.n && pattern.p[p] == '*')
		p++;
	return p == pattern.n;
}

bool kmodule_alias_line(struct str line, struct str *pattern, char module[KMODULE_NAME_CAP])
{
	struct str word, name;

	return str_word(&line, &word) && str_is(word, "alias") && str_word(&line, pattern) &&
	       str_word(&line, &name) && !str_word(&line, &word) && kmodule_name(name, module);
}

bool kmodule_alias_next(struct str *text, struct str modalias, char module[KMODULE_NAME_CAP])
{
	struct str line, pattern;

	while (str_cut(text, '\n', &line))
		if (kmodule_alias_line(line, &pattern, module) && kmodule_glob(pattern, modalias))
			return true;
	return false;
}

bool kmodule_builtin_has(struct str text, const char *name)
{
	char found[KMODULE_NAME_CAP];
	struct str line;

	while (str_cut(&text, '\n', &line))
		if (kmodule_name_of_file(str_trim(line), found) && !strcmp(found, name))
			return true;
	return false;
}
