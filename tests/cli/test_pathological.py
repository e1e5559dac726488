# SPDX-License-Identifier: GPL-2.0-or-later
# Trees as other people have them, and as nobody should: plain directories, missing files, junk,
# links that lead out, thousands of functions; with openat2 and without.
import os
import shutil
import subprocess
import time

import expect
import pytest
from conftest import BINARY, LOCK, RUN, STATE, Host, changes, machines, run_vfiobox

DEVICES = "sys/bus/pci/devices"
STRACE = shutil.which("strace")


def put(root, path, content=""):
    os.makedirs(os.path.dirname(f"{root}/{path}"), exist_ok=True)
    with open(f"{root}/{path}", "wb") as file:
        file.write(content if isinstance(content, bytes) else content.encode())


def add_function(root, address, ids="8086:1533", cls="020000", **more):
    """A function as plain files: what every kernel has had since sysfs."""
    vendor, device = ids.split(":")
    values = {"vendor": f"0x{vendor}\n", "device": f"0x{device}\n", "class": f"0x{cls}\n",
              "subsystem_vendor": "0x8086\n", "subsystem_device": "0x0001\n", **more}
    for name, value in values.items():
        if value is not None:
            put(root, f"{DEVICES}/{address}/{name}", value)


def add_quiet_host(root):
    """Files that say: the host uses nothing."""
    put(root, "proc/1/mountinfo", "24 1 0:30 / / rw - tmpfs tmpfs rw\n")
    put(root, "proc/swaps", "Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n")
    put(root, "proc/1/net/route", "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n")
    put(root, "proc/1/net/ipv6_route", "")
    put(root, "proc/1/net/if_inet6", "")
    put(root, "proc/1/net/fib_trie", "Main:\n  +-- 0.0.0.0/0 3 0 5\n")
    put(root, "proc/sys/kernel/random/boot_id", "0c1f6f2e-6b3a-4d0e-9a57-2f1f5f0f7a11\n")
    put(root, "sys/class/tty/console/active", "ttyS0\n")
    for directory in ("sys/class/net", "sys/class/block", "sys/block", "sys/dev/block", "sys/kernel/iommu_groups", DEVICES):
        os.makedirs(f"{root}/{directory}", exist_ok=True)


@pytest.fixture
def bare(scratch):
    add_quiet_host(scratch)
    return Host(scratch, "n1", {}, [])


def listed(host, **options):
    answer = host.pcid("list", "-o", "json", **options).must(0).json()
    return {i["status"]["address"]: i["status"] for i in answer["items"]}


# Nothing, or next to nothing.


def test_no_sys_at_all_is_a_clear_error(scratch):
    for verb in (["list"], ["list", "--groups"], ["show", "0000:00:00.0"], ["plan"], ["apply"], ["claim", "0000:00:00.0"]):
        result = run_vfiobox("pcid", "--root", scratch, "--node", "n1", *verb)
        assert result.code == 1, verb
        assert "sys/bus/pci/devices" in result.err and result.out == ""
    assert os.listdir(scratch) in ([], ["run"])
    assert not os.path.exists(f"{scratch}/{RUN}/observed/pcidevices/complete")


def test_no_devices_is_no_error(bare):
    assert listed(bare) == {}
    assert len(bare.pcid("list").must(0).out.splitlines()) <= 1
    assert bare.pcid("list", "--groups").must(0).out == ""
    bare.pcid("plan").must(0)
    bare.pcid("apply").must(0)
    assert os.path.exists(bare.path(f"{RUN}/observed/pcidevices/complete"))


def test_sys_that_goes_away_takes_no_object_along(fresh):
    """Rule 1: an empty view is not 'no devices'."""
    host = fresh("no-iommu")
    host.pcid("apply").must(0)
    before = host.snapshot(without=("sys", LOCK))
    os.rename(host.path("sys"), host.path("sys.away"))
    host.pcid("apply").must(1)
    after = host.snapshot(without=("sys.away", LOCK))
    assert [p for p in changes(before, after) if p.startswith(f"{RUN}/observed")] == []


def test_devices_is_a_file(scratch):
    add_quiet_host(scratch)
    shutil.rmtree(f"{scratch}/{DEVICES}")
    put(scratch, DEVICES, "not a directory\n")
    assert Host(scratch, "n1").pcid("list").must(1).err


