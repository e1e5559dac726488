# SPDX-License-Identifier: GPL-2.0-or-later
# `pcid claim`, `release`, `apply` on trees of files: nothing binds there, so what was written is
# taken back and said; what is refused leaves no trace; claims that come from the cluster.
import json
import os
import re

import pytest
from conftest import COMMAND_FILES, RUN, STATE, changes

UUID = re.compile(r"^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$")
OVERRIDE = "pcidevice.harvesterhci.io/override-resource-name"
SKIP = "pcidevices.harvesterhci.io/skip-vfio-binding"


def conditions(item):
    return {c["type"]: (c["status"], c["reason"]) for c in item["status"]["conditions"]}


def claim_of(host, address):
    return host.observed("pcideviceclaims", host.object_name(address))


def outside_state(before, host):
    """What changed in the tree but the state, and what the kernel would have taken as commands."""
    return [p for p in changes(before, host.snapshot())
            if not f"{p}/".startswith((f"{STATE}/", f"{RUN}/")) and p.rpartition("/")[2] not in COMMAND_FILES]


def assert_undone(before, host, members):
    """Nothing but driver_override of the members was written, and that is empty again."""
    overrides = {host.sysfs(address, "driver_override") for address in members}
    assert set(outside_state(before, host)) <= overrides
    for address in members:
        text = host.read(host.sysfs(address, "driver_override"))
        assert "vfio" not in text, f"driver_override of {address}: {text!r}"
        assert text.strip() in ("", "(null)"), f"driver_override of {address}: {text!r}"


# A claim from the command line.

FREE = [
    ("dell-r740", "0000:d9:00.0", ["0000:d9:00.0"]),
    ("dell-r740", "0000:86:00.0", ["0000:86:00.0"]),
    ("quadro-multipath", "0000:2e:00.1", [f"0000:2e:00.{n}" for n in range(4)]),
    ("altra-smmu", "000d:01:00.0", ["000d:01:00.0"]),
    ("ice-256vf", "0000:5e:01.0", ["0000:5e:01.0"]),
]


@pytest.mark.parametrize("name,address,members", FREE)
def test_nothing_binds_in_a_tree_and_it_is_undone(fresh, name, address, members):
    host = fresh(name)
    before = host.snapshot()
    result = host.pcid("claim", address).must(1)
    assert address in result.err and "BindFailed" in result.err
    assert_undone(before, host, members)
    for member in members:
        if host.function(member).get("driver"):
            assert os.path.islink(host.path(host.sysfs(member, "driver")))


def test_new_id_is_never_written(fresh):
    host = fresh("dell-r740")
    host.pcid("claim", "0000:d9:00.0")
    for driver in os.listdir(host.path("sys/bus/pci/drivers")):
        assert host.read(f"sys/bus/pci/drivers/{driver}/new_id") == ""


def test_the_wish_stays_and_says_what_it_waits_for(fresh):
    host = fresh("dell-r740")
    host.pcid("claim", "0000:d9:00.0").must(1)
    assert host.names(f"{STATE}/desired/local/pcideviceclaims") == ["dell-190-0000d9000"]
    wish = host.load(f"{STATE}/desired/local/pcideviceclaims/dell-190-0000d9000.json")
    assert wish["apiVersion"] == "devices.harvesterhci.io/v1beta1"
    assert wish["kind"] == "PCIDeviceClaim"
    assert wish["metadata"]["name"] == "dell-190-0000d9000"
    assert UUID.match(wish["metadata"]["uid"])
    assert (wish["spec"]["address"], wish["spec"]["nodeName"]) == ("0000:d9:00.0", "dell-190")
    assert "status" not in wish
    claim = claim_of(host, "0000:d9:00.0")
    assert claim["kind"] == "PCIDeviceClaim"
    assert claim["spec"] == wish["spec"]
    assert claim["metadata"]["labels"]["nodename"] == "dell-190"
    assert claim["status"]["passthroughEnabled"] is False
    assert claim["status"]["kernelDriverToUnbind"] == "nvme"
    assert conditions(claim) == {"Accepted": ("True", "Accepted"), "Bound": ("False", "BindFailed")}
    assert host.read(f"{STATE}/desired/machine") == host.sentinel()


