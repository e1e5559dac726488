// SPDX-License-Identifier: GPL-2.0-or-later
// One run of a command under ptrace. Its calls that change files are its points, counted from 1; at
// one of them it can be killed, or the call can fail.
#ifndef FAULTS_TRACE_H
#define FAULTS_TRACE_H

#include "base/err.h"
#include "calls.h"

struct kernel;
struct disk;

enum fate {
	FATE_NONE,
	FATE_KILL_BEFORE, /* SIGKILL in place of the call */
	FATE_KILL_AFTER,  /* SIGKILL when the call is done, before it returns */
	FATE_ERROR,       /* the call is left out and returns -`error` */
};

struct trace {
	char *const *argv;
	char *const *envp; /* NULL: as we have it */
	const char
		*tree; /* only calls below it are points, without a link in it; NULL: everywhere */
	struct kernel *kernel; /* plays the kernel of the tree, or NULL */
	struct disk *disk;     /* is told of what was synced, or NULL */
	size_t at;
	enum fate fate;
	int error;
	int output;     /* descriptor for standard output and error, -1: as we have them */
	bool forwards;  /* SIGTERM, SIGINT, SIGHUP, SIGUSR1 go to the command */
	unsigned limit; /* seconds until it counts as hung and is killed; 0: none */
	/* A function that no write of sysfs may be about; asked for each. May be NULL. */
	bool (*may_touch)(void *arg, const char *address);
	void *arg;

	/* What came of it. */
	size_t points;
	struct call *calls; /* all of them when `record` is set; freed by trace_free() */
	size_t cap;
	bool record;
	struct call hit; /* the call at `at` */
	bool reached;    /* there was one */
	bool hung;
	char trespass[64]; /* the function that was touched and must not be, or "" */
	int status;        /* as of waitpid() */
};

/* -1 when it could not be traced; *forbidden (may be NULL) then tells that tracing is. */
int trace_run(struct trace *t, bool *forbidden, struct err *e);
void trace_free(struct trace *t);

/* A path as it is shown and compared: below the tree, or as it is. */
const char *trace_path(const struct trace *t, const char *path);

#endif
