# SPDX-License-Identifier: GPL-2.0-or-later
# A device is its identity, not its address: serial numbers, slots, groups that change, a node that
# is called otherwise, a system that is not up yet.
import json
import os
import struct

import pytest
from conftest import RUN, STATE
from test_doubt import conditions, kept, put_on_vfio, wish

FREE, ELSEWHERE = "0000:d9:00.0", "0000:86:00.0"


@pytest.fixture
def host(fresh):
    host = fresh("dell-r740")
    host.pcid("claim", FREE)
    host.pcid("release", FREE).must(0)
    return host


def record(host, address):
    return host.load(f"{STATE}/kept/pcidevices/{host.object_name(address)}.json")


def set_record(host, address, **fields):
    value = {**record(host, address), **fields}
    host.write(f"{STATE}/kept/pcidevices/{host.object_name(address)}.json", json.dumps(value))


def set_ids(host, address, ids):
    """What sits at the address is of another model: (vendor, device, subsystem vendor, subsystem device)."""
    for name, value in zip(("vendor", "device", "subsystem_vendor", "subsystem_device"), ids):
        host.write(host.sysfs(address, name), f"0x{value:04x}\n")
    lines = [l for l in host.read(host.sysfs(address, "uevent")).splitlines()
             if not l.startswith(("PCI_ID=", "PCI_SUBSYS_ID="))]
    lines += ["PCI_ID=%04X:%04X" % ids[:2], "PCI_SUBSYS_ID=%04X:%04X" % ids[2:]]
    host.write(host.sysfs(address, "uevent"), "\n".join(lines) + "\n")


def ids(host, address):
    return tuple(int(host.read(host.sysfs(address, name)), 16)
                 for name in ("vendor", "device", "subsystem_vendor", "subsystem_device"))


def set_dsn(host, address, serial):
    """A config space of nothing but a Device Serial Number."""
    number = bytes(reversed(bytes.fromhex(serial.replace("-", ""))))
    space = bytearray(4096)
    space[0x100:0x104] = struct.pack("<I", 0x00010003)
    space[0x104:0x10c] = number
    space[0x06:0x08] = struct.pack("<H", 0x10)
    space[0x34] = 0x40
    space[0x40:0x42] = bytes([0x10, 0])
    host.write(host.sysfs(address, "config"), bytes(space))


def claim_conditions(host, address):
    return conditions(host.observed("pcideviceclaims", host.object_name(address)))


SERIAL = "00-11-22-ff-fe-33-44-55"


@pytest.fixture
def moved(host):
    """The device that was claimed at FREE sits at ELSEWHERE since the last boot."""
    put_on_vfio(host, FREE)
    wish(host, FREE)
    set_record(host, FREE, serial={"dsn": SERIAL}, slot="pci0000:d7/02.0/00.0", driver="nvme")
    mine, other = ids(host, FREE), ids(host, ELSEWHERE)
    set_ids(host, FREE, other)
    set_ids(host, ELSEWHERE, mine)
    set_dsn(host, ELSEWHERE, SERIAL)
    return host


def test_a_device_is_found_by_its_serial_number(moved):
    plan = moved.pcid("plan").out
    assert f"{ELSEWHERE}" in plan and "vfio-pci" in plan
    assert FREE not in plan.replace(moved.object_name(FREE), "")


def test_what_sits_at_the_old_address_is_left_alone(moved):
    before = moved.read(moved.sysfs(FREE, "driver_override"))
    moved.pcid("apply").must(1)
    assert moved.read(moved.sysfs(FREE, "driver_override")) == before
    assert kept(moved) == [moved.object_name(FREE)]
    assert record(moved, FREE)["address"] == ELSEWHERE
    assert record(moved, FREE)["claimAddress"] == FREE