# Plain directories, and what is missing in them.


def test_plain_directories_without_uevent_or_group(bare):
    add_function(bare.dir, "0000:01:00.0")
    add_function(bare.dir, "0000:00:1c.0", ids="8086:8d10", cls="060400")
    status = listed(bare)
    assert list(status) == ["0000:01:00.0"]
    assert (status["0000:01:00.0"]["vendorId"], status["0000:01:00.0"]["deviceId"]) == ("8086", "1533")
    assert status["0000:01:00.0"]["iommuGroup"] == "" and status["0000:01:00.0"]["kernelDriverInUse"] == ""
    assert "NoIOMMUGroup" in bare.pcid("plan", "0000:01:00.0").must(1).all
    bare.pcid("show", "0000:01:00.0").must(0)
    bare.pcid("apply").must(0)
    assert bare.names(f"{RUN}/observed/pcidevices") == ["n1-000001000"]


def test_group_and_driver_as_links_in_plain_directories(bare):
    add_function(bare.dir, "0000:01:00.0")
    os.symlink("../../../../kernel/iommu_groups/7", bare.path(f"{DEVICES}/0000:01:00.0/iommu_group"))
    os.symlink("../../../bus/pci/drivers/igb", bare.path(f"{DEVICES}/0000:01:00.0/driver"))
    status = listed(bare)["0000:01:00.0"]
    assert (status["iommuGroup"], status["kernelDriverInUse"]) == ("7", "igb")
    bare.pcid("plan", "0000:01:00.0").must(0)


def test_uevent_alone_is_enough(bare):
    put(bare.dir, f"{DEVICES}/0000:01:00.0/uevent",
        "DRIVER=igb\nPCI_CLASS=20000\nPCI_ID=8086:1533\nPCI_SUBSYS_ID=15D9:1533\nPCI_SLOT_NAME=0000:01:00.0\n")
    status = listed(bare)["0000:01:00.0"]
    assert (status["vendorId"], status["deviceId"], status["classId"], status["kernelDriverInUse"]) == (
        "8086", "1533", "0200", "igb")


@pytest.mark.parametrize("missing", ["vendor", "device", "class"])
def test_a_function_without_identity_is_left_out(bare, missing):
    add_function(bare.dir, "0000:01:00.0", **{missing: None})
    add_function(bare.dir, "0000:02:00.0")
    assert list(listed(bare)) == ["0000:02:00.0"]


def test_class_with_four_digits_of_zeros(bare):
    """Class 0000: a device from before class codes; class 00ff00 sorts as text, too."""
    add_function(bare.dir, "0000:01:00.0", cls="000000")
    add_function(bare.dir, "0000:02:00.0", cls="ff0000")
    assert [s["classId"] for s in listed(bare).values()] == ["0000", "ff00"]


def test_upper_case_hex_in_values(bare):
    add_function(bare.dir, "0000:01:00.0", vendor="0X10DE\n", device="0x1EB8\n", **{"class": "0x0C0330\n"})
    add_function(bare.dir, "0000:02:00.0", vendor="0x10DE\n", device="1EB8", **{"class": "0x0C0330"})
    status = listed(bare)
    assert status["0000:02:00.0"]["vendorId"] == "10de" and status["0000:02:00.0"]["classId"] == "0c03"
    assert status.get("0000:01:00.0", status["0000:02:00.0"])["deviceId"] == "1eb8"


@pytest.mark.parametrize("numa,expected", [("0\n", 0), ("1", 1), ("-1\n", -1), ("", -1), ("junk\n", -1), ("99999999999\n", -1), (None, -1)])
def test_numa_node(bare, numa, expected):
    add_function(bare.dir, "0000:01:00.0", **({"numa_node": numa} if numa is not None else {}))
    assert listed(bare)["0000:01:00.0"]["numaNode"] == expected


@pytest.mark.parametrize("group", ["x", "-1", "", "7x", "99999999999999999999", ".", ".."])
def test_a_group_link_that_names_no_group(bare, group):
    add_function(bare.dir, "0000:01:00.0")
    os.symlink(f"../../../../kernel/iommu_groups/{group}" if group else "/", bare.path(f"{DEVICES}/0000:01:00.0/iommu_group"))
    assert listed(bare)["0000:01:00.0"]["iommuGroup"] == ""


