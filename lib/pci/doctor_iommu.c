// SPDX-License-Identifier: GPL-2.0-or-later
// Is there an IOMMU, and if not, why: the firmware's tables, the command line, the kernel.
#include "pci/doctor_impl.h"

#include <errno.h>
#include <stdio.h>

#define GROUPS "sys/kernel/iommu_groups"
#define TABLES "sys/firmware/acpi/tables"
#define DMESG "dmesg | grep -i -e dmar -e amd-vi -e smmu -e iommu"

enum { PROC_MAX = 16 << 20, CONFIG_MAX = 4 << 20 };

static enum doctor_cpu read_cpu(const struct look *l)
{
	CLEANUP_BUF struct buf text = {.max = PROC_MAX};

	return root_slurp(l->root, "proc/cpuinfo", &text) < 0 ? CPU_UNKNOWN
							      : doctor_cpu(buf_slice(&text));
}

static const char *switch_of(enum doctor_cpu cpu)
{
	static const char *const names[] = {
		[CPU_UNKNOWN] = "VT-d (Intel), AMD-Vi / IOMMU (AMD) or the SMMU (Arm)",
		[CPU_INTEL] = "VT-d (\"Intel Virtualization Technology for Directed I/O\")",
		[CPU_AMD] = "AMD-Vi (\"IOMMU\", Enabled rather than Auto)",
		[CPU_ARM] = "the SMMU",
	};

	return names[cpu];
}

static void add_entry(void *ctx, const char *name)
{
	listing_add(ctx, name);
}

/* True when the firmware is seen to describe an IOMMU. */
static bool check_firmware(struct look *l, enum doctor_cpu cpu)
{
	/* ACPI 6.5, 5.2.6: Intel, AMD, Arm, virtio. */
	static const char *const tables[] = {"DMAR", "IVRS", "IORT", "VIOT"};
	CLEANUP_BUF struct buf path = {0};
	struct listing there = {0};

	if (!root_exists(l->root, TABLES)) {
		found(l, DOCTOR_NOTE, TOPIC_FIRMWARE, "",
			"there is no /" TABLES
			": whether the firmware describes an IOMMU is not known");
		found_todo(l, "if it is off in the firmware setup, turn on %s", switch_of(cpu));
		return false;
	}
	for (size_t i = 0; i < ARRAY_LEN(tables); i++) {
		buf_clear(&path);
		buf_printf(&path, TABLES "/%s", tables[i]);
		if (root_exists(l->root, buf_z(&path)))
			listing_add(&there, tables[i]);
	}
	if (there.n) {
		found(l, DOCTOR_OK, TOPIC_FIRMWARE, "", "the firmware describes one: table %s",
			listing_text(&there));
	} else {
		found(l, DOCTOR_PROBLEM, TOPIC_FIRMWARE, "",
			"the firmware describes no IOMMU: none of the tables DMAR, IVRS, IORT, "
			"VIOT is in /" TABLES);
		found_todo(l, "turn on %s in the firmware setup, and boot again", switch_of(cpu));
	}
	buf_free(&there.text);
	return there.n > 0;
}

/* Is CONFIG_INTEL_IOMMU_DEFAULT_ON set in a configuration of the running kernel that can be read?
 */
static bool intel_is_on_by_default(const struct look *l)
{
	static const char *const paths[] = {
		"boot/config-%s", "lib/modules/%s/config", "usr/lib/modules/%s/config"};
	char release[128];

	if (root_read(l->root, "proc/sys/kernel/osrelease", release, sizeof(release)) <= 0 ||
		strchr(release, '/'))
		return false;
	for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
		CLEANUP_BUF struct buf text = {.max = CONFIG_MAX};
		const char *start = strchr(paths[i], '%');
		char path[192];

		snprintf(path, sizeof(path), "%.*s%s%s", (int)(start - paths[i]), paths[i], release,
			start + 2);
		if (root_slurp(l->root, path, &text) == 0 &&
			strstr(buf_z(&text), "\nCONFIG_INTEL_IOMMU_DEFAULT_ON=y\n"))
			return true;
	}
	return false;
}

/* Documentation/admin-guide/kernel-parameters.txt. The argument that turns it off, or NULL. */
static const char *turned_off(const struct look *l, enum doctor_cpu cpu)
{
	static const char *const on_off[] = {"on", "off", NULL}, *const off[] = {"off", NULL};
	struct str cmdline = str_of(l->cmdline);
	const char *intel = doctor_cmdline_word(cmdline, "intel_iommu", on_off);

	if (cpu != CPU_ARM && doctor_cmdline_word(cmdline, "iommu", off))
		return "iommu=off";
	if (cpu != CPU_ARM && cpu != CPU_AMD && intel && !strcmp(intel, "off"))
		return "intel_iommu=off";
	if (cpu != CPU_ARM && cpu != CPU_INTEL && doctor_cmdline_word(cmdline, "amd_iommu", off))
		return "amd_iommu=off";
	return NULL;
}

/* True when the command line is a reason. */
static bool check_cmdline(struct look *l, enum doctor_cpu cpu, bool described)
{
	static const char *const on[] = {"on", NULL};
	const char *off = turned_off(l, cpu);

	if (off) {
		found(l, DOCTOR_PROBLEM, TOPIC_CMDLINE, "",
			"%s on the kernel command line turns the IOMMU off", off);
		found_todo(
			l, "take %s out of the boot loader's configuration, and boot again", off);
		return true;
	}
	if (cpu != CPU_INTEL || doctor_cmdline_word(str_of(l->cmdline), "intel_iommu", on) ||
		intel_is_on_by_default(l)) {
		found(l, DOCTOR_OK, TOPIC_CMDLINE, "",
			"nothing on the kernel command line turns it off");
		return false;
	}
	found(l, described ? DOCTOR_PROBLEM : DOCTOR_NOTE, TOPIC_CMDLINE, "",
		"intel_iommu=on is not on the kernel command line, and nothing shows that this "
		"kernel turns the IOMMU on without it");
	found_todo(l, "add intel_iommu=on to the boot loader's configuration, and boot again");
	return true;
}

