// SPDX-License-Identifier: GPL-2.0-or-later
// What must hold.
#include "judge.h"

#include <stdio.h>

PRINTF(2, 3) static void wrong(const struct judge *j, const char *fmt, ...)
{
	CLEANUP_FREE char *line = NULL;
	va_list ap;

	va_start(ap, fmt);
	line = mem_vprintf(fmt, ap);
	va_end(ap);
	buf_printf(j->wrong, "%s\n", line);
}

/* Functions */

static bool is_in_group_of_any(const struct judge *j, const char *list, int group)
{
	for (size_t i = 0; group >= 0 && i < j->host->functions; i++)
		if (j->host->function[i].group == group &&
			scenario_has(list, j->host->function[i].address))
			return true;
	return false;
}

static bool may_change(const struct judge *j, const struct view_function *f)
{
	return scenario_has(j->scenario->touches, f->address) ||
	       is_in_group_of_any(j, j->scenario->touches, f->group);
}

static const struct view_function *of_host(const struct judge *j, const struct view_function *f)
{
	return view_function(j->host, f->address);
}

/* Somebody else put it on vfio-pci, and no claim of ours has taken it over. */
static bool was_anothers(const struct judge *j, const struct view_function *f)
{
	const struct view_function *then = view_function(j->before, f->address);

	return !j->rebooted && then && !strcmp(then->driver, VFIO) &&
	       !view_record(j->before, f->address);
}

static void untouched(const struct judge *j, const struct view_function *now)
{
	const struct view_function *then = view_function(j->before, now->address);

	if (!then || may_change(j, now))
		return;
	if (strcmp(now->driver, then->driver) != 0)
		wrong(j, "%s, which nobody wanted, is on '%s', it was on '%s'", now->address,
			now->driver, then->driver);
	if (strcmp(now->override, then->override) != 0)
		wrong(j, "%s, which nobody wanted, has override '%s', it had '%s'", now->address,
			now->override, then->override);
}

/* Wishes */

static const char *const wish_dirs[] = {LOCAL_WISHES, CLUSTER_WISHES};

/* A wish for this function, or for another one of its group, which the host does not forbid. */
static bool is_wanted(const struct judge *j, const struct view *now, const struct view_function *f)
{
	if (f->bridge || is_in_group_of_any(j, j->scenario->deaf, f->group))
		return false;
	for (size_t i = 0; i < ARRAY_LEN(wish_dirs); i++) {
		for (const struct view_file *w = view_next(now, NULL, wish_dirs[i]); w;
			w = view_next(now, w, wish_dirs[i])) {
			const char *address = view_address_of_wish(w);
			const struct view_function *of = view_function(now, address);

			if (of && !scenario_has(j->scenario->refused, address) &&
				of->group == f->group)
				return true;
		}
	}
	return false;
}

static bool has_wish(const struct view *v, const char *address)
{
	for (size_t i = 0; i < ARRAY_LEN(wish_dirs); i++)
		for (const struct view_file *w = view_next(v, NULL, wish_dirs[i]); w;
			w = view_next(v, w, wish_dirs[i]))
			if (!strcmp(view_address_of_wish(w), address))
				return true;
	return false;
}

static void same_files(const struct judge *j, const struct view *then, const struct view *now,
	const char *dir, const char *may_go)
{
	for (const struct view_file *f = view_next(then, NULL, dir); f;
		f = view_next(then, f, dir)) {
		const struct view_file *g = view_file(now, f->path);

		if (!g && !scenario_has(may_go, view_address_of_wish(f)))
			wrong(j, "the wish %s is lost", f->path);
		else if (g && !str_eq(g->text, f->text))
			wrong(j, "the wish %s is another", f->path);
	}
}

static void no_wish_lost(const struct judge *j, const struct view *now)
{
	for (size_t i = 0; i < ARRAY_LEN(wish_dirs); i++) {
		same_files(j, j->before, now, wish_dirs[i], j->scenario->drops);
		for (const struct view_file *f = view_next(now, NULL, wish_dirs[i]); f;
			f = view_next(now, f, wish_dirs[i]))
			if (!view_file(j->before, f->path) &&
				!scenario_has(j->scenario->makes, view_address_of_wish(f)))
				wrong(j, "the wish %s came from nowhere", f->path);
	}
}