# Names.


@pytest.mark.parametrize("address", ["10000:e1:00.0", "ffffffff:ff:1f.7", "abcd:00:00.0", "12345678:01:02.3"])
def test_long_domains(bare, address):
    add_function(bare.dir, address)
    add_function(bare.dir, "0000:00:00.0")
    assert list(listed(bare)) == ["0000:00:00.0", address]
    assert address in bare.pcid("show", address).must(0).out
    bare.pcid("apply").must(0)
    assert f"n1-{address.replace(':', '').replace('.', '')}" in bare.names(f"{RUN}/observed/pcidevices")


def test_the_order_is_that_of_numbers(bare):
    order = ["0000:02:00.0", "0000:10:00.0", "0000:10:1f.0", "0000:10:1f.7", "0001:00:00.0", "ffff:00:00.0", "10000:00:00.0"]
    for address in reversed(order):
        add_function(bare.dir, address)
    assert list(listed(bare)) == order


@pytest.mark.parametrize("name", [
    "0000:01:00", "0000:01:00.8", "0000:01:20.0", "0000:100:00.0", "01:00.0", "000:01:00.0", "0000:01:00.0.bak", " 0000:01:00.0",
    "0000:01:00.0\n", "virtio0", "100000000:01:00.0", "....", "00000:01:00.0", "0000:0G:00.0", "\u00e9", "x" * 255])
def test_foreign_names_are_no_functions(bare, name):
    add_function(bare.dir, name)
    add_function(bare.dir, "0000:02:00.0")
    assert list(listed(bare)) == ["0000:02:00.0"]


# Junk.

JUNK = [b"", b"\n", b"\0\0\0\0", bytes(range(256)), b"0x", b"0x80861", b"-1\n", b"0x8086 0x1533\n", b"\xff\xfe\n",
        b"A" * 70000, b"0x8086\0junk", b"flr\x1b[31m\x07\n"]


@pytest.mark.parametrize("junk", JUNK, ids=lambda j: repr(j[:12]))
@pytest.mark.parametrize("attribute", ["vendor", "class", "uevent", "numa_node", "driver_override", "sriov_numvfs", "config", "reset_method"])
def test_junk_in_one_attribute_does_not_hide_the_others(bare, attribute, junk):
    add_function(bare.dir, "0000:01:00.0")
    put(bare.dir, f"{DEVICES}/0000:01:00.0/{attribute}", junk)
    add_function(bare.dir, "0000:02:00.0")
    assert "0000:02:00.0" in listed(bare)
    show = bare.pcid("show", "0000:01:00.0")
    assert show.code in (0, 1)
    assert not [c for c in show.all if (c < " " and c != "\n") or c == "\x7f"], "raw control characters for a terminal"
    bare.pcid("apply").must(0)
    assert "n1-000002000" in bare.observed("pcidevices")


def test_attributes_that_are_directories_or_fifos(bare):
    add_function(bare.dir, "0000:01:00.0", vendor=None, uevent=None)
    os.makedirs(bare.path(f"{DEVICES}/0000:01:00.0/vendor"))
    add_function(bare.dir, "0000:02:00.0", numa_node=None)
    os.mkfifo(bare.path(f"{DEVICES}/0000:02:00.0/numa_node"))
    add_function(bare.dir, "0000:03:00.0")
    assert "0000:03:00.0" in listed(bare, timeout=5)


def test_junk_uevent_lines(bare):
    put(bare.dir, f"{DEVICES}/0000:01:00.0/uevent",
        b"=\n==\nPCI_ID\nPCI_ID=\nPCI_ID=zz:zz\nDRIVER=\nPCI_CLASS=999999999\nFOO=bar\n\n\n\0PCI_ID=8086:1533\nPCI_CLASS=20000")
    add_function(bare.dir, "0000:02:00.0")
    assert "0000:02:00.0" in listed(bare)


def test_a_long_driver_name_and_control_characters(bare):
    add_function(bare.dir, "0000:01:00.0")
    os.symlink("../../../bus/pci/drivers/" + "d" * 200, bare.path(f"{DEVICES}/0000:01:00.0/driver"))
    add_function(bare.dir, "0000:02:00.0")
    os.symlink("../../../bus/pci/drivers/evil\x1b[31m\nname", bare.path(f"{DEVICES}/0000:02:00.0/driver"))
    status = listed(bare)
    assert set(status) == {"0000:01:00.0", "0000:02:00.0"}
    table = bare.pcid("list").must(0).out
    assert "\x1b" not in table and len(table.splitlines()) == 3