def test_a_later_pass_knows_where_it_moved(moved):
    moved.pcid("apply").must(1)
    assert claim_conditions(moved, FREE)["Accepted"][0] == "True"
    moved.pcid("apply").must(1)
    assert claim_conditions(moved, FREE)["Accepted"][0] == "True"
    plan = moved.pcid("plan").out
    assert f"{ELSEWHERE}: " in plan and "NameTaken" not in plan


def test_while_it_is_out_what_sits_at_the_old_address_is_not_taken(moved):
    moved.pcid("apply").must(1)
    set_dsn(moved, ELSEWHERE, "00-11-22-ff-fe-33-44-99")
    moved.pcid("apply").must(1)
    assert claim_conditions(moved, FREE)["Accepted"] == ("False", "IdentityMismatch")
    assert ELSEWHERE in moved.pcid("plan").out


def test_the_name_stays_with_the_claim_that_moved(moved):
    result = moved.pcid("claim", FREE).must(1)
    assert "NameTaken" in result.err and ELSEWHERE in result.err


@pytest.mark.parametrize("where", [FREE, ELSEWHERE])
def test_a_claim_that_moved_is_released_by_either_address(moved, where):
    moved.pcid("release", where)
    assert moved.names(f"{STATE}/desired/local/pcideviceclaims") == []


def test_another_serial_number_is_another_device(host):
    put_on_vfio(host, FREE)
    wish(host, FREE)
    set_record(host, FREE, serial={"dsn": SERIAL})
    set_dsn(host, FREE, "00-11-22-ff-fe-33-44-99")
    host.pcid("apply").must(1)
    assert claim_conditions(host, FREE)["Accepted"] == ("False", "IdentityMismatch")
    claim = host.observed("pcideviceclaims", host.object_name(FREE))
    assert any(SERIAL in c["message"] for c in claim["status"]["conditions"])


def test_a_twin_in_another_slot_is_not_followed(host):
    put_on_vfio(host, FREE)
    wish(host, FREE)
    set_record(host, FREE, slot="pci0000:d7/07.0/00.0")
    host.pcid("apply").must(1)
    assert claim_conditions(host, FREE)["Accepted"] == ("False", "IdentityMismatch")


def test_two_with_the_serial_number_are_none(moved):
    third = "0000:d8:00.0"
    set_ids(moved, third, ids(moved, ELSEWHERE))
    set_dsn(moved, third, SERIAL)
    moved.pcid("apply").must(1)
    assert claim_conditions(moved, FREE)["Accepted"] == ("False", "IdentityMismatch")


def test_a_new_record_says_what_the_device_is_known_by(fresh):
    host = fresh("dell-r740")
    put_on_vfio(host, FREE)
    host.remove(f"{STATE}/kept/pcidevices/{host.object_name(FREE)}.json")
    name = host.object_name(FREE)
    host.cluster("pcideviceclaims", name, {
        "metadata": {"name": name}, "spec": {"address": FREE, "nodeName": host.node, "userName": "u"},
        "status": {"passthroughEnabled": True, "kernelDriverToUnbind": "nvme"}})
    host.pcid("apply").must(0)
    kept_now = record(host, FREE)
    link = os.readlink(host.path(f"sys/bus/pci/devices/{FREE}")).partition("devices/")[2]
    assert kept_now["slot"] == "/".join([link.split("/")[0], *(p[8:] if "devices" not in p and len(p) == 12 else p for p in link.split("/")[1:])])
    assert kept_now["group"].endswith(kept_now["slot"])


GROUP = [f"0000:2e:00.{n}" for n in range(4)]


def group_changed(fresh):
    host = fresh("quadro-multipath")
    host.pcid("claim", GROUP[0])
    for address in GROUP:
        put_on_vfio(host, address, driver="")
        host.remove(host.sysfs(address, "driver"))
        uevent = host.read(host.sysfs(address, "uevent")).replace("DRIVER=vfio-pci\n", "")
        host.write(host.sysfs(address, "uevent"), uevent)
    set_record(host, GROUP[0], group="10de:0000 pci0000:00/00.0/00.0")
    return host


