# SPDX-License-Identifier: GPL-2.0-or-later
# `pcid doctor` on others at work on the same functions, who holds the lock, what `pcid early` did.
import fcntl
import json
import os

import pytest
from conftest import LOCK, RUN, STATE
from findings import bound, doctor, early, none, one, put, unprivileged, wish
from test_doubt import put_on_vfio

GPU, NVME = "0000:86:00.0", "0000:d9:00.0"


@pytest.fixture
def host(fresh):
    return fresh("dell-r740")


# Others at work.


@pytest.mark.parametrize("name", [NVME, f"pci-{NVME}"])
def test_driverctl_for_a_claimed_function_is_a_second_agent(host, name):
    bound(host, NVME)
    host.write(f"etc/driverctl.d/{name}", "vfio-pci\n")
    one(host, "note", f"driverctl {NVME}", f"etc/driverctl.d/{name}", f"driverctl unset-override {NVME}")
    host.write(f"etc/driverctl.d/{name}", "nvme\n")
    one(host, "problem", f"driverctl {NVME}", '"nvme"', "different drivers")


def test_driverctl_for_what_is_not_claimed_is_nobodys_business(host):
    bound(host, NVME)
    for name in (GPU, "0000:77:00.0", "x", f"vmbus-{NVME}", f"{NVME}~"):
        host.write(f"etc/driverctl.d/{name}", "vfio-pci\n")
    none(host, "driverctl")


def test_a_driver_override_of_somebody_else_is_noted(host):
    put(host, GPU, "driver_override", "pci-stub")
    one(host, "note", f"driver-override {GPU}", '"pci-stub"', "vfiobox did not set it")


def test_a_function_on_vfio_that_is_not_ours_is_noted(host):
    put_on_vfio(host, NVME)
    host.remove(f"{STATE}/kept")
    one(host, "note", f"foreign-driver {NVME}", "new_id")
    put(host, NVME, "driver_override", "vfio-pci")
    assert "new_id," not in one(host, "note", f"foreign-driver {NVME}")["message"]
    none(host, "driver-override")


def test_a_claimed_function_on_vfio_that_is_not_ours_is_both(host):
    wish(host, NVME)
    put_on_vfio(host, NVME)
    host.remove(f"{STATE}/kept")
    one(host, "problem", f"claim {NVME}", "BoundByAnother")
    one(host, "note", f"foreign-driver {NVME}")


@pytest.mark.parametrize("shape", ["whole", "tail"])
def test_another_plugins_socket_for_our_resource_is_noted(host, shape):
    wish(host, GPU)
    resource = next(i["status"]["resourceName"] for i in host.pcid("list", "-o", "json").json()["items"]
                    if i["status"]["address"] == GPU)
    name = {"whole": resource.replace("/", "-"), "tail": resource.split("/")[1]}[shape]
    path = f"var/lib/kubelet/device-plugins/kubevirt-{name}.sock"
    host.write("var/lib/kubelet/device-plugins/kubevirt-kvm.sock", "")
    none(host, "device-plugin")
    host.write(path, "")
    one(host, "note", f"device-plugin {GPU}", f"/{path}", resource)


def test_a_sockets_name_from_an_annotation_leads_nowhere(host):
    wish(host, GPU, annotations={"pcidevice.harvesterhci.io/override-resource-name": "../../../../etc/x" + "y" * 900})
    none(host, "device-plugin")


def lock_line(host, pid, arrow=""):
    status = os.stat(host.path(LOCK))
    return (f"1: {arrow}FLOCK  ADVISORY  WRITE {pid} {os.major(status.st_dev):02x}:{os.minor(status.st_dev):02x}:"
            f"{status.st_ino} 0 EOF\n")


def test_who_holds_the_lock_is_named_and_not_disturbed(host):
    host.write(LOCK, "4242 node-a\n")
    host.write("proc/locks", "")
    one(host, "ok", "lock", "nobody")
    host.write("proc/locks", "1: POSIX  ADVISORY  WRITE 7 00:19:1 0 EOF\n" + lock_line(host, 4242) + lock_line(host, 9, "-> "))
    one(host, "note", "lock", "process 4242 holds", "4242 node-a")
    host.write("proc/locks", lock_line(host, 0))
    one(host, "note", "lock", "another pid namespace", "4242 node-a")
    host.remove("proc/locks")
    one(host, "note", "lock", "is not known")
    assert host.read(LOCK) == "4242 node-a\n"


