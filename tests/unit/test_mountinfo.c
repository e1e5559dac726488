// SPDX-License-Identifier: GPL-2.0-or-later
// The parsers of the kernel's tables: mountinfo, swaps, routes, addresses.
#include "pci/mountinfo.h"
#include "pci/netroute.h"

// clang-format off
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on

#define LINE "36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw,errors=continue\n"

/* The line of proc_pid_mountinfo(5), one with every sort of escape, one that is as bare as can be.
 */
static void test_mountinfo(void **state)
{
	static const char text[] =
		LINE "37 36 0:50 /a\\040b /c\\011d\\012e\\134f\\777 rw - overlay o\\040x "
		     "rw,lowerdir=/l\n"
		     "38 36 0:51 / /e rw shared:1 master:2 propagate_from:3 unbindable - tmpfs  \n"
		     "18446744073709551615 36 4294967295:4294967295 / /x rw - t s";
	struct mountinfo mi;
	struct str options, key, value;
	struct err e;

	(void)state;
	assert_int_equal(mountinfo_parse(&mi, STR(text), &e), 0);
	assert_int_equal(mi.n, 4);
	assert_int_equal(mi.mount[0].id, 36);
	assert_int_equal(mi.mount[0].parent, 35);
	assert_int_equal(mi.mount[0].major, 98);
	assert_string_equal(mi.mount[0].root, "/mnt1");
	assert_string_equal(mi.mount[0].point, "/mnt2");
	assert_string_equal(mi.mount[0].fs, "ext3");
	assert_string_equal(mi.mount[0].source, "/dev/root");
	options = mi.mount[0].options;
	assert_true(mount_option(&options, &key, &value) && str_is(key, "rw") && !value.n);
	assert_true(mount_option(&options, &key, &value));
	assert_true(str_is(key, "errors") && str_is(value, "continue"));
	assert_false(mount_option(&options, &key, &value));
	assert_string_equal(mi.mount[1].root, "/a b");
	assert_string_equal(mi.mount[1].point, "/c\td\ne\\f\\777");
	assert_string_equal(mi.mount[1].source, "o x");
	assert_string_equal(mi.mount[2].source, "");
	assert_int_equal(mi.mount[2].options.n, 0);
	assert_true(mi.mount[3].id == UINT64_MAX && mi.mount[3].minor == UINT32_MAX);
	mountinfo_free(&mi);
}

