// SPDX-License-Identifier: GPL-2.0-or-later
// The host's console on a display function: what is found, what is written when it lets go and
// comes back. The tests play the kernel.
#include "pci/console.h"

#include "hosttree.h"
#include "traced.h"

#define BOOT "0000:00:17.0"
#define OTHER "0000:65:00.0"
#define OTHER_HOME "pci0000:64/0000:64:00.0/" OTHER

struct host {
	struct scratch t;
	struct pci_node node;
	struct pci_dev boot, other;
};

static struct pci_dev function(const char *address, uint32_t class)
{
	struct pci_dev d = {.class = class, .driver = ""};

	assert_true(pci_addr_parse(str_of(address), &d.addr));
	pci_addr_format(d.addr, d.name);
	return d;
}

static void put_vtcon(const struct scratch *t, unsigned n, const char *name, const char *bind)
{
	CLEANUP_FREE char *name_file = mem_printf("sys/devices/virtual/vtconsole/vtcon%u/name", n);
	CLEANUP_FREE char *bind_file = mem_printf("sys/devices/virtual/vtconsole/vtcon%u/bind", n);
	CLEANUP_FREE char *link = mem_printf("sys/class/vtconsole/vtcon%u", n);
	CLEANUP_FREE char *target = mem_printf("../../devices/virtual/vtconsole/vtcon%u", n);

	scratch_put(t, name_file, name);
	scratch_put(t, bind_file, bind);
	host_link(t, link, target);
}

/* A frame buffer below `home`, a path below sys/devices. */
static void put_buffer(const struct scratch *t, const char *home, const char *fb)
{
	CLEANUP_FREE char *link = mem_printf("sys/class/graphics/%s", fb);
	CLEANUP_FREE char *target = mem_printf("../../devices/%s/graphics/%s", home, fb);

	host_dir(t, "sys/devices/%s/graphics/%s", home, fb);
	host_link(t, link, target);
}

/* The firmware's, in the directory `parent` below sys/devices. */
static void put_firmware(const struct scratch *t, const char *parent, const char *driver)
{
	CLEANUP_FREE char *home = mem_printf("%s/%s.0", parent, driver);
	CLEANUP_FREE char *of_driver =
		mem_printf("sys/bus/platform/drivers/%s/%s.0", driver, driver);
	CLEANUP_FREE char *of_bus = mem_printf("sys/bus/platform/devices/%s.0", driver);
	CLEANUP_FREE char *driver_link = mem_printf("sys/devices/%s/driver", home);
	CLEANUP_FREE char *its_driver = mem_printf("../../../bus/platform/drivers/%s", driver);
	CLEANUP_FREE char *from_driver = mem_printf("../../../../devices/%s", home);
	CLEANUP_FREE char *from_bus = mem_printf("../../../devices/%s", home);
	CLEANUP_FREE char *bind = mem_printf("sys/bus/platform/drivers/%s/bind", driver);
	CLEANUP_FREE char *unbind = mem_printf("sys/bus/platform/drivers/%s/unbind", driver);
	CLEANUP_FREE char *module = mem_printf("sys/bus/platform/drivers/%s/module", driver);

	host_dir(t, "sys/devices/%s", home);
	host_link(t, of_driver, from_driver);
	host_link(t, of_bus, from_bus);
	host_link(t, driver_link, its_driver);
	host_link(t, module, "../../../../module/x");
	scratch_put(t, bind, "");
	scratch_put(t, unbind, "");
	put_buffer(t, home, "fb0");
}

/* A boot VGA without a driver under the firmware's frame buffer, and another GPU. */
static int set_up(void **state)
{
	struct host *h = mem_alloc(sizeof(*h));

	scratch_open(&h->t);
	host_function(&h->t, "pci0000:00/" BOOT, "30000", NULL);
	host_function(&h->t, OTHER_HOME, "30000", "nouveau");
	scratch_put(&h->t, "sys/devices/pci0000:00/" BOOT "/boot_vga", "1\n");
	scratch_put(&h->t, "sys/devices/" OTHER_HOME "/boot_vga", "0\n");
	put_vtcon(&h->t, 0, "(S) dummy device\n", "0\n");
	put_vtcon(&h->t, 1, "(M) frame buffer device\n", "1\n");
	h->node = (struct pci_node){.root = &h->t.root};
	h->boot = function(BOOT, 0x030000);
	h->other = function(OTHER, 0x030000);
	*state = h;
	return 0;
}