static void files_are_whole(const struct judge *j, const struct view *now)
{
	for (size_t i = 0; i < now->files; i++)
		if (str_ends(str_of(now->file[i].path), ".json") && !now->file[i].json)
			wrong(j, "%s is not whole JSON: %zu bytes", now->file[i].path,
				now->file[i].text.n);
}

/* Without it wishes count for nothing. */
static void sentinel_is_whole(const struct judge *j, const struct view *now)
{
	const struct view_file *f = view_file(now, STATE "/desired/machine");
	bool needed = view_next(now, NULL, LOCAL_WISHES) || view_next(now, NULL, CLUSTER_WISHES);

	if (needed && !f)
		wrong(j, "there are wishes and no desired/machine");
	if (f && (!str_ends(f->text, "node step\n") || !str_starts(f->text, "product-uuid ")))
		wrong(j, "desired/machine is not whole: '%.*s'", STR_ARG(f->text));
}

/* Records */

static bool says(const struct view_file *record, const char *key, const char *value)
{
	const char *z = json_z(json_get(record->json, key));

	return z && !strcmp(z, value);
}

/* Of the record that was there, which may be of a boot before; else what the host has now. */
static const char *home_driver(const struct judge *j, const struct view_function *host)
{
	const struct view_file *before = view_record(j->before, host->address);
	const char *z = before ? json_z(json_get(before->json, "driver")) : NULL;

	return z ? z : host->driver;
}

static void can_be_given_back(
	const struct judge *j, const struct view *now, const struct view_function *f)
{
	const struct view_file *record = view_record(now, f->address);
	const struct view_function *host = of_host(j, f);

	if (strcmp(f->driver, VFIO) != 0 || was_anothers(j, f) || !host)
		return;
	if (!record)
		wrong(j, "%s is on vfio-pci and has no record in kept/", f->address);
	else if (!says(record, "driver", home_driver(j, host)))
		wrong(j, "the record of %s does not name its driver '%s'", f->address,
			host->driver);
	else if (!says(record, "driverOverride", host->override) && !j->rebooted)
		wrong(j, "the record of %s does not name its override '%s'", f->address,
			host->override);
}

static void record_is_as_it_should(
	const struct judge *j, const struct view *now, const struct view_function *f, bool bound)
{
	const struct view_file *record = view_record(now, f->address);

	if (bound && record && !json_bool(json_get(record->json, "verified"), false))
		wrong(j, "the record of %s, which is bound, is not verified", f->address);
	if (!bound && record)
		wrong(j, "kept/ has a record of %s, which is not ours", f->address);
	if (bound)
		can_be_given_back(j, now, f);
	if (bound && !record)
		wrong(j, "%s is ours and has no record in kept/", f->address);
}

void judge_moment(const struct judge *j, const struct view *now)
{
	files_are_whole(j, now);
	sentinel_is_whole(j, now);
	no_wish_lost(j, now);
	for (size_t i = 0; i < now->functions; i++) {
		untouched(j, &now->function[i]);
		can_be_given_back(j, now, &now->function[i]);
	}
}

/* At rest */

static void is_at_home(const struct judge *j, const struct view_function *f)
{
	const struct view_function *host = of_host(j, f);

	if (!host)
		return;
	if (strcmp(f->driver, host->driver) != 0)
		wrong(j, "%s is on '%s', not back on '%s'", f->address, f->driver, host->driver);
	if (strcmp(f->override, host->override) != 0 && !(j->rebooted && !f->override[0]))
		wrong(j, "%s has override '%s', it had '%s'", f->address, f->override,
			host->override);
}

static void is_on_vfio(const struct judge *j, const struct view_function *f)
{
	if (strcmp(f->driver, VFIO) != 0)
		wrong(j, "%s is wanted and on '%s'", f->address, f->driver);
	if (strcmp(f->override, VFIO) != 0)
		wrong(j, "%s is wanted and has override '%s'", f->address, f->override);
}

