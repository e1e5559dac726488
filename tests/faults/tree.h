// SPDX-License-Identifier: GPL-2.0-or-later
// Trees of files: copied and removed quickly, since each point needs a fresh one.
#ifndef FAULTS_TREE_H
#define FAULTS_TREE_H

#include "base/err.h"

/* A copy in a new directory. Files below run/ and var/ are copies of their own, the others are the
 * same files by another name: nobody writes into one of them (kernel_write() replaces). */
int tree_copy(const char *from, const char *to, struct err *e);
void tree_remove(const char *dir);

/* One path below `to` as it is below `from`: made, replaced or removed with all below it. */
int tree_restore(const char *from, const char *to, const char *path, struct err *e);

#endif
