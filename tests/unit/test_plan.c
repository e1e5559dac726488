// SPDX-License-Identifier: GPL-2.0-or-later
// Verdicts and plans, from states made by hand: no files, no kernel.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "pci/plan.h"

#include <stdio.h>
#include <unistd.h>

enum { MAX = 16 };

/* A state under construction. */
struct world {
	struct root root;
	struct pci_node node;
	struct pci_dev dev[MAX];
	const struct pci_dev *by_group[MAX];
	struct host_use use[MAX];
	struct wish wish[MAX];
	struct kept kept[MAX];
	char names[MAX][64];
	size_t n_names;
	struct pci_state s;
};

static struct pci_addr addr(const char *text)
{
	struct pci_addr a;

	assert_true(pci_addr_parse(str_of(text), &a));
	return a;
}

static const char *object_name(struct world *w, const char *address)
{
	char *out = w->names[w->n_names++];
	CLEANUP_ARENA struct arena mem = {0};

	snprintf(out, sizeof(w->names[0]), "%s", pci_object_name(&mem, "n", addr(address)));
	return out;
}

/* Functions are added in order of address and group. */
static struct pci_dev *has(
	struct world *w, const char *address, uint32_t class, int group, const char *driver)
{
	struct pci_dev *d = &w->dev[w->s.inv.n];

	*d = (struct pci_dev){.addr = addr(address),
		.vendor = 0x8086,
		.device = 0x1234,
		.class = class,
		.group = group,
		.numa = PCI_NO_NODE,
		.driver = driver};
	snprintf(d->name, sizeof(d->name), "%s", address);
	w->by_group[w->s.inv.n] = d;
	w->s.inv.n++;
	return d;
}

static void uses(struct world *w, const char *address, enum host_reason r, const char *chain)
{
	w->use[w->s.uses.n++] = (struct host_use){addr(address), r, chain};
}

static struct wish *wants(struct world *w, const char *address)
{
	struct wish *wish = &w->wish[w->s.wishes++];

	*wish = (struct wish){.name = object_name(w, address),
		.addr = addr(address),
		.addr_ok = true,
		.address = address,
		.user = "u",
		.uid = "1"};
	return wish;
}

static struct kept *keeps(struct world *w, const char *address, const char *driver)
{
	struct kept *k = &w->kept[w->s.kepts++];

	*k = (struct kept){.name = object_name(w, address),
		.readable = true,
		.addr = addr(address),
		.claim_addr = addr(address),
		.id = {0x8086, 0x1234, 0, 0, 0, "", "", "", ""},
		.driver = driver,
		.override = "",
		.resource = "",
		.group = "",
		.verified = true};
	return k;
}

static int setup(void **state)
{
	struct world *w = mem_alloc(sizeof(*w));
	struct err e;

	if (root_init(&w->root, "/proc/self/fdinfo", &e) < 0) /* has no sys/ */
		return -1;
	w->node = (struct pci_node){.root = &w->root, .name = "n"};
	w->s = (struct pci_state){.node = &w->node,
		.inv.dev = w->dev,
		.by_group = w->by_group,
		.uses.use = w->use,
		.wish = w->wish,
		.kept = w->kept,
		.settled = true,
		.sentinel = STORE_OURS};
	*state = w;
	return 0;
}

static int teardown(void **state)
{
	struct world *w = *state;

	root_close(&w->root);
	arena_free(&w->s.mem);
	free(w);
	return 0;
}

static enum reason verdict_of(struct world *w, const char *address, const char **message)
{
	static char text[512];
	struct plan p;
	const struct verdict *v;
	enum reason r;

	plan_make(&p, &w->s, NULL);
	v = plan_verdict(&p, addr(address));
	assert_non_null(v);
	r = v->reason;
	assert_int_equal(v->accepted, r == REASON_ACCEPTED);
	snprintf(text, sizeof(text), "%s", v->message);
	if (message)
		*message = text;
	plan_free(&p);
	return r;
}

static enum action action_of(const struct plan *p, const char *address)
{
	const struct member *m = plan_member(p, addr(address));

	assert_non_null(m);
	return m->action;
}

