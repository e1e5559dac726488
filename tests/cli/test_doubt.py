# SPDX-License-Identifier: GPL-2.0-or-later
# In doubt nothing is taken, released or deleted: half views, foreign records, files that cannot be read.
import json
import os

import pytest
from conftest import RUN, STATE

FREE, OTHER, PAIR = "0000:d9:00.0", "0000:86:00.0", "dell-r740"


def conditions(item):
    return {c["type"]: (c["status"], c["reason"]) for c in item["status"]["conditions"]}


def link(path, target):
    if os.path.lexists(path):
        os.unlink(path)
    os.symlink(target, path)


def put_on_vfio(host, address, verified=True, driver="nvme", node_file=True):
    """The tree as it is after a claim of this function was bound on a real kernel."""
    fn = host.function(address)
    group = os.path.basename(os.readlink(host.path(host.sysfs(address, "iommu_group"))))
    os.makedirs(host.path("sys/bus/pci/drivers/vfio-pci"), exist_ok=True)
    host.write("sys/bus/pci/drivers/vfio-pci/unbind", "")
    link(host.path(host.sysfs(address, "driver")), "../" * fn["path"].count("/") + "bus/pci/drivers/vfio-pci")
    uevent = [l for l in host.read(host.sysfs(address, "uevent")).splitlines() if not l.startswith("DRIVER=")]
    host.write(host.sysfs(address, "uevent"), "\n".join(["DRIVER=vfio-pci", *uevent]) + "\n")
    if node_file:
        host.write(f"sys/class/vfio/{group}/dev", "240:7\n")
    read = lambda name: host.read(host.sysfs(address, name)).strip().removeprefix("0x")  # noqa: E731
    record = {"formatVersion": 1, "address": address, "vendorId": read("vendor"), "deviceId": read("device"),
              "subsystemVendorId": read("subsystem_vendor"), "subsystemDeviceId": read("subsystem_device"),
              "class": read("class"), "driver": driver, "driverOverride": "", "resourceName": "", "verified": verified}
    host.write(f"{STATE}/kept/pcidevices/{host.object_name(address)}.json", json.dumps(record))


def wish(host, address, tree="local", **metadata):
    name = host.object_name(address)
    host.write(f"{STATE}/desired/{tree}/pcideviceclaims/{name}.json", json.dumps(
        {"metadata": {"name": name, **metadata}, "spec": {"address": address, "nodeName": host.node, "userName": "u"}}))


@pytest.fixture
def host(fresh):
    """A state that is ours, with nothing claimed."""
    host = fresh("dell-r740")
    host.pcid("claim", FREE)
    host.pcid("release", FREE).must(0)
    return host


def kept(host):
    return host.names(f"{STATE}/kept/pcidevices")


def test_what_no_claim_wants_is_planned_to_go_back(host):
    put_on_vfio(host, FREE)
    assert "vfio-pci -> nvme" in host.pcid("plan").must(0).out


def test_under_another_node_name_nothing_is_released(host):
    put_on_vfio(host, FREE)
    wish(host, FREE)
    host.node = "another"
    assert "->" not in host.pcid("plan").out
    result = host.pcid("apply").must(1)
    assert "is called another now" in result.err
    assert len(kept(host)) == 1


def test_a_record_of_another_node_name_is_left_alone(host):
    put_on_vfio(host, FREE)
    record = f"{STATE}/kept/pcidevices/{host.object_name(FREE)}.json"
    os.rename(host.path(record), host.path(record.replace("dell-190", "another")))
    assert "another node name" in host.pcid("apply").must(1).err
    assert len(kept(host)) == 1


def test_a_vfio_node_without_a_number_counts_as_in_use(host):
    put_on_vfio(host, FREE, node_file=False)
    result = host.pcid("apply", "--no-wait").must(1)
    assert "InUse" in result.err and "VFIO node" in result.err
    assert len(kept(host)) == 1


def test_a_function_that_cannot_be_read_is_not_gone(host):
    put_on_vfio(host, FREE)
    for name in ("uevent", "vendor"):
        host.remove(host.sysfs(FREE, name))
    assert "cannot be read" in host.pcid("apply").must(1).err
    assert len(kept(host)) == 1


def test_a_function_that_is_gone_is_forgotten(host):
    put_on_vfio(host, FREE)
    host.remove(f"sys/bus/pci/devices/{FREE}")
    host.pcid("apply").must(0)
    assert kept(host) == []


@pytest.mark.parametrize("classes, address", [(("block",), "0000:5e:00.0"), (("net",), "0000:3b:00.0")])
def test_without_the_kernels_classes_a_controller_is_in_doubt(fresh, classes, address):
    host = fresh("dell-r740")
    for name in classes:
        host.remove(f"sys/class/{name}")
    host.remove("sys/block")
    assert "HostUseUnknown" in host.pcid("plan", address).must(1).out


