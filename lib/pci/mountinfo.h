// SPDX-License-Identifier: GPL-2.0-or-later
// /proc/PID/mountinfo and /proc/swaps: proc_pid_mountinfo(5), proc_swaps(5).
#ifndef PCI_MOUNTINFO_H
#define PCI_MOUNTINFO_H

#include "base/arena.h"
#include "base/err.h"

/* One line. The strings are decoded (no octal escapes) but `options`, those of the superblock:
 * these are cut at ',' first, see mount_option(). A device with major 0 is no block device's: the
 * number is made up for tmpfs, overlay, btrfs, nfs... */
struct mount {
	uint64_t id, parent;
	uint32_t major, minor;
	const char *root;  /* what of the filesystem is mounted, "/" for all */
	const char *point; /* the mount point, below the root of the process */
	const char *fs, *source;
	struct str options;
};

/* In the order of the file, which is that of mounting but for moves. Owns its strings. */
struct mountinfo {
	struct mount *mount;
	size_t n;
	size_t *by_point; /* indices: by mount point, then by order */
	struct arena mem;
};

/* -1 and `e` for anything that is not a line of mountinfo: a view with holes is none. `mi` is empty
 * then. The text need not outlive the call. */
int mountinfo_parse(struct mountinfo *mi, struct str text, struct err *e);
void mountinfo_free(struct mountinfo *mi);

/* The mounts at exactly the directory point[0..n): their number, the first in by_point[*first]. */
size_t mountinfo_at(const struct mountinfo *mi, const char *point, size_t n, size_t *first);

/* Cuts the next "key=value" off `*options`, both as they stand; false at the end. */
bool mount_option(struct str *options, struct str *key, struct str *value);

/* Octal escapes (\040) decoded, in `mem`; NULL when that gives a NUL byte, which no path has. */
const char *mount_unescape(struct arena *mem, struct str s);

/* One line of /proc/swaps. */
struct swap {
	const char *path; /* decoded */
	bool is_file;
};

/* `*swap` and its strings are in `mem`. An empty text has no swaps. -1 and `e` as above. */
int swaps_parse(struct arena *mem, struct swap **swap, size_t *n, struct str text, struct err *e);

#endif
