# SPDX-License-Identifier: GPL-2.0-or-later
# `pcid vfs` on trees of described machines. No kernel makes VFs there: what was written is looked at, and a
# NIC whose VFs are there already (its number says 0) stands for a kernel that makes them.
import json
import os

import pytest
import yaml
from conftest import RUN, STATE, changes

API = "devices.harvesterhci.io/v1beta1"
PLURAL = "sriovnetworkdevices"
INTERFACE = "sriov.devices.harvesterhi.io/interface-name"
LOCAL = f"{STATE}/desired/local/{PLURAL}"
MACHINE = "ice-256vf"
MLX = "0000:18:00.0"  # ens1f0np0, 4 of 8 VFs
MLX_VFS = ["0000:18:00.2", "0000:18:00.3", "0000:18:00.4", "0000:18:00.5"]
FREE = "0000:18:00.1"  # ens1f1np1, none of 8
ICE = "0000:5e:00.0"  # ENP94S0F0, 256 of 256, some on vfio-pci


def numvfs(host, address, text=None):
    path = host.sysfs(address, "sriov_numvfs")
    if text is not None:
        host.write(path, f"{text}\n")
    return host.read(path).strip()


def applied(nic):
    (found,) = [c for c in nic["status"]["conditions"] if c["type"] == "Applied"]
    return found["status"], found["reason"]


def nic_object(host, name, **spec):
    return {"apiVersion": API, "kind": "SRIOVNetworkDevice",
            "metadata": {"name": name, "uid": "5a1c7e0a-0f9c-4b43-8d3c-6c1b5a1d0002", "labels": {"team": "a"}},
            "spec": {"nodeName": host.node, **spec}}


def cluster_nic(host, name, **spec):
    host.cluster(PLURAL, name, nic_object(host, name, **spec))


def refused(host, *args):
    """vfs exits 1 and leaves no trace."""
    before = host.snapshot(without=())
    result = host.pcid("vfs", *args).must(1)
    assert changes(before, host.snapshot(without=())) == []
    assert result.out == ""
    return result.err


# The list.

def test_the_table(machine):
    lines = machine(MACHINE).pcid("vfs").must(0).out.splitlines()
    assert [line.split() for line in lines] == [
        ["INTERFACE", "ADDRESS", "VFS", "TOTAL", "DRIVER", "STATUS"],
        ["ens1f0np0", MLX, "4", "8", "mlx5_core", "enabled"],
        ["ens1f1np1", FREE, "0", "8", "mlx5_core", "disabled"],
        ["ENP94S0F0", ICE, "256", "256", "ice", "enabled"]]


def test_a_wide_table_has_the_name(machine):
    head, first, *_ = machine(MACHINE).pcid("vfs", "-o", "wide").must(0).out.splitlines()
    assert head.split()[6:] == ["NAME", "NOTE"]
    assert first.split()[6] == "smc620-ens1f0np0"


def test_names(machine):
    assert machine(MACHINE).pcid("vfs", "-o", "name").must(0).out.split() == [
        f"sriovnetworkdevice.devices.harvesterhci.io/smc620-{name}" for name in ("ens1f0np0", "ens1f1np1", "enp94s0f0")]


def test_objects_of_the_list(machine):
    host = machine(MACHINE)
    listed = host.pcid("vfs", "-o", "json").must(0).json()
    assert (listed["apiVersion"], listed["kind"]) == ("v1", "List")
    assert [i["metadata"]["name"] for i in listed["items"]] == [
        "smc620-ens1f0np0", "smc620-ens1f1np1", "smc620-enp94s0f0"]
    first, _, last = listed["items"]
    assert first["kind"] == "SRIOVNetworkDevice" and first["apiVersion"] == API
    assert first["status"]["vfAddresses"] == MLX_VFS
    assert first["status"]["vfPCIDevices"] == [host.object_name(a) for a in MLX_VFS]
    assert last["metadata"]["annotations"][INTERFACE] == "ENP94S0F0"
    assert len(last["status"]["vfAddresses"]) == 256
    assert [i["metadata"]["name"] for i in yaml.safe_load(host.pcid("vfs", "-o", "yaml").must(0).out)["items"]] == [
        i["metadata"]["name"] for i in listed["items"]]


@pytest.mark.parametrize("name,hidden,shown", [
    ("harvester-vlan", {"ens1f0np0", "ens1f1np1", "ens5f0", "ens5f1"}, {"ens6f0", "ens6f1"}),
    ("dell-r740", {"ens2f0", "ens2f1"}, set()),
])
def test_management_nics_and_vlan_uplinks_are_not_listed(fresh, name, hidden, shown):
    host = fresh(name)
    listed = {line.split()[0] for line in host.pcid("vfs").must(0).out.splitlines()[1:]}
    assert shown <= listed and not hidden & listed
    host.pcid("apply").must(0)
    observed = {n["metadata"]["annotations"][INTERFACE] for n in host.observed(PLURAL).values()}
    assert observed == listed


