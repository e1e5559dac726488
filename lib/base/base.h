// SPDX-License-Identifier: GPL-2.0-or-later
// What every module uses: cleanup attributes, string slices, checked allocation.
#ifndef BASE_BASE_H
#define BASE_BASE_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))
#define PRINTF(f, a) __attribute__((format(printf, f, a)))

/* Frees the pointer / closes the descriptor that a variable holds when it goes out of scope. */
#define CLEANUP_FREE __attribute__((cleanup(cleanup_free)))
#define CLEANUP_CLOSE __attribute__((cleanup(cleanup_close)))
void cleanup_free(void *pp);
void cleanup_close(int *fd);

/* Memory, zeroed; never NULL. Out of memory ends the program with a message and status 1: every
 * applet may be killed at any instruction and goes on when it is started again. The caller owns
 * the result and frees it with free(). */
void *mem_alloc(size_t n);
void *mem_resize(void *p, size_t n);
char *mem_dup(const char *p, size_t n); /* n bytes and a NUL */
char *mem_printf(const char *fmt, ...) PRINTF(1, 2);
char *mem_vprintf(const char *fmt, va_list ap) PRINTF(1, 0);

/* A slice of bytes that somebody else owns; not NUL-terminated. */
struct str {
	const char *p;
	size_t n;
};
#define STR(lit) ((struct str){(lit), sizeof(lit) - 1})
#define STR_ARG(s) (int)(s).n, (s).p /* for "%.*s" */

struct str str_of(const char *z);
bool str_eq(struct str a, struct str b);
bool str_is(struct str a, const char *z);
bool str_starts(struct str a, const char *prefix);
bool str_ends(struct str a, const char *suffix);
struct str str_trim(struct str s); /* without white space on both sides */

/* Cuts the part before `sep` (or all) off `*s`; false when nothing is left. "a,,b" has three. */
bool str_cut(struct str *s, char sep, struct str *part);

/* The next run without blanks of `*s`; false at the end. */
bool str_word(struct str *s, struct str *word);

/* Whole-string numbers: false when empty, too large for `max`, or anything but digits
 * (hex: optional 0x). */
bool str_u64(struct str s, uint64_t max, uint64_t *out);
bool str_hex(struct str s, uint64_t max, uint64_t *out);

#endif
