// SPDX-License-Identifier: GPL-2.0-or-later
// The table of names: made from text, asked, damaged, loaded from a file.
#include "ids/ids.h"
#include "ids/ids_text.h"
#include "scratch.h"

static const char pci_text[] = "# names\n"
			       "8086  Intel Corporation\n"
			       "\t10ca  82576 Virtual Function\n"
			       "\t\t8086 a03c  not a device\n"
			       "\t1521  I350 Gigabit Network Connection\n"
			       "1022  Soci\303\251t\303\251 Virtual Function Corporation\n"
			       "C 02  Network controller\n"
			       "\t00  Ethernet controller\n"
			       "\t\t01  not a subclass\n";
static const char usb_text[] = "0951  Kingston\n"
			       "\t1666  Virtual Function\n"
			       "C 09  Hub\n"
			       "\t00  Unused\n"
			       "HUT 01  Generic Desktop\n"
			       "\t000  Undefined\n";
/* Sorted, as the table wants them. */
static const struct str words[] = {STR(" Corporation"), STR(" Function"), STR(" Virtual")};

static void make(struct ids *ids, struct buf *table, size_t n_words)
{
	struct ids_text names = {0};
	struct err e;

	assert_int_equal(ids_text_add(&names, pci_text, sizeof(pci_text) - 1, false, &e), 0);
	assert_int_equal(ids_text_add(&names, usb_text, sizeof(usb_text) - 1, true, &e), 0);
	assert_int_equal(ids_text_table(&names, words, n_words, table, &e), 0);
	ids_text_free(&names);
	*ids = (struct ids){.table = (unsigned char *)table->p, .size = table->len};
}

static void assert_name(struct str name, const char *want)
{
	CLEANUP_FREE char *z = mem_dup(name.n ? name.p : "", name.n);

	if (!want)
		assert_null(name.p);
	else
		assert_string_equal(z, want);
}

static void assert_knows_all(const struct ids *ids)
{
	struct ids_name room;

	assert_name(ids_pci_vendor(ids, 0x8086, &room), "Intel Corporation");
	assert_name(ids_pci_vendor(ids, 0x1022, &room),
		"Soci\303\251t\303\251 Virtual Function Corporation");
	assert_name(ids_pci_device(ids, 0x8086, 0x10ca, &room), "82576 Virtual Function");
	assert_name(ids_pci_device(ids, 0x8086, 0x1521, &room), "I350 Gigabit Network Connection");
	assert_name(ids_pci_class(ids, 2, &room), "Network controller");
	assert_name(ids_pci_subclass(ids, 2, 0, &room), "Ethernet controller");
	assert_name(ids_usb_vendor(ids, 0x0951, &room), "Kingston");
	assert_name(ids_usb_product(ids, 0x0951, 0x1666, &room), "Virtual Function");
	assert_name(ids_usb_class(ids, 9, &room), "Hub");
}

static void names_are_found(void **state)
{
	CLEANUP_BUF struct buf plain = {0}, coded = {0};
	struct ids ids;

	(void)state;
	make(&ids, &plain, 0);
	assert_knows_all(&ids);
	make(&ids, &coded, ARRAY_LEN(words));
	assert_knows_all(&ids);
}

static void what_is_not_there_is_not_known(void **state)
{
	CLEANUP_BUF struct buf table = {0};
	struct ids_name room;
	struct ids ids;

	(void)state;
	make(&ids, &table, 0);
	assert_name(ids_pci_vendor(&ids, 0, &room), NULL);
	assert_name(ids_pci_vendor(&ids, 0xffff, &room), NULL);
	assert_name(ids_pci_vendor(&ids, 0x0951, &room), NULL);
	assert_name(ids_pci_device(&ids, 0x8086, 0xa03c, &room), NULL);
	assert_name(ids_pci_device(&ids, 0x1022, 0x10ca, &room), NULL);
	assert_name(ids_pci_device(&ids, 0x0951, 0x1666, &room), NULL);
	assert_name(ids_pci_class(&ids, 9, &room), NULL);
	assert_name(ids_pci_subclass(&ids, 2, 1, &room), NULL);
	assert_name(ids_usb_vendor(&ids, 0x8086, &room), NULL);
	assert_name(ids_usb_product(&ids, 0x0951, 0, &room), NULL);
	assert_name(ids_usb_class(&ids, 1, &room), NULL);
}

