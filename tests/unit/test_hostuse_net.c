// SPDX-License-Identifier: GPL-2.0-or-later
// The host guard's look at NICs and the console, the chains to the letter.
#include "hosttree.h"

#define DEFAULT(dev) dev "\t00000000\t0100010A\t0003\t0\t0\t0\t00000000\t0\t0\t0\n"
#define NET_10_1(dev) dev "\t0000010A\t00000000\t0001\t0\t0\t0\t0000FFFF\t0\t0\t0\n"
#define NET_10_2(dev) dev "\t0000020A\t00000000\t0001\t0\t0\t0\t0000FFFF\t0\t0\t0\n"
#define ZEROS "00000000000000000000000000000000"
#define NO_ROUTE6 ZEROS " 00 " ZEROS " 00 " ZEROS " ffffffff 00000001 00000000 00200200       lo\n"

/* Harvester: the management bond, its bridge, a VLAN on that which leads out. */
static void test_management(void **state)
{
	struct scratch t;

	(void)state;
	host_open(&t);
	host_nic(&t, 1, "eth0");
	host_nic(&t, 2, "eth1");
	host_nic(&t, 3, "eth2");
	host_interface(&t, "mgmt-bo");
	host_interface(&t, "mgmt-br");
	host_interface(&t, "mgmt-br.7");
	host_upper(&t, "mgmt-bo", "eth0");
	host_upper(&t, "mgmt-bo", "eth1");
	host_upper(&t, "mgmt-br", "mgmt-bo");
	host_upper(&t, "mgmt-br.7", "mgmt-br");
	host_routes(&t, DEFAULT("mgmt-br.7") NET_10_1("mgmt-br.7"));
	host_expect(&t,
		"DefaultRoute 0000:01:00.0 → eth0 → mgmt-bo → mgmt-br → mgmt-br.7 → default "
		"route\n"
		"ManagementNIC 0000:01:00.0 → eth0 → mgmt-bo → mgmt-br\n"
		"DefaultRoute 0000:02:00.0 → eth1 → mgmt-bo → mgmt-br → mgmt-br.7 → default "
		"route\n"
		"ManagementNIC 0000:02:00.0 → eth1 → mgmt-bo → mgmt-br\n");
}

static void test_management_bond_alone(void **state)
{
	struct scratch t;

	(void)state;
	host_open(&t);
	host_nic(&t, 1, "eth0");
	host_interface(&t, "mgmt-bo");
	host_upper(&t, "mgmt-bo", "eth0");
	host_expect(&t, "ManagementNIC 0000:01:00.0 → eth0 → mgmt-bo\n");
}

/* By the VlanConfig's word, and by the names that Harvester gives. An address on the same bond says
 * no more; one on another way does. */
static void test_uplinks(void **state)
{
	static const char *const uplinks[] = {"eth0", "eth7"};
	CLEANUP_FREE char *said = NULL;
	struct scratch t;

	(void)state;
	host_open(&t);
	host_nic(&t, 1, "eth0");
	host_nic(&t, 2, "eth1");
	host_nic(&t, 3, "eth2");
	host_interface(&t, "data-bo");
	host_interface(&t, "data-br");
	host_interface(&t, "lone-bo");
	host_interface(&t, "eth1.5");
	host_upper(&t, "data-bo", "eth1");
	host_upper(&t, "data-br", "data-bo");
	host_upper(&t, "eth1.5", "eth1");
	host_upper(&t, "lone-bo", "eth2");
	host_routes(&t, NET_10_1("data-br") NET_10_2("eth1.5"));
	said = host_says(&t, uplinks, ARRAY_LEN(uplinks));
	assert_string_equal(said,
		"VlanUplink 0000:01:00.0 → eth0 → uplink of a VlanConfig\n"
		"VlanUplink 0000:02:00.0 → eth1 → data-bo → data-br\n"
		"NetworkAddress 0000:02:00.0 → eth1 → eth1.5 → route to 10.2.0.0/16\n"
		"NetworkMember 0000:03:00.0 → eth2 → lone-bo\n");
	scratch_close(&t);
}

/* The halves of 0.0.0.0/0, a default of IPv6, all of its internet; what is rejected leads nowhere.
 */
