// SPDX-License-Identifier: GPL-2.0-or-later
// What is stepped through. A verb more is a row more in scenario.c.
#ifndef FAULTS_SCENARIO_H
#define FAULTS_SCENARIO_H

#include "base/base.h"

/* Lists are words with blanks between them; NULL is none. */
struct scenario {
	const char *name;
	/* Steps that make the tree it starts from, a line each:
	 *   override ADDR DRIVER       an administrator's driver_override; part of how the host is
	 *   refuse ADDR                vfio-pci's probe of the function fails
	 *   bind ADDR                  somebody else gives it to vfio-pci
	 *   wish ADDR                  the cluster wants it
	 *   adopt ADDR DRIVER          the same, and says another agent took it from DRIVER
	 *   unwish ADDR                no longer
	 *   boot                       a kernel has just started: no driver, no override, empty
	 * /run vfiobox ARGS               the program, to its end */
	const char *start;
	const char *command; /* of vfiobox, without --root and --node */
	const char *touches; /* functions; with their groups the only ones that may change */
	const char *makes;   /* functions whose claim is a wish when the command says success */
	const char *drops;   /* functions whose claim is no wish then */
	const char *refused; /* functions that the host lives on: a wish for them changes nothing */
	const char *deaf;    /* functions of `refuse` */
	bool cold;           /* drivers come later: a power cut would bring them */
	bool heals; /* success does not say that all was done: it is done again, or left to the next
		     */
};

extern const struct scenario scenarios[];
extern const size_t scenarios_count;

/* What a restarted node runs. */
#define RESTART "pcid apply"

/* True when `word` is in the list. */
bool scenario_has(const char *list, const char *word);

#endif
