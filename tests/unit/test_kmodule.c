// SPDX-License-Identifier: GPL-2.0-or-later
// Kernel modules: names, modules.dep, aliases, modprobe.d, what is there, what is refused.
#include "pci/kmodule_impl.h"

#include "scratch.h"

#include <fnmatch.h>

#define RELEASE "6.12.0-test"
#define MODULES "lib/modules/" RELEASE

static int set_up(void **state)
{
	struct scratch *t = mem_alloc(sizeof(*t));

	scratch_open(t);
	*state = t;
	return 0;
}

static int tear_down(void **state)
{
	scratch_close(*state);
	free(*state);
	return 0;
}

static void names_are_as_the_kernel_writes_them(void **state)
{
	static const char *const bad[] = {"", ".", "..", "a/b", "a b", "a.b", "a\n", "a%s"};
	char name[KMODULE_NAME_CAP], longest[KMODULE_NAME_CAP];

	(void)state;
	assert_true(kmodule_name(STR("vfio-pci_X-9"), name));
	assert_string_equal(name, "vfio_pci_X_9");
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_false(kmodule_name(str_of(bad[i]), name));
	memset(longest, 'a', sizeof(longest));
	assert_true(kmodule_name((struct str){longest, KMODULE_NAME_CAP - 1}, name));
	assert_int_equal(strlen(name), KMODULE_NAME_CAP - 1);
	assert_false(kmodule_name((struct str){longest, KMODULE_NAME_CAP}, name));
	assert_true(kmodule_name_of_file(STR("kernel/a/vfio-pci.ko"), name));
	assert_string_equal(name, "vfio_pci");
	assert_true(kmodule_name_of_file(STR("x.ko.zst"), name));
	assert_string_equal(name, "x");
	assert_false(kmodule_name_of_file(STR("a/b.ko.bz2"), name));
	assert_false(kmodule_name_of_file(STR("a/.ko"), name));
	assert_false(kmodule_name_of_file(STR(""), name));
	assert_true(kmodule_is_compressed(STR("a.ko.xz")));
	assert_true(kmodule_is_compressed(STR("a.ko.gz")));
	assert_false(kmodule_is_compressed(STR("a.ko")));
}

static void the_last_dependency_comes_first(void **state)
{
	static const char text[] = "kernel/x/other.ko: kernel/x/vfio-pci.ko\n"
				   "kernel/x/vfio-pci-core.ko.xz: a/vfio.ko.xz\n"
				   "kernel/x/vfio-pci.ko.xz: a/core.ko.xz a/vfio.ko.xz\tb/irq.ko \n"
				   "alone.ko:";
	CLEANUP_ARENA struct arena mem = {0};
	struct kmodule_dep d;
	struct str *files;

	(void)state;
	assert_true(kmodule_dep_find(str_of(text), "vfio_pci", &d));
	assert_int_equal(kmodule_dep_order(&d, &mem, &files), 4);
	assert_true(str_is(files[0], "b/irq.ko"));
	assert_true(str_is(files[1], "a/vfio.ko.xz"));
	assert_true(str_is(files[2], "a/core.ko.xz"));
	assert_true(str_is(files[3], "kernel/x/vfio-pci.ko.xz"));
	assert_true(kmodule_dep_find(str_of(text), "alone", &d));
	assert_int_equal(kmodule_dep_order(&d, &mem, &files), 1);
	assert_true(str_is(files[0], "alone.ko"));
	assert_false(kmodule_dep_find(str_of(text), "irq", &d));
	assert_false(kmodule_dep_find(str_of(""), "irq", &d));
	assert_false(kmodule_dep_line(STR("a.ko"), &d));
	assert_false(kmodule_dep_line(STR("a.txt: b.ko"), &d));
	assert_false(kmodule_dep_line(STR("a.ko: b.txt"), &d));
	assert_false(kmodule_dep_line(STR("a\x01/b.ko: b.ko"), &d));
	assert_false(kmodule_dep_line(STR(""), &d));
}

