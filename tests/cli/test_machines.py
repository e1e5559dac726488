# SPDX-License-Identifier: GPL-2.0-or-later
# Each described machine: what is listed, offered, refused and why, what apply observes.
import os
import re
import subprocess
import time

import expect
import pytest
from conftest import CACHE, RUN, STATE, changes, machines, vlan_config

MACHINES = machines.names()
TIME = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$")

each_machine = pytest.mark.parametrize("name", MACHINES)


def condition(item, kind):
    found = [c for c in item["status"]["conditions"] if c["type"] == kind]
    assert len(found) == 1, f"{kind} of {item['metadata']['name']}: {item['status']['conditions']}"
    return found[0]


def items(host, *more):
    return host.pcid("list", "-o", "json", *more).must(0).json()["items"]


@pytest.fixture(scope="module")
def applied(machine, workspace):
    """Each machine after one apply: a copy of its own, made once."""
    made = {}

    def get(name):
        if name not in made:
            host = machine(name)
            directory = f"{workspace}/applied-{name}"
            subprocess.run(["cp", "-a", host.dir, directory], check=True)
            made[name] = type(host)(directory, host.node, host.description, host.functions)
            made[name].result = made[name].pcid("apply")
        return made[name]

    return get


@each_machine
def test_list_is_a_list_of_every_function_but_bridges(machine, name):
    host = machine(name)
    answer = host.pcid("list", "-o", "json").must(0).json()
    assert answer["kind"] == "List"
    assert answer["apiVersion"] == "v1"
    assert [i["status"]["address"] for i in answer["items"]] == [f["at"] for f in expect.listed(host.functions)]
    for item, fn in zip(answer["items"], expect.listed(host.functions)):
        assert item["apiVersion"] == "devices.harvesterhci.io/v1beta1"
        assert item["kind"] == "PCIDevice"
        assert item["metadata"]["name"] == host.object_name(fn["at"])
        assert item["metadata"]["labels"]["nodename"] == host.node
        assert item["spec"] == {}


@each_machine
def test_status_is_the_contracts(machine, name):
    host = machine(name)
    for item, fn in zip(items(host), expect.listed(host.functions)):
        vendor, device = fn["id"].split(":")
        status = dict(item["status"])
        assert TIME.match(condition(item, "Offered")["lastTransitionTime"])
        assert status.pop("conditions")
        assert status.pop("resourceName").split("/")[0].endswith(".com")
        assert status.pop("description")
        assert status == {
            "address": fn["at"], "vendorId": vendor, "deviceId": device, "classId": expect.class_id(fn),
            "iommuGroup": str(fn.get("group", "")), "nodeName": host.node,
            "kernelDriverInUse": fn.get("driver") or "", "numaNode": fn["numa"]}


@each_machine
def test_offered_says_whether_and_why_not(machine, name):
    host = machine(name)
    for item, fn in zip(items(host), expect.listed(host.functions)):
        reason, offered = expect.refusal(host, fn), condition(item, "Offered")
        assert (offered["status"], offered["reason"]) == (("False", reason) if reason else ("True", "Available")), fn["at"]
        if reason in expect.HOST_USES:
            assert offered["message"].endswith(tuple(expect.ways(host, fn, reason))), offered["message"]
        elif reason == "GroupHostDriver":
            holder = next(p for p in expect.peers(host, fn) if expect.is_bridge_function(p) and p.get("driver"))
            assert holder["at"] in offered["message"] and holder["driver"] in offered["message"]


@each_machine
def test_show_has_every_use_of_every_function_with_its_way(machine, name):
    """And plan says of those that are used: no, why, and one way."""
    host = machine(name)
    for fn in expect.listed(host.functions):
        uses = expect.uses_of(host, fn["at"])
        if fn.get("physfn") and not fn["at"].endswith(".0"):
            continue  # one of eight of the same kind
        show = host.pcid("show", fn["at"]).must(0).out.splitlines()
        assert [line.split(maxsplit=2)[2] for line in show if line.startswith("Host use:")] == [
            f"{reason}: {fn['at']} → {way}" for reason, chains in uses.items() for way in chains]
        if uses:
            reason = expect.refusal(host, fn)
            plan = host.pcid("plan", fn["at"]).must(1).out
            assert plan.startswith(f"refused {fn['at']}: {reason}: ")
            if reason in expect.HOST_USES:
                assert plan.splitlines()[0].endswith(tuple(expect.ways(host, fn, reason)))


