# SPDX-License-Identifier: GPL-2.0-or-later
# `pcid doctor` on claimed functions: how they are reset, and the firmware's screen.
import os

import pytest
from findings import bound, none, one, put, wish
from test_doubt import link

GPU, NIC, NVME, DISK, VGA = "0000:86:00.0", "0000:3b:00.2", "0000:d9:00.0", "0000:d8:00.0", "0000:03:00.0"
QUADRO = [f"0000:2e:00.{n}" for n in range(4)]


@pytest.fixture
def host(fresh):
    return fresh("dell-r740")


@pytest.fixture
def quadro(fresh):
    return fresh("quadro-multipath")


# Resets.


def test_a_function_level_reset_is_well(host):
    bound(host, NVME)
    one(host, "ok", f"reset {NVME}", "flr bus")
    none(host, f"reset {GPU}")


def test_a_reset_that_the_kernel_does_not_know_is_a_problem(host):
    bound(host, NVME)
    put(host, NVME, "reset_method", "")
    one(host, "problem", f"reset {NVME}", "no way to reset it")
    host.remove(host.sysfs(NVME, "reset_method"))
    one(host, "problem", f"reset {NVME}", "no way to reset it")


def test_a_kernel_that_does_not_tell_leaves_it_unknown(host):
    bound(host, NVME)
    for fn in host.functions:
        if os.path.exists(host.path(f"{fn['path']}/reset_method")):
            host.remove(f"{fn['path']}/reset_method")
    one(host, "note", f"reset {NVME}", "is not known", "5.15")


def test_a_bus_reset_of_a_function_alone_is_well(host):
    bound(host, NVME)
    put(host, NVME, "reset_method", "bus")
    one(host, "ok", f"reset {NVME}", "bus")


def test_a_bus_reset_with_a_stranger_on_the_bus_is_a_problem(host):
    bound(host, NIC, driver="i40e")
    put(host, NIC, "reset_method", "bus")
    one(host, "problem", f"reset {NIC}", "0000:3b:00.0", "not claimed", "claim 0000:3b:00.0")


def test_a_bus_reset_among_claimed_functions_is_well(quadro):
    wish(quadro, QUADRO[0])
    put(quadro, QUADRO[1], "reset_method", "bus")
    one(quadro, "ok", f"reset {QUADRO[1]}", "all of which is claimed")


def test_nothing_is_said_of_the_reset_of_what_is_refused(host):
    wish(host, DISK)
    put(host, DISK, "reset_method", "")
    none(host, "reset")


# The screen.


def platform_framebuffer(host, driver, device, fb=None):
    host.write(f"sys/devices/platform/{device}/uevent", "")
    for name in ("bind", "unbind", "uevent"):
        host.write(f"sys/bus/platform/drivers/{driver}/{name}", "")
    link(host.path(f"sys/bus/platform/drivers/{driver}/{device}"), f"../../../../devices/platform/{device}")
    link(host.path(f"sys/bus/platform/drivers/{driver}/module"), "../../../../module/x")
    if fb:
        host.write(f"sys/devices/platform/{device}/graphics/{fb}/name", "EFI VGA\n")
        link(host.path(f"sys/devices/platform/{device}/graphics/{fb}/device"), f"../../../{device}")
        link(host.path(f"sys/class/graphics/{fb}"), f"../../devices/platform/{device}/graphics/{fb}")


@pytest.mark.parametrize("driver, device", [
    ("efi-framebuffer", "efi-framebuffer.0"), ("simple-framebuffer", "simple-framebuffer.0"),
    ("simpledrm", "simple-framebuffer.0"), ("vesa-framebuffer", "vesa-framebuffer.0")])
def test_what_holds_the_framebuffer_of_a_claimed_screen_is_a_problem(host, driver, device):
    wish(host, VGA)
    platform_framebuffer(host, driver, device, "fb1")
    found = one(host, "problem", f"boot-vga {VGA}", "vtcon1", device, "fb1", "echo 0 > /sys/class/vtconsole/vtcon1/bind",
                f"echo {device} > /sys/bus/platform/drivers/{driver}/unbind", "initcall_blacklist=sysfb_init")
    assert "fb0" not in found["message"], "that is the card's own driver's"
    for other in ("bind,", "module", "uevent"):
        assert other not in found["message"]


def test_a_console_that_is_not_bound_or_on_no_framebuffer_holds_nothing(host):
    wish(host, VGA)
    platform_framebuffer(host, "efi-framebuffer", "efi-framebuffer.0")
    host.write("sys/class/vtconsole/vtcon0/name", "(S) dummy device\n")
    host.write("sys/class/vtconsole/vtcon0/bind", "1\n")
    host.write("sys/class/vtconsole/vtcon1/bind", "0\n")
    found = one(host, "problem", f"boot-vga {VGA}", "held by efi-framebuffer.0:")
    assert "vtcon" not in found["message"] + found["todo"]


def test_a_claimed_screen_that_nothing_holds_is_noted(host):
    wish(host, VGA)
    platform_framebuffer(host, "efi-framebuffer", "efi-framebuffer.0")
    host.remove("sys/bus/platform/drivers/efi-framebuffer/efi-framebuffer.0")
    one(host, "note", f"boot-vga {VGA}", "shows nothing")


def test_a_screen_that_is_not_claimed_is_well(host):
    platform_framebuffer(host, "efi-framebuffer", "efi-framebuffer.0")
    one(host, "ok", f"boot-vga {VGA}")