static void test_mountinfo_refused(void **state)
{
	static const struct {
		struct str text;
		const char *why;
	} bad[] = {
		{STR("\n"), "line 1: no mount id"},
		{STR(LINE "\n" LINE), "line 2: no mount id"},
		{STR("x 35 98:0 / / rw - e s rw"), "line 1: no mount id"},
		{STR("-1 35 98:0 / / rw - e s rw"), "line 1: no mount id"},
		{STR("36  98:0 / / rw - e s rw"), "line 1: no parent id"},
		{STR("36 35 98 / / rw - e s rw"), "line 1: no device number"},
		{STR("36 35 98:4294967296 / / rw - e s rw"), "line 1: no device number"},
		{STR("36 35 98:0  / rw - e s rw"), "line 1: no root"},
		{STR("36 35 98:0 / x rw - e s rw"), "line 1: no mount point"},
		{STR("36 35 98:0 / /a\\000b rw - e s rw"), "line 1: no mount point"},
		{STR("36 35 98:0 / /"), "line 1: no mount options"},
		{STR("36 35 98:0 / / rw"), "line 1: no separator"},
		{STR("36 35 98:0 / / rw shared:1 e s rw"), "line 1: no separator"},
		{STR("36 35 98:0 / / rw -"), "line 1: no filesystem type"},
		{STR("36 35 98:0 / / rw - e"), "line 1: no source"},
		{STR("36 35 98:0 / / rw - e s r\0w"), "line 1: a NUL byte"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct mountinfo mi;
		struct err e;

		assert_int_equal(mountinfo_parse(&mi, bad[i].text, &e), -1);
		assert_string_equal(e.text, bad[i].why);
		assert_true(mi.n == 0 && !mi.mount);
	}
}

static void test_mounts_at(void **state)
{
	static const char text[] = "1 0 8:1 / /a rw - e s rw\n2 0 8:2 / / rw - e s rw\n"
				   "3 0 8:3 / /a/b rw - e s rw\n4 0 8:4 / /a rw - e s rw\n"
				   "5 0 8:5 / /a! rw - e s rw\n6 0 8:6 / /aa rw - e s rw\n";
	struct mountinfo mi;
	struct err e;
	size_t first;

	(void)state;
	assert_int_equal(mountinfo_parse(&mi, STR(text), &e), 0);
	assert_int_equal(mountinfo_at(&mi, "/a/b/c", 2, &first), 2);
	assert_int_equal(mi.mount[mi.by_point[first]].id, 1);
	assert_int_equal(mi.mount[mi.by_point[first + 1]].id, 4);
	assert_int_equal(mountinfo_at(&mi, "/a/b/c", 4, &first), 1);
	assert_int_equal(mi.mount[mi.by_point[first]].id, 3);
	assert_int_equal(mountinfo_at(&mi, "/", 1, &first), 1);
	assert_int_equal(mountinfo_at(&mi, "/b", 2, &first), 0);
	assert_int_equal(mountinfo_at(&mi, "", 0, &first), 0);
	mountinfo_free(&mi);
	assert_int_equal(mountinfo_parse(&mi, STR(""), &e), 0);
	assert_int_equal(mountinfo_at(&mi, "/", 1, &first), 0);
	mountinfo_free(&mi);
}

static void test_swaps(void **state)
{
	static const struct {
		struct str text;
		const char *why;
	} bad[] = {
		{STR("Filename\n\n"), "line 2: no path"},
		{STR("Filename\nsda1 partition\n"), "line 2: no path"},
		{STR("/dev/sda1 disk\n"), "line 1: neither partition nor file"},
		{STR("/dev/sda1\n"), "line 1: neither partition nor file"},
		{STR("/a\\000 file\n"), "line 1: no path"},
		{STR("/a\0b file\n"), "line 1: a NUL byte"},
	};
	CLEANUP_ARENA struct arena mem = {0};
	struct swap *swap;
	struct err e;
	size_t n;

	(void)state;
	assert_int_equal(swaps_parse(&mem, &swap, &n, STR(""), &e), 0);
	assert_int_equal(n, 0);
	assert_int_equal(
		swaps_parse(&mem, &swap, &n,
			STR("Filename\t\tType\n/dev/dm-1  partition\t8\t0\t-2\n/a\\040b file 1"),
			&e),
		0);
	assert_int_equal(n, 2);
	assert_true(!strcmp(swap[0].path, "/dev/dm-1") && !swap[0].is_file);
	assert_true(!strcmp(swap[1].path, "/a b") && swap[1].is_file);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		assert_int_equal(swaps_parse(&mem, &swap, &n, bad[i].text, &e), -1);
		assert_string_equal(e.text, bad[i].why);
	}
}

static void test_route4(void **state)
{
	static const char text[] =
		"Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\n"
		"eth0\t00000000\t010200C0\t0003\t0\t0\t0\t00000000\t0\t0\t0    \n"
		"eth0\t000200C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0\n"
		"*\t0000000A\t00000000\t0201\t0\t0\t0\t000000FF\t0\t0\t0\n";
	static const char *const bad[] = {"eth0\n", "\n", "eth0 00000000 00000000 0001 0 0 0\n",
		"eth0 0000000 00000000 0001 0 0 0 00000000\n",
		"eth0 0x000000 00000000 0001 0 0 0 00000000\n",
		"eth0 00000000 00000000 0001 0 0 0 FF00FFFF\n",
		"a-name-of-16-chr 00000000 00000000 0001 0 0 0 00000000\n",
		"a/b 00000000 00000000 0001 0 0 0 00000000\n"};
	static const uint8_t in[4] = {192, 0, 2, 77}, out[4] = {192, 0, 3, 77};
	struct net_routes r = {0};
	struct err e;

	(void)state;
	assert_int_equal(net_route4_parse(&r, STR(text), &e), 0);
	assert_int_equal(r.n, 3);
	assert_true(net_route_is_default(&r.route[0]) && !r.route[0].direct);
	assert_string_equal(r.route[1].dev, "eth0");
	assert_true(r.route[1].direct && r.route[1].bits == 24 && r.route[1].to[0] == 192);
	assert_false(net_route_is_default(&r.route[1]));
	assert_true(net_route_has4(&r.route[1], in) && !net_route_has4(&r.route[1], out));
	assert_true(net_route_has4(&r.route[0], out));
	assert_true(r.route[2].reject && !strcmp(r.route[2].dev, "*"));
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_int_equal(net_route4_parse(&r, str_of(bad[i]), &e), -1);
	net_routes_free(&r);
}

