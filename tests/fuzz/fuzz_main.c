// SPDX-License-Identifier: GPL-2.0-or-later
// A driver under libFuzzer. What it writes goes to memory, where the sanitizers see it; an answer
// that is neither accepted nor refused, or a refusal without a reason, is a fault too.
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int drive(const unsigned char *data, size_t len, FILE *out, FILE *why);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *out_text = NULL, *why_text = NULL;
	size_t out_len = 0, why_len = 0;
	FILE *out = open_memstream(&out_text, &out_len);
	FILE *why = open_memstream(&why_text, &why_len);
	int answer;

	if (!out || !why)
		abort();
	answer = drive(data, size, out, why);
	if (fclose(out) || fclose(why) || (answer != 0 && answer != 1) || (answer == 1 && !why_len))
		abort();
	free(out_text);
	free(why_text);
	return 0;
}
