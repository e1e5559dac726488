// SPDX-License-Identifier: GPL-2.0-or-later
// The kernel of a tree of files: what Linux does when a file of sysfs is written that binds,
// unbinds, probes, overrides a driver. Every answer here is one of Linux 6.12 (the function is
// named beside it); tests/faults/test_kernel.c holds them against recorded facts.
//
// What it needs to know and sysfs does not show is below .kernel/ in the tree, lines of two words:
//   drivers  "8086:10ca igbvf"          the driver whose table of ids has this one; made at the
//                                       first kernel_open() of what is bound then
//   refuses  "0000:2e:00.3 vfio-pci"    a driver whose probe of this function fails
#ifndef FAULTS_KERNEL_H
#define FAULTS_KERNEL_H

#include "base/arena.h"
#include "base/root.h"

struct kernel_rule {
	struct str what, driver;
};

struct kernel_rules {
	struct kernel_rule *rule;
	size_t n;
};

/* Of one tree; kernel_close() frees it. */
struct kernel {
	struct root root;
	struct kernel_rules drivers, refuses;
	struct buf *changed; /* gets the path of whatever it changes, a line each; may be NULL */
	struct arena mem;
};

int kernel_open(struct kernel *k, const char *dir, struct err *e);
void kernel_close(struct kernel *k);

/* write(2) of these bytes to the file at `path`: below the tree, without links, as
 * /proc/PID/fd has it. What the call returns, or -errno. A file that is no command of the PCI bus
 * keeps what is written. */
ssize_t kernel_write(struct kernel *k, const char *path, struct str data);

/* The address of the function that such a write is about, "" when it is none. */
void kernel_write_is_about(const char *path, struct str data, char *address, size_t cap);

/* The machine was switched off and on: no override, every function on the driver of its id, nothing
 * in /run, another boot id. */
int kernel_boot(struct kernel *k, struct err *e);

#endif
