// SPDX-License-Identifier: GPL-2.0-or-later
// A JSON tree as YAML for people: block style, two blanks of indent, order kept.
#ifndef JSON_YAML_H
#define JSON_YAML_H

#include "json/json.h"

/* Appends one YAML document (without "---") with a newline at its end; NULL is null. Every string
 * that a reader of YAML 1.1 or 1.2 could take for something else is in double quotes, so that
 * reading gives the same tree. Numbers are written as their text; integers and 1.5 are numbers to
 * every reader, but 1e5, which is fine JSON, is a string to readers of YAML 1.1. -1 and `e` when
 * the bound of `out` is too small. */
int yaml_write(struct buf *out, const struct json *v, struct err *e);

#endif
