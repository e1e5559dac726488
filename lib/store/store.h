// SPDX-License-Identifier: GPL-2.0-or-later
// The directories of objects: desired/, kept/ (persistent) and observed/ (of this boot). One JSON
// file per object, one writer per file, written whole: temporary file, fsync where persistent,
// rename; so that a full disk or a kill at any point leaves the old or the new file, never half.
#ifndef STORE_STORE_H
#define STORE_STORE_H

#include "base/arena.h"
#include "base/root.h"
#include "json/json.h"

enum store_tree {
	STORE_LOCAL,    /* desired/local: what somebody on this node wants */
	STORE_CLUSTER,  /* desired/cluster: what the cluster wants */
	STORE_KEPT,     /* what must outlive a reboot and is nobody's wish */
	STORE_OBSERVED, /* what is so, in /run */
};

/* Owned by the caller; holds paths only, no descriptors. `root` is borrowed. */
struct store {
	const struct root *root;
	char state[256]; /* below the root: /var/lib/vfiobox or what VFIOBOX_STATE says */
	char run[64];    /* /run/vfiobox */
};

/* `state` NULL: /var/lib/vfiobox. Creates nothing. An unusable path (relative, /, "..", too long)
 * is an error. */
int store_init(struct store *s, const struct root *r, const char *state, struct err *e);

/* Names of kinds' plurals and of objects: 1-250 of [a-z0-9.-], not starting with '.'; anything else
 * is refused before a path is made of it. (Node names are DNS names: lower case. 250: with ".json"
 * it is the name of a file, 255 bytes.) */
bool store_name_ok(struct str name);

/* One object, in `mem`. *out NULL and 0 when there is no such file; -1 when it is there and cannot
 * be read or is no JSON object (over 4 MiB, half, a symbolic link, foreign): in doubt it is not
 * absent. */
int store_read(const struct store *s, enum store_tree t, const char *plural, const char *name,
	struct arena *mem, struct json **out, struct err *e);

/* The names of all objects of a kind, sorted, in `mem`. A directory that does not exist is an
 * empty list; one that cannot be read is an error. Temporary and foreign files are not objects.
 * A listed name may still be one that store_read() cannot read. */
int store_list(const struct store *s, enum store_tree t, const char *plural, struct arena *mem,
	char ***names, size_t *n, struct err *e);

/* A batch: put and remove gather changes and write the temporary files; commit makes them so:
 * fsync of each file, rename or unlink, fsync of each directory once (persistent trees only). An
 * error in put leaves everything as it was and the batch usable; commit goes on with the others
 * after an error and reports the first. Of several changes to one object the last counts. An object
 * that is byte for byte what is there already is not written. Directories are made as needed.
 * Temporary files of a writer that was killed are removed by the next one in that directory, never
 * those of one that is at work; no writer waits for another one's batch. After commit the batch is
 * empty and may be used again. store_batch_free() drops what was not committed; NULL does
 * nothing. `s` is borrowed until then. */
struct store_batch;
struct store_batch *store_batch_new(const struct store *s);
int store_put(struct store_batch *b, enum store_tree t, const char *plural, const char *name,
	const struct json *object, struct err *e);
int store_remove(struct store_batch *b, enum store_tree t, const char *plural, const char *name,
	struct err *e);
/* Number of files that changed, or -1. What was put is on disk then (persistent trees), also what
 * was there already. */
int store_commit(struct store_batch *b, struct err *e);
void store_batch_free(struct store_batch *b);

/* One file at once: a batch of one. 0 or -1. */
int store_put_now(const struct store *s, enum store_tree t, const char *plural, const char *name,
	const struct json *object, struct err *e);
int store_remove_now(const struct store *s, enum store_tree t, const char *plural, const char *name,
	struct err *e);

/* The sentinel of desired/: a file `machine` that names the machine: DMI product uuid, machine-id,
 * node name, as far as known. The first of them that the file has and that can be read now decides.
 * Absence of wishes counts only while it is there (rule 1). */
enum store_sentinel {
	STORE_OURS,    /* there, and of this machine */
	STORE_NEW,     /* neither the file nor any other in desired/ or kept/ */
	STORE_MISSING, /* things there and no sentinel; or unreadable; or nothing to compare */
	STORE_FOREIGN, /* of another machine */
};
/* `node` NULL: not known. `seen` (may be NULL) gets what the file says, for the message
 * ("machine-id 5f0e..."; "" without the file). */
enum store_sentinel store_sentinel(const struct store *s, const char *node, char *seen, size_t cap);
/* Replaces what is there: whether that may be is the caller's decision. */
int store_sentinel_write(const struct store *s, const char *node, struct err *e);

enum { STORE_BOOT_ID_CAP = 64 };
/* What tells this boot from others (proc/sys/kernel/random/boot_id). Length, or -1 and errno. */
ssize_t store_boot_id(const struct store *s, char *out, size_t cap);

/* The mark that observed/<plural> is complete, of this boot: a file `complete` with the boot id
 * (proc/sys/kernel/random/boot_id; where that cannot be read nothing is complete). */
int store_mark_complete(const struct store *s, const char *plural, struct err *e);
bool store_is_complete(const struct store *s, const char *plural);

/* The one-instance lock /run/vfiobox/<applet>.lock (flock). Waits up to `timeout_ms` (0: not at
 * all); -1 with the holder's pid in the text, and EWOULDBLOCK, when another has it. Returns a
 * descriptor; closing it unlocks, in forked children too. The file stays. */
int store_lock(const struct store *s, const char *applet, int timeout_ms, struct err *e);

#endif
