// SPDX-License-Identifier: GPL-2.0-or-later
// NICs with SR-IOV: which they are, what is wanted of them, what forbids it, what is observed.
#include "nictree.h"

#include "pci/object.h"

static int setup(void **state)
{
	struct nics *n = mem_alloc(sizeof(*n));

	nics_open(n);
	*state = n;
	return 0;
}

static int teardown(void **state)
{
	nics_close(*state);
	free(*state);
	return 0;
}

static const struct pci_state *read_state(struct nics *n)
{
	struct err e = {0};

	if (pci_state_read(&n->s, &n->node, &e) < 0)
		fail_msg("%s", e.text);
	return &n->s;
}

/* "Reason: message" of the only wish, "done" or "ok" when it is accepted; freed by the caller. */
static char *verdict(struct nics *n)
{
	CLEANUP_ARENA struct arena mem = {0};
	const struct pci_state *s = read_state(n);
	const struct nic_step *t;
	size_t count;
	char *out;

	t = sriov_steps(s, &mem, &count);
	assert_int_equal(count, 1);
	if (t->accepted)
		out = mem_printf("%s", t->done ? "done" : "ok");
	else
		out = mem_printf("%s: %s", reason_name(t->reason), t->message);
	assert_true(t->accepted || t->hint[0]);
	pci_state_free(&n->s);
	return out;
}

static void expect(struct nics *n, const char *text)
{
	CLEANUP_FREE char *said = verdict(n);

	assert_string_equal(said, text);
}

static void expect_start(struct nics *n, const char *text)
{
	CLEANUP_FREE char *said = verdict(n);

	if (strncmp(said, text, strlen(text)) != 0)
		fail_msg("'%s' does not start '%s'", said, text);
}

/* PFs. */

static void a_pf_is_read(void **state)
{
	struct nics *n = *state;
	const struct pci_state *s;

	nics_set_vfs(n, 2, "igbvf");
	s = read_state(n);
	assert_int_equal(s->sriov.pfs, 1);
	assert_string_equal(s->sriov.pf->interface, "enp1s0");
	assert_string_equal(s->sriov.pf->name, NIC_WISH);
	assert_int_equal(s->sriov.pf->total, 7);
	assert_int_equal(s->sriov.pf->vfs, 2);
	assert_null(s->sriov.pf->wish);
	pci_state_free(&n->s);
}

static void no_pf_without_totalvfs_or_of_another_class(void **state)
{
	struct nics *n = *state;

	host_nic(&n->t, 2, "enp2s0");
	host_nic(&n->t, 3, "enp3s0");
	nics_put(n, "0\n", "sys/devices/" NIC_BRIDGE "0000:03:00.0/sriov_totalvfs");
	host_function(&n->t, NIC_BRIDGE "0000:04:00.0", "10802", "nvme");
	nics_put(n, "8\n", "sys/devices/" NIC_BRIDGE "0000:04:00.0/sriov_totalvfs");
	assert_int_equal(read_state(n)->sriov.pfs, 1);
	pci_state_free(&n->s);
}

static void the_name_is_lower_case(void **state)
{
	struct nics *n = *state;
	CLEANUP_ARENA struct arena mem = {0};

	(void)n;
	assert_string_equal(nic_object_name(&mem, "n", "ENP94S0F0"), "n-enp94s0f0");
	assert_string_equal(nic_object_name(&mem, "n", "eth0.5_a"), "n-eth0.5-a");
	assert_string_equal(nic_object_name(&mem, "n", "p\xc3\xa9"), "n-p--");
}

static void of_several_interfaces_it_is_the_pfs_own(void **state)
{
	struct nics *n = *state;
	char out[NIC_NAME_CAP];

	scratch_put(&n->t, "sys/class/net/enp1s0/phys_port_name", "p0\n");
	nics_put(n, "pf0vf0\n", "sys/devices/" NIC_BRIDGE NIC_PF "/net/aaa/phys_port_name");
	nics_put(n, "1\n", "sys/devices/" NIC_BRIDGE NIC_PF "/net/aaa/ifindex");
	nics_put(n, "9\n", "sys/devices/" NIC_BRIDGE NIC_PF "/net/zzz/ifindex");
	nic_interface(&n->t.root, NIC_PF, out);
	assert_string_equal(out, "enp1s0");
}

/* Wishes. */