#define ZEROS "00000000000000000000000000000000"

static void test_route6(void **state)
{
	static const struct {
		const char *to;
		bool is_default;
	} routes[] = {
		{ZEROS " 00", true},
		{ZEROS " 01", true},
		{"80000000000000000000000000000000 01", true},
		{"20000000000000000000000000000000 03", true},
		{"40000000000000000000000000000000 03", false},
		{"20000000000000000000000000000000 04", false},
		{"fe800000000000000000000000000000 40", false},
	};
	static const char *const bad[] = {"\n", ZEROS " 00 " ZEROS " 00\n",
		ZEROS "0 00 " ZEROS " 00 " ZEROS " 0 0 0 00000001 eth0\n",
		ZEROS " 81 " ZEROS " 00 " ZEROS " 0 0 0 00000001 eth0\n",
		ZEROS " 00 " ZEROS " 00 " ZEROS " 0 0 0 1 eth0\n",
		ZEROS " 00 " ZEROS " 00 " ZEROS " 0 0 0 00000001\n"};
	struct net_routes r = {0};
	struct err e;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(routes); i++) {
		CLEANUP_FREE char *line = mem_printf(
			"%s " ZEROS " 00 " ZEROS " 00000400 00000001 00000000 00000001     eth0\n",
			routes[i].to);

		assert_int_equal(net_route6_parse(&r, str_of(line), &e), 0);
		assert_int_equal(r.n, i + 1);
		assert_int_equal(net_route_is_default(&r.route[i]), routes[i].is_default);
		r.route[i].reject = true;
		assert_false(net_route_is_default(&r.route[i]));
	}
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_int_equal(net_route6_parse(&r, str_of(bad[i]), &e), -1);
	net_routes_free(&r);
}

static void test_inet6(void **state)
{
	static const char *const bad[] = {"\n", ZEROS " 04 40 00 82\n",
		ZEROS "0 04 40 00 82 eth0\n", ZEROS " 04 40 xx 82 eth0\n"};
	struct net_addrs a = {0};
	struct err e;

	(void)state;
	assert_int_equal(net_inet6_parse(&a,
				 STR("fd000000000000000000000000000002 04 40 00 82     eth0\n"
				     "fe8000000000000000fc00fffe000001 04 40 20 80     eth0\n"
				     "00000000000000000000000000000001 01 80 10 80       lo\n"),
				 &e),
		0);
	assert_int_equal(a.n, 3);
	assert_true(a.addr[0].addr[0] == 0xfd && a.addr[0].addr[15] == 2);
	assert_true(!a.addr[0].link_local && a.addr[1].link_local && a.addr[2].link_local);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_int_equal(net_inet6_parse(&a, str_of(bad[i]), &e), -1);
	net_addrs_free(&a);
}

static void test_fib_trie(void **state)
{
	struct net_locals l = {0};

	(void)state;
	net_fib_trie_parse(&l, STR("Main:\n  +-- 0.0.0.0/0 3 0 5\n     |-- 10.2.0.2\n"
				   "        /32 host LOCAL\n        /32 link BROADCAST\n"
				   "        /32 host LOCAL\n     |-- 10.2.0.300\n/32 host LOCAL\n"
				   "     |-- 127.0.0.1\n        /32 host LOCAL\n     |--\n"
				   "/32 host LOCAL\n|-- 10.9.0.0\n   /16 link UNICAST\n"));
	assert_int_equal(l.n, 1);
	assert_memory_equal(l.addr[0], "\x0a\x02\0\x02", 4);
	net_locals_free(&l);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_mountinfo),
		cmocka_unit_test(test_mountinfo_refused),
		cmocka_unit_test(test_mounts_at),
		cmocka_unit_test(test_swaps),
		cmocka_unit_test(test_route4),
		cmocka_unit_test(test_route6),
		cmocka_unit_test(test_inet6),
		cmocka_unit_test(test_fib_trie),
	};

	return cmocka_run_group_tests_name("mountinfo", tests, NULL, NULL);
}
