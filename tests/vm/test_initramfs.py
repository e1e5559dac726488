# SPDX-License-Identifier: GPL-2.0-or-later
"""What dracut puts into an image with build/initramfs/90vfiobox, and whether systemd understands the
units, by Debian's dracut and systemd. That the images boot is in test_vm.py."""
import json
import socket
import subprocess

import pytest

import vm

CLAIM = "desired/local/pcideviceclaims/{}-000001000.json"


@pytest.fixture(scope="module")
def kit():
    try:
        vm.make_kit()
    except vm.KitMissing as missing:
        pytest.skip(f"no kit: {missing}")


def debian(out, *command):
    done = subprocess.run([vm.HERE / "debian", vm.KIT, vm.BINARY, out, *command],
                          stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=300)
    if done.returncode == 3:
        pytest.skip(done.stderr.strip())
    assert done.returncode == 0, done.stderr + done.stdout
    return done.stdout + done.stderr


def contents(image):
    """Name → bytes of what is in a cpio archive of the newc form."""
    files, at = {}, 0
    while image[at:at + 6] == b"070701":
        field = [int(image[at + 6 + 8 * i:at + 14 + 8 * i], 16) for i in range(13)]
        size, name_size = field[6], field[11]
        name = image[at + 110:at + 110 + name_size - 1].decode()
        start = at + (110 + name_size + 3) // 4 * 4
        files[name.removeprefix("./")] = image[start:start + size]
        at = start + (size + 3) // 4 * 4
    assert "TRAILER!!!" in files
    return files


def image(out, kind):
    debian(out, "initramfs", kind)
    made = out / "initramfs"
    files = contents(made.read_bytes())
    made.unlink()
    return files


def make_state(directory, node):
    """A state directory of that node with one claim."""
    claim = directory / CLAIM.format(node)
    claim.parent.mkdir(parents=True)
    (directory / "desired/machine").write_text(f"node {node}\n")
    claim.write_text(json.dumps({
        "apiVersion": "devices.harvesterhci.io/v1beta1", "kind": "PCIDeviceClaim",
        "metadata": {"name": f"{node}-000001000"},
        "spec": {"address": "0000:01:00.0", "nodeName": node, "userName": "admin"}}))
    return claim.read_text()


def baked(files):
    return {name for name, data in files.items() if name.startswith("etc/vfiobox/") and data}


@pytest.mark.parametrize("kind", ["plain", "systemd"])
def test_image_has_the_program_and_the_modules_of_vfio(kit, tmp_path, kind):
    files = image(tmp_path, kind)
    assert files["usr/bin/vfiobox"] == vm.BINARY.read_bytes()
    names = {name.rsplit("/", 1)[-1].split(".")[0] for name in files if ".ko" in name}
    assert {"vfio-pci", "vfio_iommu_type1"} <= names
    assert not baked(files)


def test_image_of_a_node_has_its_state(kit, tmp_path):
    node = socket.gethostname().lower()
    claim = make_state(tmp_path / "var/lib/vfiobox", node)
    files = image(tmp_path, "plain")
    assert "etc/vfiobox/desired/machine" in files
    assert json.loads(files[f"etc/vfiobox/{CLAIM.format(node)}"]) == json.loads(claim)
    assert not [name for name in files if name.endswith("vfiobox.cpio")]


def test_state_is_where_the_settings_say(kit, tmp_path):
    node = socket.gethostname().lower()
    make_state(tmp_path / "var/lib/vfiobox/elsewhere", node)
    (tmp_path / "etc/default").mkdir(parents=True)
    (tmp_path / "etc/default/vfiobox").write_text("VFIOBOX_STATE=/var/lib/vfiobox/elsewhere\n")
    files = image(tmp_path, "plain")
    assert f"etc/vfiobox/{CLAIM.format(node)}" in files
    assert b"elsewhere" in files["etc/default/vfiobox"]


@pytest.mark.parametrize("state", [None, "another-node"])
def test_without_a_state_of_its_own_an_image_has_what_was_baked_before(kit, tmp_path, state):
    make_state(tmp_path / "etc/vfiobox", "node1")
    if state:
        make_state(tmp_path / "var/lib/vfiobox", state)
    assert baked(image(tmp_path, "plain")) == {"etc/vfiobox/desired/machine",
                                               f"etc/vfiobox/{CLAIM.format('node1')}"}


def test_systemd_understands_the_units(kit, tmp_path):
    said = debian(tmp_path, "sh", "-c",
                  "cp /usr/lib/dracut/modules.d/90vfiobox/*.service /usr/lib/systemd/system/vfiobox;"
                  "cp /usr/lib/dracut/modules.d/90vfiobox/early-late.sh /tmp/vfiobox-early-late;"
                  "cd /usr/lib/systemd/system/vfiobox; ls;"
                  "sed -i 's,/usr/bin/vfiobox-early-late,/tmp/vfiobox-early-late,' *.service;"
                  "systemd-analyze verify --man=no ./*.service")
    units = [line for line in said.splitlines() if line.endswith(".service")]
    assert len(units) == 4
    assert said.splitlines() == units, said