static void test_group_is_one_transaction(void **state)
{
	struct world *w = *state;
	struct plan p;

	has(w, "0000:03:00.0", 0x060400, 7, "");
	has(w, "0000:04:01.0", 0x020000, 7, "e1000");
	has(w, "0000:04:02.0", 0x020000, 7, "virtio-pci");
	has(w, "0000:04:03.0", 0x00ff00, 7, "");
	has(w, "0000:05:00.0", 0x030000, 8, "");
	wants(w, "0000:04:01.0");
	plan_make(&p, &w->s, NULL);
	assert_int_equal(p.units, 1);
	assert_int_equal(p.unit[0].n, 3);
	assert_int_equal(action_of(&p, "0000:04:02.0"), ACTION_BIND);
	assert_false(plan_member(&p, addr("0000:04:01.0"))->derived);
	assert_true(plan_member(&p, addr("0000:04:03.0"))->derived);
	assert_null(plan_member(&p, addr("0000:03:00.0")));
	assert_null(plan_member(&p, addr("0000:05:00.0")));
	plan_free(&p);
}

static void test_host_use_of_a_peer_refuses(void **state)
{
	struct world *w = *state;
	const char *message;

	has(w, "0000:01:00.0", 0x030000, 2, "nouveau");
	has(w, "0000:02:00.0", 0x010802, 2, "nvme");
	uses(w, "0000:02:00.0", HOST_ROOT_DISK, "0000:02:00.0 → nvme0n1 → /");
	wants(w, "0000:01:00.0");
	assert_int_equal(verdict_of(w, "0000:01:00.0", &message), REASON_ROOT_DISK);
	assert_non_null(strstr(message, "0000:02:00.0 → nvme0n1 → /"));
	assert_non_null(strstr(message, "IOMMU group 2"));
}

static void test_override_is_exact(void **state)
{
	struct world *w = *state;
	struct wish *wish;

	has(w, "0000:02:00.0", 0x010802, 2, "nvme");
	uses(w, "0000:02:00.0", HOST_MOUNTED, "chain");
	wish = wants(w, "0000:02:00.0");
	assert_int_equal(verdict_of(w, "0000:02:00.0", NULL), REASON_MOUNTED);
	wish->overrides = (uint64_t)1 << REASON_SWAP;
	assert_int_equal(verdict_of(w, "0000:02:00.0", NULL), REASON_MOUNTED);
	wish->overrides = (uint64_t)1 << REASON_MOUNTED;
	assert_int_equal(verdict_of(w, "0000:02:00.0", NULL), REASON_ACCEPTED);
	uses(w, "0000:02:00.0", HOST_SWAP, "chain");
	assert_int_equal(verdict_of(w, "0000:02:00.0", NULL), REASON_SWAP);
	wish->overrides |= (uint64_t)1 << REASON_SWAP;
	assert_int_equal(verdict_of(w, "0000:02:00.0", NULL), REASON_ACCEPTED);
}

static void test_final_reasons_cannot_be_overridden(void **state)
{
	struct world *w = *state;
	struct wish *wish;

	has(w, "0000:02:00.0", 0x010802, 2, "nvme");
	uses(w, "0000:02:00.0", HOST_ROOT_DISK, "chain");
	wish = wants(w, "0000:02:00.0");
	wish->overrides = (uint64_t)1 << REASON_ROOT_DISK;
	assert_int_equal(verdict_of(w, "0000:02:00.0", NULL), REASON_ROOT_DISK);
	w->use[0].reason = HOST_DEFAULT_ROUTE;
	wish->overrides = (uint64_t)1 << REASON_DEFAULT_ROUTE;
	assert_int_equal(verdict_of(w, "0000:02:00.0", NULL), REASON_DEFAULT_ROUTE);
}

