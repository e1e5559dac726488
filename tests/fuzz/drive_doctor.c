// SPDX-License-Identifier: GPL-2.0-or-later
// What doctor reads of others' files: pci/doctor_impl.h; and the report of early.
#include "drive.h"

#include "pci/doctor_impl.h"
#include "pci/early_report.h"

int drive(const unsigned char *data, size_t len, FILE *out, FILE *why)
{
	static const char *const words[] = {"on", "off", "pt", NULL};
	CLEANUP_ARENA struct arena mem = {0};
	CLEANUP_FREE char *z = mem_dup((const char *)data, len);
	struct str text = {z, len};
	struct early_report report;
	struct reserved first = {0};
	const char *word = doctor_cmdline_word(text, "intel_iommu", words);
	struct err e;

	fprintf(out, "cpu=%d word=%s remapping=%d direct=%zu lock=%ld\n", (int)doctor_cpu(text),
		word ? word : "", (int)doctor_remapping(text), doctor_reserved_direct(text, &first),
		doctor_lock_holder(text, 8, 1, 42));
	if (early_report_parse(&report, &mem, text, &e) < 0) {
		fprintf(why, "no report: %s\n", e.text);
		return 1;
	}
	fprintf(out, "stage=%d functions=%zu\n", report.stage, report.n);
	return 0;
}
