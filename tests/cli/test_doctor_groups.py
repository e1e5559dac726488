# SPDX-License-Identifier: GPL-2.0-or-later
# `pcid doctor` on IOMMU groups: what joins functions, what the firmware keeps.
import copy
import os
import shutil

import pytest
from conftest import Host, machines
from findings import none, one, put, wish


# Access control services.


def port(at, group, caps=("pcie", "msi", "pm", "aer", "acs"), **more):
    return {"at": at, "id": "8086:2030", "class": "0604", "driver": "pcieport", "group": group, "caps": list(caps), **more}


def end(at, group, caps=("pm", "msi", "pcie", "aer"), **more):
    return {"at": at, "id": "144d:a808", "class": "010802", "driver": "nvme", "group": group, "caps": list(caps),
            "flr": True, **more}


@pytest.fixture
def build(workspace):
    """build([functions of bus 0]): a quiet Intel machine that has these."""
    made = []

    def get(functions):
        description = {"node": "n1", "iommu": "intel", "cmdline": "intel_iommu=on", "console": ["ttyS0"], "numa": {0: "0-7"},
                       "drivers": ["vfio-pci"], "modules": ["vfio_iommu_type1"], "machine_id": "5f" * 16,
                       "mounts": [{"at": "/", "dev": "0:30", "fs": "tmpfs", "from": "tmpfs"}],
                       "pci": [{"bus": "0000:00", "numa": 0, "functions": copy.deepcopy(functions)}]}
        directory = f"{workspace}/built-{len(made)}-{os.getpid()}"
        made.append(directory)
        built = machines.build(description, directory)
        return Host(directory, "n1", description, built.functions)

    yield get
    for directory in made:
        shutil.rmtree(directory, ignore_errors=True)


WITHOUT = ("pcie", "msi", "pm", "aer")
TWO = ("0000:03:00.0, 0000:04:00.0",)


def switch(upstream, first, second, group=5):
    """Two disks behind a switch."""
    return [port("0000:00:01.0", 1, below=[
        port("0000:01:00.0", 2, caps=upstream, below=[
            port("0000:02:00.0", group, caps=first, below=[end("0000:03:00.0", group)]),
            port("0000:02:01.0", group, caps=second, below=[end("0000:04:00.0", group)])])])]


def test_the_ports_of_a_switch_without_acs_are_named(build):
    found = one(build(switch(WITHOUT, WITHOUT, WITHOUT)), "note", "acs group 5", *TWO, "way up at 0000:02:00.0, 0000:02:01.0")
    for other in ("0000:00:01.0", "0000:01:00.0"):
        assert other not in found["message"], "a single function that only leads up needs none"


def test_the_one_port_without_acs_is_named(build):
    found = one(build(switch(WITHOUT, ("pcie", "acs"), WITHOUT)), "note", "acs group 5", "way up at 0000:02:01.0")
    assert "0000:02:00.0" not in found["message"]


def test_acs_that_is_not_turned_on_is_none(build):
    host = build(switch(WITHOUT, ("pcie", "acs"), ("pcie", "acs")))
    with open(host.path(host.sysfs("0000:02:01.0", "config")), "rb") as file:
        config = bytearray(file.read())
    at = config.index(b"\x0d\x00\x01\x00", 0x100)
    config[at + 6] &= ~0x04  # P2P request redirect
    put(host, "0000:02:01.0", "config", bytes(config))
    found = one(host, "note", "acs group 5", "way up at 0000:02:01.0")
    assert "0000:02:00.0" not in found["message"]
    config[at + 4] &= ~0x04  # what the port cannot be told is as it has to be
    put(host, "0000:02:01.0", "config", bytes(config))
    one(host, "note", "acs group 5", "does not explain it")


def test_a_port_in_a_group_of_its_own_is_not_to_blame(build):
    """The kernel knows that it keeps its functions apart."""
    functions = [port("0000:00:01.0", 1, caps=WITHOUT, below=[end("0000:03:00.0", 5), end("0000:03:00.1", 5)])]
    found = one(build(functions), "note", "acs group 5", "functions of the device at 0000:03:00.0")
    assert "0000:00:01.0" not in found["message"]


