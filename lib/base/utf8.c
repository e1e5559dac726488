// SPDX-License-Identifier: GPL-2.0-or-later
// UTF-8 as RFC 3629 has it.
#include "base/utf8.h"

size_t utf8_decode(const char *p, size_t n, uint32_t *cp)
{
	/* by length: the least code point, so that overlong forms show */
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	unsigned char lead;
	uint32_t v;
	size_t len;

	if (!n)
		return 0;
	lead = (unsigned char)p[0];
	if (lead < 0x80) {
		*cp = lead;
		return 1;
	}
	if (lead < 0xc2 || lead > 0xf4)
		return 0;
	len = lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
	if (n < len)
		return 0;
	v = lead & (0x7fU >> len);
	for (size_t i = 1; i < len; i++) {
		unsigned char c = (unsigned char)p[i];

		if ((c & 0xc0) != 0x80)
			return 0;
		v = v << 6 | (c & 0x3f);
	}
	if (v < least[len] || v > 0x10ffff || (v >= 0xd800 && v <= 0xdfff))
		return 0;
	*cp = v;
	return len;
}

size_t utf8_encode(uint32_t cp, char *out)
{
	size_t len = cp < 0x80 ? 1 : cp < 0x800 ? 2 : cp < 0x10000 ? 3 : 4;

	if (len == 1) {
		out[0] = (char)cp;
		return 1;
	}
	for (size_t i = len; i-- > 1; cp >>= 6)
		out[i] = (char)(0x80 | (cp & 0x3f));
	out[0] = (char)((0xf00U >> len & 0xff) | cp);
	return len;
}

bool utf8_is_control(uint32_t cp)
{
	return cp < 0x20 || (cp >= 0x7f && cp < 0xa0);
}
