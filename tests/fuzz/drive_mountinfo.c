// SPDX-License-Identifier: GPL-2.0-or-later
// Driver of the mountinfo parser: prints the mounts in the file's own form, without the fields that
// are of no use here; a last word counts the mounts at the same place.
#include "drive.h"
#include "pci/mountinfo.h"

static void put(FILE *out, const char *text)
{
	for (const char *p = text; *p; p++)
		if (*p == ' ' || *p == '\t' || *p == '\n' || *p == '\\')
			fprintf(out, "\\%03o", (unsigned)*p);
		else
			putc(*p, out);
	putc(' ', out);
}

static void put_options(FILE *out, const struct mount *m)
{
	CLEANUP_ARENA struct arena mem = {0};
	struct str options = m->options, key, value;

	while (mount_option(&options, &key, &value)) {
		const char *text = mount_unescape(&mem, value);

		fprintf(out, "%.*s=", STR_ARG(key));
		put(out, text ? text : "(NUL)");
	}
}

int drive(const unsigned char *data, size_t len, FILE *out, FILE *why)
{
	struct mountinfo mi;
	struct err e;

	if (mountinfo_parse(&mi, (struct str){(const char *)data, len}, &e) < 0) {
		fprintf(why, "%s\n", e.text);
		return 1;
	}
	for (size_t i = 0; i < mi.n; i++) {
		const struct mount *m = &mi.mount[i];
		size_t first;

		fprintf(out, "%llu %llu %u:%u ", (unsigned long long)m->id,
			(unsigned long long)m->parent, m->major, m->minor);
		put(out, m->root);
		put(out, m->point);
		put(out, m->fs);
		put(out, m->source);
		put_options(out, m);
		fprintf(out, "%zu\n", mountinfo_at(&mi, m->point, strlen(m->point), &first));
	}
	mountinfo_free(&mi);
	return 0;
}