@pytest.mark.parametrize("modules, reason", [(True, "BindFailed"), (False, "ModuleMissing")])
def test_one_claim_that_fails_says_nothing_of_the_others(host, modules, reason):
    put_on_vfio(host, FREE)
    wish(host, FREE)
    if not modules:
        host.remove("sys/module")
    assert reason in host.pcid("claim", OTHER).must(1).err
    bound = host.observed("pcideviceclaims", host.object_name(FREE))
    assert bound["status"]["passthroughEnabled"] is True
    assert conditions(bound)["Bound"] == ("True", "Bound")
    assert conditions(host.observed("pcideviceclaims", host.object_name(OTHER)))["Bound"][0] == "False"


def test_a_state_that_went_deletes_no_observed_claim(host):
    put_on_vfio(host, FREE)
    wish(host, FREE)
    host.pcid("apply").must(0)
    os.rename(host.path(STATE), host.path(f"{STATE}.away"))
    host.pcid("apply")
    assert host.names(f"{RUN}/observed/pcideviceclaims") == [host.object_name(FREE)]


def test_without_a_sentinel_nothing_is_marked_complete(host):
    put_on_vfio(host, FREE)
    host.remove(f"{STATE}/desired/machine")
    host.remove(RUN)
    host.pcid("apply").must(1)
    assert not os.path.exists(host.path(f"{RUN}/observed/pcideviceclaims/complete"))


def test_a_peers_record_of_a_later_format_stops_the_group(fresh):
    host = fresh("quadro-multipath")
    peer = host.object_name("0000:2e:00.1")
    host.write(f"{STATE}/kept/pcidevices/{peer}.json", '{"formatVersion": 2}')
    result = host.pcid("claim", "0000:2e:00.0").must(1)
    assert "StateForeign" in result.err or "KeptUnreadable" in result.err
    assert host.load(f"{STATE}/kept/pcidevices/{peer}.json") == {"formatVersion": 2}


def test_a_claim_whose_function_went_unbound_keeps_its_device_object(host):
    wish(host, FREE, "cluster", annotations={"pcidevices.harvesterhci.io/skip-vfio-binding": "true"})
    host.pcid("apply").must(0)
    host.remove(f"sys/bus/pci/devices/{FREE}")
    host.pcid("apply").must(1)
    device = host.device(FREE)
    assert conditions(device) == {"Offered": ("False", "Absent"), "Present": ("False", "Absent")}
    assert device["status"]["vendorId"]


def test_a_stranger_at_the_address_has_nothing_of_the_record(host):
    put_on_vfio(host, FREE)
    wish(host, FREE)
    host.write(host.sysfs(FREE, "device"), "0xbeef\n")
    uevent = host.read(host.sysfs(FREE, "uevent"))
    host.write(host.sysfs(FREE, "uevent"), "\n".join(
        l.split(":")[0] + ":BEEF" if l.startswith("PCI_ID=") else l for l in uevent.splitlines()) + "\n")
    host.pcid("apply").must(1)
    claim = host.observed("pcideviceclaims", host.object_name(FREE))
    assert conditions(claim)["Accepted"] == ("False", "IdentityMismatch")
    assert claim["status"]["passthroughEnabled"] is False


def test_a_clusters_claim_is_overridden_in_the_cluster(host):
    wish(host, "0000:d8:00.0", "cluster")
    result = host.pcid("claim", "0000:d8:00.0", "--override", "Mounted").must(1)
    assert "kubectl annotate" in result.err
    assert host.names(f"{STATE}/desired/local/pcideviceclaims") == []


def test_an_override_leaves_the_rest_of_the_wish(host):
    wish(host, "0000:d8:00.0", uid="u-1", annotations={"a": "b"})
    host.pcid("claim", "0000:d8:00.0", "--override", "Mounted")
    made = host.load(f"{STATE}/desired/local/pcideviceclaims/{host.object_name('0000:d8:00.0')}.json")
    assert made["metadata"]["uid"] == "u-1"
    assert made["metadata"]["annotations"] == {"a": "b", "vfiobox.io/override": "Mounted"}


def test_a_clusters_claim_that_is_deleted_hides_a_local_one(host):
    wish(host, FREE)
    wish(host, FREE, "cluster", deletionTimestamp="2026-01-01T00:00:00Z")
    put_on_vfio(host, FREE)
    assert "vfio-pci -> nvme" in host.pcid("plan").must(0).out


def test_an_interrupted_bind_that_fails_again_is_undone(fresh):
    host = fresh("quadro-multipath")
    host.pcid("claim", "0000:2e:00.0").must(1)
    put_on_vfio(host, "0000:2e:00.0", verified=False, driver="nouveau")
    host.write(host.sysfs("0000:2e:00.0", "driver_override"), "vfio-pci\n")
    host.pcid("apply").must(1)
    for fn in range(4):
        assert "vfio" not in host.read(host.sysfs(f"0000:2e:00.{fn}", "driver_override"))


def test_show_of_a_bridge_is_its_object(host):
    bridge = next(fn["at"] for fn in host.functions if fn["class"].startswith("0604"))
    assert host.pcid("show", bridge, "-o", "json").must(0).json()["status"]["address"] == bridge
