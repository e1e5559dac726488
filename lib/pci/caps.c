// SPDX-License-Identifier: GPL-2.0-or-later
// PCI capabilities through libpci.
#include "pci/caps.h"

#include "pci/configspace.h"

#include <pci/pci.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

/* libpci's errors do not return. */
struct session {
	jmp_buf failed;
	char text[256];
};

struct cap_name {
	unsigned id;
	const char *name;
};

/* PCI Code and ID Assignment Specification, chapters 2 and 3. */
static const struct cap_name normal[] = {
	{PCI_CAP_ID_PM, "Power Management"},
	{PCI_CAP_ID_AGP, "AGP"},
	{PCI_CAP_ID_VPD, "Vital Product Data"},
	{PCI_CAP_ID_MSI, "MSI"},
	{PCI_CAP_ID_PCIX, "PCI-X"},
	{PCI_CAP_ID_HT, "HyperTransport"},
	{PCI_CAP_ID_VNDR, "Vendor Specific"},
	{PCI_CAP_ID_DBG, "Debug Port"},
	{PCI_CAP_ID_SSVID, "Subsystem"},
	{PCI_CAP_ID_EXP, "PCI Express"},
	{PCI_CAP_ID_MSIX, "MSI-X"},
	{PCI_CAP_ID_SATA, "SATA"},
	{PCI_CAP_ID_AF, "Advanced Features"},
	{PCI_CAP_ID_EA, "Enhanced Allocation"},
};

static const struct cap_name extended[] = {
	{PCI_EXT_CAP_ID_AER, "Advanced Error Reporting"},
	{PCI_EXT_CAP_ID_VC, "Virtual Channel"},
	{PCI_EXT_CAP_ID_DSN, "Device Serial Number"},
	{PCI_EXT_CAP_ID_PB, "Power Budgeting"},
	{PCI_EXT_CAP_ID_VNDR, "Vendor Specific"},
	{PCI_EXT_CAP_ID_ACS, "Access Control Services"},
	{PCI_EXT_CAP_ID_ARI, "Alternative Routing-ID"},
	{PCI_EXT_CAP_ID_ATS, "Address Translation Service"},
	{PCI_EXT_CAP_ID_SRIOV, "SR-IOV"},
	{PCI_EXT_CAP_ID_PRI, "Page Request Interface"},
	{PCI_EXT_CAP_ID_REBAR, "Resizable BAR"},
	{PCI_EXT_CAP_ID_TPH, "Transaction Processing Hints"},
	{PCI_EXT_CAP_ID_LTR, "Latency Tolerance Reporting"},
	{PCI_EXT_CAP_ID_SECPCI, "Secondary PCI Express"},
	{PCI_EXT_CAP_ID_PASID, "Process Address Space ID"},
	{PCI_EXT_CAP_ID_DPC, "Downstream Port Containment"},
	{PCI_EXT_CAP_ID_L1PM, "L1 PM Substates"},
	{PCI_EXT_CAP_ID_PTM, "Precision Time Measurement"},
};

static void on_error(char *fmt, ...) __attribute__((noreturn, format(printf, 1, 2)));

/* libpci gives its error callback no context: the one variable outside a function, set only while
 * with_libpci() runs. */
static _Thread_local struct session *current;

static void on_error(char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(current->text, sizeof(current->text), fmt, ap);
	va_end(ap);
	longjmp(current->failed, 1);
}

static void on_message(char *fmt, ...)
{
	(void)fmt;
}

static const char *name_of(const struct cap_name *table, size_t n, unsigned id)
{
	for (size_t i = 0; i < n; i++)
		if (table[i].id == id)
			return table[i].name;
	return NULL;
}

/* PCI Express Base Specification 7.9.3: an EUI-64, lower half first. */
static void format_serial(struct pci_dev *dev, int at, char out[static PCI_SERIAL_CAP])
{
	uint32_t half[2] = {pci_read_long(dev, at + 8), pci_read_long(dev, at + 4)};

	for (int i = 0; i < 8; i++)
		snprintf(out + 3 * i, 4, "%02x%s",
			(unsigned)(half[i / 4] >> (24 - 8 * (i % 4))) & 0xffu, i < 7 ? "-" : "");
}

static void print_serial(struct buf *out, struct pci_dev *dev, int at)
{
	char serial[PCI_SERIAL_CAP];

	format_serial(dev, at, serial);
	buf_printf(out, " %s", serial);
}

static void print_cap(struct buf *out, struct pci_dev *dev, const struct pci_cap *c)
{
	bool ext = c->type == PCI_CAP_EXTENDED;
	const char *name = ext ? name_of(extended, ARRAY_LEN(extended), c->id)
			       : name_of(normal, ARRAY_LEN(normal), c->id);

	buf_printf(out, "[%x] ", c->addr);
	if (name)
		buf_str(out, name);
	else
		buf_printf(out, "%s capability %04x", ext ? "extended" : "unknown", c->id);
	if (ext && c->id == PCI_EXT_CAP_ID_DSN)
		print_serial(out, dev, (int)c->addr);
	buf_char(out, '\n');
}

static struct pci_dev *open_device(struct pci_access *access, struct pci_addr a, uint8_t *config)
{
	struct pci_dev *dev;

	pci_init(access);
	dev = pci_get_dev(access, (int)a.domain, a.bus, a.dev, a.fn);
	pci_setup_cache(dev, config, PCI_CONFIG_SIZE);
	pci_fill_info(dev, PCI_FILL_CAPS | PCI_FILL_EXT_CAPS);
	return dev;
}

