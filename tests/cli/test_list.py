# SPDX-License-Identifier: GPL-2.0-or-later
# `pcid list` and `pcid show`: outputs, filters, groups, names.
import json
import os

import expect
import pytest
import yaml
from conftest import RUN

IDS = """\
# A few entries, in the format of pci.ids.
1002  Advanced Micro Devices, Inc. [AMD/ATI]
\t4b4b  R481 [Radeon X850 XT AGP]
8086  Intel Corporation
\t1515  X540 Ethernet Controller Virtual Function
\t1528  Ethernet Controller 10-Gigabit X540-AT2
15b3  Mellanox Technologies
\t1017  MT2892 Family [ConnectX-6 Dx Flash Recovery]
103c  Hewlett-Packard Company
10de  NVIDIA Corporation
\t25b6  GA107GL [A2 / A16].
14e4  Broadcom Inc. and subsidiaries
\t16d7  A product name that is so long that no socket of the kubelet can be made of it, whatever \
one cuts from it
C 02  Network controller
\t00  Ethernet controller
C 03  Display controller
\t02  3D controller
C 08  Generic system peripheral
"""


@pytest.fixture
def ids(scratch):
    with open(f"{scratch}/short.ids", "w", encoding="utf-8") as file:
        file.write(IDS)
    return f"{scratch}/short.ids"


def addresses(host, *arguments):
    listed = [i["status"]["address"] for i in host.pcid("list", "-o", "json", *arguments).must(0).json()["items"]]
    table = host.pcid("list", *arguments).must(0).out.splitlines()
    assert [line.split()[0] for line in table[1:]] == listed
    names = host.pcid("list", "-o", "name", *arguments).must(0).out.split()
    assert names == [f"pcidevice.devices.harvesterhci.io/{host.object_name(a)}" for a in listed]
    return listed


def wanted(host, condition):
    return [fn["at"] for fn in expect.listed(host.functions) if condition(fn)]


@pytest.mark.parametrize("arguments,condition", [
    ([], lambda fn: True),
    (["--class", "02"], lambda fn: fn["class"].startswith("02")),
    (["--class", "0200"], lambda fn: fn["class"].startswith("0200")),
    (["--class", "010802"], lambda fn: fn["class"] == "010802"),
    (["--class", "06"], lambda fn: fn["class"].startswith("0600") or fn["class"].startswith("0601")),
    (["--class", "0604"], lambda fn: False),
    (["--class", "0C03"], lambda fn: fn["class"].startswith("0c03")),
    (["--vendor", "8086"], lambda fn: fn["id"].startswith("8086")),
    (["--vendor", "10DE"], lambda fn: fn["id"].startswith("10de")),
    (["--vendor", "ffff"], lambda fn: False),
    (["--driver", "i40e"], lambda fn: fn.get("driver") == "i40e"),
    (["--driver", "i40"], lambda fn: False),
    (["--driver", "none"], lambda fn: not fn.get("driver")),
    (["--group", "22"], lambda fn: fn.get("group") == 22),
    (["--group", "9999"], lambda fn: False),
    (["--vendor", "8086", "--class", "02", "--driver", "i40e", "--group", "41"], lambda fn: fn["at"] == "0000:3b:00.0"),
])
def test_filters(machine, arguments, condition):
    host = machine("dell-r740")
    assert addresses(host, *arguments) == wanted(host, condition)


@pytest.mark.parametrize("arguments", [
    ["--class", "g2"], ["--class", "0"], ["--class", "02000000"], ["--class", ""], ["--vendor", "80861"],
    ["--vendor", "808"], ["--vendor", "xyzw"], ["--group", "x"], ["--group", "-1"], ["--group", ""],
])
def test_filters_that_are_none(machine, arguments):
    result = machine("no-iommu").pcid("list", *arguments).must(2)
    assert arguments[0] in result.err
    assert result.out == ""


def test_group_filter_without_an_iommu(machine):
    assert addresses(machine("no-iommu"), "--group", "0") == []


def test_the_table(machine):
    lines = machine("dell-r740").pcid("list").must(0).out.splitlines()
    assert lines[0].split() == ["ADDRESS", "CLASS", "DRIVER", "IOMMU", "NUMA", "RESOURCE", "CLAIM", "NOTE"]
    rows = {line.split()[0]: line for line in lines[1:]}
    free = rows["0000:d9:00.0"].split()
    assert free[:5] == ["0000:d9:00.0", "0108", "nvme", "83", "1"]
    assert free[5].startswith("intel.com/")
    assert free[6:] in (["-"], ["-", "-"])
    assert rows["0000:86:00.0"].split()[:5] == ["0000:86:00.0", "0302", "-", "61", "1"]
    assert rows["0000:5e:00.0"].endswith("RootDisk: the host lives on it: 0000:5e:00.0 → nvme0n1 → dm-0 → /")
    assert "DefaultRoute" in rows["0000:3b:00.1"]
    columns = {line.index(word) for line, word in ((lines[0], "RESOURCE"),)}
    assert columns == {rows["0000:d9:00.0"].index("intel.com/")}
    assert "\x1b" not in "".join(lines)
    assert not [line for line in lines if line != line.rstrip()]