@each_machine
def test_plan_of_every_function_exits_1_exactly_where_a_claim_would_be_refused(machine, name):
    """Of big machines, of one function of each kind."""
    host = machine(name)
    seen = set()
    for fn in expect.listed(host.functions):
        reason = expect.refusal(host, fn)
        kind = (fn["id"], fn.get("driver"), reason)
        if kind in seen:
            continue
        seen.add(kind)
        plan = host.pcid("plan", fn["at"]).must(1 if reason else 0)
        assert (reason or "vfio-pci") in plan.all, f"{fn['at']}\n{plan.all}"
        for member in expect.closure(host, fn) if not reason else []:
            assert member["at"] in plan.out


@each_machine
def test_a_claim_without_an_iommu_group_or_refused_writes_nothing(machine, fresh, name):
    host = fresh(name)
    before = host.snapshot()
    seen = set()
    for fn in expect.listed(host.functions):
        reason = expect.refusal(host, fn)
        if not reason or reason in seen:
            continue
        seen.add(reason)
        result = host.pcid("claim", fn["at"]).must(1)
        assert reason in result.err
        assert result.out == ""
    assert seen
    assert changes(before, host.snapshot()) == []


@each_machine
def test_looking_changes_nothing(fresh, name):
    host = fresh(name)
    before = host.snapshot()
    for arguments in (["list"], ["list", "-o", "wide"], ["list", "-o", "json"], ["list", "-o", "yaml"],
                      ["list", "-o", "name"], ["list", "--groups"], ["plan"],
                      ["show", expect.listed(host.functions)[0]["at"]]):
        host.pcid(*arguments).must(0)
    for fn in expect.listed(host.functions)[:40:4]:
        host.pcid("plan", fn["at"])
    assert changes(before, host.snapshot()) == []


@each_machine
def test_apply_observes_exactly_what_has_an_object(applied, name):
    host = applied(name)
    host.result.must(0)
    assert host.names(f"{RUN}/observed/pcidevices") == sorted(
        host.object_name(fn["at"]) for fn in expect.object_functions(host))
    assert host.names(f"{RUN}/observed/pcideviceclaims") == []
    boot = host.read("proc/sys/kernel/random/boot_id").strip()
    for plural in ("pcidevices", "pcideviceclaims"):
        assert host.read(f"{RUN}/observed/{plural}/complete").strip() == boot


@each_machine
def test_observed_objects_are_those_of_the_list(applied, name):
    host = applied(name)
    listed = {item["metadata"]["name"]: item for item in items(host)}
    for object_name, item in host.observed("pcidevices").items():
        assert item == listed[object_name]


@each_machine
def test_labels_and_annotations(applied, name):
    host = applied(name)
    interfaces = {nic["at"]: nic["name"].lower() for nic in host.description.get("net", []) if nic.get("at")}
    for fn in expect.object_functions(host):
        metadata = host.device(fn["at"])["metadata"]
        labels = {"nodename": host.node}
        if fn.get("physfn") and expect.is_nic(fn):
            labels["harvesterhci.io/parent-sriov-network-device"] = f"{host.node}-{interfaces[fn['physfn']]}"
        assert metadata["labels"] == labels, fn["at"]
        driver = fn.get("driver")
        annotations = {"harvesterhci.io/pcideviceDriver": driver} if driver not in expect.FOREIGN_DRIVERS | {None} else {}
        assert metadata.get("annotations", {}) == annotations, fn["at"]


@each_machine
def test_apply_touches_nothing_but_its_state(machine, applied, name):
    host = applied(name)
    outside = [p for p in changes(machine(name).snapshot(), host.snapshot())
               if not f"{p}/".startswith((f"{RUN}/", f"{STATE}/"))]
    assert outside == []


