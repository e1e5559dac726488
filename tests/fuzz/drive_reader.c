// SPDX-License-Identifier: GPL-2.0-or-later
// Driver of what the reader and who asks it hear of each other: the first byte says whether the
// rest is a question ('q') or an answer, to a question about holders ('h') or config space ('c').
#include "drive.h"
#include "pci/reader_impl.h"

static int question(FILE *out, const void *bytes, size_t len, struct arena *mem, struct err *e)
{
	struct reader_request q;

	if (reader_request_parse(&q, bytes, len, mem, e) < 0)
		return -1;
	fprintf(out, "%s\n", q.kind == READER_HOLDERS ? "holders" : "config");
	for (size_t i = 0; i < q.n; i++)
		fprintf(out, "%s %d %s\n", q.dev[i]->name, q.dev[i]->group, q.dev[i]->driver);
	return 0;
}

static int answer(FILE *out, enum reader_kind kind, const void *bytes, size_t len,
	struct arena *mem, struct err *e)
{
	struct reader_answer a;

	if (reader_answer_parse(&a, kind, bytes, len, mem, e) != 0)
		return -1;
	for (size_t i = 0; i < a.holders; i++)
		fprintf(out, "%d %d %s\n", a.holder[i].group, a.holder[i].pid, a.holder[i].program);
	for (size_t i = 0; i < a.config.n; i++)
		fprintf(out, "%02x\n", (unsigned char)a.config.p[i]);
	return 0;
}

int drive(const unsigned char *data, size_t len, FILE *out, FILE *why)
{
	CLEANUP_ARENA struct arena mem = {0};
	struct err e;
	int rc;

	if (!len) {
		fprintf(why, "nothing\n");
		return 1;
	}
	if (data[0] == 'q')
		rc = question(out, data + 1, len - 1, &mem, &e);
	else
		rc = answer(out, data[0] == 'h' ? READER_HOLDERS : READER_CONFIG, data + 1, len - 1,
			&mem, &e);
	if (rc < 0)
		fprintf(why, "%s\n", e.text);
	return rc < 0;
}