def test_the_table_without_an_iommu(machine):
    rows = machine("no-iommu").pcid("list").must(0).out.splitlines()[1:]
    assert all(row.split()[3] == "-" for row in rows)
    assert all("NoIOMMUGroup" in row for row in rows)


def test_wide_has_ids_and_name_too(machine):
    host = machine("dell-r740")
    lines = host.pcid("list", "-o", "wide").must(0).out.splitlines()
    row = next(line for line in lines if line.startswith("0000:86:00.0"))
    assert "10de:1eb8" in row and "dell-190-000086000" in row and "TU104GL [Tesla T4]" in row


def test_yaml_is_the_json(machine):
    host = machine("harvester-vlan")
    as_json = host.pcid("list", "-o", "json").must(0).json()
    as_yaml = yaml.safe_load(host.pcid("list", "-o", "yaml").must(0).out)

    def without_times(answer):
        for item in answer["items"]:
            for condition in item["status"]["conditions"]:
                assert condition.pop("lastTransitionTime")
        return answer

    assert without_times(as_yaml) == without_times(as_json)


def test_json_ends_with_a_newline(machine):
    out = machine("no-iommu").pcid("list", "-o", "json").must(0).out
    assert out.endswith("}\n") and not out.endswith("\n\n")


def test_an_empty_list_is_a_list(machine):
    host = machine("dell-r740")
    answer = host.pcid("list", "-o", "json", "--vendor", "ffff").must(0).json()
    assert (answer["kind"], answer["items"]) == ("List", [])
    assert yaml.safe_load(host.pcid("list", "-o", "yaml", "--vendor", "ffff").must(0).out)["items"] == []
    assert host.pcid("list", "-o", "name", "--vendor", "ffff").must(0).out == ""


# Names by the contract's part 2.


@pytest.mark.parametrize("name,address,resource,description", [
    ("harvester-vlan", "0000:38:10.0", "intel.com/X540_ETHERNET_CONTROLLER_VIRTUAL_FUNCTION",
     "Ethernet controller: Intel Corporation X540 Ethernet Controller Virtual Function"),
    ("harvester-vlan", "0000:38:00.1", "intel.com/ETHERNET_CONTROLLER_10GIGABIT_X540AT2",
     "Ethernet controller: Intel Corporation Ethernet Controller 10-Gigabit X540-AT2"),
    ("harvester-vlan", "0000:12:00.0", "mellanox.com/MT2892_FAMILY_CONNECTX6_DX_FLASH_RECOVERY",
     "Ethernet controller: Mellanox Technologies MT2892 Family [ConnectX-6 Dx Flash Recovery]"),
    ("harvester-vlan", "0000:01:00.0", "hewlettpackard.com/3306",
     "Generic system peripheral: Hewlett-Packard Company Device 3306"),
    ("harvester-vlan", "0000:d8:00.0", "nvidia.com/GA107GL_A2___A16",
     "3D controller: NVIDIA Corporation GA107GL [A2 / A16]."),
    ("harvester-vlan", "0000:37:00.0", "broadcom.com/16d7", None),
    ("dell-r740", "0000:03:00.0", None, "Display controller: Vendor 102b Device 0536"),
    ("dell-r740", "0000:00:11.0", "intel.com/a1ec", "Class ff00: Intel Corporation Device a1ec"),
])
def test_names_from_an_ids_file(machine, ids, name, address, resource, description):
    items = machine(name).pcid("list", "-o", "json", "--ids", ids).must(0).json()["items"]
    status = next(i["status"] for i in items if i["status"]["address"] == address)
    assert resource in (None, status["resourceName"])
    assert description in (None, status["description"])


@pytest.mark.parametrize("address,resource", [
    ("0000:86:00.0", "nvidia.com/TU104GL_TESLA_T4"),
    ("0000:18:00.0", "broadcom.com/MEGARAID_TRIMODE_SAS3508"),
    ("0000:3b:00.2", "intel.com/ETHERNET_CONTROLLER_X710_FOR_10GBE_SFP"),
])
def test_names_from_the_built_in_table(machine, address, resource):
    items = machine("dell-r740").pcid("list", "-o", "json").must(0).json()["items"]
    assert next(i["status"] for i in items if i["status"]["address"] == address)["resourceName"] == resource


# Groups.


def groups_of(text):
    """{heading: lines} of the tree."""
    tree = {}
    for line in text.splitlines():
        if line.startswith(("├", "└")):
            tree[heading].append(line)
        else:
            heading = line.strip()
            tree[heading] = []
    return tree


@pytest.mark.parametrize("name", ["dell-r740", "vmd-root", "z690-gamer"])
def test_groups_have_all_their_functions_and_what_blocks_them(machine, name):
    host = machine(name)
    tree = groups_of(host.pcid("list", "--groups").must(0).out)
    numbers = {fn["group"] for fn in host.functions}
    with_endpoints = {fn["group"] for fn in expect.listed(host.functions)}
    assert {f"group {n}" for n in with_endpoints} <= set(tree) <= {f"group {n}" for n in numbers}
    for heading, lines in tree.items():
        members = {fn["at"]: fn for fn in host.functions if f"group {fn['group']}" == heading}
        assert sorted(line.split()[1] for line in lines) == sorted(members)
        for line in lines:
            fn = members[line.split()[1]]
            reason = None if expect.is_bridge(fn) else expect.refusal(host, fn)
            assert (reason in line) if reason else not [r for r in expect.WEIGHT if f"[{r}" in line], line