def test_second_apply_writes_no_file(fresh):
    hosts = [fresh(name) for name in MACHINES]
    for host in hosts:
        host.pcid("apply").must(0)
    before = [host.snapshot() for host in hosts]
    time.sleep(1.1)
    for host, first in zip(hosts, before):
        host.pcid("apply").must(0)
        assert changes(first, host.snapshot()) == [], host.node


# What only some machines have.


def test_five_digit_domains(machine):
    host = machine("vmd-root")
    names = host.pcid("list", "-o", "name").must(0).out.split()
    assert any(n.endswith("m50cyp-1000027000") for n in names) and any(n.endswith("m50cyp-10001cb000") for n in names)


def test_a_vmd_function_carries_its_disks_though_the_groups_differ(workspace, fresh):
    description = machines.describe("vmd-root")
    vmd = next(fn for root in description["pci"] for fn in root["functions"] if fn["at"] == "0000:26:00.5")
    vmd["group"] = 99
    built = machines.build(description, f"{workspace}/vmd-apart")
    host = type(fresh("no-iommu"))(f"{workspace}/vmd-apart", "m50cyp", description, built.functions)
    plan = host.pcid("plan", "0000:26:00.5").must(1)
    assert "RootDisk" in plan.all
    assert "nvme0n1" in plan.all


def test_256_vfs_on_two_buses(machine):
    host = machine("ice-256vf")
    vfs = [i for i in items(host) if i["status"]["deviceId"] == "1889"]
    assert len(vfs) == 256
    assert (vfs[0]["status"]["address"], vfs[-1]["status"]["address"]) == ("0000:5e:01.0", "0000:5f:00.7")
    refused = [v["status"]["address"] for v in vfs if condition(v, "Offered")["status"] == "False"]
    assert refused == ["0000:5f:00.2", "0000:5f:00.3", "0000:5f:00.4", "0000:5f:00.5"]
    show = host.pcid("show", "0000:5e:00.0").must(0)
    assert "256" in show.out and "PFHasVFs" in show.out
    assert "256" in condition(next(i for i in items(host) if i["status"]["address"] == "0000:5e:00.0"), "Offered")["message"]


def test_the_parent_of_a_vf_is_lower_case(applied):
    host = applied("ice-256vf")
    labels = host.device("0000:5e:01.0")["metadata"]["labels"]
    assert labels["harvesterhci.io/parent-sriov-network-device"] == "smc620-enp94s0f0"


def test_the_consumer_boards_group_is_refused_as_a_whole(machine):
    """failures.md A1: a GPU's claim would take the disk that the machine boots from."""
    host = machine("z690-gamer")
    for address in ("0000:01:00.0", "0000:01:00.1", "0000:02:00.0"):
        plan = host.pcid("plan", address).must(1)
        assert "RootDisk" in plan.all
        assert "0000:02:00.0 → nvme0n1 → nvme0n1p2 → /" in plan.all


def test_a_serial_console_frees_the_boot_gpu(fresh):
    host = fresh("z690-gamer")
    assert "Console" in host.pcid("show", "0000:01:00.0").must(0).out
    host.write("sys/devices/virtual/tty/console/active", "ttyS0 tty0\n")
    assert "Console" not in host.pcid("show", "0000:01:00.0").must(0).out


def test_a_second_card_frees_the_boot_gpu_while_it_is_on_a_host_driver(fresh):
    host = fresh("quadro-multipath")
    host.pcid("plan", "0000:15:00.0").must(0)
    uevent = host.sysfs("0000:2e:00.0", "uevent")
    host.write(uevent, host.read(uevent).replace("DRIVER=nouveau\n", ""))
    host.remove(host.sysfs("0000:2e:00.0", "driver"))
    assert "Console: 0000:15:00.0 → console tty0" in host.pcid("show", "0000:15:00.0").must(0).out
    assert "Console" in host.pcid("plan", "0000:15:00.1").must(1).out


