// SPDX-License-Identifier: GPL-2.0-or-later
// What of a directory is on disk, and what a power cut leaves of it. POSIX promises no more than
// this: a file's bytes are there after fsync of the file, its name after fsync of the directory.
#ifndef FAULTS_DISK_H
#define FAULTS_DISK_H

#include "base/err.h"

/* What the file system wrote by itself before the cut. */
enum disk_loss {
	DISK_EARLY_NAMES, /* every name, no bytes: a file that was not synced is empty */
	DISK_LATE_NAMES,  /* no name that was not synced */
};

struct disk;

/* All below DIR as it is now is on disk. Ends with disk_free(). */
struct disk *disk_new(const char *dir);
void disk_free(struct disk *d);

/* fsync of what is open at this path (/proc/PID/fd/N) has succeeded. */
void disk_synced(struct disk *d, const char *path);

/* Makes DIR what is left after a cut now. */
int disk_cut(struct disk *d, enum disk_loss loss, struct err *e);

#endif