def test_groups_with_a_filter(machine):
    host = machine("dell-r740")
    tree = groups_of(host.pcid("list", "--groups", "--vendor", "102b").must(0).out)
    assert set(tree) == {"group 27"}
    assert [line.split()[1] for line in tree["group 27"]] == ["0000:02:00.0", "0000:03:00.0"]


def test_groups_are_in_order_of_their_number(machine):
    tree = groups_of(machine("epyc-elemental").pcid("list", "--groups").must(0).out)
    numbers = [int(h.split()[1]) for h in tree]
    assert numbers == sorted(numbers)


def test_groups_without_an_iommu(machine):
    host = machine("no-iommu")
    tree = groups_of(host.pcid("list", "--groups").must(0).out)
    assert len(tree) == 1
    (lines,) = tree.values()
    assert set(wanted(host, lambda fn: True)) <= {line.split()[1] for line in lines}


# One function.


def test_show_has_what_there_is_to_know(machine):
    out = machine("dell-r740").pcid("show", "0000:3b:00.2").must(0).out
    for part in ("0000:3b:00.2", "dell-190-00003b002", "8086:1572", "i40e", "flr bus", "0 of 32", "43", "Ethernet controller"):
        assert part in out, part
    assert "f8-f2-1e-ff-ff-3a-0c-40" in out, "the device serial number of its extended capability"


def test_show_names_the_peers_and_the_claim(machine):
    host = machine("quadro-multipath")
    out = host.pcid("show", "0000:2e:00.1").must(0).out
    for function in range(4):
        assert f"0000:2e:00.{function}" in out
    assert "vfio-pci" in out


def test_show_a_vf_and_its_pf(machine):
    host = machine("harvester-vlan")
    assert "0000:38:00.0" in host.pcid("show", "0000:38:10.2").must(0).out
    pf = host.pcid("show", "0000:38:00.0").must(0).out
    assert "4 of 63" in pf
    for vf in ("0000:38:10.0", "0000:38:10.2", "0000:38:10.4", "0000:38:10.6"):
        assert vf in pf


def test_show_takes_short_and_upper_case_addresses(machine):
    host = machine("dell-r740")
    full = host.pcid("show", "0000:af:00.0").must(0).out
    assert host.pcid("show", "af:00.0").must(0).out == full
    assert host.pcid("show", "0000:AF:00.0").must(0).out == full


def test_show_what_is_not_there(machine):
    result = machine("dell-r740").pcid("show", "0000:77:00.0").must(1)
    assert "0000:77:00.0" in result.err and result.out == ""


@pytest.mark.parametrize("word", ["0000:af:00", "0000:af:00.8", "0000:af:20.0", "zz:00.0", "", "0000:af:00.0 "])
def test_show_what_is_no_address(machine, word):
    result = machine("dell-r740").pcid("show", word).must(2)
    assert result.out == ""


# What was claimed before.


def test_the_first_driver_outlives_a_change(fresh):
    """The annotation says the driver at first sight, whatever holds the function later."""
    host = fresh("dell-r740")
    host.pcid("apply").must(0)
    link = host.path(host.sysfs("0000:d9:00.0", "driver"))
    uevent = host.sysfs("0000:d9:00.0", "uevent")
    os.unlink(link)
    host.write(uevent, host.read(uevent).replace("DRIVER=nvme\n", ""))
    host.pcid("apply").must(0)
    item = host.device("0000:d9:00.0")
    assert item["status"]["kernelDriverInUse"] == ""
    assert item["metadata"]["annotations"] == {"harvesterhci.io/pcideviceDriver": "nvme"}
    os.symlink("../../../../bus/pci/drivers/vfio-pci", link)
    host.write(uevent, f"DRIVER=vfio-pci\n{host.read(uevent)}")
    host.pcid("apply").must(0)
    item = host.device("0000:d9:00.0")
    assert item["status"]["kernelDriverInUse"] == "vfio-pci"
    assert item["metadata"]["annotations"] == {"harvesterhci.io/pcideviceDriver": "nvme"}


def test_a_damaged_observed_object_is_written_again(fresh):
    host = fresh("no-iommu")
    host.pcid("apply").must(0)
    name = host.object_name("0000:02:00.0")
    good = host.observed("pcidevices", name)
    for junk in ("", "{", "[]", '{"status": 7}', json.dumps(good)[:-40]):
        host.write(f"{RUN}/observed/pcidevices/{name}.json", junk)
        host.pcid("list", "-o", "json").must(0)
        host.pcid("apply").must(0)
        again = host.observed("pcidevices", name)
        assert again["status"]["address"] == good["status"]["address"]
        assert again["metadata"] == good["metadata"]
