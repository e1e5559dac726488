// SPDX-License-Identifier: GPL-2.0-or-later
// The findings for a person, and for a program.
#include "base/table.h"
#include "pci/doctor.h"
#include "json/json.h"

static void row(struct table *t, const char *level, const char *topic, const char *subject,
	const char *text)
{
	table_cell(t, level);
	table_cell(t, topic);
	table_cell(t, subject);
	table_cell(t, text);
}

void doctor_print(struct buf *out, const struct doctor *d)
{
	static const char *const heads[] = {"LEVEL", "TOPIC", "SUBJECT", "FINDING"};
	CLEANUP_TABLE struct table t = {0};
	CLEANUP_ARENA struct arena mem = {0};

	table_head(&t, heads, ARRAY_LEN(heads));
	for (size_t i = 0; i < d->n; i++) {
		const struct finding *f = &d->finding[i];

		row(&t, doctor_level_name(f->level), doctor_topic_name(f->topic), f->subject,
			f->message);
		if (f->todo[0])
			row(&t, "", "", "", arena_printf(&mem, "-> %s", f->todo));
	}
	table_print(&t, out);
}

struct json *doctor_object(struct arena *mem, const struct doctor *d)
{
	struct json *object = json_object(mem), *findings;

	json_set_z(mem, object, "kind", "Doctor");
	findings = json_set(mem, object, "findings", json_array(mem));
	for (size_t i = 0; i < d->n; i++) {
		const struct finding *f = &d->finding[i];
		struct json *one = json_add(mem, findings, json_object(mem));

		json_set_z(mem, one, "level", doctor_level_name(f->level));
		json_set_z(mem, one, "topic", doctor_topic_name(f->topic));
		json_set_z(mem, one, "subject", f->subject);
		json_set_z(mem, one, "message", f->message);
		json_set_z(mem, one, "todo", f->todo);
	}
	return object;
}
