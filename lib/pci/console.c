// SPDX-License-Identifier: GPL-2.0-or-later
// The host's console on a display function: what is on it, letting go, coming back.
#include "pci/console.h"

#include <errno.h>
#include <stdio.h>

enum { NAME_CAP = 64, PATH_CAP = 512 };

/* Platform drivers of the firmware's frame buffer: efifb and efidrm, simplefb and simpledrm, vesafb
 * and vesadrm (drivers/video/fbdev, drivers/gpu/drm/sysfb). */
static const char *const firmware_drivers[] = {
	"efi-framebuffer", "simple-framebuffer", "vesa-framebuffer"};

static bool attribute_is(const struct root *r, const char *path, const char *value)
{
	char text[NAME_CAP];

	return root_read(r, path, text, sizeof(text)) >= 0 && !strcmp(text, value);
}

/* ---- Whose a device is */

/* The function nearest above a device, by the path that its link has; none of a device of the
 * platform bus alone. */
static bool function_above(const struct root *r, const char *link, struct pci_addr *out)
{
	char target[PATH_CAP];
	ssize_t n = root_readlink(r, link, target, sizeof(target));
	struct str rest = {target, n > 0 ? (size_t)n : 0}, part;
	struct pci_addr a;
	bool found = false;

	while (str_cut(&rest, '/', &part)) {
		if (!pci_addr_parse(part, &a))
			continue;
		*out = a;
		found = true;
	}
	return found;
}

/* The firmware's screen is the boot VGA's, whatever the kernel hangs it below (the function itself,
 * since Linux 6.9). */
static bool is_of(const struct root *r, const struct pci_dev *d, bool boot_vga, const char *link)
{
	struct pci_addr a;

	return function_above(r, link, &a) ? pci_addr_cmp(a, d->addr) == 0 : boot_vga;
}

static bool is_boot_vga(const struct root *r, const struct pci_dev *d)
{
	char path[PATH_CAP];

	snprintf(path, sizeof(path), "sys/bus/pci/devices/%s/boot_vga", d->name);
	return attribute_is(r, path, "1");
}

/* ---- Finding */

typedef int entry_fn(void *ctx, const char *name, struct err *e);

/* A directory that is not there is empty: no virtual consoles, a driver that is not loaded. */
static int each_entry(
	const struct root *r, const char *path, entry_fn *fn, void *ctx, struct err *e)
{
	DIR *dir = root_opendir(r, path);
	struct dirent *entry;
	int rc = 0;

	if (!dir)
		return errno == ENOENT ? 0 : err_sys(e, "read /%s", path);
	for (errno = 0; rc == 0 && (entry = readdir(dir)); errno = 0)
		if (entry->d_name[0] != '.')
			rc = fn(ctx, entry->d_name, e);
	if (rc == 0 && errno)
		rc = err_sys(e, "read /%s", path);
	closedir(dir);
	return rc;
}

struct search {
	const struct root *r;
	const struct pci_dev *d;
	bool boot_vga;
	unsigned buffers, ours; /* frame buffers that there are */
	const char *driver;
	struct arena *mem;
	struct console_parts *out;
};

static int add(struct search *s, const char *part, struct err *e)
{
	if (s->out->n == CONSOLE_PARTS_MAX)
		return err_set(e, "more than %d consoles and frame buffers are on %s",
			CONSOLE_PARTS_MAX, s->d->name);
	s->out->part[s->out->n++] = part;
	return 0;
}

static int count_buffer(void *ctx, const char *name, struct err *e)
{
	struct search *s = ctx;
	char path[PATH_CAP];

	(void)e;
	if (!str_starts(str_of(name), "fb") || name[2] < '0' || name[2] > '9')
		return 0; /* fbcon, version */
	snprintf(path, sizeof(path), "sys/class/graphics/%.64s", name);
	s->buffers++;
	s->ours += is_of(s->r, s->d, s->boot_vga, path);
	return 0;
}

static bool is_vtcon(struct str name)
{
	uint64_t number;

	return str_starts(name, "vtcon") &&
	       str_u64((struct str){name.p + 5, name.n - 5}, 1000, &number);
}

/* "(M) frame buffer device" or "(S) ..." (drivers/tty/vt/vt.c, show_name(); fbcon's con_startup).
 */
static bool is_on_frame_buffer(const struct root *r, const char *vtcon)
{
	char path[PATH_CAP], text[NAME_CAP];

	snprintf(path, sizeof(path), "sys/class/vtconsole/%s/name", vtcon);
	return root_read(r, path, text, sizeof(text)) > 0 && strstr(text, "frame buffer device");
}

