// SPDX-License-Identifier: GPL-2.0-or-later
// What the parts of the kernel of a tree share. Paths are below the tree; a function's directory is
// its own, below sys/devices.
#ifndef FAULTS_KERNEL_IMPL_H
#define FAULTS_KERNEL_IMPL_H

#include "kernel.h"

enum { KERNEL_PATH = 512, KERNEL_NAME = 64, KERNEL_TEXT = 4096 };

/* To be called with each path that is about to change. */
void kernel_note(const struct kernel *k, const char *path);

/* "sys/devices/..." of an address; -ENODEV. */
int kernel_function(const struct kernel *k, const char *address, char dir[static KERNEL_PATH]);

/* Replaced, not written over: the file may be shared with another tree. 0 or -errno. */
int kernel_set(const struct kernel *k, const char *dir, const char *name, const char *text);
int kernel_link(const struct kernel *k, const char *dir, const char *name, const char *target);
void kernel_unlink(const struct kernel *k, const char *dir, const char *name);
void kernel_mkdirs(const struct kernel *k, const char *dir);
/* A directory with the files in it. */
void kernel_rmdir(const struct kernel *k, const char *dir);

/* The driver of a function, "" when none. */
void kernel_driver_of(const struct kernel *k, const char *dir, char out[static KERNEL_NAME]);

/* device_attach(), drivers/base/dd.c: the driver that matches, if there is one, probes. */
void kernel_attach(struct kernel *k, const char *dir);
/* device_driver_detach() */
void kernel_detach(struct kernel *k, const char *dir);

/* sriov_numvfs_store(), drivers/pci/iov.c. 0 or -errno. */
int kernel_set_vfs(struct kernel *k, const char *dir, struct str text);
void kernel_remove_vfs(struct kernel *k, const char *dir);

#endif