static void test_preconditions(void **state)
{
	struct world *w = *state;

	has(w, "0000:00:01.0", 0x060400, 1, "pcieport");
	has(w, "0000:00:02.0", 0x020000, PCI_NO_GROUP, "igb");
	has(w, "0000:00:03.0", 0x020000, 3, "igb")->vfs = 2;
	has(w, "0000:00:04.0", 0x020000, 4, "vfio-pci");
	has(w, "0000:00:05.0", 0x020000, 5, "igb_uio");
	has(w, "0000:00:06.0", 0x068000, 6, "");
	wants(w, "0000:00:01.0");
	wants(w, "0000:00:02.0");
	wants(w, "0000:00:03.0");
	wants(w, "0000:00:04.0");
	wants(w, "0000:00:05.0");
	wants(w, "0000:00:06.0");
	wants(w, "0000:00:07.0");
	assert_int_equal(verdict_of(w, "0000:00:01.0", NULL), REASON_BRIDGE);
	assert_int_equal(verdict_of(w, "0000:00:02.0", NULL), REASON_NO_IOMMU_GROUP);
	assert_int_equal(verdict_of(w, "0000:00:03.0", NULL), REASON_PF_HAS_VFS);
	assert_int_equal(verdict_of(w, "0000:00:04.0", NULL), REASON_BOUND_BY_ANOTHER);
	assert_int_equal(verdict_of(w, "0000:00:05.0", NULL), REASON_BOUND_BY_ANOTHER);
	assert_int_equal(verdict_of(w, "0000:00:06.0", NULL), REASON_BRIDGE_FUNCTION);
	assert_int_equal(verdict_of(w, "0000:00:07.0", NULL), REASON_NOT_FOUND);
	w->wish[5].overrides = (uint64_t)1 << REASON_BRIDGE_FUNCTION;
	assert_int_equal(verdict_of(w, "0000:00:06.0", NULL), REASON_ACCEPTED);
}

static void test_bridge_function_of_a_group(void **state)
{
	struct world *w = *state;
	struct plan p;

	has(w, "0000:00:1f.0", 0x060100, 9, "lpc_ich");
	has(w, "0000:00:1f.3", 0x040300, 9, "snd_hda_intel");
	wants(w, "0000:00:1f.3");
	assert_int_equal(verdict_of(w, "0000:00:1f.3", NULL), REASON_GROUP_HOST_DRIVER);
	w->dev[0].driver = "";
	assert_int_equal(verdict_of(w, "0000:00:1f.3", NULL), REASON_ACCEPTED);
	plan_make(&p, &w->s, NULL);
	assert_null(plan_member(&p, addr("0000:00:1f.0")));
	plan_free(&p);
}

static void test_adoption(void **state)
{
	struct world *w = *state;
	struct plan p;
	struct wish *wish;

	has(w, "0000:00:04.0", 0x020000, 4, "vfio-pci");
	wish = wants(w, "0000:00:04.0");
	wish->passthrough = true;
	assert_int_equal(verdict_of(w, "0000:00:04.0", NULL), REASON_BOUND_BY_ANOTHER);
	wish->driver_to_unbind = "igb";
	wish->passthrough = false;
	assert_int_equal(verdict_of(w, "0000:00:04.0", NULL), REASON_BOUND_BY_ANOTHER);
	wish->passthrough = true;
	plan_make(&p, &w->s, NULL);
	assert_int_equal(action_of(&p, "0000:00:04.0"), ACTION_ADOPT);
	plan_free(&p);
}

static void test_release_only_what_is_ours(void **state)
{
	struct world *w = *state;
	struct plan p;

	has(w, "0000:00:04.0", 0x020000, 4, "vfio-pci");
	has(w, "0000:00:05.0", 0x020000, 5, "vfio-pci");
	keeps(w, "0000:00:04.0", "igb");
	plan_make(&p, &w->s, NULL);
	assert_int_equal(action_of(&p, "0000:00:04.0"), ACTION_RELEASE);
	assert_null(plan_member(&p, addr("0000:00:05.0")));
	plan_free(&p);
}

static void test_no_release_from_half_a_view(void **state)
{
	struct world *w = *state;
	static const enum store_sentinel doubt[] = {STORE_NEW, STORE_MISSING, STORE_FOREIGN};
	struct plan p;

	has(w, "0000:00:04.0", 0x020000, 4, "vfio-pci");
	keeps(w, "0000:00:04.0", "igb");
	for (size_t i = 0; i < ARRAY_LEN(doubt); i++) {
		w->s.sentinel = doubt[i];
		plan_make(&p, &w->s, NULL);
		assert_int_equal(p.units, 0);
		assert_true(p.releases_held);
		plan_free(&p);
	}
}