static int tear_down(void **state)
{
	struct host *h = *state;

	scratch_close(&h->t);
	free(h);
	return 0;
}

static void find(
	const struct host *h, const struct pci_dev *d, struct arena *mem, struct console_parts *p)
{
	struct err e = {0};

	if (console_find(&h->node, d, mem, p, &e) < 0)
		fail_msg("%s", e.text);
}

static void expect_parts(const struct host *h, const struct pci_dev *d, const char *wanted)
{
	CLEANUP_ARENA struct arena mem = {0};
	CLEANUP_BUF struct buf text = {0};
	struct console_parts p;

	find(h, d, &mem, &p);
	for (size_t i = 0; i < p.n; i++)
		buf_printf(&text, "%s%s", i ? " " : "", p.part[i]);
	assert_string_equal(buf_z(&text), wanted);
}

static void expect_text(const struct host *h, const char *path, const char *wanted)
{
	CLEANUP_FREE char *text = scratch_get(&h->t, path);

	assert_string_equal(text, wanted);
}

#define VTCON1_BIND "sys/class/vtconsole/vtcon1/bind"
#define SIMPLE "simple-framebuffer"
#define SIMPLE_UNBIND "sys/bus/platform/drivers/" SIMPLE "/unbind"
#define SIMPLE_BIND "sys/bus/platform/drivers/" SIMPLE "/bind"

static void the_firmwares_frame_buffer_is_of_the_boot_vga(void **state)
{
	const struct host *h = *state;

	put_firmware(&h->t, "platform", SIMPLE);
	expect_parts(h, &h->boot, "vtcon1 simple-framebuffer.0@simple-framebuffer");
	expect_parts(h, &h->other, "");
}

static void or_of_the_function_that_it_is_below(void **state)
{
	const struct host *h = *state;

	put_firmware(&h->t, OTHER_HOME, "efi-framebuffer");
	expect_parts(h, &h->other, "vtcon1 efi-framebuffer.0@efi-framebuffer");
	expect_parts(h, &h->boot, "");
}

static void a_drivers_frame_buffer_is_of_its_function(void **state)
{
	const struct host *h = *state;

	put_buffer(&h->t, OTHER_HOME, "fb0");
	put_vtcon(&h->t, 2, "(M) frame buffer device\n", "1\n");
	put_vtcon(&h->t, 3, "(M) frame buffer device\n", "0\n");
	expect_parts(h, &h->other, "vtcon1 vtcon2");
	expect_parts(h, &h->boot, ""); /* the console is on another screen */
}

static void in_doubt_it_is_on_the_boot_vga(void **state)
{
	const struct host *h = *state;

	scratch_mkdir(&h->t, "sys/class/graphics/fbcon");
	expect_parts(h, &h->boot, "vtcon1");
	expect_parts(h, &h->other, "");
}

static void only_a_display_has_it(void **state)
{
	struct host *h = *state;

	put_firmware(&h->t, "platform", "vesa-framebuffer");
	expect_parts(h, &h->boot, "vtcon1 vesa-framebuffer.0@vesa-framebuffer");
	h->boot.class = 0x040300;
	expect_parts(h, &h->boot, "");
	h->boot.class = 0x038000;
	expect_parts(h, &h->boot, "vtcon1 vesa-framebuffer.0@vesa-framebuffer");
}

static void a_host_without_consoles_has_none(void **state)
{
	const struct host *h = *state;
	CLEANUP_FREE char *class = scratch_path(&h->t, "sys/class/vtconsole");

	scratch_clear(class);
	expect_parts(h, &h->boot, "");
}

/* What the kernel does when a driver has let go. */
static void drop_link(const struct host *h, const char *path)
{
	assert_int_equal(unlinkat(h->t.root.fd, path, 0), 0);
}

