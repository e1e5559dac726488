// SPDX-License-Identifier: GPL-2.0-or-later
// What `early` did.
#include "pci/early_report.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

enum { FUNCTIONS_MAX = 65536 };

const char *early_result_name(enum early_result r)
{
	static const char *const names[EARLY_RESULTS] = {
		[EARLY_BOUND] = "bound",
		[EARLY_OVERRIDE] = "override",
		[EARLY_REFUSED] = "refused",
		[EARLY_FAILED] = "failed",
		[EARLY_UNDONE] = "undone",
	};

	return names[r];
}

static const char *report_path(const struct pci_node *n, char out[static 128], const char *suffix)
{
	snprintf(out, 128, "%s/early.json%s", n->store->run, suffix);
	return out;
}

static const char *boot_id(const struct pci_node *n, char out[static STORE_BOOT_ID_CAP])
{
	if (store_boot_id(n->store, out, STORE_BOOT_ID_CAP) < 0)
		out[0] = 0;
	return out;
}

/* A member that may be left out: "" then. Anything but a string: false. */
static bool read_text(const struct json *object, const char *key, const char **out)
{
	const struct json *v = json_get(object, key);

	*out = v ? json_z(v) : "";
	return *out != NULL;
}

static bool read_result(struct early_function *f, const struct json *object)
{
	struct str word = json_str(json_get(object, "result"));

	for (size_t i = 0; word.p && i < EARLY_RESULTS; i++) {
		if (!str_is(word, early_result_name((enum early_result)i)))
			continue;
		f->result = (enum early_result)i;
		return true;
	}
	return false;
}

static int read_function(
	struct early_function *f, const struct json *object, size_t at, struct err *e)
{
	if (!json_is(object, JSON_OBJECT))
		return err_set(e, "functions[%zu] is no object", at);
	if (!pci_addr_parse(json_str(json_get(object, "address")), &f->addr))
		return err_set(e, "functions[%zu] has no address", at);
	if (!read_result(f, object))
		return err_set(e, "functions[%zu] has no result that is known", at);
	if (!read_text(object, "name", &f->name) || !read_text(object, "reason", &f->reason) ||
		!read_text(object, "message", &f->message))
		return err_set(e, "functions[%zu] has something else than text", at);
	return 0;
}

static int read_head(struct early_report *r, const struct json *object, struct err *e)
{
	const struct json *disabled = json_get(object, "disabled");
	uint64_t stage;

	if (!json_is(object, JSON_OBJECT))
		return err_set(e, "it is no object");
	if (!json_u64(json_get(object, "stage"), &stage) || stage < 1 || stage > 2)
		return err_set(e, "stage is neither 1 nor 2");
	r->stage = (int)stage;
	if (!read_text(object, "bootId", &r->boot_id))
		return err_set(e, "bootId is no text");
	if (disabled && json_type(disabled) != JSON_NULL && !(r->disabled = json_z(disabled)))
		return err_set(e, "disabled is neither null nor text");
	return 0;
}

int early_report_parse(struct early_report *r, struct arena *mem, struct str text, struct err *e)
{
	const struct json *object, *functions;

	*r = (struct early_report){.boot_id = ""};
	if (text.n > EARLY_REPORT_MAX)
		return err_set(e, "it is longer than %d bytes", EARLY_REPORT_MAX);
	object = json_parse(mem, text.p, text.n, e);
	if (!object || read_head(r, object, e) < 0)
		return -1;
	functions = json_get(object, "functions");
	if (functions && !json_is(functions, JSON_ARRAY))
		return err_set(e, "functions is no list");
	if (json_count(functions) > FUNCTIONS_MAX)
		return err_set(e, "it has more functions than there can be");
	r->function = arena_alloc(mem, (json_count(functions) + 1) * sizeof(*r->function));
	json_each (one, functions) {
		if (read_function(&r->function[r->n], one, r->n, e) < 0)
			return -1;
		r->n++;
	}
	return 0;
}

void early_report_read(const struct pci_node *n, struct arena *mem, struct early_report *out)
{
	CLEANUP_BUF struct buf text = {.max = EARLY_REPORT_MAX};
	char path[128], boot[STORE_BOOT_ID_CAP];
	struct err ignored;

	if (root_slurp(n->root, report_path(n, path, ""), &text) < 0 ||
		early_report_parse(out, mem, buf_slice(&text), &ignored) < 0 ||
		!boot_id(n, boot)[0] || strcmp(boot, out->boot_id) != 0)
		*out = (struct early_report){.boot_id = ""};
}

static struct json *function_object(const struct early_function *f, struct arena *mem)
{
	struct json *object = json_object(mem);
	char address[PCI_ADDR_CAP];

	json_set_z(mem, object, "address", pci_addr_format(f->addr, address));
	json_set_z(mem, object, "name", f->name);
	json_set_z(mem, object, "result", early_result_name(f->result));
	json_set_z(mem, object, "reason", f->reason);
	json_set_z(mem, object, "message", f->message);
	return object;
}

/* Whole, by a rename: who reads it sees the old or the new one. */
static int write_whole(const struct pci_node *n, const struct buf *text, struct err *e)
{
	char path[128], temp[128];
	CLEANUP_CLOSE int dir = -1;
	CLEANUP_CLOSE int fd = -1;

	report_path(n, path, "");
	if (root_mkdirs(n->root, n->store->run, 0755) < 0)
		return err_sys(e, "make %s", n->store->run);
	fd = root_open(n->root, report_path(n, temp, ".new"), O_WRONLY | O_CREAT | O_TRUNC, 0644);
	dir = root_open(n->root, n->store->run, O_PATH | O_DIRECTORY, 0);
	if (fd < 0 || dir < 0 || write(fd, text->p, text->len) != (ssize_t)text->len ||
		renameat(dir, "early.json.new", dir, "early.json") < 0)
		return err_sys(e, "write %s", path);
	return 0;
}

int early_report_write(const struct pci_node *n, const struct early_report *r, struct err *e)
{
	CLEANUP_ARENA struct arena mem = {0};
	CLEANUP_BUF struct buf text = {0};
	struct json *object = json_object(&mem), *list;
	char boot[STORE_BOOT_ID_CAP];

	json_set_int(&mem, object, "stage", r->stage);
	json_set_z(&mem, object, "bootId", boot_id(n, boot));
	json_set(&mem, object, "disabled",
		r->disabled ? json_stringz(&mem, r->disabled) : json_null(&mem));
	list = json_set(&mem, object, "functions", json_array(&mem));
	for (size_t i = 0; i < r->n; i++)
		json_add(&mem, list, function_object(&r->function[i], &mem));
	json_write(&text, object, JSON_PRETTY);
	buf_char(&text, '\n');
	return write_whole(n, &text, e);
}

bool early_took(const struct early_report *r, struct pci_addr a)
{
	for (size_t i = 0; i < r->n; i++)
		if (pci_addr_cmp(r->function[i].addr, a) == 0)
			return r->function[i].result == EARLY_BOUND ||
			       r->function[i].result == EARLY_OVERRIDE;
	return false;
}

void early_report_set(struct early_report *r, struct arena *mem, struct early_function f)
{
	struct early_function *all;

	for (size_t i = 0; i < r->n; i++) {
		if (pci_addr_cmp(r->function[i].addr, f.addr) == 0) {
			r->function[i] = f;
			return;
		}
	}
	all = arena_alloc(mem, (r->n + 1) * sizeof(*all));
	if (r->n)
		memcpy(all, r->function, r->n * sizeof(*all));
	all[r->n++] = f;
	r->function = all;
}
