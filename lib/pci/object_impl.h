// SPDX-License-Identifier: GPL-2.0-or-later
// Shared by the files that make observed objects.
#ifndef PCI_OBJECT_IMPL_H
#define PCI_OBJECT_IMPL_H

#include "pci/condition.h"
#include "pci/node.h"

/* Adds a condition to status; lastTransitionTime stays that of `old` while the status does. */
void object_condition(struct arena *mem, struct json *status, const struct json *old,
	const char *now, enum condition_type type, bool yes, enum reason reason,
	const char *message);

/* apiVersion, kind, name, the label `nodename`. */
struct json *object_new(struct arena *mem, const char *kind, const char *name, const char *node);

/* What an observed object has of its wish: uid, generation, labels, annotations, ownerReferences.
 */
void object_copy_meta(struct arena *mem, struct json *object, const struct json *wish);

#endif
