// SPDX-License-Identifier: GPL-2.0-or-later
// What a tree holds at one moment: where each function is, every file of the store. Read without
// the product's own code but for JSON, so that a fault of it does not hide itself.
#ifndef FAULTS_VIEW_H
#define FAULTS_VIEW_H

#include "base/arena.h"
#include "base/err.h"
#include "json/json.h"

#include <sys/types.h>

#define STATE "var/lib/vfiobox"
#define RUN_STATE "run/vfiobox"
#define LOCAL_WISHES STATE "/desired/local/pcideviceclaims"
#define CLUSTER_WISHES STATE "/desired/cluster/pcideviceclaims"
#define RECORDS STATE "/kept/pcidevices"
#define OBSERVED RUN_STATE "/observed"
#define VFIO "vfio-pci"

enum { VIEW_FUNCTIONS = 64, VIEW_NAME = 64 };

struct view_function {
	char address[VIEW_NAME];
	char driver[VIEW_NAME];   /* "" none */
	char override[VIEW_NAME]; /* "" none */
	int group;                /* -1 none */
	bool bridge;              /* class 0604 */
};

struct view_file {
	const char *path; /* below the tree */
	struct str text;
	const struct json *json; /* NULL: it is not, or not whole */
};

/* A writer's temporary file; `entries` changes with every change of its directory. */
struct view_temp {
	const char *path;
	uint64_t entries;
};

/* Owns all it holds; view_free(). */
struct view {
	struct view_function function[VIEW_FUNCTIONS];
	size_t functions;
	struct view_file *file;
	size_t files;
	struct view_temp *temp;
	size_t temps;
	struct arena mem;
};

int view_read(struct view *v, const char *tree, struct err *e);
void view_free(struct view *v);

const struct view_function *view_function(const struct view *v, const char *address);
const struct view_file *view_file(const struct view *v, const char *path);
/* The next file after `last` (NULL: the first) in this directory; NULL at the end. */
const struct view_file *view_next(
	const struct view *v, const struct view_file *last, const char *dir);

/* The address a claim is of, or a record: "" when it does not say. */
const char *view_address_of_wish(const struct view_file *f);
const struct view_file *view_record(const struct view *v, const char *address);

/* What observed/ says of one object, without what differs from run to run: times, uids. */
bool view_same_observed(const struct json *a, const struct json *b);
/* The same for views from which everything that follows is the same. */
uint64_t view_digest(const struct view *v);
/* The first two values that differ, of trees that are not the same. */
void view_difference(const struct json **a, const struct json **b);

#endif