static int add_vtcon(void *ctx, const char *name, struct err *e)
{
	struct search *s = ctx;
	char path[PATH_CAP];

	if (!is_vtcon(str_of(name)) || !is_on_frame_buffer(s->r, name))
		return 0;
	snprintf(path, sizeof(path), "sys/class/vtconsole/%s/bind", name);
	if (!attribute_is(s->r, path, "1"))
		return 0;
	return add(s, arena_dup(s->mem, name, strlen(name)), e);
}

static bool is_device_name(struct str name)
{
	for (size_t i = 0; i < name.n; i++) {
		char c = name.p[i];

		if (!(c >= '0' && c <= '9') && !(c >= 'a' && c <= 'z') && !(c >= 'A' && c <= 'Z') &&
			!strchr("-_.:", c))
			return false;
	}
	return name.n && name.n < NAME_CAP && name.p[0] != '.';
}

/* Beside its devices a driver's directory has the link `module`. */
static int add_firmware(void *ctx, const char *name, struct err *e)
{
	struct search *s = ctx;
	char path[PATH_CAP], target[PATH_CAP];

	if (!is_device_name(str_of(name)) || !strcmp(name, "module"))
		return 0;
	snprintf(path, sizeof(path), "sys/bus/platform/drivers/%s/%s", s->driver, name);
	if (root_readlink(s->r, path, target, sizeof(target)) < 0 ||
		!is_of(s->r, s->d, s->boot_vga, path))
		return 0;
	return add(s, arena_printf(s->mem, "%s@%s", name, s->driver), e);
}

static int find_firmware(struct search *s, struct err *e)
{
	char path[PATH_CAP];

	for (size_t i = 0; i < ARRAY_LEN(firmware_drivers); i++) {
		s->driver = firmware_drivers[i];
		snprintf(path, sizeof(path), "sys/bus/platform/drivers/%s", s->driver);
		if (each_entry(s->r, path, add_firmware, s, e) < 0)
			return -1;
	}
	return 0;
}

