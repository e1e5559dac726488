// SPDX-License-Identifier: GPL-2.0-or-later
// Resource names and descriptions: how the contract's rules meet; every name of the locked table is
// compared in tests/cli/test_names.py.
#include "ids/ids_text.h"
#include "ids/names.h"

// clang-format off
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on

static const char text[] = "1234  Acme [Eme/Co] Inc\n"
			   "\t0001  A-b.c/d  [e]\n"
			   "\t0002  ...\n"
			   "1235  Vendor-Four\n"
			   "1236  (?)\n"
			   "\t0001  thing\n"
			   "C 02  Network\n"
			   "\t00  Ethernet\n";

static void make(struct ids *ids, struct buf *table, struct str of)
{
	struct ids_text names = {0};
	struct err e;

	assert_int_equal(ids_text_add(&names, of.p, of.n, false, &e), 0);
	assert_int_equal(ids_text_table(&names, NULL, 0, table, &e), 0);
	ids_text_free(&names);
	*ids = (struct ids){.table = (unsigned char *)table->p, .size = table->len};
}

static void assert_resource(
	const struct ids *ids, uint16_t vendor, uint16_t device, const char *want)
{
	CLEANUP_BUF struct buf b = {0};

	pci_resource_name(&b, ids, vendor, device);
	assert_string_equal(buf_z(&b), want);
}

static void assert_description(
	const struct ids *ids, uint16_t class, uint16_t vendor, uint16_t device, const char *want)
{
	CLEANUP_BUF struct buf b = {0};

	pci_description(&b, ids, class, vendor, device);
	assert_string_equal(buf_z(&b), want);
}

static void resources(void **state)
{
	CLEANUP_BUF struct buf table = {0};
	struct ids ids;

	(void)state;
	make(&ids, &table, STR(text));
	assert_resource(&ids, 0x1234, 1, "eme.com/AB_C_D_E");
	assert_resource(&ids, 0x1234, 2, "eme.com/0002");
	assert_resource(&ids, 0x1234, 0xfab, "eme.com/0fab");
	assert_resource(&ids, 0x1235, 0xfab, "vendorfour.com/0fab");
	assert_resource(&ids, 0x1236, 1, "vendor.com/THING");
	assert_resource(&ids, 0x1237, 1, "vendor.com/0001");
}

static void descriptions(void **state)
{
	CLEANUP_BUF struct buf table = {0};
	struct ids ids;

	(void)state;
	make(&ids, &table, STR(text));
	assert_description(&ids, 0x0200, 0x1234, 1, "Ethernet: Acme [Eme/Co] Inc A-b.c/d  [e]");
	assert_description(&ids, 0x0280, 0x1234, 0xfab, "Network: Acme [Eme/Co] Inc Device 0fab");
	assert_description(&ids, 0x0c03, 0x1237, 1, "Class 0c03: Vendor 1237 Device 0001");
}

static void what_was_in_the_buffer_stays(void **state)
{
	CLEANUP_BUF struct buf table = {0}, b = {0};
	struct ids ids;

	(void)state;
	make(&ids, &table, STR(text));
	buf_str(&b, "VIRTUAL_FUNCTION_");
	pci_resource_name(&b, &ids, 0x1234, 2);
	buf_char(&b, ' ');
	pci_description(&b, &ids, 0x0200, 0x1236, 1);
	assert_string_equal(buf_z(&b), "VIRTUAL_FUNCTION_eme.com/0002 Ethernet: (?) thing");
}

/* Of /var/lib/kubelet/device-plugins/kubevirt-/acme.com-PRODUCT.sock 108 characters at most. */
static void the_socket_path_has_a_bound(void **state)
{
	enum { ROOM = 108 - 42 - 9 - 5 };

	(void)state;
	for (size_t n = ROOM - 20; n <= ROOM + 20; n++) {
		CLEANUP_BUF struct buf table = {0}, from = {0}, want = {0};
		bool vf = n > ROOM;
		struct ids ids;

		buf_str(&from, "1234  Acme\n\t0001  ");
		buf_pad(&from, 'p', n - 17);
		buf_str(&from, " Virtual Function\n");
		make(&ids, &table, buf_slice(&from));
		buf_str(&want, "acme.com/");
		buf_pad(&want, 'P', n - 17);
		buf_str(&want, vf ? "_VF" : "_VIRTUAL_FUNCTION");
		if (vf && n - 14 > ROOM) {
			buf_clear(&want);
			buf_str(&want, "acme.com/0001");
		}
		assert_resource(&ids, 0x1234, 1, buf_z(&want));
	}
}

static void every_virtual_function_becomes_vf(void **state)
{
	static const char long_name[] = "1234  Acme\n\t0001  Virtual Function one two three "
					"Virtual Function 1234 Virtual\n";
	static const char two[] =
		"1234  Acme\n\t0001  Virtual Function, one two three four, Virtual Function 12\n";
	CLEANUP_BUF struct buf a = {0}, b = {0};
	struct ids ids;

	(void)state;
	make(&ids, &a, STR(long_name));
	assert_resource(&ids, 0x1234, 1, "acme.com/VF_ONE_TWO_THREE_VF_1234_VIRTUAL");
	make(&ids, &b, STR(two));
	assert_resource(&ids, 0x1234, 1, "acme.com/VF_ONE_TWO_THREE_FOUR_VF_12");
}

static void examples_of_the_contract(void **state)
{
	struct ids ids;

	(void)state;
	ids_builtin(&ids);
	assert_resource(
		&ids, 0x8086, 0x1515, "intel.com/X540_ETHERNET_CONTROLLER_VIRTUAL_FUNCTION");
	assert_resource(&ids, 0x1002, 0x4b49, "amd.com/R481_RADEON_X850_XT_AGP");
	assert_resource(
		&ids, 0x15b3, 0x0212, "mellanox.com/MT2892_FAMILY_CONNECTX6_DX_FLASH_RECOVERY");
	assert_resource(&ids, 0x103c, 0x3300, "hewlettpackard.com/3300");
	assert_description(&ids, 0x0200, 0x8086, 0x1515,
		"Ethernet controller: Intel Corporation X540 Ethernet Controller Virtual Function");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(resources),
		cmocka_unit_test(descriptions),
		cmocka_unit_test(what_was_in_the_buffer_stays),
		cmocka_unit_test(the_socket_path_has_a_bound),
		cmocka_unit_test(every_virtual_function_becomes_vf),
		cmocka_unit_test(examples_of_the_contract),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
