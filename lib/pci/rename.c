// SPDX-License-Identifier: GPL-2.0-or-later
// A node that got another name.
#include "pci/rename.h"

#include "pci/kept.h"
#include "pci/settled.h"

/* "<was>-000065000" -> "<now>-000065000"; NULL when it is not of the old name. */
static const char *new_name(struct arena *mem, const char *name, const char *was, const char *now)
{
	size_t n = strlen(was);

	if (strncmp(name, was, n) != 0 || name[n] != '-' || strchr(name + n + 1, '-'))
		return NULL;
	return arena_printf(mem, "%s%s", now, name + n);
}

static struct json *renamed_wish(
	struct arena *mem, const struct json *old, const char *name, const char *node)
{
	struct json *object = json_copy(mem, old), *meta = json_make(mem, object, "metadata");

	json_set_z(mem, meta, "name", name);
	json_set_z(mem, json_make(mem, meta, "labels"), "nodename", node);
	json_set_z(mem, json_make(mem, object, "spec"), "nodeName", node);
	return object;
}

static int rename_tree(const struct pci_node *n, enum store_tree t, const char *was,
	struct arena *mem, struct store_batch *b, struct err *e)
{
	const char *plural = t == STORE_KEPT ? PLURAL_DEVICES : PLURAL_CLAIMS;
	char **names;
	size_t count;

	if (store_list(n->store, t, plural, mem, &names, &count, e) < 0)
		return -1;
	for (size_t i = 0; i < count; i++) {
		const char *name = new_name(mem, names[i], was, n->name);
		struct json *object;

		if (!name)
			continue;
		if (store_read(n->store, t, plural, names[i], mem, &object, e) < 0)
			return -1;
		if (!object)
			continue;
		if (t != STORE_KEPT)
			object = renamed_wish(mem, object, name, n->name);
		if (store_put(b, t, plural, name, object, e) < 0 ||
			store_remove(b, t, plural, names[i], e) < 0)
			return -1;
	}
	return 0;
}

static int rename_things(
	const struct pci_node *n, const char *was, struct arena *mem, struct err *e)
{
	struct store_batch *b = store_batch_new(n->store);
	int rc = rename_tree(n, STORE_LOCAL, was, mem, b, e);

	if (rc == 0)
		rc = rename_tree(n, STORE_KEPT, was, mem, b, e);
	if (rc == 0 && store_commit(b, e) < 0)
		rc = -1;
	/* Last, so that a rename that was cut off is begun again. */
	if (rc == 0 && (node_name_put(n, b, e) < 0 || store_commit(b, e) < 0))
		rc = -1;
	store_batch_free(b);
	return rc;
}

int rename_node(const struct pci_node *n, struct arena *mem, const char **was, struct err *e)
{
	CLEANUP_CLOSE int lock = store_lock(n->store, "pcid", 0, e);
	char machine[64];

	*was = NULL;
	if (lock < 0 || node_name_read(n, mem, was, e) < 0)
		return -1;
	if (!*was)
		return 0;
	if (store_sentinel(n->store, *was, machine, sizeof(machine)) != STORE_OURS)
		return err_set(e, "the state directory is not known to be this machine's");
	if (rename_things(n, *was, mem, e) < 0)
		return -1;
	return store_sentinel_write(n->store, n->name, e);
}
