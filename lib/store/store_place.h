// SPDX-License-Identifier: GPL-2.0-or-later
// A directory that a batch writes to: made as needed, with its temporary files.
#ifndef STORE_STORE_PLACE_H
#define STORE_STORE_PLACE_H

#include "store/store_impl.h"

enum { STORE_TEMP_CAP = 48 };

/* Owned by the batch; place_close() ends it. */
struct place {
	char dir[STORE_PATH_CAP]; /* below the root */
	int fd;
	bool durable;
	bool writing; /* holds the shared lock that says: temporary files here are in use */
	bool changed; /* to be synced */
};

/* Opens `dir`, which is made with its parents (0755) when `make` is set. 0, or -1 and errno. */
int place_open(struct place *p, const struct root *r, const char *dir, bool durable, bool make);
void place_close(struct place *p);

/* Writes a new temporary file, 0644; its name in `temp` (STORE_TEMP_CAP bytes). `*serial` numbers
 * the files of this writer. Its descriptor, to be synced and closed by the caller; or -1 and errno
 * with nothing left behind; EWOULDBLOCK: another process does not let go of the directory. */
int place_write_temp(struct place *p, struct str bytes, char *temp, unsigned *serial);

/* The file is there with exactly these bytes. */
bool place_has(const struct place *p, const char *file, struct str bytes);

/* A durable directory's entries are on disk when this returns 0; -1 and errno. */
int place_sync(const struct place *p);

#endif
