// SPDX-License-Identifier: GPL-2.0-or-later
// Lines of modules.dep, modules.alias, modules.builtin and modprobe.d, in any mixture, and what to
// look up in them: "load NAME" (the files, in order), "match MODALIAS" (modules that would be
// loaded), "cmdline ARGUMENTS". A line that is none of these refuses the input.
#include "drive.h"
#include "pci/kmodule_impl.h"

struct input {
	struct str text;
	struct kmodule_conf conf;
	struct arena mem;
	FILE *out;
};

static void show_dep(struct input *in, const struct kmodule_dep *d)
{
	char name[KMODULE_NAME_CAP];
	struct str *files;
	size_t n = kmodule_dep_order(d, &in->mem, &files);

	if (!kmodule_name_of_file(d->path, name))
		return;
	fprintf(in->out, "%s:", name);
	for (size_t i = 0; i < n; i++)
		fprintf(in->out, " %.*s%s", STR_ARG(files[i]),
			kmodule_is_compressed(files[i]) ? "(compressed)" : "");
	fputc('\n', in->out);
}

static void show_load(struct input *in, struct str name)
{
	char module[KMODULE_NAME_CAP];
	struct kmodule_dep d;

	if (kmodule_name(name, module) && kmodule_dep_find(in->text, module, &d))
		show_dep(in, &d);
	else if (kmodule_name(name, module) && kmodule_builtin_has(in->text, module))
		fprintf(in->out, "%s: built in\n", module);
	else
		fprintf(in->out, "%.*s: unknown\n", STR_ARG(name));
}

static void show_match(struct input *in, struct str modalias)
{
	char module[KMODULE_NAME_CAP];
	struct str rest = in->text;

	fprintf(in->out, "%.*s:", STR_ARG(modalias));
	while (kmodule_alias_next(&rest, modalias, module))
		fprintf(in->out, " %s%s", module,
			kmodule_conf_forbids(&in->conf, module) ? "(blacklisted)" : "");
	fputc('\n', in->out);
}

static void show_settings(struct input *in)
{
	for (const struct kmodule_setting *s = in->conf.first; s; s = s->next)
		if (s->kind == KMODULE_BLACKLIST)
			fprintf(in->out, "blacklist %s\n", s->module);
		else
			fprintf(in->out, "options %s %.*s\n", s->module, STR_ARG(s->options));
}

static bool is_setting(struct str keyword)
{
	static const char *const keywords[] = {
		"blacklist", "options", "install", "remove", "softdep", "include", "config"};

	for (size_t i = 0; i < ARRAY_LEN(keywords); i++)
		if (str_is(keyword, keywords[i]))
			return true;
	return keyword.p[0] == '#';
}

/* Shows a line that says something by itself; false when it is not of any kind. */
static bool take(struct input *in, struct str line)
{
	struct str rest = line, keyword, pattern;
	char module[KMODULE_NAME_CAP];
	struct kmodule_dep d;

	if (!str_word(&rest, &keyword) || is_setting(keyword) || str_is(keyword, "load") ||
		str_is(keyword, "match"))
		return true;
	if (str_is(keyword, "cmdline")) {
		kmodule_conf_cmdline(&in->conf, &in->mem, rest);
		return true;
	}
	if (kmodule_alias_line(line, &pattern, module)) {
		fprintf(in->out, "alias %.*s %s\n", STR_ARG(pattern), module);
		return true;
	}
	if (kmodule_dep_line(line, &d)) {
		show_dep(in, &d);
		return true;
	}
	if (!kmodule_name_of_file(str_trim(line), module))
		return false;
	fprintf(in->out, "%s: built in\n", module);
	return true;
}

static bool take_all(struct input *in, FILE *why)
{
	struct str rest = in->text, line;
	bool goes_on = false; /* a line of modprobe.d */

	kmodule_conf_text(&in->conf, &in->mem, in->text);
	for (unsigned n = 1; str_cut(&rest, '\n', &line); n++) {
		if (!goes_on && !take(in, line)) {
			fprintf(why, "line %u: of no file of modules\n", n);
			return false;
		}
		goes_on = str_ends(line, "\\");
	}
	return true;
}

static void answer_all(struct input *in)
{
	struct str rest = in->text, line, keyword;

	while (str_cut(&rest, '\n', &line)) {
		if (!str_word(&line, &keyword))
			continue;
		if (str_is(keyword, "load"))
			show_load(in, str_trim(line));
		else if (str_is(keyword, "match"))
			show_match(in, str_trim(line));
	}
}

int drive(const unsigned char *data, size_t len, FILE *out, FILE *why)
{
	struct input in = {.text = {(const char *)data, len}, .out = out};
	bool taken = take_all(&in, why);

	if (taken) {
		show_settings(&in);
		answer_all(&in);
	}
	arena_free(&in.mem);
	return !taken;
}
