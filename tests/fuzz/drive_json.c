// SPDX-License-Identifier: GPL-2.0-or-later
// Driver of the JSON parser: what was accepted is written as minimal JSON.
#include "drive.h"

#include "json/json.h"

int drive(const unsigned char *data, size_t len, FILE *out, FILE *why)
{
	CLEANUP_ARENA struct arena mem = {0};
	CLEANUP_BUF struct buf text = {0};
	struct err e;
	const struct json *v = json_parse(&mem, (const char *)data, len, &e);

	if (!v) {
		fprintf(why, "%s\n", e.text);
		return 1;
	}
	json_write(&text, v, JSON_MINIMAL);
	fwrite(text.p, 1, text.len, out);
	return 0;
}
