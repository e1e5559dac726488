// SPDX-License-Identifier: GPL-2.0-or-later
// What shows the host's console on a display function, and has to let go before the function is
// taken: virtual consoles on a frame buffer, and the firmware's frame buffer, which lies in the
// function's memory and is a platform device of its own.
#ifndef PCI_CONSOLE_H
#define PCI_CONSOLE_H

#include "pci/inventory.h"
#include "pci/node.h"
#include "json/json.h"

enum { CONSOLE_PARTS_MAX = 16 };

/* "vtcon1" (sys/class/vtconsole), "simple-framebuffer.0@simple-framebuffer" (device and driver on
 * the platform bus), in the order they let go. Strings live in an arena. */
struct console_parts {
	const char *part[CONSOLE_PARTS_MAX];
	size_t n;
};

/* What would have to let go of `d`; changes nothing. Of a display function (class 03) alone: those
 * of the boot VGA (boot_vga is 1) and of a function whose driver made the frame buffer. Nothing
 * where all frame buffers are of other functions: the console is on another screen, and stays. */
int console_find(const struct pci_node *n, const struct pci_dev *d, struct arena *mem,
	struct console_parts *out, struct err *e);

/* They let go; what has done so already, or is gone, is passed over. `p` is on disk before, in the
 * function's record: whoever goes on after a kill brings them back. On failure (-1) those that did
 * are brought back. */
int console_let_go(const struct pci_node *n, const struct pci_dev *d, const struct console_parts *p,
	struct err *e);

/* After the host's driver has the function again, or none as before. The firmware's frame buffer
 * comes back only where its device is there still (vfio-pci takes it away, since Linux 6.0) and no
 * driver of the function shows a screen itself. Goes on after a failure; -1 and the first: the
 * host's console may be dark, the function is where it was. */
int console_bring_back(const struct pci_node *n, const struct pci_dev *d,
	const struct console_parts *p, struct err *e);

/* A JSON array of strings, for the function's record; and from it. NULL is no parts. False when one
 * is none that console_find() can have given: then nothing of it is written to. */
struct json *console_to_json(const struct console_parts *p, struct arena *mem);
bool console_from_json(struct console_parts *p, const struct json *array);

#endif