def test_a_gpu_with_sriov_is_no_nic(machine):
    assert "0000:d8:00.0" not in machine("dell-r740").pcid("vfs").must(0).out


# What is observed without a wish.

def test_without_a_wish_the_kernels_number_is_observed_and_kept(fresh):
    host = fresh(MACHINE)
    before = host.snapshot()
    host.pcid("apply").must(0)
    assert [p for p in changes(before, host.snapshot()) if not f"{p}/".startswith((f"{STATE}/", f"{RUN}/"))] == []
    nic = host.observed(PLURAL, "smc620-ens1f0np0")
    assert nic["metadata"]["labels"] == {"nodename": "smc620"}
    assert nic["metadata"]["annotations"] == {INTERFACE: "ens1f0np0"}
    assert nic["spec"] == {"address": MLX, "nodeName": "smc620", "numVFs": 4}
    assert nic["status"]["status"] == "sriovNetworkDeviceEnabled"
    assert applied(nic) == ("True", "NoWish")
    none = host.observed(PLURAL, "smc620-ens1f1np1")
    assert none["spec"]["numVFs"] == 0
    assert (none["status"]["status"], none["status"]["vfAddresses"]) == ("sriovNetworkDeviceDisabled", [])
    assert os.path.exists(host.path(f"{RUN}/observed/{PLURAL}/complete"))


def test_the_label_of_the_parent(fresh):
    """On its VFs, and on nothing else: not on a PF that has none."""
    host = fresh(MACHINE)
    host.pcid("apply").must(0)
    parents = {}
    for device in host.observed("pcidevices").values():
        parent = device["metadata"]["labels"].get("harvesterhci.io/parent-sriov-network-device")
        parents.setdefault(parent, []).append(device["status"]["address"])
    assert sorted(parents["smc620-ens1f0np0"]) == MLX_VFS
    assert len(parents["smc620-enp94s0f0"]) == 256
    assert FREE in parents[None] and set(parents) == {None, "smc620-ens1f0np0", "smc620-enp94s0f0"}


def test_an_object_of_an_interface_that_went_is_removed(fresh):
    host = fresh(MACHINE)
    host.own_state()
    host.pcid("apply").must(0)
    os.rename(host.path(host.sysfs(FREE, "net/ens1f1np1")), host.path(host.sysfs(FREE, "net/renamed")))
    host.pcid("apply").must(0)
    assert host.names(f"{RUN}/observed/{PLURAL}") == ["smc620-enp94s0f0", "smc620-ens1f0np0", "smc620-renamed"]


# Refused: nothing is written, and the text says what to do.

REFUSALS = [
    (["ens1f1np1", "9"], ["ens1f1np1", FREE, "TooManyVFs", "9", "8", "at most 8"]),
    (["18:00.1", "300"], ["TooManyVFs", "300", "8"]),
    (["ENP94S0F0", "0"], ["VFInUse", "0000:5f:00.2", "vfio-pci", "did not put it there"]),
    (["enp94s0f0", "10"], ["VFInUse"]),
    (["eno1", "2"], ["NoSRIOV", "0000:17:00.0"]),
    (["0000:98:00.0", "2"], ["NoSRIOV", "0000:98:00.0"]),
    (["0000:00:17.0", "2"], ["NoSRIOV", "0000:00:17.0", "0106"]),
    (["0000:7f:00.0", "2"], ["NotFound", "0000:7f:00.0", "pcid vfs"]),
    (["eth99", "2"], ["NoSRIOV", "0000:5e:0d.3 is a VF itself", ICE]),
    (["nosuch0", "2"], ["NotFound", "nosuch0", "pcid vfs"]),
]


@pytest.mark.parametrize("args,words", REFUSALS, ids=[" ".join(a) for a, _ in REFUSALS])
def test_refused(fresh, args, words):
    text = refused(fresh(MACHINE), *args)
    for word in words:
        assert word in text


@pytest.mark.parametrize("interface,reason", [("ens1f0np0", "ManagementNIC"), ("ens5f0", "VlanUplink")])
def test_what_the_host_lives_on_is_refused(fresh, interface, reason):
    assert reason in refused(fresh("harvester-vlan"), interface, "2")


@pytest.mark.parametrize("count", ["0", "3", "8"])
def test_while_a_vf_is_claimed_its_number_stays(fresh, count):
    host = fresh(MACHINE)
    host.cluster_claim(MLX_VFS[1])
    text = refused(host, "ens1f0np0", count)
    assert "VFClaimed" in text and MLX_VFS[1] in text and f"pcid release {MLX_VFS[1]}" in text
    assert numvfs(host, MLX) == "4"


