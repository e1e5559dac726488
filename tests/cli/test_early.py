# SPDX-License-Identifier: GPL-2.0-or-later
# `pcid early`, `bake`, `settled` on a tree that answers as sysfs does: what was bound before is bound before a
# host driver can have it, nothing else is, and nothing that goes wrong fails the boot.
import json
import os
import subprocess

import pytest
from conftest import BINARY, RUN, STATE
from test_daemon import GPU, NIC, NODE, ROOT_DISK, SPARE, STEPPER, driver, host  # noqa: F401

BOOT = "proc/sys/kernel/random/boot_id"
BOOTS = ["11111111-1111-4111-8111-111111111111", "22222222-2222-4222-8222-222222222222",
         "33333333-3333-4333-8333-333333333333", "44444444-4444-4444-8444-444444444444"]


def played(host, *args, code=0, env=None):
    """pcid under the stepper that plays the kernel of the tree."""
    if not os.path.exists(STEPPER):
        pytest.skip("skipped: the stepper is not built for this machine")
    done = subprocess.run([STEPPER, "--run", host.dir, "--", BINARY, "pcid", "--root", host.dir, *args],
                          stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, check=False,
                          env={"PATH": "/usr/bin:/bin", **(env or {})})
    assert done.returncode == code, done.stderr
    return done


def pcid(host, *args, **options):
    return played(host, "--node", NODE, *args, **options)


def report(host):
    return host.load(f"{RUN}/early.json")


def results(host):
    return {f["address"]: f["result"] for f in report(host)["functions"]}


def reboot(host, number=1):
    """Everything is off vfio-pci and without a driver, as at the start of a kernel; /run is empty."""
    for fn in host.functions:
        link = host.path(f"{fn['path']}/driver")
        if not fn["class"].startswith("0604") and os.path.islink(link):
            os.unlink(link)
            uevent = [l for l in host.read(f"{fn['path']}/uevent").splitlines() if not l.startswith("DRIVER=")]
            host.write(f"{fn['path']}/uevent", "\n".join(uevent) + "\n")
        host.write(f"{fn['path']}/driver_override", "(null)\n")
    if os.path.exists(host.path(RUN)):
        host.remove(RUN)
    host.write(BOOT, BOOTS[number] + "\n")


@pytest.fixture
def claimed(host):  # noqa: F811
    """The GPU's group was bound and verified in the boot before, and is not bound yet in this one."""
    host.write(BOOT, BOOTS[0] + "\n")
    host.write("dev/kmsg", "")
    pcid(host, "claim", GPU[0])
    return host


@pytest.fixture
def rebooted(claimed):
    reboot(claimed)
    return claimed


def test_stage_2_binds_what_was_bound_before(rebooted):
    played(rebooted, "early", "--stage", "2")
    assert {driver(rebooted, a) for a in GPU} == {"vfio-pci"}
    assert results(rebooted) == dict.fromkeys(GPU, "bound")
    assert report(rebooted)["bootId"] == BOOTS[1]
    assert report(rebooted)["disabled"] is None


def test_it_says_so_in_the_kernels_log(rebooted):
    played(rebooted, "early", "--stage", "2")
    assert f"<6>vfiobox: early: {GPU[0]}: bound to vfio-pci\n" in rebooted.read("dev/kmsg")


def test_a_claim_that_was_never_bound_waits(rebooted):
    name = rebooted.object_name(SPARE)
    rebooted.write(f"{STATE}/desired/local/pcideviceclaims/{name}.json", json.dumps(
        {"metadata": {"name": name}, "spec": {"address": SPARE, "nodeName": NODE, "userName": "u"}}))
    played(rebooted, "early", "--stage", "2")
    assert driver(rebooted, SPARE) == ""
    assert "vfio" not in rebooted.read(rebooted.sysfs(SPARE, "driver_override"))
    assert results(rebooted)[SPARE] == "refused"
    assert {f["reason"] for f in report(rebooted)["functions"] if f["address"] == SPARE} == {"Unsettled"}


def test_the_command_line_names_others(rebooted):
    rebooted.write("proc/cmdline", f"root=x vfiobox.claim={SPARE[5:]},{NIC} quiet\n")
    played(rebooted, "early", "--stage", "2")
    assert driver(rebooted, SPARE) == "vfio-pci" and driver(rebooted, NIC) == "vfio-pci"


@pytest.mark.parametrize("name", ["", "0000:00:02.0x", "nonsense", "0000:99:00.0"])
def test_what_is_no_address_is_said(rebooted, name):
    rebooted.write("proc/cmdline", f"vfiobox.claim={name}\n")
    played(rebooted, "early", "--stage", "2")
    assert results(rebooted).get(GPU[0]) == "bound"


def test_what_the_host_lived_on_is_refused_on_the_command_line_too(rebooted):
    rebooted.write("proc/cmdline", f"vfiobox.claim={ROOT_DISK}\n")
    rebooted.write("proc/1/mountinfo", "1 1 0:1 / / rw - rootfs rootfs rw\n")
    rebooted.write("proc/swaps", "Filename Type Size Used Priority\n")
    played(rebooted, "early", "--stage", "2")
    assert results(rebooted)[ROOT_DISK] == "refused"
    assert {f["reason"] for f in report(rebooted)["functions"] if f["address"] == ROOT_DISK} == {"RootDisk"}
    assert driver(rebooted, ROOT_DISK) == ""