def test_every_member_of_the_quadros_group_is_planned(machine):
    plan = machine("quadro-multipath").pcid("plan", "0000:2e:00.0").must(0)
    for function in range(4):
        assert f"0000:2e:00.{function}" in plan.out
    assert "0000:2d:00.0" not in plan.out


def test_an_nvswitch_goes_only_by_its_reason(machine):
    host = machine("hgx-h100")
    assert "--override BridgeFunction" in host.pcid("plan", "0000:62:00.0").must(1).all
    host.pcid("plan", "0000:62:00.0", "--override", "BridgeFunction").must(0)
    host.pcid("plan", "0000:62:00.0", "--override", "Console").must(1)


def test_a_vlanconfig_of_another_node_is_not_ours(fresh):
    """Here the uplinks are told by the VlanConfig alone: no bond is named after a network."""
    host = fresh("harvester-vlan")
    host.cluster("vlanconfigs", "prod", vlan_config([host.node, "other"], ["ens2f0np0", "eno2"]))
    assert "VlanUplink: 0000:37:00.0 → ens2f0np0 → uplink of a VlanConfig" in host.pcid("show", "0000:37:00.0").out
    assert "VlanUplink" in host.pcid("plan", "0000:5d:00.1").must(1).out
    host.pcid("apply").must(0)
    assert host.object_name("0000:5d:00.1") not in host.names(f"{RUN}/observed/pcidevices")
    host.cluster("vlanconfigs", "prod", vlan_config(["other"], ["ens2f0np0", "eno2"]))
    assert "NetworkMember" in host.pcid("plan", "0000:37:00.0").must(1).out
    host.pcid("plan", "0000:5d:00.1").must(0)
    host.pcid("apply").must(0)
    assert host.device("0000:5d:00.1")["status"]["address"] == "0000:5d:00.1"


def test_a_networks_bond_and_bridge_are_an_uplink_by_their_names(fresh):
    """prod-bo under prod-br: what Harvester makes of a VlanConfig, known without the cluster."""
    host = fresh("harvester-vlan")
    host.remove(f"{STATE}/desired/cluster/vlanconfigs/prod.json")
    assert "VlanUplink: 0000:13:00.0 → ens5f0 → prod-bo → prod-br" in host.pcid("show", "0000:13:00.0").must(0).out


def test_what_is_unmounted_is_offered(fresh):
    host = fresh("dell-r740")
    host.pcid("apply").must(0)
    first = condition(host.device("0000:d8:00.0"), "Offered")
    assert (first["status"], first["reason"]) == ("False", "Mounted")
    kept = condition(host.device("0000:5e:00.0"), "Offered")
    lines = host.read("proc/1/mountinfo").splitlines(keepends=True)
    host.write("proc/1/mountinfo", "".join(line for line in lines if "extra-disks" not in line))
    time.sleep(1.1)
    host.pcid("apply").must(0)
    after = condition(host.device("0000:d8:00.0"), "Offered")
    assert (after["status"], after["reason"]) == ("True", "Available")
    assert after["lastTransitionTime"] > first["lastTransitionTime"]
    assert condition(host.device("0000:5e:00.0"), "Offered") == kept


def test_a_function_that_goes_takes_its_object_along(fresh):
    host = fresh("dell-r740")
    host.pcid("apply").must(0)
    host.device("0000:86:00.0")
    host.remove("sys/bus/pci/devices/0000:86:00.0")
    host.pcid("apply").must(0)
    assert host.object_name("0000:86:00.0") not in host.names(f"{RUN}/observed/pcidevices")
    assert len(host.names(f"{RUN}/observed/pcidevices")) == len(expect.object_functions(host)) - 1


# Overrides: of the machine's own word only, of no final one.