def test_group_peers_get_a_derived_claim(fresh):
    host = fresh("quadro-multipath")
    host.pcid("claim", "0000:2e:00.0").must(1)
    assert host.names(f"{STATE}/desired/local/pcideviceclaims") == ["z8-00002e000"]
    user = claim_of(host, "0000:2e:00.0")["spec"]["userName"]
    for function in (1, 2, 3):
        peer = claim_of(host, f"0000:2e:00.{function}")
        assert peer["spec"] == {"address": f"0000:2e:00.{function}", "nodeName": "z8", "userName": user}
        (owner,) = peer["metadata"]["ownerReferences"]
        assert owner["apiVersion"] == "devices.harvesterhci.io/v1beta1"
        assert (owner["kind"], owner["name"]) == ("PCIDevice", f"z8-00002e00{function}")
        assert peer["status"]["passthroughEnabled"] is False


def test_without_the_module_it_says_which_modprobe(fresh):
    """No sys/module/vfio_pci, no lib/modules: nothing is even written."""
    host = fresh("z690-gamer")
    before = host.snapshot()
    result = host.pcid("claim", "0000:00:0a.0").must(1)
    assert "vfio-pci" in result.err and "modprobe" in result.err
    assert outside_state(before, host) == []
    assert conditions(claim_of(host, "0000:00:0a.0"))["Bound"] == ("False", "ModuleMissing")


def test_an_override_that_was_there_comes_back(fresh):
    host = fresh("dell-r740")
    path = host.sysfs("0000:d9:00.0", "driver_override")
    host.write(path, "nvme\n")
    host.pcid("claim", "0000:d9:00.0").must(1)
    assert host.read(path).strip() == "nvme"


def test_the_same_claim_again_is_the_same_wish(fresh):
    host = fresh("dell-r740")
    host.pcid("claim", "0000:d9:00.0").must(1)
    path = f"{STATE}/desired/local/pcideviceclaims/dell-190-0000d9000.json"
    first = host.read(path)
    host.pcid("claim", "d9:00.0").must(1)
    assert host.read(path) == first


def test_release_forgets_what_was_never_bound(fresh):
    host = fresh("dell-r740")
    before = host.snapshot()
    host.pcid("claim", "0000:d9:00.0").must(1)
    host.pcid("release", "0000:d9:00.0").must(0)
    assert host.names(f"{STATE}/desired/local/pcideviceclaims") == []
    assert host.names(f"{RUN}/observed/pcideviceclaims") == []
    assert host.names(f"{STATE}/kept/pcidevices") == []
    assert conditions(host.device("0000:d9:00.0"))["Offered"] == ("True", "Available")
    assert_undone(before, host, ["0000:d9:00.0"])


def test_release_of_what_is_not_claimed(fresh):
    host = fresh("dell-r740")
    before = host.snapshot()
    result = host.pcid("release", "0000:d9:00.0").must(1)
    assert "0000:d9:00.0" in result.err
    assert outside_state(before, host) == []
    assert host.pcid("release", "0000:77:00.0").must(1).err


def test_release_of_several(fresh):
    host = fresh("altra-smmu")
    for address in ("000d:01:00.0", "0002:01:00.0", "0003:01:00.0"):
        host.pcid("claim", address).must(1)
    host.pcid("release", "000d:01:00.0", "0003:01:00.0")
    assert host.names(f"{STATE}/desired/local/pcideviceclaims") == [host.object_name("0002:01:00.0")]


# Refused on the command line: no trace.


@pytest.mark.parametrize("name,address,reason", [
    ("dell-r740", "0000:5e:00.0", "RootDisk"),
    ("dell-r740", "0000:3b:00.0", "DefaultRoute"),
    ("dell-r740", "0000:77:00.0", "NotFound"),
    ("dell-r740", "0000:00:1f.0", "BridgeFunction"),
    ("harvester-vlan", "0000:12:00.0", "ManagementNIC"),
    ("harvester-vlan", "0000:13:00.0", "VlanUplink"),
    ("z690-gamer", "0000:00:1f.4", "GroupHostDriver"),
    ("no-iommu", "0000:02:00.0", "NoIOMMUGroup"),
])
def test_a_refused_claim_leaves_no_trace(fresh, name, address, reason):
    host = fresh(name)
    before = host.snapshot()
    for arguments in ([], ["--no-wait"], ["--timeout", "1"]):
        result = host.pcid("claim", address, *arguments).must(1)
        assert reason in result.err and address in result.err
    assert changes(before, host.snapshot()) == []


