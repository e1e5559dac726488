// SPDX-License-Identifier: GPL-2.0-or-later
// Release is a handshake.
#include "pci/handshake.h"

#include <sys/random.h>

const char *handshake_release(const struct json *old, struct arena *mem)
{
	const char *before = json_z(json_path(old, "status", STATUS_RELEASE, NULL));
	uint64_t number = 0;

	if (before && *before)
		return before;
	if (getrandom(&number, sizeof(number), 0) != (ssize_t)sizeof(number))
		return "";
	return arena_printf(mem, "%016llx", (unsigned long long)number);
}

/* NULL: none, or it cannot be read. */
static const struct json *read_object(
	const struct pci_node *n, const char *plural, const char *name, struct arena *mem)
{
	struct json *object = NULL;
	struct err ignored;

	if (store_read(n->store, STORE_OBSERVED, plural, name, mem, &object, &ignored) < 0)
		return NULL;
	return object;
}

const char *handshake_waits_for(
	const struct pci_node *n, const char *claim, struct arena *mem, enum reason *r)
{
	const struct json *ours, *theirs;
	struct str release, pod;

	if (!store_is_complete(n->store, PLURAL_PLUGINS))
		return NULL;
	ours = read_object(n, PLURAL_CLAIMS, claim, mem);
	theirs = read_object(n, PLURAL_PLUGINS, claim, mem);
	release = json_str(json_path(ours, "status", STATUS_RELEASE, NULL));
	pod = json_str(json_get(theirs, "allocatedTo"));
	*r = REASON_RELEASING;
	if (!release.n || !json_is(json_get(theirs, "withdrawn"), JSON_STRING) ||
		!json_equal(json_get(theirs, "withdrawn"),
			json_path(ours, "status", STATUS_RELEASE, NULL)))
		return "the device plugin has not withdrawn it yet (vfiobox devplugin)";
	*r = REASON_ALLOCATED;
	if (pod.n)
		return arena_printf(mem, "the kubelet has it allocated to pod %.*s", STR_ARG(pod));
	return NULL;
}
