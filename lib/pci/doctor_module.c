// SPDX-License-Identifier: GPL-2.0-or-later
// The vfio modules: there, to be had, kept out; and whether vfio-pci is told to take whole models.
#include "pci/doctor_impl.h"
#include "pci/kmodule_impl.h"

#include <errno.h>
#include <stdio.h>

/* The kernel's own list: nothing loads what is on it (kernel/module/main.c). modprobe.d's keeps
 * udev off only. */
static bool kernel_forbids(const struct look *l, const char *module)
{
	struct str cmdline = str_of(l->cmdline), word, name, one;
	char listed[KMODULE_NAME_CAP];

	while (str_word(&cmdline, &word) && !str_is(word, "--")) {
		if (!str_cut(&word, '=', &name) || !str_is(name, "module_blacklist"))
			continue;
		while (str_cut(&word, ',', &one))
			if (kmodule_name(one, listed) && !strcmp(listed, module))
				return true;
	}
	return false;
}

static void say_unknown(struct look *l, const char *name)
{
	bool wanted = l->has_state && l->state.wishes;

	found(l, wanted ? DOCTOR_PROBLEM : DOCTOR_NOTE, TOPIC_MODULE, name,
		"it is not loaded, and /%s/modules.dep, which would say whether it can be, cannot "
		"be read: %s",
		l->kmodules->dir[0] ? l->kmodules->dir : "lib/modules", strerror(errno));
	found_todo(l,
		"see that the modules of the running kernel are there, or run on this host: "
		"modprobe %s",
		name);
}

static void say_forbidden(struct look *l, const char *name)
{
	found(l, DOCTOR_PROBLEM, TOPIC_MODULE, name,
		"module_blacklist= on the kernel command line forbids to load it");
	found_todo(l, "take it out there, and boot again");
}

static void check_module(struct look *l, const char *name, const struct kmodule_conf *conf)
{
	int available = kmodule_available(l->kmodules, name);
	char module[KMODULE_NAME_CAP];

	kmodule_name(str_of(name), module);
	if (available > 0 && kmodule_present(l->kmodules, name)) {
		found(l, DOCTOR_OK, TOPIC_MODULE, name, "it is in the kernel");
	} else if (kernel_forbids(l, module)) {
		say_forbidden(l, name);
	} else if (available < 0) {
		say_unknown(l, name);
	} else if (!available) {
		found(l, DOCTOR_PROBLEM, TOPIC_MODULE, name,
			"it is not loaded, and not among the modules of the running kernel (/%s)",
			l->kmodules->dir);
		found_todo(l, "install the package of this kernel that has it");
	} else if (kmodule_conf_forbids(conf, module)) {
		found(l, DOCTOR_NOTE, TOPIC_MODULE, name,
			"it is blacklisted in modprobe.d; pcid loads it by its name all the same");
		found_todo(l, "take the line out, lest other tools stumble over it");
	} else {
		found(l, DOCTOR_OK, TOPIC_MODULE, name, "it can be loaded");
	}
}

/* "8086:10fb[:...]", with what is left out matching all (drivers/vfio/pci/vfio_pci.c). Of the
 * subsystem and the class nothing is looked at: that names too many functions at most. */
static bool id_matches(struct str id, const struct pci_dev *d)
{
	struct str vendor, device;
	uint64_t v, n;

	return str_cut(&id, ':', &vendor) && str_cut(&id, ':', &device) &&
	       str_hex(vendor, UINT32_MAX, &v) && str_hex(device, UINT32_MAX, &n) &&
	       (v == d->vendor || v == UINT32_MAX) && (n == d->device || n == UINT32_MAX);
}

static bool ids_match(struct str ids, const struct pci_dev *d)
{
	struct str id;

	while (str_cut(&ids, ',', &id))
		if (id_matches(id, d))
			return true;
	return false;
}

static void say_ids(struct look *l, struct str ids)
{
	struct listing all = {0}, ours = {0};

	for (size_t i = 0; i < l->inv.n; i++) {
		const struct pci_dev *d = &l->inv.dev[i];

		if (ids_match(ids, d))
			listing_add(look_is_claimed(l, d) ? &ours : &all, d->name);
	}
	found(l, DOCTOR_NOTE, TOPIC_IDS, "",
		"vfio-pci is told ids=%.*s: it takes every function of these models that has no "
		"driver, claimed (%s) or not (%s)",
		STR_ARG(ids), ours.n ? listing_text(&ours) : "none",
		all.n ? listing_text(&all) : "none");
	found_todo(l, "take the option out of the command line or modprobe.d; pcid claim takes a "
		      "function by its address");
	buf_free(&all.text);
	buf_free(&ours.text);
}

static void check_ids(struct look *l, const struct kmodule_conf *conf)
{
	CLEANUP_ARENA struct arena mem = {0};
	struct str options = str_of(kmodule_conf_options(conf, "vfio_pci", &mem)), word, name;

	while (str_word(&options, &word))
		if (str_cut(&word, '=', &name) && str_is(name, "ids") && word.n)
			say_ids(l, word);
}

void doctor_check_modules(struct look *l)
{
	CLEANUP_ARENA struct arena mem = {0};
	struct kmodule_conf conf = {0};
	struct err e;

	if (kmodule_conf_read(&conf, l->root, &mem, &e) < 0) {
		found(l, DOCTOR_PROBLEM, TOPIC_MODULE, "", "%s", e.text);
		found_todo(l, "without it no module is loaded");
	}
	check_module(l, "vfio-pci", &conf);
	check_module(l, "vfio_iommu_type1", &conf);
	check_ids(l, &conf);
}