static unsigned wanted(struct nics *n)
{
	const struct pci_state *s = read_state(n);
	unsigned count = s->sriov.wishes == 1 ? s->sriov.wish->count : 99;

	pci_state_free(&n->s);
	return count;
}

static void the_clusters_wish_wins(void **state)
{
	struct nics *n = *state;

	nics_want(n, 2);
	assert_int_equal(wanted(n), 2);
	nics_wish(n, "cluster", NIC_WISH, "", "\"numVFs\": 5");
	assert_int_equal(wanted(n), 5);
}

static void a_wish_on_its_way_out_is_none_and_hides_the_local_one(void **state)
{
	struct nics *n = *state;

	nics_want(n, 2);
	nics_wish(n, "cluster", NIC_WISH, ", \"deletionTimestamp\": \"2026-01-01T00:00:00Z\"",
		"\"numVFs\": 5");
	assert_int_equal(read_state(n)->sriov.wishes, 0);
	pci_state_free(&n->s);
}

static void a_wish_of_another_node_is_none(void **state)
{
	struct nics *n = *state;

	nics_put(n, "{\"spec\": {\"nodeName\": \"m\", \"numVFs\": 1}}",
		"var/lib/vfiobox/desired/cluster/sriovnetworkdevices/m-enp1s0.json");
	assert_int_equal(read_state(n)->sriov.wishes, 0);
	pci_state_free(&n->s);
}

static void an_unreadable_wish_is_an_error(void **state)
{
	struct nics *n = *state;
	struct err e;

	nics_put(n, "{\"spec\": {",
		"var/lib/vfiobox/desired/cluster/sriovnetworkdevices/n-enp1s0.json");
	assert_int_equal(pci_state_read(&n->s, &n->node, &e), -1);
}

static void a_pf_without_interface_keeps_the_name_of_its_wish(void **state)
{
	struct nics *n = *state;
	CLEANUP_FREE char *net = mem_printf("%s/sys/devices/" NIC_BRIDGE NIC_PF "/net", n->t.dir);
	const struct pci_state *s;

	nics_want(n, 2);
	scratch_clear(net);
	nics_bind(n, NIC_PF, "");
	s = read_state(n);
	assert_int_equal(s->sriov.pfs, 1);
	assert_string_equal(s->sriov.pf->interface, "");
	assert_string_equal(s->sriov.pf->name, NIC_WISH);
	assert_ptr_equal(s->sriov.pf->wish, s->sriov.wish);
	pci_state_free(&n->s);
	expect_start(n, "NoDriver: 0000:01:00.0 has no driver");
}

/* Verdicts. */

static void a_number_that_can_be_had_is_accepted(void **state)
{
	struct nics *n = *state;

	nics_want(n, 7);
	expect(n, "ok");
	nics_set_vfs(n, 7, "igbvf");
	expect(n, "done");
	nics_want(n, 0);
	expect(n, "ok");
}

static void too_many_names_both_numbers(void **state)
{
	struct nics *n = *state;

	nics_want(n, 8);
	expect(n, "TooManyVFs: 8 VFs are wanted, and it can have 7");
}

static void a_wish_without_a_number_changes_nothing(void **state)
{
	struct nics *n = *state;

	nics_set_vfs(n, 2, "igbvf");
	for (size_t i = 0; i < 3; i++) {
		static const char *const specs[] = {
			"\"numVFs\": -1", "\"numVFs\": \"0\"", "\"address\": \"" NIC_PF "\""};

		nics_wish(n, "local", NIC_WISH, "", specs[i]);
		expect_start(n, "InvalidNumVFs: ");
	}
}

static void a_nic_that_is_not_there(void **state)
{
	struct nics *n = *state;

	nics_wish(n, "local", "n-enp9s0", "", "\"address\": \"0000:09:00.0\", \"numVFs\": 2");
	expect_start(n, "NotFound: there is no NIC of the name n-enp9s0 or at 0000:09:00.0");
	host_function(&n->t, NIC_BRIDGE "0000:09:00.0", "10802", "nvme");
	expect_start(n, "NoSRIOV: 0000:09:00.0 is no NIC");
	host_nic(&n->t, 8, "enp8s0");
	nics_wish(n, "local", "n-enp9s0", "", "\"address\": \"0000:08:00.0\", \"numVFs\": 2");
	expect_start(n, "NoSRIOV: 0000:08:00.0 has no SR-IOV");
}

