// SPDX-License-Identifier: GPL-2.0-or-later
// Claimed functions: how they are reset, and the screen that the firmware left on.
#include "pci/doctor_impl.h"

#include <ctype.h>
#include <stdio.h>

/* The attribute is there since Linux 5.15, and only on functions that can be reset: where no
 * function has it, the kernel is older (drivers/pci/pci.c, pci_dev_reset_method_attr_is_visible()).
 */
static bool kernel_tells(const struct look *l)
{
	char text[64];

	for (size_t i = 0; i < l->inv.n; i++)
		if (look_attribute(l, &l->inv.dev[i], "reset_method", text, sizeof(text)) >= 0)
			return true;
	return false;
}

/* A bus reset takes all functions of the bus along. */
static const struct pci_dev *stranger_on_bus(const struct look *l, const struct pci_dev *d)
{
	for (size_t i = 0; i < l->inv.n; i++) {
		const struct pci_dev *other = &l->inv.dev[i];

		if (other->addr.domain == d->addr.domain && other->addr.bus == d->addr.bus &&
			other != d && !look_is_claimed(l, other))
			return other;
	}
	return NULL;
}

static void say_no_reset(struct look *l, const struct pci_dev *d)
{
	found(l, DOCTOR_PROBLEM, TOPIC_RESET, d->name,
		"the kernel knows no way to reset it: what one VM leaves in it the next one finds, "
		"and it may not start a second time");
	found_todo(l, "a firmware update of the device may help; else restart the node between "
		      "two VMs");
}

static void check_bus_reset(struct look *l, const struct pci_dev *d)
{
	const struct pci_dev *other = stranger_on_bus(l, d);

	if (!other) {
		found(l, DOCTOR_OK, TOPIC_RESET, d->name, "reset by: bus, all of which is claimed");
		return;
	}
	found(l, DOCTOR_PROBLEM, TOPIC_RESET, d->name,
		"it can only be reset with its bus, and %s on it is not claimed: the kernel will "
		"not reset the one under the other",
		other->name);
	found_todo(l, "claim %s as well, or move the card to a slot of its own", other->name);
}

static void check_reset(struct look *l, const struct pci_dev *d, bool told)
{
	char text[64];
	ssize_t n = look_attribute(l, d, "reset_method", text, sizeof(text));

	if (n < 0 && !told) {
		found(l, DOCTOR_NOTE, TOPIC_RESET, d->name,
			"how it is reset is not known: this kernel does not say (before Linux "
			"5.15)");
		found_todo(l, "if it does not come back after a VM: dmesg | grep -i %s", d->name);
	} else if (n <= 0) {
		say_no_reset(l, d);
	} else if (!strcmp(text, "bus")) {
		check_bus_reset(l, d);
	} else {
		found(l, DOCTOR_OK, TOPIC_RESET, d->name, "reset by: %s", text);
	}
}

/* The boot VGA. */

struct screen {
	const struct look *l;
	struct buf held;    /* "efi-framebuffer.0, fb0" */
	struct buf freeing; /* the commands that let go */
};

static void add_word(struct buf *b, const char *between, const char *word)
{
	buf_printf(b, "%s%s", b->len ? between : "", word);
}

static bool is_numbered(const char *name, const char *stem)
{
	size_t n = strlen(stem);

	return !strncmp(name, stem, n) && isdigit((unsigned char)name[n]);
}

/* A console on a framebuffer keeps it open. */
static void add_console(void *ctx, const char *name)
{
	struct screen *s = ctx;
	char path[320], text[128];

	if (!is_numbered(name, "vtcon"))
		return;
	snprintf(path, sizeof(path), "sys/class/vtconsole/%s/bind", name);
	if (root_read(s->l->root, path, text, sizeof(text)) <= 0 || text[0] != '1')
		return;
	snprintf(path, sizeof(path), "sys/class/vtconsole/%s/name", name);
	if (root_read(s->l->root, path, text, sizeof(text)) <= 0 || !strstr(text, "frame buffer"))
		return;
	add_word(&s->held, ", ", name);
	snprintf(path, sizeof(path), "echo 0 > /sys/class/vtconsole/%s/bind", name);
	add_word(&s->freeing, "; ", path);
}