static void test_group_stays_while_a_claim_is_left(void **state)
{
	struct world *w = *state;
	struct plan p;

	has(w, "0000:05:00.0", 0x030000, 5, "vfio-pci");
	has(w, "0000:05:00.1", 0x040300, 5, "vfio-pci");
	keeps(w, "0000:05:00.0", "nvidia");
	keeps(w, "0000:05:00.1", "snd_hda_intel");
	wants(w, "0000:05:00.1");
	plan_make(&p, &w->s, NULL);
	assert_int_equal(p.units, 1);
	assert_int_equal(action_of(&p, "0000:05:00.0"), ACTION_STAY);
	assert_true(plan_member(&p, addr("0000:05:00.0"))->derived);
	plan_free(&p);
	w->s.wishes = 0;
	plan_make(&p, &w->s, NULL);
	assert_int_equal(p.units, 1);
	assert_true(p.unit[0].release);
	assert_int_equal(p.unit[0].n, 2);
	plan_free(&p);
}

static void test_a_refused_claim_is_not_released(void **state)
{
	struct world *w = *state;
	struct plan p;

	has(w, "0000:05:00.0", 0x030000, 5, "vfio-pci");
	has(w, "0000:05:00.1", 0x040300, 5, "snd_hda_intel");
	keeps(w, "0000:05:00.0", "nvidia");
	uses(w, "0000:05:00.1", HOST_CONSOLE, "chain");
	wants(w, "0000:05:00.0");
	plan_make(&p, &w->s, NULL);
	assert_false(p.verdict[0].accepted);
	assert_int_equal(p.units, 0);
	plan_free(&p);
}

static void test_another_device_at_the_address(void **state)
{
	struct world *w = *state;
	struct plan p;

	has(w, "0000:05:00.0", 0x030000, 5, "nvme")->device = 0x9999;
	keeps(w, "0000:05:00.0", "nvidia");
	wants(w, "0000:05:00.0");
	assert_int_equal(verdict_of(w, "0000:05:00.0", NULL), REASON_IDENTITY_MISMATCH);
	w->s.wishes = 0;
	plan_make(&p, &w->s, NULL);
	assert_int_equal(action_of(&p, "0000:05:00.0"), ACTION_FORGET);
	plan_free(&p);
}

static void test_unreadable_record(void **state)
{
	struct world *w = *state;
	struct plan p;

	has(w, "0000:05:00.0", 0x030000, 5, "vfio-pci");
	keeps(w, "0000:05:00.0", "nvidia")->readable = false;
	wants(w, "0000:05:00.0");
	assert_int_equal(verdict_of(w, "0000:05:00.0", NULL), REASON_KEPT_UNREADABLE);
	w->s.wishes = 0;
	plan_make(&p, &w->s, NULL);
	assert_int_equal(p.units, 0);
	plan_free(&p);
}

static void test_skipped(void **state)
{
	struct world *w = *state;
	struct plan p;

	has(w, "0000:05:00.4", 0x030200, 5, "nvidia");
	wants(w, "0000:05:00.4")->skip_binding = true;
	plan_make(&p, &w->s, NULL);
	assert_true(p.verdict[0].accepted);
	assert_int_equal(p.units, 0);
	plan_free(&p);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_group_is_one_transaction),
		TEST(test_host_use_of_a_peer_refuses),
		TEST(test_override_is_exact),
		TEST(test_final_reasons_cannot_be_overridden),
		TEST(test_preconditions),
		TEST(test_bridge_function_of_a_group),
		TEST(test_adoption),
		TEST(test_release_only_what_is_ours),
		TEST(test_no_release_from_half_a_view),
		TEST(test_group_stays_while_a_claim_is_left),
		TEST(test_a_refused_claim_is_not_released),
		TEST(test_another_device_at_the_address),
		TEST(test_unreadable_record),
		TEST(test_skipped),
	};

	return cmocka_run_group_tests_name("plan", tests, NULL, NULL);
}
