// SPDX-License-Identifier: GPL-2.0-or-later
// What `pcid early` left in run/vfiobox/early.json: what was done before the system was up.
#include "pci/doctor_impl.h"
#include "pci/early_report.h"

#include <errno.h>
#include <stdio.h>

static void say_function(
	struct look *l, const struct early_report *r, const struct early_function *f)
{
	bool bad = f->result == EARLY_REFUSED || f->result == EARLY_FAILED;
	char address[PCI_ADDR_CAP];

	found(l,
		bad                         ? DOCTOR_PROBLEM
		: f->result == EARLY_UNDONE ? DOCTOR_NOTE
					    : DOCTOR_OK,
		TOPIC_EARLY, pci_addr_format(f->addr, address), "stage %d of early: %s%s%s%s%s",
		r->stage, early_result_name(f->result), f->reason[0] ? ": " : "", f->reason,
		f->message[0] ? ": " : "", f->message);
	if (bad)
		found_todo(l, "see to what is said there; see the claim for how it stands now");
	else if (f->result == EARLY_UNDONE)
		found_todo(l, "it is bound again by the daemon, or by: pcid apply");
}

/* It turns itself off when boots with it failed, and says so; else a person did. */
static void say_disabled(struct look *l, const struct early_report *r)
{
	bool failed = strstr(r->disabled, "turned itself off") || strcasestr(r->disabled, "fail") ||
		      strstr(r->disabled, "could not be read");

	found(l, failed ? DOCTOR_PROBLEM : DOCTOR_NOTE, TOPIC_EARLY, "",
		"early did nothing in this boot: %s", r->disabled);
	found_todo(l, failed ? "find out why the boots failed (which claim came last?), release "
			       "that; a good boot turns it on again"
			     : "if that is not meant any more, turn it on again");
}

static void say_report(struct look *l, const struct early_report *r)
{
	char boot[STORE_BOOT_ID_CAP];

	if (r->boot_id[0] && store_boot_id(l->node->store, boot, sizeof(boot)) > 0 &&
		strcmp(boot, r->boot_id) != 0) {
		found(l, DOCTOR_NOTE, TOPIC_EARLY, "",
			"the report of early is of another boot (%s)", r->boot_id);
		found_todo(l, "see whether early is in the initramfs that this boot used");
		return;
	}
	if (r->disabled)
		say_disabled(l, r);
	else if (!r->n)
		found(l, DOCTOR_OK, TOPIC_EARLY, "", "early (stage %d) had nothing to bind",
			r->stage);
	for (size_t i = 0; i < r->n; i++)
		say_function(l, r, &r->function[i]);
}

void doctor_check_early(struct look *l)
{
	CLEANUP_ARENA struct arena mem = {0};
	CLEANUP_BUF struct buf text = {.max = EARLY_REPORT_MAX};
	struct early_report report;
	struct err e = {0};
	char path[128];

	snprintf(path, sizeof(path), "%s/early.json", l->node->store->run);
	if (root_slurp(l->root, path, &text) < 0) {
		if (errno == ENOENT)
			return;
		err_sys(&e, "%s", path);
	} else if (early_report_parse(&report, &mem, buf_slice(&text), &e) == 0) {
		say_report(l, &report);
		return;
	} else {
		err_wrap(&e, "%s", path);
	}
	found(l, DOCTOR_PROBLEM, TOPIC_EARLY, "", "the report of early cannot be understood: %s",
		e.text);
	found_todo(l, "remove the file; the next boot writes it anew");
}