static void test_default_routes(void **state)
{
	static const char to[] = " 00 fd000000000000000000000000000001 00000400 00000002 00000000 ";
	CLEANUP_FREE char *routes6 = mem_printf(ZEROS " 00 " ZEROS "%s00000003     eth2\n"
						      "20000000000000000000000000000000 03 " ZEROS
						      "%s00000003     eth3\n" ZEROS " 00 " ZEROS
						      "%s00200200     eth4\n" NO_ROUTE6,
		to, to, to);
	struct scratch t;

	(void)state;
	host_open(&t);
	for (unsigned i = 0; i < 6; i++) {
		CLEANUP_FREE char *name = mem_printf("eth%u", i);

		host_nic(&t, i + 1, name);
	}
	host_routes(&t, "eth0\t00000000\t0100010A\t0003\t0\t0\t0\t00000080\t0\t0\t0\n"
			"eth1\t00000080\t0100010A\t0003\t0\t0\t0\t00000080\t0\t0\t0\n"
			"*\t00000000\t00000000\t0201\t0\t0\t0\t00000000\t0\t0\t0\n");
	scratch_put(&t, "proc/1/net/ipv6_route", routes6);
	host_expect(&t, "DefaultRoute 0000:01:00.0 → eth0 → default route\n"
			"NetworkAddress 0000:01:00.0 → eth0 → route to 0.0.0.0/1\n"
			"DefaultRoute 0000:02:00.0 → eth1 → default route\n"
			"NetworkAddress 0000:02:00.0 → eth1 → route to 128.0.0.0/1\n"
			"DefaultRoute 0000:03:00.0 → eth2 → default route\n"
			"DefaultRoute 0000:04:00.0 → eth3 → default route\n");
}

/* An address comes from the local table by the network it is in; else the route is named. */
static void test_addresses(void **state)
{
	struct scratch t;

	(void)state;
	host_open(&t);
	for (unsigned i = 0; i < 5; i++) {
		CLEANUP_FREE char *name = mem_printf("eth%u", i);

		host_nic(&t, i + 1, name);
	}
	host_routes(&t, NET_10_1("eth0") NET_10_2("eth1"));
	scratch_put(&t, "proc/1/net/fib_trie",
		"Main:\n  +-- 0.0.0.0/0 3 0 5\n     |-- 10.1.0.2\n        /32 host LOCAL\n"
		"     |-- 10.1.255.255\n        /32 link BROADCAST\n     |-- 127.0.0.1\n"
		"        /32 host LOCAL\n     |-- 192.0.2.1\n        /32 host LOCAL\n");
	scratch_put(&t, "proc/1/net/if_inet6",
		"fd000000000000000000000000000002 04 40 00 82     eth1\n"
		"fe8000000000000000fc00fffe000001 04 40 20 80     eth2\n"
		"20010db8000000000000000000000001 05 40 00 80     eth3\n"
		"00000000000000000000000000000001 01 80 10 80       lo\n");
	host_expect(&t, "NetworkAddress 0000:01:00.0 → eth0 → 10.1.0.2\n"
			"NetworkAddress 0000:02:00.0 → eth1 → fd00::2\n"
			"NetworkAddress 0000:04:00.0 → eth3 → 2001:db8::1\n");
}

/* Two NICs in one network: the tables do not say whose the address is, so it is both's. */
static void test_two_in_one_network(void **state)
{
	struct scratch t;

	(void)state;
	host_open(&t);
	host_nic(&t, 1, "eth0");
	host_nic(&t, 2, "eth1");
	host_routes(&t, NET_10_1("eth0") NET_10_1("eth1"));
	scratch_put(&t, "proc/1/net/fib_trie", "|-- 10.1.0.2\n/32 host LOCAL\n");
	host_expect(&t, "NetworkAddress 0000:01:00.0 → eth0 → 10.1.0.2\n"
			"NetworkAddress 0000:02:00.0 → eth1 → 10.1.0.2\n");
}

/* A VLAN without an address; trees that have one side of a relation only; members in a circle. */
static void test_members(void **state)
{
	struct scratch t;

	(void)state;
	host_open(&t);
	for (unsigned i = 0; i < 7; i++) {
		CLEANUP_FREE char *name = mem_printf("eth%u", i);

		host_nic(&t, i + 1, name);
	}
	host_interface(&t, "eth0.5");
	host_upper(&t, "eth0.5", "eth0");
	host_interface(&t, "bond0");
	host_interface(&t, "br0");
	host_link(&t, "sys/class/net/eth1/master", "../../../../../virtual/net/bond0");
	scratch_put(&t, "sys/class/net/bond0/bonding/slaves", "eth2 eth9 \n");
	scratch_mkdir(&t, "sys/class/net/br0/brif/eth3");
	scratch_mkdir(&t, "sys/class/net/eth4/upper_br0");
	host_interface(&t, "a");
	host_interface(&t, "b");
	host_upper(&t, "a", "b");
	host_upper(&t, "b", "a");
	host_upper(&t, "b", "eth5");
	host_expect(&t, "NetworkMember 0000:01:00.0 → eth0 → eth0.5\n"
			"NetworkMember 0000:02:00.0 → eth1 → bond0\n"
			"NetworkMember 0000:03:00.0 → eth2 → bond0\n"
			"NetworkMember 0000:04:00.0 → eth3 → br0\n"
			"NetworkMember 0000:05:00.0 → eth4 → br0\n"
			"NetworkMember 0000:06:00.0 → eth5 → b → a\n");
}

