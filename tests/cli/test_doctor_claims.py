# SPDX-License-Identifier: GPL-2.0-or-later
# `pcid doctor` on claims and the state they are kept in, and on trees that are broken.
import os
import shutil

import pytest
from conftest import LOCK, RUN, STATE, run_vfiobox
from findings import bound, doctor, early, none, one, put, wish
from test_doubt import put_on_vfio

GPU, NVME, DISK = "0000:86:00.0", "0000:d9:00.0", "0000:d8:00.0"
QUADRO = [f"0000:2e:00.{n}" for n in range(4)]


@pytest.fixture
def host(fresh):
    return fresh("dell-r740")


@pytest.fixture
def quadro(fresh):
    return fresh("quadro-multipath")


def test_a_bound_claim_is_well(host):
    bound(host, NVME)
    one(host, "ok", f"claim {NVME}", "on vfio-pci")
    one(host, "ok", "state", "1 claims")
    host.pcid("doctor").must(0)


def test_an_accepted_claim_that_is_not_bound_is_a_problem(host):
    wish(host, GPU)
    wish(host, NVME)
    one(host, "problem", f"claim {GPU}", "no driver", "pcid apply")
    one(host, "problem", f"claim {NVME}", "not bound yet", "nvme", "pcid apply")


def test_what_the_last_pass_said_is_said(host):
    wish(host, GPU)
    host.pcid("apply").must(1)
    said = next(c for c in host.observed("pcideviceclaims", host.object_name(GPU))["status"]["conditions"]
                if c["type"] == "Bound")
    one(host, "problem", f"claim {GPU}", f"the last pass said: {said['reason']}: {said['message']}")


@pytest.mark.parametrize("text", ["", "{", "[]", '{"status": []}', '{"status": {"conditions": [1, {"type": 7}]}}',
                                  '{"status": {"conditions": [{"type": "Bound", "status": "False"}]}}'])
def test_junk_in_observed_is_passed_over(host, text):
    wish(host, GPU)
    host.write(f"{RUN}/observed/pcideviceclaims/{host.object_name(GPU)}.json", text)
    assert "last pass" not in one(host, "problem", f"claim {GPU}")["message"]


def test_a_half_done_bind_is_a_problem(host):
    bound(host, NVME, verified=False)
    one(host, "problem", f"claim {NVME}", "vfio-pci, which was not verified")


def test_a_refused_claim_has_the_reason_and_the_hint(host):
    wish(host, DISK)
    one(host, "problem", f"claim {DISK}", "refused: Mounted:", "nvme1n1", "--override Mounted")
    wish(host, "0000:77:00.0")
    one(host, "problem", "claim 0000:77:00.0", "refused: NotFound:")


def test_another_device_at_the_address_is_said(host):
    bound(host, NVME)
    put(host, NVME, "device", "0xbeef")
    uevent = host.read(host.sysfs(NVME, "uevent"))
    put(host, NVME, "uevent", "\n".join("PCI_ID=8086:BEEF" if l.startswith("PCI_ID=") else l
                                        for l in uevent.splitlines()))
    one(host, "problem", f"claim {NVME}", "IdentityMismatch", "8086:beef")


def test_what_another_agent_of_ours_bound_waits_for_a_pass(host):
    wish(host, NVME, "cluster", status={"passthroughEnabled": True, "kernelDriverToUnbind": "nvme"})
    put_on_vfio(host, NVME)
    host.remove(f"{STATE}/kept")
    one(host, "note", f"claim {NVME}", "another agent", "pcid apply")
    none(host, "foreign-driver")


def test_a_claim_that_is_not_to_be_bound_is_well(host):
    wish(host, NVME, annotations={"pcidevices.harvesterhci.io/skip-vfio-binding": "true"})
    one(host, "ok", f"claim {NVME}", "left on nvme")
    none(host, "reset")


def test_what_a_claim_pulls_in_is_said_of_each(quadro):
    bound(quadro, QUADRO[0], driver="nouveau")
    one(quadro, "ok", f"claim {QUADRO[0]}")
    for address in QUADRO[1:]:
        one(quadro, "problem", f"claim {address}", f"with {QUADRO[0]}", "not bound yet")


def test_a_changed_driver_override_is_noted(host):
    bound(host, NVME)
    put(host, NVME, "driver_override", "(null)")
    one(host, "note", f"driver-override {NVME}", 'is ""', f"echo vfio-pci > /sys/bus/pci/devices/{NVME}/driver_override")