static void explain(struct look *l, const char *seen)
{
	enum doctor_cpu cpu = read_cpu(l);
	size_t at = l->out->n;
	bool described, forbidden;

	found(l, DOCTOR_PROBLEM, TOPIC_IOMMU, "",
		"no IOMMU is at work (%s): no function can be given to a VM", seen);
	described = check_firmware(l, cpu);
	forbidden = check_cmdline(l, cpu, described);
	l->out->finding[at].todo =
		!described || forbidden ? "see iommu-firmware and iommu-cmdline"
					: "neither the firmware nor the command line explains it; "
					  "see: " DMESG;
}

/* design: absence counts only from a complete view; a directory that cannot be read is no answer.
 */
static int count(struct look *l, const char *dir, struct listing *s)
{
	if (look_entries(l, dir, add_entry, s) == 0 || errno == ENOENT)
		return 0;
	found(l, DOCTOR_PROBLEM, TOPIC_IOMMU, "", "/%s cannot be read: %s", dir, strerror(errno));
	found_todo(l, "run it as root, with /sys mounted below the root");
	return -1;
}

static void check_groupless(struct look *l)
{
	struct listing names = {0};

	for (size_t i = 0; i < l->inv.n; i++)
		if (l->inv.dev[i].group == PCI_NO_GROUP && !pci_is_bridge(&l->inv.dev[i]))
			listing_add(&names, l->inv.dev[i].name);
	if (names.n) {
		found(l, DOCTOR_NOTE, TOPIC_NO_GROUP, "",
			"an IOMMU is at work, but not for %s: without a group they cannot be "
			"claimed",
			listing_text(&names));
		found_todo(l, "a firmware update may help: its tables leave them out; see: " DMESG);
	}
	buf_free(&names.text);
}

void doctor_check_iommu(struct look *l)
{
	struct listing units = {0}, groups = {0};

	if (count(l, "sys/class/iommu", &units) == 0 && count(l, GROUPS, &groups) == 0) {
		if (groups.n) {
			found(l, DOCTOR_OK, TOPIC_IOMMU, "", "%zu IOMMU groups%s%s", groups.n,
				units.n ? ", by " : "", listing_text(&units));
			check_groupless(l);
		} else if (units.n) {
			explain(l, "/" GROUPS " is empty");
		} else {
			explain(l, root_exists(l->root, GROUPS) ? "/" GROUPS " is empty"
								: "there is no /" GROUPS);
		}
	}
	buf_free(&units.text);
	buf_free(&groups.text);
}

/* Interrupt remapping. Arm's GIC and the hypervisors' have nothing of the kind. */

static bool is_yes(const char *text)
{
	return text[0] == 'Y' || text[0] == 'y' || text[0] == '1';
}

static bool unsafe_is_allowed(const struct look *l)
{
	char text[8];

	return root_read(l->root, "sys/module/vfio_iommu_type1/parameters/allow_unsafe_interrupts",
		       text, sizeof(text)) > 0 &&
	       is_yes(text);
}

static enum doctor_remapping read_remapping(const struct look *l)
{
	static const char *const off[] = {"off", NULL};
	CLEANUP_BUF struct buf text = {.max = PROC_MAX};

	if (doctor_cmdline_word(str_of(l->cmdline), "intremap", off))
		return REMAPPING_OFF;
	return root_slurp(l->root, "proc/interrupts", &text) < 0
		       ? REMAPPING_UNKNOWN
		       : doctor_remapping(buf_slice(&text));
}

/* drivers/vfio/vfio_iommu_type1.c, vfio_iommu_type1_attach_group(). */
static void say_unremapped(struct look *l, bool allowed)
{
	found(l, allowed ? DOCTOR_NOTE : DOCTOR_PROBLEM, TOPIC_REMAPPING, "",
		allowed ? "interrupts are not remapped, and allow_unsafe_interrupts is set: a VM "
			  "with a device can inject interrupts into the host"
			: "interrupts are not remapped: vfio refuses every group to a VM (\"No "
			  "interrupt remapping support\")");
	found_todo(l,
		"turn it on in the firmware setup (x2APIC opt-out off), take intremap=off off the "
		"kernel command line; only where all guests are trusted: options "
		"vfio_iommu_type1 allow_unsafe_interrupts=1");
}

void doctor_check_remapping(struct look *l)
{
	enum doctor_cpu cpu = read_cpu(l);
	enum doctor_remapping remapping;
	bool allowed = unsafe_is_allowed(l);

	if ((cpu != CPU_INTEL && cpu != CPU_AMD) || !l->inv.n ||
		l->by_group[l->inv.n - 1]->group == PCI_NO_GROUP)
		return;
	remapping = read_remapping(l);
	if (remapping == REMAPPING_OFF) {
		say_unremapped(l, allowed);
	} else if (allowed) {
		found(l, DOCTOR_NOTE, TOPIC_REMAPPING, "",
			"allow_unsafe_interrupts is set: should remapping be off, nothing would "
			"say so");
		found_todo(l, "take the option off vfio_iommu_type1");
	} else if (remapping == REMAPPING_ON) {
		found(l, DOCTOR_OK, TOPIC_REMAPPING, "", "interrupts are remapped");
	}
}