/* Every function above a NIC counts; a VF by its own address, a virtio NIC by its parent. */
static void test_functions_above(void **state)
{
	struct scratch t;

	(void)state;
	host_open(&t);
	host_function(&t, "pci0000:00/0000:00:14.0", "c0330", "xhci_hcd");
	host_function(&t, "pci0000:00/0000:00:03.0", "20000", "virtio-pci");
	host_link(&t, "sys/class/net/usb0",
		"../../devices/pci0000:00/0000:00:14.0/usb1/1-3/1-3:1.0/net/usb0");
	host_link(
		&t, "sys/class/net/eth0", "/sys/devices/pci0000:00/0000:00:03.0/virtio2/net/eth0");
	host_routes(&t, NET_10_1("usb0") DEFAULT("eth0"));
	host_expect(&t, "DefaultRoute 0000:00:03.0 → eth0 → default route\n"
			"NetworkAddress 0000:00:03.0 → eth0 → route to 0.0.0.0/0\n"
			"NetworkAddress 0000:00:14.0 → usb0 → route to 10.1.0.0/16\n");
}

/* A copy of sysfs with directories for links. */
static void test_without_class_links(void **state)
{
	struct scratch t;

	(void)state;
	host_open(&t);
	host_function(&t, "pci0000:00/0000:01:00.0", "20000", "igb");
	host_link(&t, "sys/class/net/eth0/device", "../../../0000:01:00.0");
	scratch_put(&t, "sys/class/net/bonding_masters", "\n");
	host_routes(&t, NET_10_1("eth0"));
	host_expect(&t, "NetworkAddress 0000:01:00.0 → eth0 → route to 10.1.0.0/16\n");
}

/* An internal port of Open vSwitch leads out; sysfs ties it to no NIC. */
static void test_open_vswitch(void **state)
{
	struct scratch t;

	(void)state;
	for (int tunnel = 0; tunnel < 2; tunnel++) {
		host_open(&t);
		host_nic(&t, 1, "eth0");
		host_interface(&t, "ovs-system");
		host_interface(&t, "br-ex");
		host_upper(&t, "ovs-system", "eth0");
		if (tunnel)
			scratch_put(&t, "sys/class/net/br-ex/tun_flags", "0x1\n");
		host_routes(&t, DEFAULT("br-ex"));
		host_expect(&t, tunnel ? "NetworkMember 0000:01:00.0 → eth0 → ovs-system\n"
				       : "DefaultRoute 0000:01:00.0 → eth0 → ovs-system → br-ex → "
					 "default route\n");
	}
}

static void test_many_nics(void **state)
{
	CLEANUP_FREE char *said = NULL;
	size_t lines = 0;
	struct scratch t;

	(void)state;
	host_open(&t);
	host_interface(&t, "br0");
	for (unsigned i = 1; i < 200; i++) {
		CLEANUP_FREE char *name = mem_printf("eth%u", i);

		host_nic(&t, i, name);
		host_upper(&t, "br0", name);
	}
	said = host_says(&t, NULL, 0);
	for (const char *p = said; *p; p++)
		lines += *p == '\n';
	assert_int_equal(lines, 199);
	scratch_close(&t);
}