def test_a_claimed_pf_makes_no_vfs(fresh):
    host = fresh(MACHINE)
    host.cluster_claim(FREE)
    assert "PFClaimed" in refused(host, "ens1f1np1", "2")


def test_a_pf_without_driver_makes_no_vfs(fresh):
    host = fresh(MACHINE)
    host.remove(host.sysfs(FREE, "driver"))
    path = host.sysfs(FREE, "uevent")
    host.write(path, host.read(path).replace("DRIVER=mlx5_core\n", ""))
    assert "NoDriver" in refused(host, "ens1f1np1", "2")


def test_the_clusters_number_is_changed_in_the_cluster(fresh):
    host = fresh(MACHINE)
    cluster_nic(host, "smc620-ens1f1np1", address=FREE, numVFs=0)
    text = refused(host, "ens1f1np1", "2")
    assert ("kubectl patch sriovnetworkdevices.devices.harvesterhci.io smc620-ens1f1np1 --type merge -p "
            "'{\"spec\":{\"numVFs\":2}}'") in text


def test_in_a_state_of_another_machine_nothing_is_written(fresh):
    host = fresh(MACHINE)
    host.write(f"{STATE}/desired/machine", "machine-id 00000000000000000000000000000000\n")
    assert "StateForeign" in refused(host, "ens1f1np1", "2")


@pytest.mark.parametrize("args", [["ens1f1np1"], ["ens1f1np1", "-1"], ["ens1f1np1", "x"], ["ens1f1np1", "65536"],
                                  ["ens1f1np1", "1", "2"]])
def test_a_wrong_call(machine, args):
    assert "usage: pcid" in machine(MACHINE).pcid("vfs", *args).must(2).err


# Done.

def test_vfs_that_are_made(fresh):
    host = fresh(MACHINE)
    numvfs(host, MLX, 0)
    result = host.pcid("vfs", "ens1f0np0", "4").must(0)
    assert result.out == f"ens1f0np0: 4 VFs: {' '.join(MLX_VFS)}\n"
    assert f"ens1f0np0 ({MLX}): 0 VFs -> 4 VFs" in result.err
    assert numvfs(host, MLX) == "4"
    wish = host.load(f"{LOCAL}/smc620-ens1f0np0.json")
    assert (wish["apiVersion"], wish["kind"]) == (API, "SRIOVNetworkDevice")
    assert wish["spec"] == {"address": MLX, "nodeName": "smc620", "numVFs": 4}
    assert wish["metadata"]["annotations"] == {INTERFACE: "ens1f0np0"}
    assert "status" not in wish
    nic = host.observed(PLURAL, "smc620-ens1f0np0")
    assert nic["spec"] == wish["spec"] and nic["metadata"]["uid"] == wish["metadata"]["uid"]
    assert applied(nic) == ("True", "Applied")
    assert nic["status"]["vfAddresses"] == MLX_VFS
    assert host.read(f"{STATE}/desired/machine") == host.sentinel()


def test_a_second_order_keeps_the_wish_and_counts_it(fresh):
    host = fresh(MACHINE)
    host.pcid("vfs", MLX, "4").must(0)
    first = host.load(f"{LOCAL}/smc620-ens1f0np0.json")["metadata"]
    host.pcid("vfs", "18:00.0", "4").must(0)
    second = host.load(f"{LOCAL}/smc620-ens1f0np0.json")["metadata"]
    assert second["uid"] == first["uid"] and second["generation"] == first["generation"] + 1
    assert host.names(LOCAL) == ["smc620-ens1f0np0"]


def test_vfs_that_do_not_come_are_said(fresh):
    """The number is written; no kernel makes the VFs."""
    host = fresh(MACHINE)
    result = host.pcid("vfs", "ens1f1np1", "2", "--no-wait").must(1)
    assert numvfs(host, FREE) == "2"
    assert "Pending" in result.err and "0 of its 2 VFs are there" in result.err and "pcid apply" in result.err
    assert applied(host.observed(PLURAL, "smc620-ens1f1np1")) == ("False", "Pending")


def test_the_clusters_wish_wins_over_a_local_one(fresh):
    host = fresh(MACHINE)
    numvfs(host, MLX, 0)
    cluster_nic(host, "smc620-ens1f0np0", address=MLX, numVFs=4)
    host.write(f"{LOCAL}/smc620-ens1f0np0.json", json.dumps(nic_object(host, "smc620-ens1f0np0", address=MLX, numVFs=1)))
    host.pcid("apply").must(0)
    assert numvfs(host, MLX) == "4"
    nic = host.observed(PLURAL, "smc620-ens1f0np0")
    assert nic["metadata"]["labels"] == {"team": "a", "nodename": "smc620"}


