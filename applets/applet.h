// SPDX-License-Identifier: GPL-2.0-or-later
// An applet: one of the programs that the one binary is.
#ifndef APPLETS_APPLET_H
#define APPLETS_APPLET_H

/* Each applet's file defines one, `const struct applet NAME_applet`; main.c has the table. */
struct applet {
	const char *name;    /* of its link; lower case */
	const char *summary; /* one line, without the name */
	const char *help;    /* usage, verbs, options, examples; ends with a newline */

	/* argv[0] is the applet's name, however it was called. Returns the exit status: 0 done,
	 * 1 failed, 2 the call was wrong. */
	int (*main)(int argc, char **argv);
};

#endif