def test_a_record_that_cannot_be_understood_is_a_problem(host):
    wish(host, NVME)
    name = host.object_name(NVME)
    host.write(f"{STATE}/kept/pcidevices/{name}.json", '{"formatVersion": 2}')
    one(host, "problem", f"kept {name}", "cannot be understood")
    one(host, "problem", f"claim {NVME}", "KeptUnreadable")
    one(host, "problem", "release", name)


def test_a_state_directory_without_a_sentinel_is_a_problem(host):
    wish(host, NVME)
    host.remove(f"{STATE}/desired/machine")
    one(host, "problem", "state", "desired/machine", "mounted")
    one(host, "problem", f"claim {NVME}", "StateForeign")


def test_a_state_directory_of_another_machine_is_a_problem(host):
    wish(host, NVME)
    host.write(f"{STATE}/desired/machine", "product-uuid 00000000-0000-0000-0000-000000000001\n")
    one(host, "problem", "state", "another machine", "00000000-0000-0000-0000-000000000001")


@pytest.mark.parametrize("text", ["", "{", "[1]", "\0"])
def test_a_wish_that_cannot_be_read_leaves_the_rest(host, text):
    wish(host, NVME)
    host.write(f"{STATE}/desired/local/pcideviceclaims/{host.object_name(GPU)}.json", text)
    found = doctor(host)
    assert ("problem", "state") in found
    assert "nothing can be said" in found["problem", "state"]["message"]
    assert ("ok", "iommu") in found and ("note", "acs group 22") in found
    assert not [k for k in found if k[1].startswith("claim")]


def test_what_goes_back_with_the_next_pass_is_noted(host):
    bound(host, NVME)
    host.remove(f"{STATE}/desired/local/pcideviceclaims")
    one(host, "note", f"release {NVME}", "next pass gives it back", "pcid apply")


def test_what_cannot_go_back_yet_is_a_problem(host):
    bound(host, NVME, node_file=False)
    host.remove(f"{STATE}/desired/local/pcideviceclaims")
    one(host, "problem", f"release {NVME}", "InUse", "VFIO node")


def test_what_is_gone_has_a_record_left(host):
    bound(host, NVME)
    host.remove(f"{STATE}/desired/local/pcideviceclaims")
    host.remove(f"sys/bus/pci/devices/{NVME}")
    one(host, "note", f"release {NVME}", "it is gone")


def test_records_of_another_node_name_are_held(host):
    bound(host, NVME)
    host.node = "another"
    one(host, "problem", "release", "another node name")


def test_without_sys_the_doctor_still_answers(scratch):
    result = run_vfiobox("pcid", "--root", scratch, "--node", "n1", "doctor", "-o", "json").must(1)
    found = {f["topic"]: f for f in result.json()["findings"]}
    assert found["inventory"]["level"] == found["iommu"]["level"] == "problem"
    assert "sys/bus/pci/devices" in found["inventory"]["message"]
    assert os.listdir(scratch) == []


@pytest.mark.parametrize("path", ["proc", "sys/kernel", "sys/class", "sys/module", "sys/firmware", "sys/devices", "etc", "run"])
def test_a_missing_directory_is_no_crash(host, path):
    bound(host, NVME)
    bound(host, GPU)
    early(host)
    shutil.rmtree(host.path(path), ignore_errors=True)
    doctor(host)


@pytest.mark.parametrize("path", [
    "proc/cmdline", "proc/cpuinfo", "proc/interrupts", "proc/locks", "sys/kernel/iommu_groups/83/reserved_regions",
    "sys/class/vtconsole/vtcon1/bind", "etc/modprobe.d/x.conf", f"etc/driverctl.d/{NVME}", f"{RUN}/early.json", LOCK,
    f"sys/bus/pci/devices/{NVME}/reset_method", f"sys/bus/pci/devices/{NVME}/driver_override",
    f"sys/bus/pci/devices/{NVME}/config", "sys/bus/pci/devices/0000:03:00.0/boot_vga"])
@pytest.mark.parametrize("how", ["junk", "long", "directory", "loop"])
def test_a_file_that_is_not_what_it_should_be_is_no_crash(host, path, how):
    bound(host, NVME)
    wish(host, "0000:03:00.0")
    full = host.path(path)
    os.makedirs(os.path.dirname(full), exist_ok=True)
    if os.path.lexists(full):
        os.unlink(full)
    if how == "directory":
        os.makedirs(full)
    elif how == "loop":
        os.symlink(os.path.basename(full), full)
    else:
        host.write(path, os.urandom(500) if how == "junk" else b"ids=8086:1572 " * 300_000)
    doctor(host)