def test_a_refused_wish_is_observed_with_its_reason(fresh):
    host = fresh(MACHINE)
    cluster_nic(host, "smc620-ens1f1np1", address=FREE, numVFs=9)
    result = host.pcid("apply").must(1)
    assert "TooManyVFs" in result.err
    assert numvfs(host, FREE) == "0"
    nic = host.observed(PLURAL, "smc620-ens1f1np1")
    assert nic["spec"]["numVFs"] == 9
    assert applied(nic) == ("False", "TooManyVFs")
    assert nic["status"]["status"] == "sriovNetworkDeviceDisabled"
    assert "disabled, 9 wanted: TooManyVFs" in host.pcid("vfs").must(0).out


def test_a_wish_that_is_on_its_way_out_changes_nothing(fresh):
    host = fresh(MACHINE)
    wish = nic_object(host, "smc620-ens1f0np0", address=MLX, numVFs=0)
    wish["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"
    host.cluster(PLURAL, "smc620-ens1f0np0", wish)
    host.pcid("apply").must(0)
    assert numvfs(host, MLX) == "4"


@pytest.mark.parametrize("verb", [["apply"], ["vfs"], ["vfs", "ens1f1np1", "2"]])
def test_an_unreadable_wish_stops_everything(fresh, verb):
    host = fresh(MACHINE)
    host.own_state()
    host.write(f"{STATE}/desired/cluster/{PLURAL}/smc620-ens1f0np0.json", '{"spec": {"numVFs"')
    before = host.snapshot()
    assert "smc620-ens1f0np0" in host.pcid(*verb).must(1).err
    assert [p for p in changes(before, host.snapshot()) if not p.startswith("run")] == []


def test_a_nic_that_is_gone_keeps_its_object(fresh):
    host = fresh(MACHINE)
    cluster_nic(host, "smc620-ens9", address="0000:99:00.0", numVFs=2)
    host.pcid("apply").must(1)
    nic = host.observed(PLURAL, "smc620-ens9")
    assert nic["spec"] == {"address": "0000:99:00.0", "nodeName": "smc620", "numVFs": 2}
    assert applied(nic) == ("False", "NotFound")
    assert ("Present", "False") in {(c["type"], c["status"]) for c in nic["status"]["conditions"]}
    assert "0000:99:00.0" in host.pcid("vfs").must(0).out


def test_a_state_that_went_deletes_no_wished_object(fresh):
    host = fresh(MACHINE)
    cluster_nic(host, "smc620-ens9", address="0000:99:00.0", numVFs=2)
    host.pcid("apply").must(1)
    host.remove(STATE)
    host.pcid("apply")
    assert "smc620-ens9" in host.names(f"{RUN}/observed/{PLURAL}")


def test_with_a_claim_of_a_vf_to_come_probing_is_turned_off_and_on(fresh):
    """The claim's function is not there before, nor after: the tree's kernel makes none."""
    host = fresh(MACHINE)
    host.cluster_claim("0000:18:01.1")
    cluster_nic(host, "smc620-ens1f1np1", address=FREE, numVFs=2)
    path = host.sysfs(FREE, "sriov_drivers_autoprobe")
    before = os.stat(host.path(path)).st_mtime_ns
    host.pcid("apply", "--no-wait").must(1)
    assert host.read(path).strip() == "1" and os.stat(host.path(path)).st_mtime_ns != before
    assert host.names(f"{STATE}/kept/{PLURAL}") == []


def test_plan_shows_what_would_be_done(fresh):
    host = fresh(MACHINE)
    cluster_nic(host, "smc620-ens1f0np0", address=MLX, numVFs=2)
    cluster_nic(host, "smc620-ens1f1np1", address=FREE, numVFs=9)
    before = host.snapshot()
    text = host.pcid("plan").must(0).out
    assert f"VFs of ens1f0np0 ({MLX}): 4 -> 0 -> 2\n" in text
    assert f"refused VFs of ens1f1np1 ({FREE}): TooManyVFs: " in text
    plan = host.pcid("plan", "-o", "json").must(0).json()
    assert plan["vfs"] == [{"name": "smc620-ens1f0np0", "address": MLX, "from": 4, "to": 2}]
    assert [(r["name"], r["reason"]) for r in plan["refused"]] == [("smc620-ens1f1np1", "TooManyVFs")]
    assert changes(before, host.snapshot()) == []


def test_a_pf_that_is_to_have_vfs_is_not_offered(fresh):
    host = fresh(MACHINE)
    cluster_nic(host, "smc620-ens1f1np1", address=FREE, numVFs=2)
    result = host.pcid("claim", FREE).must(1)
    assert "PFHasVFs" in result.err and f"pcid vfs {FREE} 0" in result.err
