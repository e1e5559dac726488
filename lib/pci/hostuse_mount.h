// SPDX-License-Identifier: GPL-2.0-or-later
// Which block devices a mount or a path of the host stands on.
#ifndef PCI_HOSTUSE_MOUNT_H
#define PCI_HOSTUSE_MOUNT_H

#include "pci/hostuse_block.h"
#include "pci/mountinfo.h"

enum { PROC_FILE_MAX = 64 << 20 };

struct btrfs_device {
	size_t filesystem, node;
};

struct mounts {
	struct blocks *b;
	struct mountinfo info;
	bool *busy; /* by mount: being looked at */
	struct btrfs_device *btrfs;
	size_t btrfs_devices, btrfs_cap;
	bool btrfs_hidden; /* one of their devices is not to be seen */
	/* The first thing that could not be told, NULL when all could. */
	const char *doubt;
	size_t *found; /* the block devices of the last look */
	size_t n_found, found_cap;
	const char *lost; /* where the last look ended nowhere, NULL: it did not */
	size_t steps;     /* paths looked up so far */
	struct arena mem;
};

/* Reads proc/1/mountinfo, then what loop devices and zram stand on. -1 when mountinfo cannot be
 * read: `doubt` says why. To be freed in both cases. */
int mounts_read(struct mounts *m, struct blocks *b);
void mounts_free(struct mounts *m);

void mounts_doubt(struct mounts *m, const char *fmt, ...) PRINTF(2, 3);

/* The block devices under a mount: their number, in `*node` until the next call. What cannot be
 * told becomes a doubt. */
size_t mounts_devices(struct mounts *m, size_t mount, const size_t **node);
/* The same of a path: of a device below /dev, or of the filesystem that a file is in. */
size_t mounts_of_path(struct mounts *m, const char *path, bool is_file, const size_t **node);

/* Does the system itself live there: /, /boot, /usr, what an image is mounted from? */
bool mount_is_of_system(const char *point);

#endif