static void patterns_match_whole_texts(void **state)
{
	static const struct {
		const char *pattern, *text;
		bool same;
	} cases[] = {
		{"pci:v00008086d000010CAsv*sd*bc*sc*i*",
			"pci:v00008086d000010CAsv00001AF4sd00001100bc02sc00i00", true},
		{"pci:v00008086d000010C9sv*sd*bc*sc*i*",
			"pci:v00008086d000010CAsv00001AF4sd00001100bc02sc00i00", false},
		{"pci:v*d*sv*sd*bc01sc08i02*",
			"pci:v0000144Dd0000A808sv0000144Dsd0000A801bc01sc08i02", true},
		{"", "", true},
		{"", "a", false},
		{"*", "", true},
		{"a*", "ba", false},
		{"*a", "ab", false},
		{"*aab", "aaaab", true},
		{"?", "", false},
		{"[0-9]", "5", true},
		{"[!0-9]", "5", false},
		{"[]x]", "]", true},
		{"[a-]", "-", true},
		{"[a", "[a", true},
		{"[", "[", true},
		{"\\*", "*", true},
		{"\\*", "a", false},
		{"\\", "\\", true},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		if (kmodule_glob(str_of(cases[i].pattern), str_of(cases[i].text)) != cases[i].same)
			fail_msg("%s on %s", cases[i].pattern, cases[i].text);
}

/* fnmatch(3) where all C libraries agree. */
static void patterns_match_as_fnmatch_does(void **state)
{
	static const char *const parts[] = {"a", "b", "*", "?", "[ab]", "[!a]", "[a-c]", "ab"};
	unsigned seed = 7;

	(void)state;
	for (int i = 0; i < 200000; i++) {
		char pattern[64] = "", text[16] = "";
		int want;

		for (unsigned n = seed % 8; n; n--, seed = seed * 1103515245 + 12345)
			strcat(pattern, parts[(seed >> 16) % ARRAY_LEN(parts)]);
		for (unsigned n = (seed >> 8) % 9, at = 0; at < n; at++) {
			seed = seed * 1103515245 + 12345;
			text[at] = "abc"[(seed >> 16) % 3];
		}
		seed = seed * 1103515245 + 12345;
		want = fnmatch(pattern, text, 0) == 0;
		if (kmodule_glob(str_of(pattern), str_of(text)) != want)
			fail_msg("%s on %s", pattern, text);
	}
}

/* A pattern of many stars takes no time that grows with their number. */
static void no_pattern_takes_long(void **state)
{
	char pattern[2001], text[4001];

	(void)state;
	for (size_t i = 0; i < 2000; i++)
		pattern[i] = i % 2 ? 'a' : '*';
	pattern[2000] = 0;
	memset(text, 'a', 4000);
	text[4000] = 0;
	assert_true(kmodule_glob(str_of(pattern), str_of(text)));
	text[3999] = 'b';
	assert_false(kmodule_glob(str_of(pattern), str_of(text)));
}

static void aliases_name_modules(void **state)
{
	static const char text[] = "# a comment\n"
				   "alias pci:v000010DEd* nouveau\n"
				   "alias pci:v000010DEd* bad/name\n"
				   "alias pci:v000010DEd* two words\n"
				   "alias pci:v000010DE\n"
				   "alias pci:v*bc03* nvidia-fb";
	struct str rest = str_of(text);
	char module[KMODULE_NAME_CAP];

	(void)state;
	assert_true(kmodule_alias_next(&rest, STR("pci:v000010DEd0001bc03"), module));
	assert_string_equal(module, "nouveau");
	assert_true(kmodule_alias_next(&rest, STR("pci:v000010DEd0001bc03"), module));
	assert_string_equal(module, "nvidia_fb");
	assert_false(kmodule_alias_next(&rest, STR("pci:v000010DEd0001bc03"), module));
	rest = str_of(text);
	assert_false(kmodule_alias_next(&rest, STR("usb:x"), module));
}

static void modprobe_d_is_read_as_modprobe_does(void **state)
{
	static const char text[] = "# options a comment=1\n"
				   "options vfio-pci ids=10de:1eb8 \\\n disable_vga=1\n"
				   "blacklist\n"
				   "options vfio_iommu_type1\n"
				   "\tblacklist snd-hda-intel # why\n"
				   "install nouveau /bin/false\n"
				   "options b/d x=1\n"
				   "options vfio_pci nointxmask=1\\";
	CLEANUP_ARENA struct arena mem = {0};
	struct kmodule_conf c = {0};

	(void)state;
	assert_false(kmodule_conf_forbids(&c, "nouveau"));
	assert_string_equal(kmodule_conf_options(&c, "vfio_pci", &mem), "");
	kmodule_conf_text(&c, &mem, str_of(text));
	assert_true(kmodule_conf_forbids(&c, "snd_hda_intel"));
	assert_true(kmodule_conf_forbids(&c, "nouveau"));
	assert_false(kmodule_conf_forbids(&c, "vfio_pci"));
	assert_string_equal(kmodule_conf_options(&c, "vfio_pci", &mem),
		"ids=10de:1eb8  disable_vga=1 nointxmask=1\\");
	assert_string_equal(kmodule_conf_options(&c, "vfio_iommu_type1", &mem), "");
	assert_string_equal(kmodule_conf_options(&c, "a", &mem), "");
}

static void the_command_line_has_options_and_blacklists(void **state)
{
	static const char text[] =
		"BOOT_IMAGE=/vmlinuz root=/dev/sda1 rd.break=pre.mount quiet "
		"modprobe.blacklist=igb,ast module_blacklist=nouveau "
		"vfio-pci.ids=10de:1eb8 vfio_iommu_type1.allow_unsafe_interrupts "
		"x.dyndbg=\"file a +p; x y\" =. .=1 y. -- vfio-pci.late=1\n";
	CLEANUP_ARENA struct arena mem = {0};
	struct kmodule_conf c = {0};

	(void)state;
	kmodule_conf_cmdline(&c, &mem, str_of(text));
	assert_true(kmodule_conf_forbids(&c, "igb"));
	assert_true(kmodule_conf_forbids(&c, "ast"));
	assert_true(kmodule_conf_forbids(&c, "nouveau"));
	assert_false(kmodule_conf_forbids(&c, "vfio_pci"));
	assert_string_equal(kmodule_conf_options(&c, "vfio_pci", &mem), "ids=10de:1eb8");
	assert_string_equal(
		kmodule_conf_options(&c, "vfio_iommu_type1", &mem), "allow_unsafe_interrupts");
	assert_string_equal(kmodule_conf_options(&c, "x", &mem), "dyndbg=\"file a +p; x y\"");
	assert_string_equal(kmodule_conf_options(&c, "y", &mem), "");
}

static void a_file_of_etc_hides_one_of_lib(void **state)
{
	const struct scratch *t = *state;
	CLEANUP_ARENA struct arena mem = {0};
	CLEANUP_FREE char *hidden = scratch_path(t, "etc/modprobe.d/hidden.conf");
	struct kmodule_conf c = {0};
	struct err e;

	assert_int_equal(kmodule_conf_read(&c, &t->root, &mem, &e), 0);
	assert_null(c.first);
	scratch_put(t, "etc/modprobe.d/10-own.conf", "options m b=2\nblacklist etc");
	scratch_put(t, "etc/modprobe.d/README", "blacklist readme");
	scratch_put(t, "etc/modprobe.d/.x.conf", "blacklist dot");
	scratch_put(t, "etc/modprobe.d/dir.conf/x.conf", "blacklist dir");
	scratch_put(t, "run/modprobe.d/05-run.conf", "options m a=1");
	scratch_put(t, "lib/modprobe.d/10-own.conf", "blacklist lib");
	scratch_put(t, "lib/modprobe.d/hidden.conf", "blacklist hidden");
	scratch_put(t, "usr/lib/modprobe.d/90-dist.conf", "blacklist dist");
	scratch_put(t, "proc/cmdline", "m.c=3\n");
	assert_int_equal(symlink("/dev/null", hidden), 0);
	assert_int_equal(kmodule_conf_read(&c, &t->root, &mem, &e), 0);
	assert_string_equal(kmodule_conf_options(&c, "m", &mem), "a=1 b=2 c=3");
	assert_true(kmodule_conf_forbids(&c, "etc"));
	assert_true(kmodule_conf_forbids(&c, "dist"));
	assert_false(kmodule_conf_forbids(&c, "lib"));
	assert_false(kmodule_conf_forbids(&c, "hidden"));
	assert_false(kmodule_conf_forbids(&c, "readme"));
	assert_false(kmodule_conf_forbids(&c, "dot"));
	assert_false(kmodule_conf_forbids(&c, "dir"));
}

static void what_is_there_is_seen(void **state)
{
	const struct scratch *t = *state;
	struct kmodules k;

	kmodules_init(&k, &t->root, RELEASE);
	assert_string_equal(k.dir, MODULES);
	assert_false(kmodule_present(&k, "vfio-pci"));
	scratch_mkdir(t, "sys/module/vfio_pci");
	assert_true(kmodule_present(&k, "vfio-pci"));
	assert_true(kmodule_present(&k, "vfio_pci"));
	scratch_put(t, "sys/module/vfio_pci/initstate", "coming\n");
	assert_false(kmodule_present(&k, "vfio-pci"));
	scratch_put(t, "sys/module/vfio_pci/initstate", "live\n");
	assert_true(kmodule_present(&k, "vfio-pci"));
	assert_false(kmodule_present(&k, "../module/vfio_pci"));
	assert_false(kmodule_present(&k, ""));
	scratch_put(t, "usr/" MODULES "/modules.builtin", "kernel/drivers/pci/pci-stub.ko\n");
	assert_false(kmodule_present(&k, "pci-stub"));
	kmodules_init(&k, &t->root, RELEASE);
	assert_string_equal(k.dir, "usr/" MODULES);
	assert_true(kmodule_present(&k, "pci_stub"));
	assert_true(kmodule_present(&k, "pci-stub"));
	assert_false(kmodule_present(&k, "stub"));
	kmodules_init(&k, &t->root, "../6.12");
	assert_string_equal(k.dir, "");
	assert_true(kmodule_present(&k, "vfio-pci"));
	assert_false(kmodule_present(&k, "pci-stub"));
}

static void what_is_there_needs_no_file(void **state)
{
	const struct scratch *t = *state;
	struct kmodules k;
	struct err e;

	kmodules_init(&k, &t->root, RELEASE);
	scratch_mkdir(t, "sys/module/vfio_pci");
	assert_int_equal(kmodule_load(&k, "vfio-pci", &e), 0);
	assert_int_equal(kmodule_load(&k, "vfio_iommu_type1", &e), -1);
	assert_string_equal(e.text,
		"module vfio_iommu_type1 is not in the kernel, and /" MODULES " has no such file");
	assert_non_null(strstr(e.hint, "modprobe vfio_iommu_type1"));
	assert_int_equal(kmodule_load(&k, "a/b", &e), -1);
	assert_int_equal(kmodule_load(&k, "", &e), -1);
}

static void nothing_is_loaded_from_another_machines_tree(void **state)
{
	const struct scratch *t = *state;
	struct kmodules k;
	unsigned n;
	struct err e;

	kmodules_init(&k, &t->root, RELEASE);
	scratch_mkdir(t, "sys/module");
	scratch_put(t, MODULES "/modules.dep", "a.ko: b.ko\nb.ko:\n");
	scratch_put(t, MODULES "/modules.alias", "alias pci:* a\nalias pci:v1* b\n");
	assert_int_equal(kmodule_load(&k, "a", &e), -1);
	assert_non_null(strstr(e.text, "sys/module below this root is not a kernel's"));
	assert_int_equal(kmodule_load_alias(&k, "pci:v1", &n, &e), -1);
	assert_int_equal(n, 0);
	assert_non_null(strstr(e.text, "load module a: "));
}

static void an_alias_loads_what_is_not_blacklisted(void **state)
{
	const struct scratch *t = *state;
	char longest[5000];
	struct kmodules k;
	unsigned n = 9;
	struct err e;

	kmodules_init(&k, &t->root, RELEASE);
	assert_int_equal(kmodule_load_alias(&k, "pci:v1", &n, &e), 0);
	assert_int_equal(n, 0);
	scratch_put(t, MODULES "/modules.alias",
		"alias pci:* a\nalias pci:v1* b\nalias pci:v* a\nalias pci:v2* c\n");
	scratch_mkdir(t, "sys/module/a");
	scratch_put(t, "etc/modprobe.d/x.conf", "blacklist b\n");
	assert_int_equal(kmodule_load_alias(&k, "pci:v1", &n, &e), 0);
	assert_int_equal(n, 1);
	assert_int_equal(kmodule_load_alias(&k, "pci:v1", NULL, &e), 0);
	assert_int_equal(kmodule_load_alias(&k, "usb:v1", &n, &e), 0);
	assert_int_equal(n, 0);
	assert_int_equal(kmodule_load_alias(&k, "pci:v2", &n, &e), -1);
	assert_non_null(strstr(e.text, "module c "));
	memset(longest, 'a', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = 0;
	assert_int_equal(kmodule_load_alias(&k, longest, &n, &e), -1);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
		cmocka_unit_test(names_are_as_the_kernel_writes_them),
		cmocka_unit_test(the_last_dependency_comes_first),
		cmocka_unit_test(patterns_match_whole_texts),
		cmocka_unit_test(patterns_match_as_fnmatch_does),
		cmocka_unit_test(no_pattern_takes_long),
		cmocka_unit_test(aliases_name_modules),
		cmocka_unit_test(modprobe_d_is_read_as_modprobe_does),
		cmocka_unit_test(the_command_line_has_options_and_blacklists),
		TEST(a_file_of_etc_hides_one_of_lib),
		TEST(what_is_there_is_seen),
		TEST(what_is_there_needs_no_file),
		TEST(nothing_is_loaded_from_another_machines_tree),
		TEST(an_alias_loads_what_is_not_blacklisted),
	};

	return cmocka_run_group_tests_name("kmodule", tests, NULL, NULL);
}