# Claims that come from elsewhere.


def test_a_refused_claim_of_the_cluster_stays_with_its_condition(fresh):
    host = fresh("dell-r740")
    host.cluster_claim("0000:5e:00.0")
    before = host.snapshot()
    result = host.pcid("apply").must(1)
    assert "RootDisk" in result.all
    assert outside_state(before, host) == []
    claim = claim_of(host, "0000:5e:00.0")
    assert conditions(claim) == {"Accepted": ("False", "RootDisk"), "Bound": ("False", "Refused")}
    accepted = next(c for c in claim["status"]["conditions"] if c["type"] == "Accepted")
    assert "0000:5e:00.0 → nvme0n1 → dm-0 → /" in accepted["message"]
    assert claim["status"]["passthroughEnabled"] is False
    assert claim["metadata"]["uid"] == "5a1c7e0a-0f9c-4b43-8d3c-6c1b5a1d0001"
    assert host.names(f"{STATE}/desired/cluster/pcideviceclaims") == ["dell-190-00005e000"]


def test_the_annotation_overrides_by_the_exact_reason(fresh):
    host = fresh("dell-r740")
    host.cluster_claim("0000:d8:00.0", metadata={"annotations": {"vfiobox.io/override": "Mounted"}})
    host.cluster_claim("0000:af:00.0", metadata={"annotations": {"vfiobox.io/override": "Mounted"}})
    host.cluster_claim("0000:5e:00.0", metadata={"annotations": {"vfiobox.io/override": "RootDisk"}})
    host.pcid("apply").must(1)
    assert conditions(claim_of(host, "0000:d8:00.0"))["Accepted"] == ("True", "Accepted")
    assert conditions(claim_of(host, "0000:af:00.0"))["Accepted"] == ("False", "NetworkAddress")
    assert conditions(claim_of(host, "0000:5e:00.0"))["Accepted"] == ("False", "RootDisk")


def test_another_nodes_claims_are_not_ours(fresh):
    host = fresh("dell-r740")
    host.cluster("pcideviceclaims", "dell-191-0000d9000",
                 {"apiVersion": "devices.harvesterhci.io/v1beta1", "kind": "PCIDeviceClaim",
                  "metadata": {"name": "dell-191-0000d9000"},
                  "spec": {"address": "0000:d9:00.0", "nodeName": "dell-191", "userName": "admin"}})
    host.pcid("apply").must(0)
    assert host.names(f"{RUN}/observed/pcideviceclaims") == []


def test_a_claim_without_owner_or_uid_works(fresh):
    """failures.md C6: made by kubectl or terraform, under any name."""
    host = fresh("dell-r740")
    host.cluster("pcideviceclaims", "my-claim",
                 {"apiVersion": "devices.harvesterhci.io/v1beta1", "kind": "PCIDeviceClaim",
                  "metadata": {"name": "my-claim"}, "spec": {"address": "0000:d9:00.0", "nodeName": "dell-190", "userName": ""}})
    host.pcid("apply").must(1)
    claim = host.observed("pcideviceclaims", "my-claim")
    assert conditions(claim) == {"Accepted": ("True", "Accepted"), "Bound": ("False", "BindFailed")}


def test_a_deleted_claim_is_no_wish(fresh):
    host = fresh("dell-r740")
    host.cluster_claim("0000:d9:00.0", metadata={"deletionTimestamp": "2026-01-01T00:00:00Z",
                                                 "finalizers": ["wrangler.cattle.io/PCIDeviceClaimOnRemove"]})
    before = host.snapshot()
    host.pcid("apply").must(0)
    assert outside_state(before, host) == []


def test_skip_binding_leaves_the_function_on_its_driver(fresh):
    host = fresh("dell-r740")
    host.cluster_claim("0000:d9:00.0", metadata={"annotations": {SKIP: "true", OVERRIDE: "nvidia.com/NVIDIA_A2-2Q"}})
    before = host.snapshot()
    host.pcid("apply").must(0)
    assert outside_state(before, host) == []
    claim, device = claim_of(host, "0000:d9:00.0"), host.device("0000:d9:00.0")
    assert conditions(claim) == {"Accepted": ("True", "Accepted"), "Bound": ("True", "BindingSkipped")}
    assert claim["metadata"]["annotations"] == {SKIP: "true", OVERRIDE: "nvidia.com/NVIDIA_A2-2Q"}
    assert device["status"]["kernelDriverInUse"] == "nvme"
    assert device["status"]["resourceName"] == "nvidia.com/NVIDIA_A2-2Q"
    assert device["metadata"]["annotations"][OVERRIDE] == "nvidia.com/NVIDIA_A2-2Q"