def test_a_group_that_changed_is_not_bound_until_looked_at(fresh):
    host = group_changed(fresh)
    host.pcid("apply").must(1)
    assert claim_conditions(host, GROUP[0])["Accepted"] == ("False", "GroupChanged")
    assert "vfio" not in host.read(host.sysfs(GROUP[0], "driver_override"))


def test_who_claims_again_has_looked(fresh):
    host = group_changed(fresh)
    assert "GroupChanged" not in host.pcid("claim", GROUP[0]).err
    assert claim_conditions(host, GROUP[0])["Accepted"] == ("True", "Accepted")


def test_an_accepted_group_is_that_very_group(fresh):
    host = group_changed(fresh)
    wish(host, GROUP[0], annotations={"vfiobox.io/accepted-group": "0123456789abcdef"})
    host.pcid("apply").must(1)
    assert claim_conditions(host, GROUP[0])["Accepted"] == ("False", "GroupChanged")


def unsettled(host):
    host.write("run/systemd/system/x", "")
    if float(open("/proc/uptime", encoding="ascii").read().split()[0]) > 290:
        host.write("etc/initrd-release", "")


def test_before_the_system_is_up_nothing_is_bound_for_the_first_time(host):
    unsettled(host)
    assert "Unsettled" in host.pcid("claim", FREE).must(1).err
    assert host.read(host.sysfs(FREE, "driver_override")).strip() in ("", "(null)")


def test_what_was_bound_before_is_planned_before_the_system_is_up(host):
    put_on_vfio(host, FREE, driver="nvme")
    wish(host, FREE)
    unsettled(host)
    host.pcid("apply").must(0)


def test_what_the_host_used_in_the_last_boot_is_refused_before_the_system_is_up(host):
    put_on_vfio(host, FREE, driver="nvme")
    wish(host, FREE)
    host.remove(host.sysfs(FREE, "driver"))
    host.write(host.sysfs(FREE, "uevent"), host.read(host.sysfs(FREE, "uevent")).replace("DRIVER=vfio-pci\n", ""))
    vendor, device = ids(host, FREE)[:2]
    host.write(f"{STATE}/kept/hostuse/last.json", json.dumps({"formatVersion": 1, "bootId": "x", "uses": [
        {"address": FREE, "vendorId": f"{vendor:04x}", "deviceId": f"{device:04x}", "slot": "", "reason": "Mounted"}]}))
    unsettled(host)
    host.pcid("apply").must(1)
    assert claim_conditions(host, FREE)["Accepted"] == ("False", "Mounted")


def test_what_the_host_uses_is_kept(host):
    host.write("proc/sys/kernel/random/boot_id", "11111111-2222-4333-8444-555555555555\n")
    host.pcid("apply").must(0)
    uses = host.load(f"{STATE}/kept/hostuse/last.json")["uses"]
    assert {"RootDisk", "DefaultRoute"} & {u["reason"] for u in uses} or uses
    for use in uses:
        assert use["slot"].startswith("pci")


def test_settled_is_a_file_of_this_boot(host):
    host.write("run/systemd/system/x", "")
    host.pcid("settled").must(0)
    assert os.path.exists(host.path(f"{RUN}/settled"))


def test_a_node_with_another_name_keeps_its_things_until_told(host):
    put_on_vfio(host, FREE)
    wish(host, FREE)
    host.pcid("apply").must(0)
    seen = host.names(f"{RUN}/observed/pcidevices")
    host.node = "other"
    assert "pcid rename" in host.pcid("apply").must(1).err
    assert host.names(f"{RUN}/observed/pcidevices") == seen
    host.pcid("rename").must(0)
    assert kept(host) == [host.object_name(FREE)]
    assert host.names(f"{STATE}/desired/local/pcideviceclaims") == [host.object_name(FREE)]
    host.pcid("apply").must(0)
    assert claim_conditions(host, FREE)["Bound"] == ("True", "Bound")
    assert "nothing to do" in host.pcid("rename").must(0).out
