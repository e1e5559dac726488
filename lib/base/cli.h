// SPDX-License-Identifier: GPL-2.0-or-later
// The command line that all applets share: APPLET VERB [ARGS], options before or after the verb.
#ifndef BASE_CLI_H
#define BASE_CLI_H

#include "base/err.h"

/* Exit codes. */
enum { CLI_DONE = 0, CLI_FAILED = 1, CLI_USAGE = 2 };

enum cli_output { OUTPUT_TABLE, OUTPUT_WIDE, OUTPUT_JSON, OUTPUT_YAML, OUTPUT_NAME };

/* An applet's own long option. `value` gets its argument, or "" for one without. */
struct cli_option {
	const char *name;
	bool has_arg;
	const char *verbs; /* those that take it, separated by blanks */
	const char **value;
};

struct cli {
	const char *root; /* --root DIR, "/" */
	const char *node; /* --node NAME, or NULL */
	const char *ids;  /* --ids FILE, or NULL */
	enum cli_output output;
	bool verbose, help;
	const char *verb; /* NULL: none given */
	char *const *arg; /* what follows the verb */
	int args;
};

/* Strings are borrowed from argv. -1 with what is wrong with the call. */
int cli_parse(struct cli *c, int argc, char **argv, const struct cli_option *own, size_t n_own,
	struct err *e);

/* The node's name: --node, NODE_NAME, the host name in lower case; into out. -1 when it is not a
 * name Kubernetes would take (RFC 1123 subdomain). */
int cli_node_name(const struct cli *c, char *out, size_t cap, struct err *e);

#endif
