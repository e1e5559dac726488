# SPDX-License-Identifier: GPL-2.0-or-later
# A claimed boot VGA on a tree that answers as sysfs does: the host's console lets go of it first, and comes
# back when it is released.
import os
import subprocess

import pytest
from conftest import BINARY, RUN, STATE
from test_daemon import STEPPER

VGA = "0000:15:00.0"  # boot VGA of quadro-multipath, in a group with its sound chip
VTCON = "sys/class/vtconsole/vtcon1/bind"


@pytest.fixture
def host(fresh):
    if not os.path.exists(STEPPER):
        pytest.skip("skipped: the stepper is not built for this machine")
    host = fresh("quadro-multipath")
    for module in ("vfio_pci", "vfio_iommu_type1"):
        os.makedirs(host.path(f"sys/module/{module}"), exist_ok=True)
    os.makedirs(host.path("sys/bus/pci/drivers/vfio-pci"), exist_ok=True)
    for name in ("bind", "unbind"):
        host.write(f"sys/bus/pci/drivers/vfio-pci/{name}", "")
    return host


def pcid(host, *args):
    return subprocess.run([STEPPER, "--run", host.dir, "--", BINARY, "pcid", "--root", host.dir, "--node", host.node, *args],
                          stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, check=False)


def record(host):
    return host.load(f"{STATE}/kept/pcidevices/{host.object_name(VGA)}.json")


def driver(host):
    return os.path.basename(os.readlink(host.path(host.sysfs(VGA, "driver"))))


def test_the_console_lets_go_and_comes_back(host):
    assert host.read(VTCON).strip() == "1"
    done = pcid(host, "claim", VGA, "--override", "Console")
    assert done.returncode == 0, done.stderr
    assert driver(host) == "vfio-pci"
    assert host.read(VTCON).strip() == "0"
    assert record(host)["console"] == ["vtcon1"]
    done = pcid(host, "release", VGA)
    assert done.returncode == 0, done.stderr
    assert driver(host) == "nouveau"
    assert host.read(VTCON).strip() == "1"
    assert host.names(f"{RUN}/observed/pcideviceclaims") == []


def test_a_card_that_shows_nothing_leaves_the_console(host):
    other = "0000:2e:00.0"
    done = pcid(host, "claim", other)
    assert done.returncode == 0, done.stderr
    assert host.read(VTCON).strip() == "1"