/* "efi-framebuffer.0"; no PCI address. */
static bool is_platform_device(const char *name)
{
	const char *dot = strrchr(name, '.');

	return dot && isdigit((unsigned char)dot[1]) && !strchr(name, ':');
}

struct holding {
	struct screen *screen;
	const char *driver;
};

/* Devices, among bind, module, uevent, unbind. */
static void add_platform(void *ctx, const char *name)
{
	const struct holding *h = ctx;
	char command[512];

	if (!is_platform_device(name))
		return;
	add_word(&h->screen->held, ", ", name);
	snprintf(command, sizeof(command), "echo %s > /sys/bus/platform/drivers/%s/unbind", name,
		h->driver);
	add_word(&h->screen->freeing, "; ", command);
}

/* Of a platform device: those of the function's own driver go with the driver. */
static void add_framebuffer(void *ctx, const char *name)
{
	struct screen *s = ctx;
	char path[320], device[64];

	if (!is_numbered(name, "fb"))
		return;
	snprintf(path, sizeof(path), "sys/class/graphics/%s/device", name);
	if (root_link_name(s->l->root, path, device, sizeof(device)) > 0 &&
		is_platform_device(device))
		add_word(&s->held, ", ", name);
}

/* What the firmware's framebuffer is driven by: drivers/video/fbdev/{efifb,vesafb,simplefb}.c,
 * drivers/gpu/drm/tiny/simpledrm.c. */
static void find_holders(struct screen *s)
{
	static const char *const drivers[] = {
		"efi-framebuffer", "simple-framebuffer", "simpledrm", "vesa-framebuffer"};
	size_t before;

	look_entries(s->l, "sys/class/vtconsole", add_console, s);
	before = s->held.len;
	for (size_t i = 0; i < ARRAY_LEN(drivers); i++) {
		struct holding h = {s, drivers[i]};
		char path[64];

		snprintf(path, sizeof(path), "sys/bus/platform/drivers/%s", drivers[i]);
		look_entries(s->l, path, add_platform, &h);
	}
	if (s->held.len == before)
		buf_clear(&s->held); /* a console alone is on another framebuffer */
	else
		look_entries(s->l, "sys/class/graphics", add_framebuffer, s);
}

static void check_screen(struct look *l, const struct pci_dev *d)
{
	struct screen s = {.l = l};

	if (!look_is_claimed(l, d)) {
		found(l, DOCTOR_OK, TOPIC_BOOT_VGA, d->name,
			"the firmware's screen is here, and it is not claimed");
		return;
	}
	find_holders(&s);
	if (s.held.len) {
		found(l, DOCTOR_PROBLEM, TOPIC_BOOT_VGA, d->name,
			"it is claimed, and the firmware's framebuffer on it is held by %s: "
			"\"can't reserve\" its memory",
			buf_z(&s.held));
		found_todo(l,
			"%s; for good: initcall_blacklist=sysfb_init on the kernel command line",
			buf_z(&s.freeing));
	} else {
		found(l, DOCTOR_NOTE, TOPIC_BOOT_VGA, d->name,
			"it is claimed, and the firmware's screen is here: the host shows nothing "
			"once a VM has it");
		found_todo(l, "see that the node can be reached otherwise; the VM may need the "
			      "card's ROM as a file");
	}
	buf_free(&s.held);
	buf_free(&s.freeing);
}

void doctor_check_devices(struct look *l)
{
	bool told = kernel_tells(l);

	for (size_t i = 0; i < l->inv.n; i++) {
		const struct pci_dev *d = &l->inv.dev[i];
		char text[8];

		if (look_member(l, d))
			check_reset(l, d, told);
		if (d->class >> 16 == 0x03 &&
			look_attribute(l, d, "boot_vga", text, sizeof(text)) > 0 &&
			!strcmp(text, "1"))
			check_screen(l, d);
	}
}
