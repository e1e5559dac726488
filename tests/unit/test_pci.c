// SPDX-License-Identifier: GPL-2.0-or-later
// Addresses, uevent, names of conditions, the command line.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/cli.h"
#include "pci/addr.h"
#include "pci/condition.h"
#include "pci/hostuse.h"
#include "pci/uevent.h"

#include <stdio.h>

static void test_address(void **state)
{
	static const char *const good[] = {
		"0000:00:00.0", "0000:01:10.7", "10000:e1:1f.3", "ffffffff:ff:1f.7"};
	static const char *const bad[] = {"", "0000:01:10", "0000:01:10.8", "0000:01:20.0",
		"000:01:10.0", "0000:1:10.0", "0000:01:10.0 ", " 0000:01:10.0", "0000:01:10.00",
		"000000000:01:10.0", "0x00:01:10.0", "0000:01:10:0", "0000.01.10.0",
		"-001:01:10.0"};
	struct pci_addr a;
	char text[PCI_ADDR_CAP];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		assert_true(pci_addr_parse(str_of(good[i]), &a));
		assert_string_equal(pci_addr_format(a, text), good[i]);
	}
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_false(pci_addr_parse(str_of(bad[i]), &a));
	assert_true(pci_addr_parse_short(STR("65:00.1"), &a));
	assert_string_equal(pci_addr_format(a, text), "0000:65:00.1");
	assert_false(pci_addr_parse(STR("65:00.1"), &a));
}

static void test_address_order(void **state)
{
	static const char *const sorted[] = {"0000:00:00.0", "0000:00:00.1", "0000:00:01.0",
		"0000:01:00.0", "0001:00:00.0", "10000:00:00.0"};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(sorted); i++) {
		for (size_t j = 0; j < ARRAY_LEN(sorted); j++) {
			struct pci_addr a, b;
			int c;

			assert_true(pci_addr_parse(str_of(sorted[i]), &a));
			assert_true(pci_addr_parse(str_of(sorted[j]), &b));
			c = pci_addr_cmp(a, b);
			assert_int_equal(c < 0 ? -1 : c > 0, i < j ? -1 : i > j);
		}
	}
}

static void test_uevent(void **state)
{
	struct pci_uevent u;

	(void)state;
	pci_uevent_parse(&u, STR("DRIVER=igb\nPCI_CLASS=20000\nPCI_ID=8086:10C9\n"
				 "PCI_SUBSYS_ID=8086:A03C\nPCI_SLOT_NAME=0000:01:00.0\n"));
	assert_true(u.has_ids && u.has_class);
	assert_int_equal(u.vendor, 0x8086);
	assert_int_equal(u.device, 0x10c9);
	assert_int_equal(u.subdevice, 0xa03c);
	assert_int_equal(u.class, 0x020000);
	assert_true(str_is(u.driver, "igb"));
	pci_uevent_parse(&u, STR("PCI_ID=8086\nPCI_CLASS=1000000\nDRIVER=\n"));
	assert_false(u.has_ids || u.has_class);
	assert_null(u.driver.p);
}

static void test_reasons(void **state)
{
	enum reason back;
	uint64_t mask;

	(void)state;
	for (int r = 0; r < REASONS; r++) {
		assert_non_null(reason_name((enum reason)r));
		assert_true(reason_parse(str_of(reason_name((enum reason)r)), &back));
		assert_int_equal(back, r);
	}
	assert_false(reason_parse(STR("rootdisk"), &back));
	assert_true(reasons_parse(STR("Mounted,Swap"), &mask));
	assert_int_equal(mask, 1u << REASON_MOUNTED | 1u << REASON_SWAP);
	assert_false(reasons_parse(STR("Mounted,"), &mask));
	assert_false(reasons_parse(STR("Mounted,Bound"), &mask));
	assert_false(reason_can_override(REASON_ROOT_DISK));
	assert_false(reason_can_override(REASON_DEFAULT_ROUTE));
	assert_true(reason_can_override(REASON_MOUNTED));
	assert_true(reason_can_override(REASON_BRIDGE_FUNCTION));
	assert_false(reason_can_override(REASON_NO_IOMMU_GROUP));
	assert_false(reason_can_override(REASON_BOUND_BY_ANOTHER));
}

static int parse(struct cli *c, const char **groups, struct err *e, ...)
{
	const char *timeout;
	const struct cli_option own[] = {
		{"groups", false, "list", groups},
		{"timeout", true, "claim release", &timeout},
	};
	static char *argv[16]; /* outlives the call: the result borrows from it */
	int argc = 1;
	va_list ap;

	argv[0] = (char *)"pcid";
	va_start(ap, e);
	while ((argv[argc] = va_arg(ap, char *)))
		argc++;
	va_end(ap);
	return cli_parse(c, argc, argv, own, ARRAY_LEN(own), e);
}

static void test_command_line(void **state)
{
	const char *groups;
	struct cli c;
	struct err e;

	(void)state;
	assert_int_equal(parse(&c, &groups, &e, "list", "--groups", "-o", "json", NULL), 0);
	assert_string_equal(c.verb, "list");
	assert_non_null(groups);
	assert_int_equal(c.output, OUTPUT_JSON);
	assert_string_equal(c.root, "/");
	assert_int_equal(
		parse(&c, &groups, &e, "--root", "/host", "claim", "65:00.0", "-v", NULL), 0);
	assert_string_equal(c.root, "/host");
	assert_string_equal(c.arg[0], "65:00.0");
	assert_null(groups);
	assert_true(c.verbose);
	assert_int_equal(parse(&c, &groups, &e, "claim", "--groups", NULL), -1);
	assert_non_null(strstr(e.text, "--groups"));
	assert_int_equal(parse(&c, &groups, &e, "list", "-o", "xml", NULL), -1);
	assert_int_equal(parse(&c, &groups, &e, "list", "--nonsense", NULL), -1);
	assert_int_equal(parse(&c, &groups, &e, "list", "--root", NULL), -1);
}

static void test_node_name(void **state)
{
	static const char *const good[] = {"n", "dell-190", "a.b-c.d", "10.0.0.1"};
	static const char *const bad[] = {"", "-a", "a-", "A", "a..b", "a.-b", "a_b", "a/b", "a b"};
	char out[256];
	struct err e;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		struct cli c = {.node = good[i]};

		assert_int_equal(cli_node_name(&c, out, sizeof(out), &e), 0);
		assert_string_equal(out, good[i]);
	}
	for (size_t i = 1; i < ARRAY_LEN(bad); i++) {
		struct cli c = {.node = bad[i]};

		assert_int_equal(cli_node_name(&c, out, sizeof(out), &e), -1);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_address),
		cmocka_unit_test(test_address_order),
		cmocka_unit_test(test_uevent),
		cmocka_unit_test(test_reasons),
		cmocka_unit_test(test_command_line),
		cmocka_unit_test(test_node_name),
	};

	return cmocka_run_group_tests_name("pci", tests, NULL, NULL);
}
