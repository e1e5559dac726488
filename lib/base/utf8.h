// SPDX-License-Identifier: GPL-2.0-or-later
// UTF-8 as RFC 3629 has it: no overlong forms, no surrogates, nothing over U+10FFFF.
#ifndef BASE_UTF8_H
#define BASE_UTF8_H

#include "base/base.h"

/* The character at p[0..n): its number of bytes, 1 to 4, and in *cp its code point; 0, with *cp
 * untouched, when n is 0 or the bytes are ill-formed. */
size_t utf8_decode(const char *p, size_t n, uint32_t *cp);

/* Writes a code point (no surrogate, at most U+10FFFF) to out, which has room for 4 bytes; the
 * number of bytes written. No NUL. */
size_t utf8_encode(uint32_t cp, char *out);

/* C0, DEL and C1: what can steer a terminal. */
bool utf8_is_control(uint32_t cp);

#endif