@pytest.mark.parametrize("name,address,reason", [
    ("dell-r740", "0000:d8:00.0", "Mounted"),
    ("dell-r740", "0000:af:00.0", "NetworkAddress"),
    ("quadro-multipath", "0000:00:17.0", "Swap"),
    ("quadro-multipath", "0000:b0:00.0", "BlockHolder"),
    ("hgx-h100", "0000:03:00.0", "Console"),
    ("harvester-vlan", "0000:37:00.0", "NetworkMember"),
    ("harvester-vlan", "0000:13:00.1", "VlanUplink"),
    ("harvester-vlan", "0000:12:00.0", "ManagementNIC"),
    ("epyc-elemental", "0000:01:00.0", "Mounted"),
])
def test_override_by_the_exact_reason_only(machine, name, address, reason):
    host = machine(name)
    assert f"--override {reason}" in host.pcid("plan", address).must(1).all
    for other in expect.HOST_USES + ["BridgeFunction"]:
        if other != reason and other not in expect.FINAL:
            assert reason in host.pcid("plan", address, "--override", other).must(1).all
    plan = host.pcid("plan", address, "--override", reason)
    assert f"{reason}: " not in plan.out
    if name != "harvester-vlan":  # these are members of a bond too
        plan.must(0)


@pytest.mark.parametrize("name,address,reason", [
    ("dell-r740", "0000:5e:00.0", "RootDisk"),
    ("dell-r740", "0000:3b:00.0", "DefaultRoute"),
    ("vmd-root", "10000:27:00.0", "RootDisk"),
    ("vmd-root", "0000:51:00.0", "DefaultRoute"),
    ("epyc-elemental", "0000:44:00.3", "RootDisk"),
    ("z690-gamer", "0000:01:00.0", "RootDisk"),
    ("hgx-h100", "0000:9a:00.0", "RootDisk"),
])
def test_the_root_disk_and_the_default_route_cannot_be_overridden(fresh, name, address, reason):
    host = fresh(name)
    before = host.snapshot()
    for word in (reason, "Mounted", "Console", "ManagementNIC", "NetworkAddress"):
        for verb in ("plan", "claim"):
            result = host.pcid(verb, address, "--override", word)
            assert result.code in ((1, 2) if word == reason else (1,)), f"{word}: {result}"
            assert reason in result.all
    assert changes(before, host.snapshot()) == []


@pytest.mark.parametrize("name,address,reason", [
    ("no-iommu", "0000:02:00.0", "NoIOMMUGroup"),
    ("ice-256vf", "0000:5e:00.0", "PFHasVFs"),
    ("ice-256vf", "0000:5f:00.2", "BoundByAnother"),
    ("ice-256vf", "0000:98:00.0", "BoundByAnother"),
    ("z690-gamer", "0000:00:1f.3", "GroupHostDriver"),
    ("dell-r740", "0000:77:00.0", "NotFound"),
])
def test_what_cannot_be_is_no_override_either(machine, name, address, reason):
    host = machine(name)
    assert reason in host.pcid("plan", address).must(1).all
    assert host.pcid("plan", address, "--override", reason).code == 2
    for word in ("Mounted", "BridgeFunction"):
        assert reason in host.pcid("plan", address, "--override", word).must(1).all


def test_a_pci_bridge_is_not_claimable(machine):
    result = machine("dell-r740").pcid("plan", "0000:5d:00.0").must(1)
    assert "bridge" in result.all.lower()


# Against lspci, on the same trees.


def find_lspci():
    path = f"{CACHE}/tools/lspci"
    if not os.access(path, os.X_OK):
        pytest.skip(f"{path} is not built")
    return path


@each_machine
def test_lspci_sees_the_same(machine, name):
    host = machine(name)
    lspci = subprocess.run([find_lspci(), "-O", f"sysfs.path={host.dir}/sys/bus/pci", "-A", "linux-sysfs", "-Dmmn"],
                           capture_output=True, text=True, check=True)
    theirs = []
    for line in lspci.stdout.splitlines():
        address, cls, vendor, device = line.replace('"', "").split()[:4]
        if cls != "0604":
            theirs.append((address, cls, vendor, device))
    ours = [tuple(i["status"][k] for k in ("address", "classId", "vendorId", "deviceId")) for i in items(host)]
    assert ours == sorted(theirs, key=lambda entry: expect.pcitree.address_key(entry[0]))