def test_the_presence_of_skip_counts_not_its_value(fresh):
    host = fresh("dell-r740")
    host.cluster_claim("0000:d9:00.0", metadata={"annotations": {SKIP: ""}})
    host.pcid("apply").must(0)
    assert conditions(claim_of(host, "0000:d9:00.0"))["Bound"] == ("True", "BindingSkipped")


@pytest.mark.parametrize("spec,annotations,resource", [
    ({"disableResourcePooling": True}, {}, "intel.com/dell-190-0000d9000"),
    ({"disableResourcePooling": False}, {}, None),
    ({}, {OVERRIDE: "example.com/FAST_DISK"}, "example.com/FAST_DISK"),
    ({"disableResourcePooling": True}, {OVERRIDE: "example.com/FAST_DISK"}, "example.com/FAST_DISK"),
])
def test_resource_names_by_the_claim(fresh, spec, annotations, resource):
    host = fresh("dell-r740")
    plain = next(i for i in host.pcid("list", "-o", "json").json()["items"] if i["status"]["address"] == "0000:d9:00.0")
    host.cluster_claim("0000:d9:00.0", spec=spec, metadata={"annotations": annotations})
    host.pcid("apply").must(1)
    device = host.device("0000:d9:00.0")
    assert device["status"]["resourceName"] == (resource or plain["status"]["resourceName"])
    assert device["metadata"]["annotations"].get(OVERRIDE) == annotations.get(OVERRIDE)


def on_vfio(host, address, group_node=True):
    """The tree as the kernel has it when the function is on vfio-pci."""
    link = host.path(host.sysfs(address, "driver"))
    old = os.path.basename(os.readlink(link)) if os.path.islink(link) else None
    if old:
        os.unlink(link)
        os.unlink(host.path(f"sys/bus/pci/drivers/{old}/{address}"))
    depth = host.sysfs(address).count("/")
    os.symlink("../" * depth + "bus/pci/drivers/vfio-pci", link)
    os.symlink("../../../../" + host.sysfs(address).removeprefix("sys/"), host.path(f"sys/bus/pci/drivers/vfio-pci/{address}"))
    uevent = host.read(host.sysfs(address, "uevent"))
    host.write(host.sysfs(address, "uevent"), "DRIVER=vfio-pci\n" + uevent.replace(f"DRIVER={old}\n", ""))
    host.write(host.sysfs(address, "driver_override"), "vfio-pci\n")
    if group_node:
        host.write(f"dev/vfio/{host.function(address)['group']}", "")


def test_adoption_of_what_another_agent_bound_by_its_claim(fresh):
    host = fresh("dell-r740")
    on_vfio(host, "0000:d9:00.0")
    host.cluster_claim("0000:d9:00.0", status={"kernelDriverToUnbind": "nvme", "passthroughEnabled": True})
    before = host.snapshot()
    host.pcid("apply").must(0)
    assert outside_state(before, host) == []
    claim = claim_of(host, "0000:d9:00.0")
    assert conditions(claim) == {"Accepted": ("True", "Accepted"), "Bound": ("True", "Bound")}
    assert claim["status"]["passthroughEnabled"] is True
    assert claim["status"]["kernelDriverToUnbind"] == "nvme"
    assert host.names(f"{STATE}/kept/pcidevices") == ["dell-190-0000d9000"]
    assert host.device("0000:d9:00.0")["metadata"]["annotations"]["harvesterhci.io/pcideviceDriver"] == "nvme"
    first = host.snapshot()
    host.pcid("apply").must(0)
    assert changes(first, host.snapshot()) == []


@pytest.mark.parametrize("status", [None, {"passthroughEnabled": True}, {"kernelDriverToUnbind": "nvme"},
                                    {"kernelDriverToUnbind": "nvme", "passthroughEnabled": False}])