static void all_devices_are_walked_in_order(void **state)
{
	CLEANUP_BUF struct buf table = {0};
	uint16_t vendor, id;
	struct ids ids;

	(void)state;
	make(&ids, &table, 0);
	assert_true(ids_pci_device_at(&ids, 0, &vendor, &id));
	assert_int_equal(vendor, 0x8086);
	assert_int_equal(id, 0x10ca);
	assert_true(ids_pci_device_at(&ids, 1, &vendor, &id));
	assert_int_equal(vendor, 0x8086);
	assert_int_equal(id, 0x1521);
	assert_false(ids_pci_device_at(&ids, 2, &vendor, &id));
	assert_true(ids_usb_product_at(&ids, 0, &vendor, &id));
	assert_int_equal(vendor, 0x0951);
	assert_int_equal(id, 0x1666);
	assert_false(ids_usb_product_at(&ids, 1, &vendor, &id));
}

static void ask_everything(const struct ids *ids)
{
	struct ids_name room;
	uint16_t vendor, id;

	for (size_t i = 0; i < 8 && ids_pci_device_at(ids, i, &vendor, &id); i++)
		ids_pci_device(ids, vendor, id, &room);
	for (size_t i = 0; i < 8 && ids_usb_product_at(ids, i, &vendor, &id); i++)
		ids_usb_product(ids, vendor, id, &room);
	ids_pci_vendor(ids, 0x8086, &room);
	ids_pci_vendor(ids, 0x1022, &room);
	ids_pci_device(ids, 0x8086, 0x1521, &room);
	ids_pci_subclass(ids, 2, 0, &room);
	ids_usb_product(ids, 0x0951, 0x1666, &room);
	ids_usb_class(ids, 9, &room);
}

/* A copy in memory of exactly its size: a byte read behind it is seen by the sanitizer. */
static void ask_copy(const unsigned char *table, size_t n, size_t at, unsigned char byte)
{
	CLEANUP_FREE unsigned char *copy = n ? mem_alloc(n) : NULL;

	if (n)
		memcpy(copy, table, n);
	if (at < n)
		copy[at] = byte;
	ask_everything(&(struct ids){.table = copy, .size = n});
}

static void a_damaged_table_does_no_harm(void **state)
{
	static const unsigned char bytes[] = {0, 1, 0x7f, 0x80, 0xff};
	CLEANUP_BUF struct buf table = {0};
	struct ids ids;

	(void)state;
	make(&ids, &table, ARRAY_LEN(words));
	for (size_t n = 0; n < ids.size; n++)
		ask_copy(ids.table, n, n, 0);
	for (size_t at = 0; at < ids.size; at++)
		for (size_t i = 0; i < ARRAY_LEN(bytes); i++)
			ask_copy(ids.table, ids.size, at, bytes[i]);
}

static void the_same_names_are_the_same_bytes(void **state)
{
	static const char other_order[] = "0002  B\n\t0002  d\n\t0001  c\n0001  A\n0002  B\n";
	static const char order[] = "0001  A\n0002  B\n\t0001  c\n\t0002  d\n";
	CLEANUP_BUF struct buf a = {0}, b = {0};
	struct ids_text x = {0}, y = {0};
	struct err e;

	(void)state;
	assert_int_equal(ids_text_add(&x, order, sizeof(order) - 1, false, &e), 0);
	assert_int_equal(ids_text_add(&y, other_order, sizeof(other_order) - 1, false, &e), 0);
	assert_int_equal(ids_text_table(&x, NULL, 0, &a, &e), 0);
	assert_int_equal(ids_text_table(&y, NULL, 0, &b, &e), 0);
	ids_text_free(&x);
	ids_text_free(&y);
	assert_int_equal(a.len, b.len);
	assert_memory_equal(a.p, b.p, a.len);
}