static void print_device(struct pci_dev *dev, void *out)
{
	for (const struct pci_cap *c = dev->first_cap; c; c = c->next)
		print_cap(out, dev, c);
}

static void read_serial(struct pci_dev *dev, void *out)
{
	for (const struct pci_cap *c = dev->first_cap; c; c = c->next)
		if (c->type == PCI_CAP_EXTENDED && c->id == PCI_EXT_CAP_ID_DSN)
			format_serial(dev, (int)c->addr, out);
}

/* The bytes of config space as libpci would read them: ones where there are none. */
static void read_config(const struct pci_node *n, struct pci_addr a, uint8_t *config)
{
	char address[PCI_ADDR_CAP];
	struct err ignored; /* then there is nothing but ones */

	memset(config, 0xff, PCI_CONFIG_SIZE);
	pci_config_read(n, pci_addr_format(a, address), config, PCI_CONFIG_SIZE, &ignored);
}

/* Runs `work` on libpci's view of the function; -1 when libpci gave up in it. */
static int with_libpci(const struct pci_node *n, struct pci_addr a,
	void (*work)(struct pci_dev *dev, void *arg), void *arg, struct err *e)
{
	struct session s = {.text = ""};
	struct pci_access *access = pci_alloc();
	uint8_t config[PCI_CONFIG_SIZE];
	char path[64];
	int rc = 0;

	read_config(n, a, config);
	snprintf(path, sizeof(path), "/proc/self/fd/%d/sys/bus/pci", n->root->fd);
	pci_set_param(access, (char *)"sysfs.path", path);
	access->method = PCI_ACCESS_SYS_BUS_PCI;
	access->error = on_error;
	access->warning = on_message;
	access->debug = on_message;
	current = &s;
	if (setjmp(s.failed)) {
		rc = err_set(e, "libpci: %s", s.text);
	} else {
		struct pci_dev *dev = open_device(access, a, config);

		work(dev, arg);
		pci_free_dev(dev);
	}
	current = NULL;
	pci_cleanup(access);
	return rc;
}

int pci_caps_print(struct buf *out, const struct pci_node *n, struct pci_addr a, struct err *e)
{
	size_t before = out->len;

	if (with_libpci(n, a, print_device, out, e) == 0)
		return 0;
	out->len = before;
	return -1;
}

bool pci_serial(const struct pci_node *n, struct pci_addr a, char out[static PCI_SERIAL_CAP])
{
	struct err ignored;

	out[0] = 0;
	if (with_libpci(n, a, read_serial, out, &ignored) < 0 ||
		!strcmp(out, "00-00-00-00-00-00-00-00") || !strcmp(out, "ff-ff-ff-ff-ff-ff-ff-ff"))
		out[0] = 0;
	return out[0] != 0;
}

/* ---- Access Control Services */

enum { WITHOUT_ROOT = 64 };

struct acs_question {
	bool shared, whole; /* `whole`: what lies above the first 256 bytes was readable */
	enum pci_acs answer;
};

/* "Features missing from the capability field can therefore be assumed as hard-wired enabled." */
static enum pci_acs acs_of(struct pci_dev *dev, bool whole)
{
	const unsigned wanted = PCI_ACS_CAP_VALID | PCI_ACS_CAP_REQ_RED | PCI_ACS_CAP_CMPLT_RED |
				PCI_ACS_CAP_FORWARD;
	const struct pci_cap *c = pci_find_cap(dev, PCI_EXT_CAP_ID_ACS, PCI_CAP_EXTENDED);
	unsigned can, does;

	if (!whole)
		return PCI_ACS_UNREADABLE;
	if (!c)
		return PCI_ACS_NONE;
	can = pci_read_word(dev, (int)c->addr + PCI_ACS_CAP);
	does = pci_read_word(dev, (int)c->addr + PCI_ACS_CTRL);
	return (wanted & can & ~does) == 0 ? PCI_ACS_ON : PCI_ACS_OFF;
}

static void ask_acs(struct pci_dev *dev, void *ctx)
{
	struct acs_question *q = ctx;
	const struct pci_cap *c = pci_find_cap(dev, PCI_CAP_ID_EXP, PCI_CAP_NORMAL);

	q->answer = PCI_ACS_CONVENTIONAL;
	if (!c)
		return;
	switch ((pci_read_word(dev, (int)c->addr + PCI_EXP_FLAGS) & PCI_EXP_FLAGS_TYPE) >> 4) {
	case PCI_EXP_TYPE_PCI_BRIDGE:
	case PCI_EXP_TYPE_PCIE_BRIDGE:
		return;
	case PCI_EXP_TYPE_ROOT_PORT:
	case PCI_EXP_TYPE_DOWNSTREAM:
		q->answer = acs_of(dev, q->whole);
		return;
	default:
		q->answer = q->shared ? acs_of(dev, q->whole) : PCI_ACS_ON;
	}
}

enum pci_acs pci_caps_acs(const struct pci_node *n, struct pci_addr a, bool shared)
{
	char address[PCI_ADDR_CAP];
	uint8_t config[PCI_CONFIG_SIZE];
	struct acs_question q = {.shared = shared};
	struct err ignored;
	ssize_t len =
		pci_config_read(n, pci_addr_format(a, address), config, sizeof(config), &ignored);

	if (len <= WITHOUT_ROOT)
		return PCI_ACS_UNREADABLE;
	q.whole = len == PCI_CONFIG_SIZE;
	if (with_libpci(n, a, ask_acs, &q, &ignored) < 0)
		return PCI_ACS_UNREADABLE;
	return q.answer;
}
