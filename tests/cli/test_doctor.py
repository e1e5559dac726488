# SPDX-License-Identifier: GPL-2.0-or-later
# `pcid doctor`: what is found on each described machine, and in trees where one thing is otherwise.
import pytest
from conftest import changes, machines
from findings import RELEASE, doctor, early, none, one, unprivileged, wish

MACHINES = machines.names()

each_machine = pytest.mark.parametrize("name", MACHINES)


# The described machines.


@each_machine
def test_what_is_found_is_what_the_machine_is(machine, name):
    host = machine(name)
    expected = {(level, what): words for level, those in host.description["doctor"].items()
                for what, words in those.items()}
    expected["ok", "inventory"] = [f"{len(host.functions)} PCI functions"]
    expected["ok", "state"] = ["0 claims" if host.description.get("vlanconfig") else "nothing was ever claimed"]
    groups = {fn["group"] for fn in host.functions if fn.get("group") is not None}
    if groups:
        expected["ok", "iommu"] = [f"{len(groups)} IOMMU groups", *expected["ok", "iommu"]]
    found = doctor(host)
    assert sorted(found) == sorted(expected)
    for what, words in expected.items():
        for word in words:
            assert word in found[what]["message"], found[what]


@each_machine
def test_the_doctor_changes_nothing(fresh, name):
    host = fresh(name)
    before = host.snapshot(without=())
    for output in ("table", "wide", "json", "yaml", "name"):
        host.pcid("doctor", "-o", output)
    assert changes(before, host.snapshot(without=())) == []


# How it is said.


def test_the_table_has_problems_first_and_what_to_do_below_each(machine):
    host = machine("no-iommu")
    result = host.pcid("doctor").must(1)
    head, *rows = result.out.splitlines()
    assert head.split() == ["LEVEL", "TOPIC", "SUBJECT", "FINDING"]
    column = head.index("FINDING")
    assert result.err == ""
    lines = iter(rows)
    for finding in host.pcid("doctor", "-o", "json").json()["findings"]:
        row = next(lines)
        assert row.split()[:2] == [finding["level"], finding["topic"]]
        assert row[head.index("SUBJECT"):column].strip() == finding["subject"]
        assert row[column:] == finding["message"]
        if finding["todo"]:
            assert next(lines) == " " * column + "-> " + finding["todo"]
    assert next(lines, None) is None


def test_yaml_is_the_same(machine):
    yaml = pytest.importorskip("yaml")
    host = machine("no-iommu")
    assert yaml.safe_load(host.pcid("doctor", "-o", "yaml").must(1).out) == host.pcid("doctor", "-o", "json").json()


def test_notes_alone_are_no_failure(machine):
    assert machine("dell-r740").pcid("doctor").must(0).out.count("\nnote") == 4


def test_what_a_file_says_cannot_steer_the_terminal(fresh):
    host = fresh("dell-r740")
    early(host, disabled="\x1b[2J\u009bx")
    table = host.pcid("doctor").out
    assert "\x1b" not in table and "\u009b" not in table
    assert "\x1b" in one(host, "note", "early")["message"]


def test_doctor_takes_no_argument(machine):
    assert machine("dell-r740").pcid("doctor", "0000:86:00.0").code == 2
    assert "doctor" in machine("dell-r740").pcid("--help").must(0).out


# Is there an IOMMU, and if not, why.


def cmdline(host, words):
    host.write("proc/cmdline", f"BOOT_IMAGE=/boot/vmlinuz root=/dev/sda2 {words}\n")


def table(host, name):
    host.write(f"sys/firmware/acpi/tables/{name}", b"x")


@pytest.fixture
def off(fresh):
    """An Intel machine without an IOMMU, nor a table that describes one."""
    return fresh("no-iommu")


@pytest.mark.parametrize("cpu, words", [
    ("vendor_id\t: GenuineIntel\n", ["turn on VT-d"]),
    ("processor\t: 0\nvendor_id\t: AuthenticAMD\n", ["turn on AMD-Vi"]),
    ("processor\t: 0\nvendor_id\t: HygonGenuine\n", ["turn on AMD-Vi"]),
    ("processor\t: 0\nCPU implementer\t: 0x41\n", ["turn on the SMMU"]),
    ("\0\xff\n:::\nvendor_id\n", ["VT-d (Intel)", "AMD-Vi", "SMMU"]),
])
def test_the_switch_is_named_as_the_firmware_setup_of_that_processor_names_it(off, cpu, words):
    off.write("proc/cpuinfo", cpu.encode("latin-1"))
    one(off, "problem", "iommu-firmware", *words)
    off.remove("sys/firmware")
    one(off, "note", "iommu-firmware", "is not known", *[w.removeprefix("turn on ") for w in words])


@pytest.mark.parametrize("name", ["DMAR", "IVRS", "IORT", "VIOT"])
def test_any_table_of_an_iommu_counts(off, name):
    table(off, name)
    cmdline(off, "intel_iommu=on")
    one(off, "ok", "iommu-firmware", name)
    one(off, "problem", "iommu", "dmesg")