def test_binary_junk_in_every_file_of_a_machine(fresh):
    """Nothing crashes, whatever single directory of files is junk."""
    host = fresh("z690-gamer")
    for victim in (host.sysfs("0000:01:00.0"), "proc/1", "proc/1/net", "sys/devices/virtual/tty/console",
                   f"{host.sysfs('0000:02:00.0')}/nvme/nvme0/nvme0n1"):
        kept = {}
        for entry in list(os.scandir(host.path(victim))):
            if entry.is_file(follow_symlinks=False):
                with open(entry.path, "rb") as file:
                    kept[entry.path] = file.read()
                with open(entry.path, "wb") as file:
                    file.write(os.urandom(100))
        for arguments in (["list"], ["list", "-o", "json"], ["show", "0000:02:00.0"], ["plan", "0000:02:00.0"]):
            result = host.pcid(*arguments)
            assert result.code in (0, 1), f"{victim}: {result}"
        assert host.pcid("plan", "0000:02:00.0").code == 1, f"{victim}: the root disk was offered"
        for path, content in kept.items():
            with open(path, "wb") as file:
                file.write(content)


# Without the files that tell what the host uses: in doubt, no.


@pytest.mark.parametrize("gone", ["proc", "proc/1", "proc/1/mountinfo"])
def test_without_mounts_a_disk_is_not_given_away(fresh, gone):
    host = fresh("dell-r740")
    host.remove(gone)
    for address in ("0000:5e:00.0", "0000:d9:00.0", "0000:18:00.0"):
        assert host.pcid("plan", address).must(1).err is not None
    assert "HostUseUnknown" in host.pcid("plan", "0000:d9:00.0").all
    host.pcid("list").must(0)


@pytest.mark.parametrize("gone", ["proc", "proc/1/net/route"])
def test_without_routes_a_nic_is_not_given_away(fresh, gone):
    host = fresh("altra-smmu")
    host.remove(gone)
    assert "HostUseUnknown" in host.pcid("plan", "0003:01:00.0").must(1).all
    host.pcid("list").must(0)


def test_what_nothing_of_it_concerns_is_still_offered(fresh):
    host = fresh("dell-r740")
    host.remove("proc/1/mountinfo")
    host.remove("proc/1/net")
    host.pcid("plan", "0000:86:00.0").must(0)


def test_an_ipv6_less_kernel_is_no_doubt(fresh):
    """ipv6.disable=1: neither file is there."""
    host = fresh("dell-r740")
    host.remove("proc/1/net/ipv6_route")
    host.remove("proc/1/net/if_inet6")
    host.pcid("plan", "0000:af:00.1").must(0)
    host.pcid("plan", "0000:3b:00.0").must(1)


@pytest.mark.parametrize("mountinfo", ["", "junk\n", "24 1 254:0 / / rw", "24 1 xx:yy / / rw - ext4 /dev/sda rw\n", "\0" * 300])
def test_mountinfo_that_is_none_is_doubt(fresh, mountinfo):
    host = fresh("dell-r740")
    host.write("proc/1/mountinfo", mountinfo)
    assert "HostUseUnknown" in host.pcid("plan", "0000:d9:00.0").must(1).all


# Links that lead out, loops, things that vanish.


def test_a_vanished_function_is_left_out(fresh):
    host = fresh("dell-r740")
    shutil.rmtree(host.path(host.sysfs("0000:86:00.0")))
    assert os.path.islink(host.path(f"{DEVICES}/0000:86:00.0"))
    answer = listed(host)
    assert "0000:86:00.0" not in answer and len(answer) == len(expect.listed(host.functions)) - 1
    assert "NotFound" in host.pcid("plan", "0000:86:00.0").must(1).all


def outside_function(workspace):
    """A function beside the root that must never be seen from in it."""
    outside = f"{workspace}/outside"
    if not os.path.exists(outside):
        put(outside, "secret/vendor", "0x1337\n")
        put(outside, "secret/device", "0x1337\n")
        put(outside, "secret/class", "0x030000\n")
        put(outside, "secret/uevent", "PCI_CLASS=30000\nPCI_ID=1337:1337\n")
    return outside