static void all_lets_go_and_comes_back(void **state)
{
	const struct host *h = *state;
	CLEANUP_ARENA struct arena mem = {0};
	struct console_parts p;
	struct err e;

	put_firmware(&h->t, "platform", SIMPLE);
	find(h, &h->boot, &mem, &p);
	expect_text(h, VTCON1_BIND, "1\n"); /* finding changes nothing */
	expect_text(h, SIMPLE_UNBIND, "");
	assert_int_equal(console_let_go(&h->node, &h->boot, &p, &e), 0);
	expect_text(h, VTCON1_BIND, "0");
	expect_text(h, SIMPLE_UNBIND, SIMPLE ".0");
	drop_link(h, "sys/devices/platform/" SIMPLE ".0/driver");
	scratch_put(&h->t, SIMPLE_UNBIND, "");
	assert_int_equal(console_let_go(&h->node, &h->boot, &p, &e), 0);
	expect_text(h, SIMPLE_UNBIND, ""); /* done before */
	assert_int_equal(console_bring_back(&h->node, &h->boot, &p, &e), 0);
	expect_text(h, SIMPLE_BIND, SIMPLE ".0");
	expect_text(h, VTCON1_BIND, "1");
	expect_text(h, "sys/class/vtconsole/vtcon0/bind", "0\n");
}

static void a_frame_buffer_that_is_gone_is_no_error(void **state)
{
	const struct host *h = *state;
	CLEANUP_ARENA struct arena mem = {0};
	CLEANUP_FREE char *class = scratch_path(&h->t, "sys/class/vtconsole");
	struct console_parts p;
	struct err e;

	put_firmware(&h->t, "platform", SIMPLE);
	find(h, &h->boot, &mem, &p);
	drop_link(h, "sys/bus/platform/devices/" SIMPLE ".0");
	scratch_clear(class);
	assert_int_equal(console_let_go(&h->node, &h->boot, &p, &e), 0);
	expect_text(h, SIMPLE_UNBIND, "");
	assert_int_equal(console_bring_back(&h->node, &h->boot, &p, &e), 0);
	expect_text(h, SIMPLE_BIND, "");
}

static void it_stays_off_where_a_driver_has_the_screen(void **state)
{
	const struct host *h = *state;
	CLEANUP_ARENA struct arena mem = {0};
	struct console_parts p;
	struct err e;

	put_firmware(&h->t, "platform", SIMPLE);
	find(h, &h->boot, &mem, &p);
	assert_int_equal(console_let_go(&h->node, &h->boot, &p, &e), 0);
	drop_link(h, "sys/devices/platform/" SIMPLE ".0/driver");
	scratch_mkdir(&h->t, "sys/devices/pci0000:00/" BOOT "/drm/card0");
	assert_int_equal(console_bring_back(&h->node, &h->boot, &p, &e), 0);
	expect_text(h, SIMPLE_BIND, "");
	expect_text(h, VTCON1_BIND, "1");
}

static void a_failure_leaves_the_console_where_it_was(void **state)
{
	const struct host *h = *state;
	CLEANUP_ARENA struct arena mem = {0};
	struct console_parts p;
	struct err e = {0};

	put_firmware(&h->t, "platform", SIMPLE);
	find(h, &h->boot, &mem, &p);
	drop_link(h, SIMPLE_UNBIND);
	assert_int_equal(console_let_go(&h->node, &h->boot, &p, &e), -1);
	assert_non_null(strstr(e.text, SIMPLE));
	expect_text(h, VTCON1_BIND, "1");
}

static void coming_back_goes_on_after_a_failure(void **state)
{
	const struct host *h = *state;
	CLEANUP_ARENA struct arena mem = {0};
	struct console_parts p;
	struct err e = {0};

	put_firmware(&h->t, "platform", SIMPLE);
	find(h, &h->boot, &mem, &p);
	assert_int_equal(console_let_go(&h->node, &h->boot, &p, &e), 0);
	drop_link(h, "sys/devices/platform/" SIMPLE ".0/driver");
	drop_link(h, SIMPLE_BIND);
	assert_int_equal(console_bring_back(&h->node, &h->boot, &p, &e), -1);
	expect_text(h, VTCON1_BIND, "1");
}