@pytest.mark.parametrize("words, vendor, blamed", [
    ("iommu=off", "GenuineIntel", "iommu=off"),
    ("iommu=soft,off quiet", "AuthenticAMD", "iommu=off"),
    ("intel_iommu=off", "GenuineIntel", "intel_iommu=off"),
    ("intel_iommu=on intel_iommu=sm_on,off", "GenuineIntel", "intel_iommu=off"),
    ("amd_iommu=off", "AuthenticAMD", "amd_iommu=off"),
])
def test_what_turns_it_off_is_named(off, words, vendor, blamed):
    table(off, "DMAR")
    off.write("proc/cpuinfo", f"vendor_id\t: {vendor}\n")
    cmdline(off, words)
    found = one(off, "problem", "iommu-cmdline", f"{blamed} on the kernel command line", f"take {blamed} out")
    assert found["message"].startswith(blamed)
    one(off, "problem", "iommu", "see iommu-firmware and iommu-cmdline")


@pytest.mark.parametrize("words, vendor", [
    ("intel_iommu=off intel_iommu=on", "GenuineIntel"),
    ("intel_iommu=on,sm_on iommu=pt", "GenuineIntel"),
    ("intel_iommu=off", "AuthenticAMD"),
    ("xintel_iommu=off iommu=pt", "AuthenticAMD"),
    ("amd_iommu=off intel_iommu=on", "GenuineIntel"),
    ("intel_iommu=on -- intel_iommu=off", "GenuineIntel"),
])
def test_what_does_not_turn_it_off_is_not_blamed(off, words, vendor):
    table(off, "DMAR")
    off.write("proc/cpuinfo", f"vendor_id\t: {vendor}\n")
    cmdline(off, words)
    one(off, "ok", "iommu-cmdline")
    one(off, "problem", "iommu", "neither the firmware nor the command line", "dmesg")


@pytest.mark.parametrize("words", ["quiet", "intel_iommu=sm_on", "intel_iommu", "-- intel_iommu=on"])
def test_intel_wants_to_be_turned_on(off, words):
    cmdline(off, words)
    one(off, "note", "iommu-cmdline", "add intel_iommu=on")
    table(off, "DMAR")
    one(off, "problem", "iommu-cmdline", "add intel_iommu=on")


@pytest.mark.parametrize("path", ["boot/config-{}", "lib/modules/{}/config", "usr/lib/modules/{}/config"])
def test_unless_the_kernel_turns_it_on_itself(off, path):
    table(off, "DMAR")
    path = path.format(off.read("proc/sys/kernel/osrelease").strip())
    off.write(path, "CONFIG_X=y\n# CONFIG_INTEL_IOMMU_DEFAULT_ON is not set\n")
    one(off, "problem", "iommu-cmdline")
    off.write(path, "CONFIG_X=y\nCONFIG_INTEL_IOMMU_DEFAULT_ON=y\nCONFIG_Z=m\n")
    one(off, "ok", "iommu-cmdline")


def test_without_the_directory_of_groups_there_is_no_iommu(off):
    off.remove("sys/kernel")
    one(off, "problem", "iommu", "there is no /sys/kernel/iommu_groups")


def test_groups_that_cannot_be_listed_are_no_answer(fresh):
    host = fresh("dell-r740")
    before = unprivileged(host, "sys/kernel/iommu_groups")
    one(host, "problem", "iommu", "cannot be read", "Permission denied", before=before)


def test_functions_without_a_group_are_named(fresh):
    host = fresh("dell-r740")
    for address in ("0000:86:00.0", "0000:d9:00.0", "0000:d7:01.0"):
        host.remove(host.sysfs(address, "iommu_group"))
    message = one(host, "note", "iommu-group", "0000:86:00.0, 0000:d9:00.0:")["message"]
    assert "0000:d7:01.0" not in message, "a PCI bridge wants no group"


def test_of_many_functions_without_a_group_a_few_are_named(fresh):
    host = fresh("ice-256vf")
    vfs = [fn["at"] for fn in host.functions if fn.get("physfn") == "0000:5e:00.0"]
    for address in vfs:
        host.remove(host.sysfs(address, "iommu_group"))
    message = one(host, "note", "iommu-group", f"{vfs[7]} and 248 more")["message"]
    assert vfs[8] not in message


# Interrupt remapping.

PLAIN = "           CPU0\n 24:  1  PCI-MSI 327680-edge  xhci_hcd\n"


@pytest.mark.parametrize("name", ["dell-r740", "epyc-elemental"])
def test_without_interrupt_remapping_vfio_refuses(fresh, name):
    host = fresh(name)
    host.write("proc/interrupts", PLAIN)
    one(host, "problem", "interrupt-remapping", "No interrupt remapping support", "allow_unsafe_interrupts=1")
    host.write("sys/module/vfio_iommu_type1/parameters/allow_unsafe_interrupts", "Y\n")
    one(host, "note", "interrupt-remapping", "inject interrupts")