@pytest.mark.parametrize("kind", ["absolute", "dotdot", "component"])
@pytest.mark.parametrize("fallback", [False, True], ids=["openat2", "walk"])
def test_links_do_not_leave_the_root(bare, workspace, kind, fallback):
    outside = outside_function(workspace)
    target = {"absolute": f"{outside}/secret", "dotdot": "../" * 40 + f"{outside[1:]}/secret",
              "component": "way-out/secret"}[kind]
    if kind == "component":
        os.symlink(outside, bare.path(f"{DEVICES}/way-out"))
    os.symlink(target, bare.path(f"{DEVICES}/0000:66:00.0"))
    add_function(bare.dir, "0000:01:00.0")
    os.symlink(f"{outside}/secret/vendor", bare.path(f"{DEVICES}/0000:01:00.0/serial"))
    options = {"before": without_openat2()} if fallback else {}
    assert list(listed(bare, **options)) == ["0000:01:00.0"]
    assert "1337" not in bare.pcid("show", "0000:66:00.0", **options).must(1).all


@pytest.mark.parametrize("fallback", [False, True], ids=["openat2", "walk"])
def test_absolute_links_are_of_the_root(bare, fallback):
    add_function(bare.dir, "../../../devices/0000:01:00.0")
    os.symlink("/sys/devices/0000:01:00.0", bare.path(f"{DEVICES}/0000:01:00.0"))
    options = {"before": without_openat2()} if fallback else {}
    assert listed(bare, **options)["0000:01:00.0"]["deviceId"] == "1533"


def test_attributes_that_are_links_out_are_not_read(bare, workspace):
    outside = outside_function(workspace)
    add_function(bare.dir, "0000:01:00.0", vendor=None)
    os.symlink(f"{outside}/secret/vendor", bare.path(f"{DEVICES}/0000:01:00.0/vendor"))
    assert "1337" not in bare.pcid("list", "-o", "json").out


def test_link_loops(bare):
    os.symlink("0000:01:00.0", bare.path(f"{DEVICES}/0000:01:00.0"))
    os.symlink("0000:03:00.0", bare.path(f"{DEVICES}/0000:02:00.0"))
    os.symlink("0000:02:00.0", bare.path(f"{DEVICES}/0000:03:00.0"))
    add_function(bare.dir, "0000:04:00.0")
    assert list(listed(bare)) == ["0000:04:00.0"]


def test_the_state_does_not_leave_the_root(bare, workspace):
    """run and var as links out of the root: nothing is written outside."""
    outside = f"{workspace}/elsewhere-{os.path.basename(bare.dir)}"
    os.makedirs(outside)
    for name in ("run", "var"):
        os.symlink(outside, bare.path(name))
    add_function(bare.dir, "0000:01:00.0")
    bare.pcid("apply")
    assert os.listdir(outside) == []


def test_a_physfn_that_is_not_there(bare):
    add_function(bare.dir, "0000:01:10.0")
    os.symlink("../0000:01:00.0", bare.path(f"{DEVICES}/0000:01:10.0/physfn"))
    bare.pcid("apply").must(0)
    assert "harvesterhci.io/parent-sriov-network-device" not in bare.observed(
        "pcidevices", "n1-000001100")["metadata"]["labels"]


def test_only_a_nics_vf_has_a_parent_network_device(bare):
    """Not a NIC whose physfn was never read, not an NVMe VF."""
    for address, cls in (("0000:00:00.0", "020000"), ("0000:01:00.0", "020000"), ("0000:02:10.0", "010802")):
        add_function(bare.dir, address, cls=cls)
        put(bare.dir, f"{DEVICES}/{address}/net/eth0/ifindex", "2\n")
    os.symlink("../0000:01:00.0", bare.path(f"{DEVICES}/0000:02:10.0/physfn"))
    bare.pcid("apply").must(0)
    observed = bare.observed("pcidevices")
    assert set(observed) == {"n1-000000000", "n1-000002100"}, "the NIC at 01:00.0 is a PF with a VF now"
    assert [item["metadata"]["labels"] for item in observed.values()] == [{"nodename": "n1"}] * 2


# Block devices and NICs in circles.