def test_another_ones_device_is_not_adopted(fresh, status):
    host = fresh("dell-r740")
    on_vfio(host, "0000:d9:00.0")
    host.cluster_claim("0000:d9:00.0", **({"status": status} if status else {}))
    before = host.snapshot()
    host.pcid("apply").must(1)
    assert outside_state(before, host) == []
    assert conditions(claim_of(host, "0000:d9:00.0"))["Accepted"] == ("False", "BoundByAnother")
    assert host.names(f"{STATE}/kept/pcidevices") == []


def test_another_ones_device_is_never_released(fresh):
    """On vfio-pci, no claim, no record: DPDK's, not ours."""
    host = fresh("ice-256vf")
    before = host.snapshot()
    host.pcid("apply").must(0)
    assert host.pcid("release", "0000:5f:00.2").must(1).err
    assert outside_state(before, host) == []
    for driver in ("vfio-pci", "uio_pci_generic"):
        assert host.read(f"sys/bus/pci/drivers/{driver}/unbind") == ""


# The state directory (design rule 1).


def test_wishes_without_a_sentinel_do_nothing(fresh):
    host = fresh("dell-r740")
    host.cluster_claim("0000:d9:00.0")
    host.remove(f"{STATE}/desired/machine")
    before = host.snapshot()
    host.pcid("apply").must(1)
    assert outside_state(before, host) == []
    assert not os.path.exists(host.path(f"{STATE}/desired/machine"))
    assert not os.path.exists(host.path(f"{STATE}/kept"))


def test_the_state_of_another_machine_is_left_alone(fresh):
    host = fresh("dell-r740")
    host.cluster_claim("0000:d9:00.0")
    host.write(f"{STATE}/desired/machine", "product-uuid 4c4c4544-0000-0000-0000-000000000000\n")
    before = host.snapshot()
    result = host.pcid("apply").must(1)
    assert "4c4c4544-0000-0000-0000-000000000000" in result.all
    assert outside_state(before, host) == []
    state = {p: v for p, v in host.snapshot().items() if p.startswith(f"{STATE}/")}
    assert state == {p: v for p, v in before.items() if p.startswith(f"{STATE}/")}
    assert host.pcid("claim", "0000:86:00.0").must(1).err
    assert {p: v for p, v in host.snapshot().items() if p.startswith(f"{STATE}/")} == state


@pytest.mark.parametrize("sentinel", ["product-uuid {product}\n", "machine-id {machine}\n", "node {node}\n",
                                      "machine-id {machine}\nnode another\n", "node {node}\nlater-field x y\n"])
def test_the_sentinel_is_ours_by_the_best_that_both_know(fresh, sentinel):
    host = fresh("dell-r740")
    host.cluster_claim("0000:5e:00.0")
    text = sentinel.format(product=host.description["product"]["product_uuid"], machine=host.description["machine_id"],
                           node=host.node)
    host.write(f"{STATE}/desired/machine", text)
    host.pcid("apply").must(1)
    assert conditions(claim_of(host, "0000:5e:00.0"))["Accepted"] == ("False", "RootDisk")
    assert host.read(f"{STATE}/desired/machine") == text


@pytest.mark.parametrize("sentinel", ["", "junk\n", "\0\0\0", "product-uuid\n", "node other\n", "machine-id 00\nnode {node}\n",
                                      "x" * 5000])
def test_a_sentinel_that_is_not_ours(fresh, sentinel):
    host = fresh("dell-r740")
    host.cluster_claim("0000:d9:00.0")
    host.write(f"{STATE}/desired/machine", sentinel.format(node=host.node))
    before = host.snapshot()
    host.pcid("apply").must(1)
    assert outside_state(before, host) == []
    assert conditions(claim_of(host, "0000:d9:00.0"))["Accepted"] == ("False", "StateForeign")


@pytest.mark.parametrize("junk", ["", "{", '{"spec":', "[]", "null", '"text"', "\x00\x01\x02", '{"a":1}{'])
def test_an_unreadable_wish_stops_the_pass(fresh, junk):
    """It may be a wish: nothing is bound or released while it cannot be read."""
    host = fresh("dell-r740")
    host.cluster_claim("0000:d9:00.0")
    host.write(f"{STATE}/desired/cluster/pcideviceclaims/dell-190-000086000.json", junk)
    before = host.snapshot()
    result = host.pcid("apply").must(1)
    assert "dell-190-000086000" in result.err
    assert outside_state(before, host) == []


