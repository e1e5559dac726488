// SPDX-License-Identifier: GPL-2.0-or-later
// What every parser of foreign input is driven by: its program and its fuzzer.
#ifndef FUZZ_DRIVE_H
#define FUZZ_DRIVE_H

#include <stddef.h>
#include <stdio.h>

/* 0: accepted, what was understood is on `out`; 1: refused, why is on `why`. */
int drive(const unsigned char *data, size_t len, FILE *out, FILE *why);

#endif