def test_block_devices_in_a_circle(fresh):
    host = fresh("quadro-multipath")
    disk = f"{host.sysfs('0000:b0:00.0')}/host5/port-5:0/end_device-5:0/target5:0:0/5:0:0:0/block/sdd"
    os.symlink("../../../../../../" + disk, host.path("sys/devices/virtual/block/dm-3/holders/sdd"))
    os.symlink("../../../../../../sys/devices/virtual/block/dm-3", host.path(f"{disk}/slaves/dm-3"))
    os.symlink("../../dm-3", host.path("sys/devices/virtual/block/dm-3/slaves/dm-3"))
    result = host.pcid("plan", "0000:b0:00.0", timeout=20)
    assert result.code == 1


def test_bonds_in_a_circle(fresh):
    host = fresh("dell-r740")
    os.symlink("../mgmt-bo", host.path("sys/devices/virtual/net/mgmt-br/master"))
    assert "DefaultRoute" in host.pcid("plan", "0000:3b:00.0", timeout=20).must(1).all


# Many.


@pytest.fixture(scope="module")
def many(workspace):
    description = machines.bighost.describe(5000)
    built = machines.build(description, f"{workspace}/many")
    yield Host(f"{workspace}/many", "big", description, built.functions)
    shutil.rmtree(f"{workspace}/many", ignore_errors=True)


def test_5000_functions(many):
    start = time.monotonic()
    answer = many.pcid("list", "-o", "json").must(0).json()
    assert [i["status"]["address"] for i in answer["items"]] == [f["at"] for f in expect.listed(many.functions)]
    many.pcid("apply").must(0)
    assert len(many.names(f"{RUN}/observed/pcidevices")) == len(expect.object_functions(many))
    assert time.monotonic() - start < 30, "a hang, not a speed"


def test_5000_functions_in_groups(many):
    out = many.pcid("list", "--groups").must(0).out
    assert out.count("group ") >= len({fn["group"] for fn in expect.listed(many.functions)})


# The two ways to stay below the root: openat2, and a walk where the kernel does not have it.


def without_openat2():
    if not STRACE:
        pytest.skip("strace is not installed")
    return [STRACE, "-qq", "-f", "-o", "/dev/null", "-e", "trace=openat2", "-e", "inject=openat2:error=ENOSYS"]


@pytest.mark.parametrize("name", ["vmd-root", "quadro-multipath", "harvester-vlan"])
def test_the_walk_sees_what_openat2_sees(fresh, name):
    host, walked = fresh(name), fresh(name)
    for arguments in (["list"], ["list", "--groups"], ["plan"], ["show", expect.listed(host.functions)[1]["at"]]):
        first = host.pcid(*arguments).must(0)
        assert walked.pcid(*arguments, before=without_openat2()).must(0).out == first.out
    host.pcid("apply").must(0)
    walked.pcid("apply", before=without_openat2()).must(0)

    def objects(of):
        found = of.observed("pcidevices")
        for item in found.values():
            for condition in item["status"]["conditions"]:
                del condition["lastTransitionTime"]
        return found

    assert objects(host) == objects(walked)


def test_openat2_is_used_where_it_is(machine, scratch):
    if not STRACE:
        pytest.skip("strace is not installed")
    log = f"{scratch}/strace"
    host = machine("no-iommu")
    subprocess.run([STRACE, "-qq", "-f", "-o", log, "-e", "trace=open,openat,openat2", BINARY, "pcid", "--root", host.dir,
                    "--node", "n1", "list"], check=True, stdout=subprocess.DEVNULL)
    with open(log, encoding="utf-8") as file:
        lines = [line for line in file if host.dir in line or "openat2" in line]
    assert any("RESOLVE_IN_ROOT" in line for line in lines)
    assert not [line for line in lines if f"{host.dir}/" in line], "a path below the root was opened from outside it"


def test_a_pass_from_a_relative_root(fresh):
    host = fresh("no-iommu")
    parent, name = os.path.split(host.dir)
    run_vfiobox("pcid", "--root", f"./{name}/", "--node", host.node, "apply", cwd=parent).must(0)
    assert len(host.names(f"{RUN}/observed/pcidevices")) == len(expect.object_functions(host))
    assert not os.path.exists(host.path(STATE)) or host.names(f"{STATE}/kept/pcidevices") == []
