// SPDX-License-Identifier: GPL-2.0-or-later
// What tells the daemon to look: uevents of the kernel, changes of mounts, swap, routes, of the
// directories of wishes. Events only say "look" (level, not edge): lost and doubled ones do no
// harm, and none is believed.
#ifndef PCI_EVENTS_H
#define PCI_EVENTS_H

#include "base/loop.h"
#include "pci/node.h"

/* How soon it matters. */
enum urgency {
	EVENT_SOON,  /* a wish, a PCI function */
	EVENT_LATER, /* what the host uses */
};

typedef void events_fn(void *ctx, enum urgency u);

/* Opens every source; what is not there (a test tree has no mountinfo that can be waited for) is
 * left out, the kernel's uevents and inotify are not: NULL and `e`. `n` and `loop` are borrowed;
 * events_stop() before they go. */
struct events *events_start(
	const struct pci_node *n, struct loop *loop, events_fn *fn, void *ctx, struct err *e);
void events_stop(struct events *ev);

/* Directories come, go, and are mounted over: watches those that are there now. To be called before
 * each look, so that nothing falls between the look and the watch. */
int events_refresh(struct events *ev, struct err *e);

/* A message of NETLINK_KOBJECT_UEVENT (Documentation/core-api/kobject.rst, lib/kobject_uevent.c):
 * "add@/devices/...\0ACTION=add\0SUBSYSTEM=pci\0...". Borrowed from the text. */
struct kernel_event {
	struct str action, subsystem, path;
};
/* False for what is none (udev's own begin with "libudev"). */
bool kernel_event_parse(struct kernel_event *k, struct str message);

#endif