static void function_at_rest(
	const struct judge *j, const struct view *now, const struct view_function *f)
{
	bool wanted = is_wanted(j, now, f);

	if (wanted)
		is_on_vfio(j, f);
	else if (!was_anothers(j, f))
		is_at_home(j, f);
	record_is_as_it_should(j, now, f, wanted);
}

static void differs(
	const struct judge *j, const struct view_file *now, const struct view_file *reference)
{
	const struct json *a = now->json, *b = reference->json;
	CLEANUP_BUF struct buf has = {0}, wants = {0};

	view_difference(&a, &b);
	json_write(&has, a, JSON_MINIMAL);
	json_write(&wants, b, JSON_MINIMAL);
	wrong(j, "%s: %.*s is %.300s, in a run without faults %.300s", now->path,
		STR_ARG(json_key(a)), buf_z(&has), buf_z(&wants));
}

static void same_observed(
	const struct judge *j, const struct view *now, const struct view *reference)
{
	for (const struct view_file *f = view_next(now, NULL, OBSERVED); f;
		f = view_next(now, f, OBSERVED))
		if (!view_file(reference, f->path))
			wrong(j, "%s is observed, not so in a run without faults", f->path);
	for (const struct view_file *f = view_next(reference, NULL, OBSERVED); f;
		f = view_next(reference, f, OBSERVED)) {
		const struct view_file *g = view_file(now, f->path);

		if (!g)
			wrong(j, "%s is missing, not so in a run without faults", f->path);
		else if (f->json && !view_same_observed(f->json, g->json))
			differs(j, g, f);
		else if (!f->json && !str_eq(f->text, g->text))
			wrong(j, "%s is '%.*s', in a run without faults '%.*s'", f->path,
				STR_ARG(g->text), STR_ARG(f->text));
	}
}

void judge_rest(const struct judge *j, const struct view *now, const struct view *reference)
{
	files_are_whole(j, now);
	for (size_t i = 0; i < now->functions; i++)
		function_at_rest(j, now, &now->function[i]);
	same_observed(j, now, reference);
}

static void each_word(const struct judge *j, const struct view *now, const char *list, bool there)
{
	struct str rest = str_of(list ? list : ""), word;

	while (str_word(&rest, &word)) {
		CLEANUP_FREE char *address = mem_dup(word.p, word.n);

		if (has_wish(now, address) != there)
			wrong(j, "the wish for %s %s", address,
				there ? "is not there" : "is still there");
	}
}

void judge_wishes_done(const struct judge *j, const struct view *now)
{
	each_word(j, now, j->scenario->makes, true);
	each_word(j, now, j->scenario->drops, false);
}

void judge_restart(const struct judge *j, const struct view *before, const struct view *after)
{
	for (size_t i = 0; i < ARRAY_LEN(wish_dirs); i++)
		same_files(j, before, after, wish_dirs[i], NULL);
	for (size_t i = 0; i < after->temps; i++) {
		bool left = false;

		for (size_t k = 0; k < before->temps; k++)
			left = left || (!strcmp(before->temp[k].path, after->temp[i].path) &&
					       before->temp[k].entries == after->temp[i].entries);
		if (!left)
			wrong(j, "%s is left over", after->temp[i].path);
	}
}

static bool names(const char *said, const char *path)
{
	struct str rest = str_of(path), part, last = {"", 0}, above = {"", 0};
	CLEANUP_FREE char *name = NULL, *dir = NULL;

	while (str_cut(&rest, '/', &part)) {
		above = last;
		last = part;
	}
	name = mem_dup(last.p, last.n);
	dir = mem_dup(above.p, above.n);
	return strstr(said, name) || strstr(said, dir);
}

void judge_message(const struct judge *j, const char *said, const char *path, const char *why)
{
	bool named = names(said, path);

	for (size_t i = 0; i < j->host->functions; i++)
		named = named || (may_change(j, &j->host->function[i]) &&
					 strstr(said, j->host->function[i].address));
	if (!named)
		wrong(j, "the failure names neither path nor address");
	if (!strstr(said, why))
		wrong(j, "the failure does not say '%s'", why);
}