/* Directories have no order. */
static int by_name(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

int console_find(const struct pci_node *n, const struct pci_dev *d, struct arena *mem,
	struct console_parts *out, struct err *e)
{
	struct search s = {.r = n->root, .d = d, .mem = mem, .out = out};
	size_t vtcons;

	*out = (struct console_parts){0};
	if (d->class >> 16 != 0x03)
		return 0;
	s.boot_vga = is_boot_vga(n->root, d);
	if (each_entry(n->root, "sys/class/graphics", count_buffer, &s, e) < 0)
		return -1;
	if (s.ours || (s.boot_vga && !s.buffers))
		if (each_entry(n->root, "sys/class/vtconsole", add_vtcon, &s, e) < 0)
			return -1;
	vtcons = out->n;
	if (find_firmware(&s, e) < 0)
		return -1;
	qsort(out->part, vtcons, sizeof(*out->part), by_name);
	qsort(out->part + vtcons, out->n - vtcons, sizeof(*out->part), by_name);
	return 0;
}

/* ---- Letting go, coming back */

/* A part, taken apart. */
struct part {
	bool firmware;
	char device[NAME_CAP]; /* of the platform bus, or the vtcon's name */
	const char *driver;    /* one of ours */
};

static bool read_part(struct part *p, const char *text)
{
	struct str driver = str_of(text), device;

	*p = (struct part){0};
	if (!str_cut(&driver, '@', &device) || !is_device_name(device))
		return false;
	memcpy(p->device, device.p, device.n);
	if (!driver.p)
		return is_vtcon(device);
	p->firmware = true;
	for (size_t i = 0; i < ARRAY_LEN(firmware_drivers); i++)
		if (str_is(driver, firmware_drivers[i]))
			p->driver = firmware_drivers[i];
	return p->driver != NULL;
}

/* The kernel takes any word for a virtual console, and says nothing when it does not follow. */
static int bind_vtcon(
	const struct pci_node *n, const struct part *p, const char *value, struct err *e)
{
	char path[PATH_CAP];

	snprintf(path, sizeof(path), "sys/class/vtconsole/%s/bind", p->device);
	if (!is_on_frame_buffer(n->root, p->device) || attribute_is(n->root, path, value))
		return 0;
	if (root_write(n->root, path, value) < 0)
		return err_sys(e, "write %s to /%s", value, path);
	if (!attribute_is(n->root, path, value))
		return err_set(e, "%s did not %s", p->device,
			value[0] == '0' ? "let go of its frame buffer" : "take its frame buffer");
	pci_progress(n, "%s: %s", p->device,
		value[0] == '0' ? "the console lets go of its frame buffer"
				: "the console is back on its frame buffer");
	return 0;
}

/* The driver of a device of the platform bus; "" for none. -1 when there is no such device. */
static int firmware_driver(const struct root *r, const char *device, char *out, size_t cap)
{
	char path[PATH_CAP];

	out[0] = 0;
	snprintf(path, sizeof(path), "sys/bus/platform/devices/%s", device);
	if (!root_exists(r, path))
		return -1;
	snprintf(path, sizeof(path), "sys/bus/platform/devices/%s/driver", device);
	if (root_link_name(r, path, out, cap) < 0)
		out[0] = 0;
	return 0;
}

static int write_firmware(
	const struct pci_node *n, const struct part *p, const char *file, struct err *e)
{
	char path[PATH_CAP];

	snprintf(path, sizeof(path), "sys/bus/platform/drivers/%s/%s", p->driver, file);
	if (root_write(n->root, path, p->device) < 0)
		return err_sys(e, "write %s to /%s", p->device, path);
	pci_progress(n, "%s: %s %s", p->device, strcmp(file, "bind") ? "taken off" : "back on",
		p->driver);
	return 0;
}

static int unbind_firmware(const struct pci_node *n, const struct part *p, struct err *e)
{
	char driver[NAME_CAP];

	if (firmware_driver(n->root, p->device, driver, sizeof(driver)) < 0 ||
		strcmp(driver, p->driver) != 0)
		return 0;
	return write_firmware(n, p, "unbind", e);
}

/* It has made a frame buffer or a DRM device (drm/cardN). */
static bool shows_a_screen(const struct root *r, const struct pci_dev *d)
{
	static const char *const made[] = {"drm", "graphics"};
	char path[PATH_CAP];

	for (size_t i = 0; i < ARRAY_LEN(made); i++) {
		snprintf(path, sizeof(path), "sys/bus/pci/devices/%s/%s", d->name, made[i]);
		if (root_exists(r, path))
			return true;
	}
	return false;
}

static int bind_firmware(
	const struct pci_node *n, const struct pci_dev *d, const struct part *p, struct err *e)
{
	char driver[NAME_CAP];

	if (firmware_driver(n->root, p->device, driver, sizeof(driver)) < 0 || driver[0] ||
		shows_a_screen(n->root, d))
		return 0;
	return write_firmware(n, p, "bind", e);
}

static int let_go(const struct pci_node *n, const char *text, struct err *e)
{
	struct part p;

	if (!read_part(&p, text))
		return err_set(e, "\"%.64s\" is no part of a console", text);
	return p.firmware ? unbind_firmware(n, &p, e) : bind_vtcon(n, &p, "0", e);
}

static int bring_back(
	const struct pci_node *n, const struct pci_dev *d, const char *text, struct err *e)
{
	struct part p;

	if (!read_part(&p, text))
		return err_set(e, "\"%.64s\" is no part of a console", text);
	return p.firmware ? bind_firmware(n, d, &p, e) : bind_vtcon(n, &p, "1", e);
}

int console_let_go(const struct pci_node *n, const struct pci_dev *d, const struct console_parts *p,
	struct err *e)
{
	struct err undone;

	for (size_t i = 0; i < p->n; i++) {
		if (let_go(n, p->part[i], e) == 0)
			continue;
		if (console_bring_back(n, d, p, &undone) < 0)
			err_hint(e, "and the console could not be brought back: %.180s",
				undone.text);
		return -1;
	}
	return 0;
}

/* In the other order: the frame buffer, then the console on it. */
int console_bring_back(const struct pci_node *n, const struct pci_dev *d,
	const struct console_parts *p, struct err *e)
{
	struct err later;
	int rc = 0;

	for (size_t i = p->n; i-- > 0;)
		if (bring_back(n, d, p->part[i], rc ? &later : e) < 0)
			rc = -1;
	return rc;
}

/* ---- In the record */

struct json *console_to_json(const struct console_parts *p, struct arena *mem)
{
	struct json *array = json_array(mem);

	for (size_t i = 0; i < p->n; i++)
		json_add(mem, array, json_stringz(mem, p->part[i]));
	return array;
}

bool console_from_json(struct console_parts *p, const struct json *array)
{
	struct part part;

	*p = (struct console_parts){0};
	if (!array)
		return true;
	if (!json_is(array, JSON_ARRAY) || json_count(array) > CONSOLE_PARTS_MAX)
		return false;
	json_each (item, array) {
		const char *text = json_z(item);

		if (!text || !read_part(&part, text)) {
			*p = (struct console_parts){0};
			return false;
		}
		p->part[p->n++] = text;
	}
	return true;
}