def test_vfiobox_disable(rebooted):
    rebooted.write("proc/cmdline", "quiet vfiobox.disable\n")
    played(rebooted, "early", "--stage", "2")
    assert {driver(rebooted, a) for a in GPU} == {""}
    assert "vfiobox.disable" in report(rebooted)["disabled"]


def test_without_the_module_the_override_keeps_the_function(rebooted):
    rebooted.remove("sys/module")
    played(rebooted, "early", "--stage", "2")
    assert results(rebooted) == dict.fromkeys(GPU, "override")
    for address in GPU:
        assert rebooted.read(rebooted.sysfs(address, "driver_override")).strip() == "vfio-pci"


def test_stage_1_reads_the_baked_copy(claimed):
    assert "files" in pcid(claimed, "bake").stdout
    os.rename(claimed.path(STATE), claimed.path("away"))
    reboot(claimed)
    played(claimed, "early")
    assert results(claimed) == dict.fromkeys(GPU, "bound")
    assert not os.path.exists(claimed.path(STATE))


def test_the_archive_is_what_cpio_unpacks(claimed, tmp_path):
    pcid(claimed, "bake")
    archive = tmp_path / "early.cpio"
    pcid(claimed, "bake", str(archive))
    there = tmp_path / "there"
    there.mkdir()
    with open(archive, "rb") as file:
        subprocess.run(["cpio", "-idm", "--quiet"], stdin=file, cwd=there, check=True, timeout=60)
    assert subprocess.run(["diff", "-r", there / "etc/vfiobox", claimed.path("etc/vfiobox")],
                          timeout=60, check=False).returncode == 0
    assert (there / "etc/vfiobox/desired/machine").exists()


def test_what_is_released_is_baked_out(claimed):
    pcid(claimed, "bake")
    pcid(claimed, "release", GPU[0])
    pcid(claimed, "bake")
    assert claimed.names("etc/vfiobox/kept/pcidevices") == []


def test_a_state_of_another_machine_is_not_baked(claimed):
    claimed.write(f"{STATE}/desired/machine", "product-uuid 00000000-1111-4222-8333-444444444444\n")
    assert "machine" in pcid(claimed, "bake", code=1).stderr


def test_what_early_bound_is_ours_for_a_claim_that_comes_later(rebooted):
    rebooted.write("proc/cmdline", f"vfiobox.claim={SPARE}\n")
    played(rebooted, "early", "--stage", "2")
    pcid(rebooted, "claim", SPARE)
    pcid(rebooted, "release", SPARE)
    assert driver(rebooted, SPARE) == "nvme"


def test_two_boots_that_do_not_come_up_turn_it_off(rebooted):
    played(rebooted, "early", "--stage", "2")
    reboot(rebooted, 2)
    played(rebooted, "early", "--stage", "2")
    assert results(rebooted)[GPU[0]] == "bound"
    reboot(rebooted, 3)
    played(rebooted, "early", "--stage", "2")
    assert "turned itself off" in report(rebooted)["disabled"]
    assert {driver(rebooted, a) for a in GPU} == {""}


def test_what_stage_1_took_goes_back_when_it_turns_itself_off(claimed):
    pcid(claimed, "bake")
    for number in (1, 2):
        reboot(claimed, number)
        played(claimed, "early", "--stage", "2")
    reboot(claimed, 3)
    played(claimed, "early")
    assert {driver(claimed, a) for a in GPU} == {"vfio-pci"}
    played(claimed, "early", "--stage", "2")
    assert [driver(claimed, a) for a in GPU] == ["nouveau", "snd_hda_intel", "xhci_hcd", ""]
    assert results(claimed) == dict.fromkeys(GPU, "undone")


def test_a_boot_that_came_up_counts_anew(rebooted):
    for number in (1, 2, 3):
        reboot(rebooted, number)
        played(rebooted, "early", "--stage", "2")
        pcid(rebooted, "settled")
        assert report(rebooted)["disabled"] is None
    assert results(rebooted)[GPU[0]] == "bound"


@pytest.mark.parametrize("harm", ["state", "kept", "sysfs", "run", "node", "machine"])
def test_it_never_fails_the_boot(rebooted, harm):
    if harm == "state":
        rebooted.remove(STATE)
    elif harm == "kept":
        for name in rebooted.names(f"{STATE}/kept/pcidevices"):
            rebooted.write(f"{STATE}/kept/pcidevices/{name}.json", "{")
    elif harm == "sysfs":
        rebooted.remove("sys/bus/pci/devices")
    elif harm == "run":
        rebooted.write("run/vfiobox", "")
    elif harm == "node":
        rebooted.write(f"{STATE}/kept/node/name.json", "{")
    else:
        rebooted.write(f"{STATE}/desired/machine", "product-uuid 00000000-1111-4222-8333-444444444444\n")
    played(rebooted, "early", "--stage", "2")
    # Where only the report has no place, what is ours is bound all the same.
    assert {driver(rebooted, a) for a in GPU} == {"vfio-pci" if harm == "run" else ""}


def test_the_daemon_takes_over_what_early_bound(rebooted):
    played(rebooted, "early", "--stage", "2")
    pcid(rebooted, "apply")
    claim = rebooted.observed("pcideviceclaims", rebooted.object_name(GPU[0]))
    assert claim["status"]["passthroughEnabled"] is True
    assert claim["status"]["kernelDriverToUnbind"] == "nouveau"