static void name_and_address_of_two_nics(void **state)
{
	struct nics *n = *state;

	host_nic(&n->t, 2, "enp2s0");
	nics_put(n, "4\n", "sys/devices/" NIC_BRIDGE "0000:02:00.0/sriov_totalvfs");
	nics_put(n, "0\n", "sys/devices/" NIC_BRIDGE "0000:02:00.0/sriov_numvfs");
	nics_wish(n, "local", NIC_WISH, "", "\"address\": \"0000:02:00.0\", \"numVFs\": 2");
	expect_start(n, "IdentityMismatch: enp1s0 is 0000:01:00.0 now, and spec.address");
}

static void a_management_nic_is_left_alone(void **state)
{
	struct nics *n = *state;

	nics_want(n, 2);
	host_interface(&n->t, "mgmt-br");
	host_upper(&n->t, "mgmt-br", "enp1s0");
	expect_start(n, "ManagementNIC: the host lives on it: 0000:01:00.0");
}

static void a_vlan_uplink_is_left_alone(void **state)
{
	struct nics *n = *state;

	nics_want(n, 2);
	nics_put(n, "{\"spec\": {\"uplink\": {\"nics\": [\"enp1s0\"]}}}",
		"var/lib/vfiobox/desired/cluster/vlanconfigs/prod.json");
	expect_start(n, "VlanUplink: the host lives on it: 0000:01:00.0");
}

static void a_claimed_pf(void **state)
{
	struct nics *n = *state;

	nics_want(n, 2);
	nics_claim(n, NIC_PF);
	expect(n, "PFClaimed: 0000:01:00.0 itself is claimed");
}

static void a_pf_that_is_ours_still(void **state)
{
	struct nics *n = *state;

	nics_want(n, 2);
	nics_put(n,
		"{\"formatVersion\": 1, \"address\": \"" NIC_PF "\", \"vendorId\": \"8086\", "
		"\"deviceId\": \"10ca\", \"subsystemVendorId\": \"0000\", \"subsystemDeviceId\": "
		"\"0000\", \"class\": \"020000\", \"driver\": \"igb\"}",
		"var/lib/vfiobox/kept/pcidevices/n-000001000.json");
	nics_bind(n, NIC_PF, "vfio-pci");
	expect(n, "PFClaimed: 0000:01:00.0 is not given back yet");
}

static void a_pf_of_another_vfio_user(void **state)
{
	struct nics *n = *state;

	nics_want(n, 2);
	nics_bind(n, NIC_PF, "vfio-pci");
	expect_start(n, "BoundByAnother: 0000:01:00.0 is on vfio-pci");
}

static void a_claimed_vf(void **state)
{
	struct nics *n = *state;

	nics_set_vfs(n, 3, "igbvf");
	nics_claim(n, "0000:01:10.2");
	for (unsigned count = 0; count < 6; count++) {
		nics_want(n, count);
		if (count == 3)
			expect(n, "done");
		else
			expect(n, "VFClaimed: VF 0000:01:10.2 is claimed");
	}
}

static void a_vf_of_a_claimed_group(void **state)
{
	struct nics *n = *state;

	nics_set_vfs(n, 3, "igbvf");
	host_function(&n->t, NIC_BRIDGE "0000:09:00.0", "40300", "snd");
	host_link(&n->t, "sys/devices/" NIC_BRIDGE "0000:09:00.0/iommu_group",
		"../../../../kernel/iommu_groups/21");
	nics_claim(n, "0000:09:00.0");
	nics_want(n, 0);
	expect(n, "VFClaimed: VF 0000:01:10.2 is claimed with 0000:09:00.0");
}

static void a_vf_that_is_ours_still(void **state)
{
	struct nics *n = *state;

	nics_set_vfs(n, 3, "igbvf");
	nics_want(n, 0);
	nics_put(n,
		"{\"formatVersion\": 1, \"address\": \"0000:01:10.2\", \"vendorId\": \"8086\", "
		"\"deviceId\": \"10ca\", \"subsystemVendorId\": \"0000\", \"subsystemDeviceId\": "
		"\"0000\", \"class\": \"020000\", \"driver\": \"igbvf\"}",
		"var/lib/vfiobox/kept/pcidevices/n-000001102.json");
	expect(n, "InUse: VF 0000:01:10.2 is not given back yet");
	nics_put(n, "{\"formatVersion\": 2}", "var/lib/vfiobox/kept/pcidevices/n-000001102.json");
	expect_start(n, "KeptUnreadable: ");
}