def test_the_kernels_own_list_of_locks_is_understood(host):
    host.write(LOCK, "1 x\n")
    with open(host.path(LOCK), encoding="utf-8") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        with open("/proc/locks", encoding="utf-8") as locks:
            host.write("proc/locks", locks.read())
    one(host, "note", "lock", f"process {os.getpid()} holds")


def test_without_a_lock_file_nothing_is_said(host):
    none(host, "lock")
    assert not os.path.exists(host.path(RUN))


# What early did.


def function(address, result, **more):
    return {"address": address, "name": "x", "result": result, "reason": "", "message": "", **more}


@pytest.mark.parametrize("result, level", [
    ("bound", "ok"), ("override", "ok"), ("undone", "note"), ("refused", "problem"), ("failed", "problem")])
def test_each_result_of_early_has_its_weight(host, result, level):
    early(host, stage=2, functions=[function(GPU, result, reason="SomeReason", message="what was so")])
    one(host, level, f"early {GPU}", f"stage 2 of early: {result}: SomeReason: what was so")


def test_early_with_nothing_to_do_is_well(host):
    early(host)
    one(host, "ok", "early", "nothing to bind")
    none(host, f"early {GPU}")


def test_early_that_a_person_turned_off_is_noted(host):
    early(host, disabled="vfiobox.early=off is on the kernel command line")
    one(host, "note", "early", "vfiobox.early=off")


def test_early_that_turned_itself_off_is_a_problem(host):
    early(host, disabled="3 boots failed in a row")
    one(host, "problem", "early", "3 boots failed in a row")


def test_a_report_of_another_boot_is_none(host):
    early(host, boot="11111111-0000-0000-0000-000000000000", functions=[function(GPU, "failed")])
    one(host, "note", "early", "another boot")
    none(host, f"early {GPU}")


def test_without_a_report_nothing_is_said(host):
    none(host, "early")


@pytest.mark.parametrize("text", [
    "", "{", "[]", "null", "7", "\0\xff", "{}", '{"stage": 3}', '{"stage": "1"}', '{"stage": 1, "bootId": 7}',
    '{"stage": 1, "disabled": 7}', '{"stage": 1, "disabled": "a\\u0000b"}', '{"stage": 1, "functions": {}}',
    '{"stage": 1, "functions": [1]}', '{"stage": 1, "functions": [{}]}',
    '{"stage": 1, "functions": [{"address": "0000:86:00.0"}]}',
    '{"stage": 1, "functions": [{"address": "0000:86:00.0", "result": "eaten"}]}',
    '{"stage": 1, "functions": [{"address": "86:00.0", "result": "bound"}]}',
    '{"stage": 1, "functions": [{"address": "0000:86:00.0", "result": "bound", "message": []}]}',
    '{"stage": 1' + " " * 1_100_000 + "}",
    "[" * 1000], ids=lambda text: f"{len(text)}-{text[:12]}".encode("ascii", "replace").decode())
def test_garbage_for_a_report_is_a_problem(host, text):
    host.write(f"{RUN}/early.json", text.encode("latin-1"))
    one(host, "problem", "early", "cannot be understood")
    assert len(doctor(host)["problem", "early"]["message"]) < 900


def test_a_report_that_cannot_be_read_is_a_problem(host):
    early(host)
    before = unprivileged(host, f"{RUN}/early.json")
    one(host, "problem", "early", "Permission denied", before=before)


def test_a_report_of_the_least_that_there_is_is_understood(host):
    host.write(f"{RUN}/early.json", json.dumps({"stage": 1, "functions": [{"address": GPU, "result": "bound"}]}))
    assert one(host, "ok", f"early {GPU}")["message"] == "stage 1 of early: bound"