#if defined(__x86_64__)
/* 0: it failed, and said why. */
static int lets_go_in_vain(void *ctx)
{
	const struct host *h = ctx;
	const struct console_parts p = {{"vtcon1"}, 1};
	struct err e = {0};

	if (console_let_go(&h->node, &h->boot, &p, &e) == 0)
		return 1;
	return strstr(e.text, "did not let go") ? 0 : 2;
}

/* drivers/tty/vt/vt.c, store_bind(): every write is a success. */
static void what_the_kernel_says_is_not_enough(void **state)
{
	int status;
	pid_t pid;

	skip_without_ptrace();
	pid = traced_start(lets_go_in_vain, *state);
	while (traced_next(pid, &status)) {
		if (traced_call(pid) == SYS_write)
			traced_return(pid, 1);
		else if (!traced_next(pid, &status))
			break;
	}
	assert_int_equal(status, 0);
}
#else
static void what_the_kernel_says_is_not_enough(void **state)
{
	(void)state;
	skip();
}
#endif

static void parts_are_kept_as_json(void **state)
{
	static const char text[] = "[\"vtcon1\",\"efi-framebuffer.0@efi-framebuffer\"]";
	const struct console_parts p = {{"vtcon1", "efi-framebuffer.0@efi-framebuffer"}, 2};
	CLEANUP_ARENA struct arena mem = {0};
	CLEANUP_BUF struct buf out = {0};
	struct console_parts back;

	(void)state;
	json_write(&out, console_to_json(&p, &mem), JSON_MINIMAL);
	assert_string_equal(buf_z(&out), text);
	assert_true(console_from_json(&back, console_to_json(&p, &mem)));
	assert_int_equal(back.n, 2);
	assert_string_equal(back.part[1], p.part[1]);
	assert_true(console_from_json(&back, NULL));
	assert_int_equal(back.n, 0);
}

static void a_record_that_is_not_of_ours_is_refused(void **state)
{
	static const char long_name[] =
		"[\"0123456789012345678901234567890123456789012345678901234567890123@"
		"simple-framebuffer\"]";
	static const char *const bad[] = {"{}", "\"vtcon1\"", "[1]", "[\"\"]", "[\"vtcon\"]",
		"[\"vtcon1/../x\"]", "[\"../vtcon1\"]", "[\"vtcon1\",\"x@pci\"]",
		"[\"../x@simple-framebuffer\"]", "[\".@simple-framebuffer\"]",
		"[\"@simple-framebuffer\"]", "[\"x@simple-framebuffer/..\"]", long_name};
	CLEANUP_ARENA struct arena mem = {0};
	const struct host *h = *state;
	struct console_parts p = {{"../../x"}, 1};
	struct err e;

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct json *v = json_parse(&mem, bad[i], strlen(bad[i]), &e);

		assert_non_null(v);
		if (console_from_json(&p, v) || p.n)
			fail_msg("%s was taken", bad[i]);
	}
	p = (struct console_parts){{"../../x"}, 1};
	assert_int_equal(console_let_go(&h->node, &h->boot, &p, &e), -1);
	assert_int_equal(console_bring_back(&h->node, &h->boot, &p, &e), -1);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
		TEST(the_firmwares_frame_buffer_is_of_the_boot_vga),
		TEST(or_of_the_function_that_it_is_below),
		TEST(a_drivers_frame_buffer_is_of_its_function),
		TEST(in_doubt_it_is_on_the_boot_vga),
		TEST(only_a_display_has_it),
		TEST(a_host_without_consoles_has_none),
		TEST(all_lets_go_and_comes_back),
		TEST(a_frame_buffer_that_is_gone_is_no_error),
		TEST(it_stays_off_where_a_driver_has_the_screen),
		TEST(a_failure_leaves_the_console_where_it_was),
		TEST(coming_back_goes_on_after_a_failure),
		TEST(what_the_kernel_says_is_not_enough),
		TEST(parts_are_kept_as_json),
		TEST(a_record_that_is_not_of_ours_is_refused),
	};

	return cmocka_run_group_tests_name("console", tests, NULL, NULL);
}
