// SPDX-License-Identifier: GPL-2.0-or-later
// Parsers of the files of /proc and /sys that only the doctor reads.
#include "pci/doctor_impl.h"

#include <stdio.h>

/* "vendor_id\t: GenuineIntel" */
static bool field(struct str line, const char *key, struct str *value)
{
	struct str name;

	if (!str_cut(&line, ':', &name) || !str_is(str_trim(name), key))
		return false;
	*value = str_trim(line);
	return true;
}

enum doctor_cpu doctor_cpu(struct str cpuinfo)
{
	struct str line, value;

	while (str_cut(&cpuinfo, '\n', &line)) {
		if (field(line, "CPU implementer", &value))
			return CPU_ARM;
		if (!field(line, "vendor_id", &value))
			continue;
		if (str_is(value, "GenuineIntel"))
			return CPU_INTEL;
		if (str_is(value, "AuthenticAMD") || str_is(value, "HygonGenuine"))
			return CPU_AMD;
		return CPU_UNKNOWN;
	}
	return CPU_UNKNOWN;
}

static const char *one_of(struct str word, const char *const *words)
{
	for (; *words; words++)
		if (str_is(word, *words))
			return *words;
	return NULL;
}

const char *doctor_cmdline_word(struct str cmdline, const char *key, const char *const *words)
{
	const char *last = NULL;
	struct str argument, name, word;

	while (str_word(&cmdline, &argument) && !str_is(argument, "--")) {
		if (!str_cut(&argument, '=', &name) || !str_is(name, key))
			continue;
		while (str_cut(&argument, ',', &word))
			last = one_of(word, words) ? one_of(word, words) : last;
	}
	return last;
}

/* kernel/irq/proc.c: after the counts the chip's name, a word of its own. */
enum doctor_remapping doctor_remapping(struct str interrupts)
{
	enum doctor_remapping seen = REMAPPING_UNKNOWN;
	struct str word;

	while (str_word(&interrupts, &word)) {
		if (str_starts(word, "IR-"))
			return REMAPPING_ON;
		if (str_starts(word, "PCI-MSI") || str_is(word, "IO-APIC"))
			seen = REMAPPING_OFF;
	}
	return seen;
}

size_t doctor_reserved_direct(struct str text, struct reserved *first)
{
	struct str line, low, high, type;
	size_t n = 0;

	while (str_cut(&text, '\n', &line)) {
		struct reserved r;

		if (!str_word(&line, &low) || !str_word(&line, &high) || !str_word(&line, &type) ||
			!str_is(type, "direct") || !str_hex(low, UINT64_MAX, &r.first) ||
			!str_hex(high, UINT64_MAX, &r.last))
			continue;
		if (n++ == 0)
			*first = r;
	}
	return n;
}

/* "08:02:1234": device in hex, inode in decimal. */
static bool is_file(struct str word, uint64_t major, uint64_t minor, uint64_t inode)
{
	struct str part[3];
	uint64_t v[3];

	for (int i = 0; i < 3; i++)
		if (!str_cut(&word, ':', &part[i]))
			return false;
	return str_hex(part[0], UINT32_MAX, &v[0]) && str_hex(part[1], UINT32_MAX, &v[1]) &&
	       str_u64(part[2], UINT64_MAX, &v[2]) && v[0] == major && v[1] == minor &&
	       v[2] == inode;
}

/* "1: FLOCK  ADVISORY  WRITE 1234 00:19:5678 0 EOF"; who waits has "->" after the number. */
long doctor_lock_holder(struct str locks, uint64_t major, uint64_t minor, uint64_t inode)
{
	struct str line;

	while (str_cut(&locks, '\n', &line)) {
		struct str word[6];
		uint64_t pid;
		size_t n = 0;

		while (n < 6 && str_word(&line, &word[n]))
			n++;
		if (n < 6 || !str_is(word[1], "FLOCK") || !is_file(word[5], major, minor, inode))
			continue;
		return str_u64(word[4], INT32_MAX, &pid) && pid ? (long)pid : -1;
	}
	return 0;
}