static void a_vf_of_another_vfio_user(void **state)
{
	struct nics *n = *state;

	nics_set_vfs(n, 3, "igbvf");
	nics_want(n, 0);
	nics_bind(n, "0000:01:10.4", "uio_pci_generic");
	expect_start(n, "VFInUse: VF 0000:01:10.4 is on uio_pci_generic, and vfiobox did not");
}

static void a_vf_that_a_process_holds(void **state)
{
	struct nics *n = *state;

	nics_set_vfs(n, 3, "igbvf");
	nics_want(n, 0);
	nics_bind(n, "0000:01:10.0", "vfio-pci");
	expect_start(n,
		"VFInUse: VF 0000:01:10.0 is on vfio-pci, and vfiobox did not put it there; "
		"it may be held open: the number of its VFIO node cannot be read");
}

static void a_vf_that_the_host_uses(void **state)
{
	struct nics *n = *state;

	nics_set_vfs(n, 2, "igbvf");
	nics_want(n, 5);
	scratch_put(&n->t, "sys/devices/" NIC_BRIDGE "0000:01:10.2/net/enp1s0v1/type", "1\n");
	host_link(&n->t, "sys/class/net/enp1s0v1",
		"../../devices/" NIC_BRIDGE "0000:01:10.2/net/enp1s0v1");
	expect(n, "ok");
	host_interface(&n->t, "br0");
	host_upper(&n->t, "br0", "enp1s0v1");
	expect_start(n, "VFInUse: the host uses VF 0000:01:10.2: 0000:01:10.2 → enp1s0v1");
}

static void a_vf_whose_interface_a_container_has(void **state)
{
	struct nics *n = *state;

	nics_set_vfs(n, 2, "igbvf");
	nics_want(n, 5);
	scratch_mkdir(&n->t, "sys/devices/" NIC_BRIDGE "0000:01:10.0/net");
	expect_start(
		n, "VFInUse: the interface of VF 0000:01:10.0 is in another network namespace");
}

static void vfs_that_are_not_to_be_seen(void **state)
{
	struct nics *n = *state;

	nics_set_vfs(n, 2, "igbvf");
	nics_show_count(n, 3);
	nics_want(n, 5);
	expect_start(n, "VFInUse: it has 3 VFs, 2 of them are to be seen");
	nics_want(n, 3);
	expect(n, "ok");
	nics_put(n, "?\n", "sys/devices/" NIC_BRIDGE NIC_PF "/sriov_numvfs");
	expect_start(n, "VFInUse: how many VFs it has cannot be read");
}

static void nothing_is_decided_from_half_a_state(void **state)
{
	struct nics *n = *state;
	CLEANUP_FREE char *sentinel = scratch_path(&n->t, "var/lib/vfiobox/desired/machine");

	nics_want(n, 2);
	assert_int_equal(unlink(sentinel), 0);
	expect_start(n, "StateForeign: ");
}

static void a_record_of_a_later_format(void **state)
{
	struct nics *n = *state;

	nics_want(n, 2);
	nics_put(n, "{\"formatVersion\": 2, \"address\": \"" NIC_PF "\"}",
		"var/lib/vfiobox/kept/sriovnetworkdevices/" NIC_WISH ".json");
	expect_start(n, "KeptUnreadable: ");
}

static void a_pf_that_is_to_have_vfs_is_not_claimed(void **state)
{
	struct nics *n = *state;
	CLEANUP_ARENA struct arena mem = {0};
	const struct pci_state *s;
	struct verdict v;

	nics_want(n, 2);
	s = read_state(n);
	v = object_offer(s, sriov_pf_named(s, "enp1s0")->dev, &mem);
	assert_false(v.accepted);
	assert_string_equal(reason_name(v.reason), "NoIOMMUGroup");
	pci_state_free(&n->s);
	host_link(&n->t, "sys/devices/" NIC_BRIDGE NIC_PF "/iommu_group",
		"../../../../kernel/iommu_groups/1");
	s = read_state(n);
	v = object_offer(s, sriov_pf_named(s, "enp1s0")->dev, &mem);
	assert_string_equal(reason_name(v.reason), "PFHasVFs");
	pci_state_free(&n->s);
}

/* Objects. */