def test_foreign_and_half_files_are_no_wishes(fresh):
    host = fresh("dell-r740")
    host.own_state()
    directory = f"{STATE}/desired/cluster/pcideviceclaims"
    for name in (".dell-190-0000d9000.json.tmp", "dell-190-0000d9000.json~", "README", "dell-190-0000d9000.yaml"):
        host.write(f"{directory}/{name}", json.dumps(host.claim_object("0000:d9:00.0")))
    host.pcid("apply").must(0)
    assert host.names(f"{RUN}/observed/pcideviceclaims") == []


def test_the_state_directory_by_environment(fresh):
    host = fresh("dell-r740")
    env = {"VFIOBOX_STATE": "/oem/vfiobox"}
    host.pcid("claim", "0000:d9:00.0", env=env).must(1)
    assert host.names("oem/vfiobox/desired/local/pcideviceclaims") == ["dell-190-0000d9000"]
    assert not os.path.exists(host.path(STATE))
    for bad in ("relative/state", "/../state"):
        assert host.pcid("apply", env={"VFIOBOX_STATE": bad}).must(1).err


def test_a_vanished_claimed_function_stays_marked_absent(fresh):
    host = fresh("dell-r740")
    on_vfio(host, "0000:d9:00.0")
    host.cluster_claim("0000:d9:00.0", status={"kernelDriverToUnbind": "nvme", "passthroughEnabled": True})
    host.pcid("apply").must(0)
    host.remove("sys/bus/pci/devices/0000:d9:00.0")
    host.pcid("apply")
    device = host.device("0000:d9:00.0")
    assert conditions(device)["Present"] == ("False", "Absent")
    assert device["status"]["vendorId"] == "8086" and device["status"]["deviceId"] == "0a54"
    assert host.names(f"{STATE}/kept/pcidevices") == ["dell-190-0000d9000"]


def test_another_device_at_the_address_is_not_bound(fresh):
    host = fresh("dell-r740")
    on_vfio(host, "0000:d9:00.0")
    host.cluster_claim("0000:d9:00.0", status={"kernelDriverToUnbind": "nvme", "passthroughEnabled": True})
    host.pcid("apply").must(0)
    uevent = host.sysfs("0000:d9:00.0", "uevent")
    host.write(uevent, host.read(uevent).replace("DRIVER=vfio-pci", "DRIVER=mlx5_core").replace("8086:0A54", "15B3:1017"))
    link = host.path(host.sysfs("0000:d9:00.0", "driver"))
    os.unlink(link)
    os.symlink("../../../../bus/pci/drivers/mlx5_core", link)
    for name, value in (("vendor", "0x15b3"), ("device", "0x1017"), ("driver_override", "(null)")):
        host.write(host.sysfs("0000:d9:00.0", name), f"{value}\n")
    before = host.snapshot()
    host.pcid("apply").must(1)
    assert conditions(claim_of(host, "0000:d9:00.0"))["Accepted"] == ("False", "IdentityMismatch")
    assert outside_state(before, host) == []


@pytest.mark.parametrize("change", [{"formatVersion": 99}, None])
def test_a_record_of_a_later_format_stops_bind_and_release(fresh, change):
    """Design rule 2: no bind, no release, and the record stays as it is."""
    host = fresh("dell-r740")
    on_vfio(host, "0000:d9:00.0")
    host.cluster_claim("0000:d9:00.0", status={"kernelDriverToUnbind": "nvme", "passthroughEnabled": True})
    host.pcid("apply").must(0)
    path = f"{STATE}/kept/pcidevices/dell-190-0000d9000.json"
    record = host.load(path)
    version = next(k for k in record if isinstance(record[k], int) and not isinstance(record[k], bool))
    host.write(path, json.dumps({**record, version: 99}) if change else "{ damaged")
    host.remove(f"{STATE}/desired/cluster/pcideviceclaims/dell-190-0000d9000.json")
    before = host.snapshot()
    host.pcid("apply")
    assert outside_state(before, host) == []
    assert host.snapshot()[path] == before[path]
    host.cluster_claim("0000:d9:00.0")
    host.pcid("apply").must(1)
    assert conditions(claim_of(host, "0000:d9:00.0"))["Accepted"] == ("False", "KeptUnreadable")
