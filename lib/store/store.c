// SPDX-License-Identifier: GPL-2.0-or-later
// Where the objects are: names, files, directories.
#include "store/store_impl.h"

#include <errno.h>
#include <stdio.h>

#define DEFAULT_STATE "/var/lib/vfiobox"
#define RUN "/run/vfiobox"
#define OBJECT_SUFFIX ".json"

enum { NAME_LONGEST = STORE_FILE_CAP - sizeof(OBJECT_SUFFIX) };

static int add_component(struct store *s, size_t *len, struct str part)
{
	if (!part.n || str_is(part, "."))
		return 0;
	if (str_is(part, "..") || *len + 1 + part.n >= sizeof(s->state))
		return -1;
	s->state[(*len)++] = '/';
	memcpy(s->state + *len, part.p, part.n);
	*len += part.n;
	s->state[*len] = 0;
	return 0;
}

int store_init(struct store *s, const struct root *r, const char *state, struct err *e)
{
	const char *path = state ? state : DEFAULT_STATE;
	struct str rest = str_of(path), part;
	size_t len = 0;

	*s = (struct store){.root = r, .run = RUN};
	while (path[0] == '/' && str_cut(&rest, '/', &part))
		if (add_component(s, &len, part) < 0)
			return err_set(e,
				"state directory %.300s: has \"..\" or is longer than %zu bytes",
				path, sizeof(s->state) - 1);
	if (!len) {
		err_set(e, "state directory \"%.300s\": not an absolute path below /", path);
		return err_hint(e, "set VFIOBOX_STATE to a directory such as " DEFAULT_STATE);
	}
	return 0;
}

bool store_name_ok(struct str name)
{
	if (!name.n || name.n > NAME_LONGEST || name.p[0] == '.')
		return false;
	for (size_t i = 0; i < name.n; i++) {
		char c = name.p[i];

		if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '-'))
			return false;
	}
	return true;
}

bool store_is_durable(enum store_tree t)
{
	return t != STORE_OBSERVED;
}

static const char *tree_dir(enum store_tree t)
{
	switch (t) {
	case STORE_LOCAL:
		return "desired/local";
	case STORE_CLUSTER:
		return "desired/cluster";
	case STORE_KEPT:
		return "kept";
	case STORE_OBSERVED:
		return "observed";
	}
	abort();
}

int store_dir_of(const struct store *s, enum store_tree t, const char *plural,
	char dir[STORE_PATH_CAP], struct err *e)
{
	if (!store_name_ok(str_of(plural)))
		return err_set(e, "\"%.253s\" cannot be the plural of a kind", plural);
	snprintf(dir, STORE_PATH_CAP, "%s/%s/%s", store_is_durable(t) ? s->state : s->run,
		tree_dir(t), plural);
	return 0;
}

int store_file_of(const char *name, char file[STORE_FILE_CAP], struct err *e)
{
	if (!store_name_ok(str_of(name))) {
		err_set(e, "\"%.253s\" cannot be the name of an object", name);
		return err_hint(e,
			"names are 1 to %d of a-z, 0-9, '.' and '-', and do not start with '.'",
			NAME_LONGEST);
	}
	snprintf(file, STORE_FILE_CAP, "%s" OBJECT_SUFFIX, name);
	return 0;
}

bool store_is_temp(const char *file)
{
	return str_starts(str_of(file), STORE_TEMP_PREFIX);
}