def test_intremap_off_is_without_it(fresh):
    host = fresh("dell-r740")
    host.write("proc/cmdline", "intel_iommu=on intremap=off\n")
    one(host, "problem", "interrupt-remapping", "intremap=off")


def test_allowing_unsafe_interrupts_for_nothing_is_noted(fresh):
    host = fresh("dell-r740")
    host.write("sys/module/vfio_iommu_type1/parameters/allow_unsafe_interrupts", "Y\n")
    one(host, "note", "interrupt-remapping", "take the option off")


@pytest.mark.parametrize("text", [None, "", "\0\xff 1: 2\n"])
def test_where_it_cannot_be_told_nothing_is_said_of_remapping(fresh, text):
    host = fresh("dell-r740")
    if text is None:
        host.remove("proc/interrupts")
    else:
        host.write("proc/interrupts", text)
    none(host, "interrupt-remapping")


def test_without_an_iommu_nothing_is_said_of_remapping(off):
    none(off, "interrupt-remapping")


# Modules.


@pytest.fixture
def bare(fresh):
    """vfio not loaded, and an index of modules that has it."""
    host = fresh("z690-gamer")
    host.write(f"lib/modules/{RELEASE}/modules.dep",
               "kernel/drivers/vfio/pci/vfio-pci.ko.zst:\nkernel/drivers/vfio/vfio_iommu_type1.ko.zst:\n")
    return host


def test_what_can_be_loaded_is_well(bare):
    one(bare, "ok", "vfio-module vfio-pci", "can be loaded")
    one(bare, "ok", "vfio-module vfio_iommu_type1", "can be loaded")


def test_what_the_kernel_does_not_have_is_a_problem(bare):
    bare.write(f"lib/modules/{RELEASE}/modules.dep", "kernel/drivers/vfio/vfio_iommu_type1.ko.zst:\n")
    one(bare, "problem", "vfio-module vfio-pci", "not among the modules", "install the package")
    bare.write(f"lib/modules/{RELEASE}/modules.builtin", "kernel/drivers/vfio/pci/vfio-pci.ko\n")
    one(bare, "ok", "vfio-module vfio-pci", "in the kernel")


@pytest.mark.parametrize("line", ["blacklist vfio-pci", "install vfio_pci /bin/false"])
def test_a_blacklist_is_noted(bare, line):
    bare.write("etc/modprobe.d/x.conf", f"{line}\n")
    one(bare, "note", "vfio-module vfio-pci", "blacklisted")
    one(bare, "ok", "vfio-module vfio_iommu_type1")


def test_the_kernels_own_blacklist_is_a_problem(bare):
    bare.write("proc/cmdline", "intel_iommu=on module_blacklist=nouveau,vfio-pci\n")
    one(bare, "problem", "vfio-module vfio-pci", "module_blacklist=")
    bare.write("proc/cmdline", "intel_iommu=on modprobe.blacklist=vfio-pci\n")
    one(bare, "note", "vfio-module vfio-pci", "blacklisted")


def test_a_module_that_nothing_is_known_of_is_a_problem_once_there_are_claims(fresh):
    host = fresh("z690-gamer")
    wish(host, "0000:00:17.0")
    one(host, "problem", "vfio-module vfio-pci", "modules.dep", "modprobe vfio-pci")


def test_a_modprobe_d_that_cannot_be_read_is_a_problem(bare):
    bare.write("etc/modprobe.d/x.conf", "")
    before = unprivileged(bare, "etc/modprobe.d/x.conf")
    one(bare, "problem", "vfio-module", "etc/modprobe.d/x.conf", "Permission denied", before=before)


@pytest.mark.parametrize("path, text", [
    ("proc/cmdline", "intel_iommu=on vfio-pci.ids=10de:1cb1,144d:a808 quiet\n"),
    ("proc/cmdline", "intel_iommu=on vfio_pci.ids=144D:A808:144d:a801\n"),
    ("usr/lib/modprobe.d/gpu.conf", "options vfio-pci disable_vga=1 ids=144d:a808\n"),
])
def test_ids_for_vfio_pci_are_noted_with_the_twins(fresh, path, text):
    host = fresh("quadro-multipath")
    wish(host, "0000:47:00.0")
    host.write(path, text)
    found = one(host, "note", "vfio-ids", "ids=", "claimed (0000:47:00.0)", "0000:48:00.0)")
    assert "0000:2e:00.0" not in found["message"]


def test_ids_that_nothing_has_are_noted_too(fresh):
    host = fresh("dell-r740")
    host.write("proc/cmdline", "intel_iommu=on vfio-pci.ids=1234:5678,zz,:,\n")
    one(host, "note", "vfio-ids", "claimed (none) or not (none)")
    host.write("proc/cmdline", "intel_iommu=on vfio-pci.ids= vfio-pci.idsx=8086:1572\n")
    none(host, "vfio-ids")