static char *object_text(struct nics *n, bool wished)
{
	CLEANUP_ARENA struct arena mem = {0};
	CLEANUP_BUF struct buf out = {0};
	const struct pci_state *s = read_state(n);
	size_t count;
	const struct nic_step *t = sriov_steps(s, &mem, &count);

	json_write(&out,
		object_nic(s, &mem, s->sriov.pf, wished ? t : NULL, NULL, "2026-01-01T00:00:00Z"),
		JSON_MINIMAL);
	pci_state_free(&n->s);
	return mem_dup(out.p, out.len);
}

static void without_a_wish_the_object_has_what_the_kernel_has(void **state)
{
	struct nics *n = *state;
	CLEANUP_FREE char *text = NULL;

	nics_set_vfs(n, 2, "igbvf");
	text = object_text(n, false);
	assert_string_equal(text,
		"{\"apiVersion\":\"devices.harvesterhci.io/"
		"v1beta1\",\"kind\":\"SRIOVNetworkDevice\","
		"\"metadata\":{\"name\":\"n-enp1s0\",\"labels\":{\"nodename\":\"n\"},"
		"\"annotations\":{\"sriov.devices.harvesterhi.io/interface-name\":\"enp1s0\"}},"
		"\"spec\":{\"address\":\"0000:01:00.0\",\"nodeName\":\"n\",\"numVFs\":2},"
		"\"status\":{\"status\":\"sriovNetworkDeviceEnabled\","
		"\"vfAddresses\":[\"0000:01:10.0\",\"0000:01:10.2\"],"
		"\"vfPCIDevices\":[\"n-000001100\",\"n-000001102\"],"
		"\"conditions\":[{\"type\":\"Applied\",\"status\":\"True\",\"reason\":\"NoWish\","
		"\"message\":\"nobody wants a number of VFs: it keeps those that it has\","
		"\"lastTransitionTime\":\"2026-01-01T00:00:00Z\"}]}}");
}

static void with_a_wish_the_object_has_what_is_wanted(void **state)
{
	struct nics *n = *state;
	CLEANUP_FREE char *text = NULL;

	nics_want(n, 5);
	text = object_text(n, true);
	assert_non_null(strstr(text, "\"numVFs\":5}"));
	assert_non_null(strstr(text,
		"\"status\":{\"status\":\"sriovNetworkDeviceDisabled\",\"vfAddresses\":[],"
		"\"vfPCIDevices\":[],\"conditions\":[{\"type\":\"Applied\",\"status\":\"False\","
		"\"reason\":\"Pending\""));
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	static const struct CMUnitTest tests[] = {
		TEST(a_pf_is_read),
		TEST(no_pf_without_totalvfs_or_of_another_class),
		TEST(the_name_is_lower_case),
		TEST(of_several_interfaces_it_is_the_pfs_own),
		TEST(the_clusters_wish_wins),
		TEST(a_wish_on_its_way_out_is_none_and_hides_the_local_one),
		TEST(a_wish_of_another_node_is_none),
		TEST(an_unreadable_wish_is_an_error),
		TEST(a_pf_without_interface_keeps_the_name_of_its_wish),
		TEST(a_number_that_can_be_had_is_accepted),
		TEST(too_many_names_both_numbers),
		TEST(a_wish_without_a_number_changes_nothing),
		TEST(a_nic_that_is_not_there),
		TEST(name_and_address_of_two_nics),
		TEST(a_management_nic_is_left_alone),
		TEST(a_vlan_uplink_is_left_alone),
		TEST(a_claimed_pf),
		TEST(a_pf_that_is_ours_still),
		TEST(a_pf_of_another_vfio_user),
		TEST(a_claimed_vf),
		TEST(a_vf_of_a_claimed_group),
		TEST(a_vf_that_is_ours_still),
		TEST(a_vf_of_another_vfio_user),
		TEST(a_vf_that_a_process_holds),
		TEST(a_vf_that_the_host_uses),
		TEST(a_vf_whose_interface_a_container_has),
		TEST(vfs_that_are_not_to_be_seen),
		TEST(nothing_is_decided_from_half_a_state),
		TEST(a_record_of_a_later_format),
		TEST(a_pf_that_is_to_have_vfs_is_not_claimed),
		TEST(without_a_wish_the_object_has_what_the_kernel_has),
		TEST(with_a_wish_the_object_has_what_is_wanted),
	};

	return cmocka_run_group_tests_name("sriov", tests, NULL, NULL);
}
