// SPDX-License-Identifier: GPL-2.0-or-later
// Checked allocation, cleanup and string slices.
#include "base/base.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

void cleanup_free(void *pp)
{
	void *p;

	memcpy(&p, pp, sizeof(p));
	free(p);
}

void cleanup_close(int *fd)
{
	int no = errno;

	if (*fd >= 0)
		close(*fd);
	errno = no;
}

static void *checked(void *p)
{
	if (!p) {
		static const char msg[] = "vfiobox: out of memory\n";
		ssize_t unused = write(STDERR_FILENO, msg, sizeof(msg) - 1);

		(void)unused;
		_exit(1);
	}
	return p;
}

void *mem_alloc(size_t n)
{
	return checked(calloc(1, n ? n : 1));
}

void *mem_resize(void *p, size_t n)
{
	return checked(realloc(p, n ? n : 1));
}

char *mem_dup(const char *p, size_t n)
{
	char *s = mem_alloc(n + 1);

	if (n)
		memcpy(s, p, n);
	return s;
}

char *mem_vprintf(const char *fmt, va_list ap)
{
	char *s = NULL;

	if (vasprintf(&s, fmt, ap) < 0)
		s = NULL;
	return checked(s);
}

char *mem_printf(const char *fmt, ...)
{
	char *s;
	va_list ap;

	va_start(ap, fmt);
	s = mem_vprintf(fmt, ap);
	va_end(ap);
	return s;
}

struct str str_of(const char *z)
{
	return (struct str){z, z ? strlen(z) : 0};
}

bool str_eq(struct str a, struct str b)
{
	return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

bool str_is(struct str a, const char *z)
{
	return str_eq(a, str_of(z));
}

bool str_starts(struct str a, const char *prefix)
{
	size_t n = strlen(prefix);

	return a.n >= n && (n == 0 || memcmp(a.p, prefix, n) == 0);
}

bool str_ends(struct str a, const char *suffix)
{
	size_t n = strlen(suffix);

	return a.n >= n && (n == 0 || memcmp(a.p + a.n - n, suffix, n) == 0);
}

static bool is_blank(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

struct str str_trim(struct str s)
{
	while (s.n && is_blank(s.p[0])) {
		s.p++;
		s.n--;
	}
	while (s.n && is_blank(s.p[s.n - 1]))
		s.n--;
	return s;
}

bool str_cut(struct str *s, char sep, struct str *part)
{
	const char *hit;

	if (!s->p)
		return false;
	hit = s->n ? memchr(s->p, sep, s->n) : NULL;
	if (!hit) {
		*part = *s;
		*s = (struct str){NULL, 0};
		return true;
	}
	*part = (struct str){s->p, (size_t)(hit - s->p)};
	s->n -= part->n + 1;
	s->p = hit + 1;
	return true;
}

bool str_word(struct str *s, struct str *word)
{
	while (s->n && is_blank(s->p[0])) {
		s->p++;
		s->n--;
	}
	word->p = s->p;
	word->n = 0;
	while (s->n && !is_blank(s->p[0])) {
		word->n++;
		s->p++;
		s->n--;
	}
	return word->n > 0;
}

static int digit_of(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return 99;
}

static bool number(struct str s, unsigned base, uint64_t max, uint64_t *out)
{
	uint64_t v = 0;

	if (!s.n)
		return false;
	for (size_t i = 0; i < s.n; i++) {
		unsigned d = (unsigned)digit_of(s.p[i]);

		if (d >= base || v > (UINT64_MAX - d) / base)
			return false;
		v = v * base + d;
	}
	if (v > max)
		return false;
	*out = v;
	return true;
}

bool str_u64(struct str s, uint64_t max, uint64_t *out)
{
	return number(s, 10, max, out);
}

bool str_hex(struct str s, uint64_t max, uint64_t *out)
{
	if (s.n > 2 && s.p[0] == '0' && (s.p[1] == 'x' || s.p[1] == 'X')) {
		s.p += 2;
		s.n -= 2;
	}
	return number(s, 16, max, out);
}