def test_a_device_of_several_functions_with_acs_is_not_to_blame(build):
    acs = ("pcie", "acs")
    functions = [port("0000:00:01.0", 5, caps=WITHOUT, below=[end("0000:03:00.0", 5, acs), end("0000:03:00.1", 5, acs)])]
    found = one(build(functions), "note", "acs group 5", "way up at 0000:00:01.0")
    assert "functions of the device" not in found["message"]


def test_a_conventional_bus_is_one(build):
    functions = [port("0000:00:01.0", 1, below=[port("0000:01:00.0", 5, caps=("pcie",), port="pci", below=[
        end("0000:02:00.0", 5, ("pm",)), end("0000:02:01.0", 5, ("pm",))])])]
    one(build(functions), "note", "acs group 5", "all behind 0000:01:00.0 is on a conventional PCI bus")


@pytest.mark.parametrize("size", [0, 64, 256, None])
def test_a_config_space_that_cannot_be_read_whole_is_said_not_guessed(build, size):
    host = build(switch(WITHOUT, WITHOUT, WITHOUT))
    for address in ("0000:02:00.0", "0000:02:01.0"):
        path = host.sysfs(address, "config")
        if size is None:
            host.remove(path)
        else:
            os.truncate(host.path(path), size)
    found = one(host, "note", "acs group 5", "space of 0000:02:00.0, 0000:02:01.0 cannot be read", "run it as root")
    assert "no ACS" not in found["message"]


def test_a_config_space_of_junk_is_no_matter(build):
    host = build(switch(WITHOUT, WITHOUT, WITHOUT))
    for junk in (b"\xff" * 4096, os.urandom(4096), bytes(64) + b"\x40\x40" * 2016):
        put(host, "0000:02:00.0", "config", junk)
        one(host, "note", "acs group 5")


def test_a_group_of_one_function_is_nothing_to_speak_of(build):
    none(build([port("0000:00:01.0", 5, caps=WITHOUT, below=[end("0000:03:00.0", 5)])]), "acs")


# Memory that the firmware keeps.

RAID, ENO2, USB = "0000:5c:00.0", "0000:5d:00.1", "0000:00:14.0"


@pytest.fixture
def hpe(fresh):
    return fresh("harvester-vlan")


def test_a_claimed_function_with_kept_memory_is_a_problem(hpe):
    wish(hpe, ENO2)
    one(hpe, "problem", "rmrr group 34", "ineligible for IOMMU domain attach due to platform RMRR", "which is claimed", "firmware setup")


def test_a_claimed_function_is_a_problem_also_when_it_is_refused(hpe):
    wish(hpe, RAID)
    one(hpe, "problem", "rmrr group 31")


def test_relaxable_memory_is_none(hpe):
    wish(hpe, USB)
    none(hpe, "rmrr group 1")


@pytest.mark.parametrize("text", ["", "\n", "direct", "0x0 direct", "0x1 0x2 direct-relaxable", "zz yy direct", "0x1 0x2 Direct",
                                  "\0\xff", "0x1ffffffffffffffff 0x2 direct"])
def test_junk_is_no_kept_memory(hpe, text):
    wish(hpe, ENO2)
    hpe.write("sys/kernel/iommu_groups/34/reserved_regions", text)
    none(hpe, "rmrr")


def test_the_first_of_several_regions_is_named(hpe):
    wish(hpe, ENO2)
    hpe.write("sys/kernel/iommu_groups/34/reserved_regions",
              "0x00000000fee00000 0x00000000feefffff msi\n0x10 0x1f direct\n0x20 0x2f direct\n")
    one(hpe, "problem", "rmrr group 34", "0x10-0x1f")


def test_regions_that_cannot_be_read_are_unknown(hpe):
    wish(hpe, ENO2)
    hpe.remove("sys/kernel/iommu_groups/34/reserved_regions")
    hpe.remove("sys/kernel/iommu_groups/33/reserved_regions")
    one(hpe, "note", "rmrr group 34", "cannot be read", "is not known")
    none(hpe, "rmrr group 33")