static void a_text_has_bounds(void **state)
{
	CLEANUP_BUF struct buf text = {0};
	struct ids_text names = {0};
	struct err e;

	(void)state;
	buf_pad(&text, '\n', IDS_MAX_TEXT);
	assert_int_equal(ids_text_add(&names, text.p, text.len, false, &e), 0);
	assert_int_equal(ids_text_add(&names, "\n", 1, true, &e), -1);
	assert_string_equal(e.text, "over 16 MiB");
	ids_text_free(&names);
}

static void the_built_in_table_is_there(void **state)
{
	struct ids_name room;
	uint16_t vendor, id;
	struct ids ids;

	(void)state;
	ids_builtin(&ids);
	assert_name(ids_pci_vendor(&ids, 0x8086, &room), "Intel Corporation");
	assert_name(ids_pci_subclass(&ids, 6, 4, &room), "PCI bridge");
	assert_name(ids_usb_class(&ids, 9, &room), "Hub");
	assert_true(ids_pci_device_at(&ids, 10000, &vendor, &id));
	assert_true(ids_usb_product_at(&ids, 10000, &vendor, &id));
	ids_free(&ids);
}

static int load_text(struct ids *ids, const char *text, struct err *e)
{
	CLEANUP_FREE char *path = NULL;
	struct scratch t;
	int rc;

	scratch_open(&t);
	scratch_put(&t, "some.ids", text);
	path = scratch_path(&t, "some.ids");
	rc = ids_load(ids, path, e);
	scratch_close(&t);
	return rc;
}

static void a_file_is_loaded(void **state)
{
	struct ids_name room;
	struct ids ids;
	struct err e;

	(void)state;
	assert_int_equal(load_text(&ids, pci_text, &e), 0);
	assert_name(ids_pci_vendor(&ids, 0x8086, &room), "Intel Corporation");
	assert_name(ids_usb_vendor(&ids, 0x0951, &room), NULL);
	ids_free(&ids);
	assert_name(ids_pci_vendor(&ids, 0x8086, &room), NULL);
}

static void an_empty_file_is_loaded(void **state)
{
	struct ids_name room;
	uint16_t vendor, id;
	struct ids ids;
	struct err e;

	(void)state;
	assert_int_equal(load_text(&ids, "", &e), 0);
	assert_name(ids_pci_vendor(&ids, 0x8086, &room), NULL);
	assert_false(ids_pci_device_at(&ids, 0, &vendor, &id));
	ids_free(&ids);
}

static void what_cannot_be_loaded_says_why(void **state)
{
	struct ids ids;
	struct err e;

	(void)state;
	assert_int_equal(load_text(&ids, "8086  Intel\n\n\tnonsense\n", &e), -1);
	assert_non_null(strstr(e.text, "some.ids: line 3: no id"));
	assert_int_equal(ids_load(&ids, "/no/such.ids", &e), -1);
	assert_non_null(strstr(e.text, "/no/such.ids: No such file"));
	assert_int_equal(ids_load(&ids, "/", &e), -1);
	assert_non_null(strstr(e.text, "read /: Is a directory"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_are_found),
		cmocka_unit_test(what_is_not_there_is_not_known),
		cmocka_unit_test(all_devices_are_walked_in_order),
		cmocka_unit_test(a_damaged_table_does_no_harm),
		cmocka_unit_test(the_same_names_are_the_same_bytes),
		cmocka_unit_test(a_text_has_bounds),
		cmocka_unit_test(the_built_in_table_is_there),
		cmocka_unit_test(a_file_is_loaded),
		cmocka_unit_test(an_empty_file_is_loaded),
		cmocka_unit_test(what_cannot_be_loaded_says_why),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
