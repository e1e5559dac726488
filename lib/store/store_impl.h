// SPDX-License-Identifier: GPL-2.0-or-later
// What the files of the store share.
#ifndef STORE_STORE_IMPL_H
#define STORE_STORE_IMPL_H

#include "store/store.h"

enum {
	STORE_PATH_CAP = 640, /* state, tree and plural */
	STORE_FILE_CAP = 256, /* NAME_MAX and a NUL */
	STORE_OBJECT_MAX = 4 * 1024 * 1024,
};

/* Where the objects of a kind are, below the root; refuses a plural that is no name. */
int store_dir_of(const struct store *s, enum store_tree t, const char *plural,
	char dir[STORE_PATH_CAP], struct err *e);
/* The file of an object; refuses what is no name. */
int store_file_of(const char *name, char file[STORE_FILE_CAP], struct err *e);
bool store_is_durable(enum store_tree t);

/* What a batch in progress, or one that was killed, has in a directory. */
#define STORE_TEMP_PREFIX ".vfiobox-"
bool store_is_temp(const char *file);

/* A file of any content in a batch; `durable`: to be on disk when store_commit() returns. `file`
 * is one component that the caller answers for. */
int store_put_bytes(struct store_batch *b, const char *dir, bool durable, const char *file,
	struct str bytes, struct err *e);
/* The same at once. */
int store_write_bytes(const struct store *s, const char *dir, bool durable, const char *file,
	struct str bytes, struct err *e);

/* flock(2) that waits at most `timeout_ms`; -1 and errno, EWOULDBLOCK when others have it still. */
int store_flock(int fd, int operation, int timeout_ms);

#endif