static void test_net_unreadable(void **state)
{
	CLEANUP_FREE char *path = NULL;
	struct scratch t;

	(void)state;
	host_open(&t);
	host_nic(&t, 1, "eth0");
	path = scratch_path(&t, "proc/1/net/route");
	assert_int_equal(unlink(path), 0);
	host_expect(&t, "HostUseUnknown 0000:01:00.0 → eth0 → ? (proc/1/net/route: No such file or "
			"directory)\n");

	host_open(&t);
	host_nic(&t, 1, "eth0");
	host_routes(&t, DEFAULT("eth0") "eth0 nonsense\n");
	host_expect(&t, "DefaultRoute 0000:01:00.0 → eth0 → default route\n"
			"NetworkAddress 0000:01:00.0 → eth0 → route to 0.0.0.0/0\n"
			"HostUseUnknown 0000:01:00.0 → eth0 → ? (proc/1/net/route: line 3 is no "
			"route)\n");

	host_open(&t);
	host_nic(&t, 1, "eth0");
	scratch_mkdir(&t, "proc/1/net/ipv6_route");
	host_expect(&t, "HostUseUnknown 0000:01:00.0 → eth0 → ? (proc/1/net/ipv6_route: Is a "
			"directory)\n");

	host_open(&t);
	host_nic(&t, 1, "eth0");
	scratch_put(&t, "proc/1/net/if_inet6", "fd00 04 40 00 82 eth0\n");
	host_expect(&t, "HostUseUnknown 0000:01:00.0 → eth0 → ? (proc/1/net/if_inet6: line 1 is no "
			"address)\n");
}

/* The default route leads through an interface of another view: any NIC of the host may be it. */
static void test_route_of_a_stranger(void **state)
{
	struct scratch t;

	(void)state;
	host_open(&t);
	host_nic(&t, 1, "eth0");
	host_function(&t, "pci0000:00/0000:02:00.0", "20000", "vfio-pci");
	host_function(&t, "pci0000:00/0000:03:00.0", "10802", "nvme");
	scratch_mkdir(&t, "sys/class/block");
	host_routes(&t, DEFAULT("eno1"));
	host_expect(&t, "HostUseUnknown 0000:01:00.0 → ? (the default route leads through eno1, "
			"which is not in sys/class/net)\n");

	host_open(&t);
	host_function(&t, "pci0000:00/0000:02:00.0", "20000", "igb");
	host_routes(&t, DEFAULT("eno1"));
	host_expect(
		&t, "HostUseUnknown 0000:02:00.0 → ? (sys/class/net: No such file or directory)\n");

	host_open(&t);
	host_function(&t, "pci0000:00/0000:02:00.0", "20000", "igb");
	scratch_put(&t, "sys/class/net", "");
	host_expect(&t, "HostUseUnknown 0000:02:00.0 → ? (sys/class/net: Not a directory)\n");
}

static void test_console(void **state)
{
	static const struct {
		const char *active, *other, *said;
	} consoles[] = {
		{"tty0\n", NULL, "Console 0000:01:00.0 → console tty0\n"},
		{"tty2 tty1\n", NULL, "Console 0000:01:00.0 → console tty2 tty1\n"},
		{"tty0 ttyS0\n", NULL, ""},
		{"tty0 hvc0\n", NULL, ""},
		{"ttyAMA0\n", NULL, ""},
		{"tty0\n", "ast", ""},
		{"tty0\n", "vfio-pci", "Console 0000:01:00.0 → console tty0\n"},
		{NULL, NULL,
			"Console 0000:01:00.0 → console (sys/class/tty/console/active: No such "
			"file or "
			"directory)\n"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(consoles); i++) {
		struct scratch t;

		scratch_open(&t);
		host_mounts(&t, "");
		host_routes(&t, "");
		host_function(&t, "pci0000:00/0000:01:00.0", "30000", "i915");
		scratch_put(&t, "sys/bus/pci/devices/0000:01:00.0/boot_vga", "1\n");
		host_function(&t, "pci0000:00/0000:02:00.0", "30000", consoles[i].other);
		scratch_put(&t, "sys/bus/pci/devices/0000:02:00.0/boot_vga", "0\n");
		host_function(&t, "pci0000:00/0000:03:00.0", "30200", "nvidia");
		if (consoles[i].active)
			scratch_put(&t, "sys/class/tty/console/active", consoles[i].active);
		host_expect(&t, consoles[i].said);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_management),
		cmocka_unit_test(test_management_bond_alone),
		cmocka_unit_test(test_uplinks),
		cmocka_unit_test(test_default_routes),
		cmocka_unit_test(test_addresses),
		cmocka_unit_test(test_two_in_one_network),
		cmocka_unit_test(test_members),
		cmocka_unit_test(test_functions_above),
		cmocka_unit_test(test_without_class_links),
		cmocka_unit_test(test_open_vswitch),
		cmocka_unit_test(test_many_nics),
		cmocka_unit_test(test_net_unreadable),
		cmocka_unit_test(test_route_of_a_stranger),
		cmocka_unit_test(test_console),
	};

	return cmocka_run_group_tests_name("hostuse_net", tests, NULL, NULL);
}
