# SPDX-License-Identifier: GPL-2.0-or-later
# What the build promises of its products and of the source's shape.
import filecmp
import os
import pathlib
import re
import shutil
import subprocess

import pytest
from conftest import CACHE, REPOSITORY

TOP = pathlib.Path(REPOSITORY)
ARCHES = os.environ.get("ARCHES", "x86_64 aarch64").split()
PAGE = {"x86_64": 0x1000, "aarch64": 0x10000}
# A module may include those before it, and its own.
LAYERS = (("base",), ("json", "ids"), ("store",), ("pci",), ("net", "gpu", "usb"),
          ("plugin", "kube"), ("applets",))


def readelf(arch, *options):
    done = subprocess.run(["readelf", "--wide", *options, TOP / "out" / arch / "vfiobox"],
                          capture_output=True, text=True, check=True)
    return done.stdout


def segments(arch, kind):
    """Offset, address, size in the file and in memory of each segment of this kind."""
    row = rf"^ +{kind} +(0x\w+) (0x\w+) 0x\w+ (0x\w+) (0x\w+) (.{{3}})"
    return [(*(int(number, 16) for number in numbers), flags.replace(" ", ""))
            for *numbers, flags in re.findall(row, readelf(arch, "--segments"), re.M)]


def setting(name):
    text = (TOP / "config.mk").read_text(encoding="utf-8")
    return re.search(rf"^{name} [?:]?= *(.*)$", text, re.M).group(1)


@pytest.mark.parametrize("arch", ARCHES)
def test_a_product_needs_nothing(arch):
    assert segments(arch, "INTERP") == []
    assert "(NEEDED)" not in readelf(arch, "--dynamic")
    assert re.search(r"Type: +DYN", readelf(arch, "--file-header"))
    machine = {"x86_64": "X86-64", "aarch64": "AArch64"}[arch]
    assert re.search(rf"Machine: .*{machine}", readelf(arch, "--file-header"))


@pytest.mark.parametrize("arch", ARCHES)
def test_a_product_is_hardened(arch):
    assert "BIND_NOW" in readelf(arch, "--dynamic")
    [(_, start, _, size, _)] = segments(arch, "GNU_RELRO")
    [(_, dynamic, _, _, _)] = segments(arch, "DYNAMIC")
    assert start <= dynamic < start + size and (start + size) % 0x1000 == 0
    [stack] = segments(arch, "GNU_STACK")
    assert stack[-1] == "RW"
    assert sorted(segment[-1] for segment in segments(arch, "LOAD")) == ["RE", "RW"]


@pytest.mark.parametrize("arch", ARCHES)
def test_a_product_can_be_mapped_with_the_largest_pages(arch):
    page = PAGE[arch]
    code, data = segments(arch, "LOAD")
    for offset, address, *_ in (code, data):
        assert (address - offset) % page == 0
    assert (code[1] + code[3] - 1) // page < data[1] // page


@pytest.mark.parametrize("arch", ARCHES)
def test_a_product_is_small(arch):
    sizes = dict(re.findall(r"^ +\[ *\d+\] (\.\S+) +\w+ +\w+ +\w+ (\w+) ",
                            readelf(arch, "--sections"), re.M))
    names = int(sizes[".ids"], 16)
    assert ".symtab" not in sizes and ".debug_info" not in sizes
    size = (TOP / "out" / arch / "vfiobox").stat().st_size
    assert 0 < names < size and size - names < int(setting("SIZE_LIMIT"))


@pytest.mark.parametrize("arch", ARCHES)
def test_a_product_names_no_place_of_the_build(arch):
    content = (TOP / "out" / arch / "vfiobox").read_bytes()
    for place in (REPOSITORY, CACHE):
        assert os.fsencode(os.path.abspath(place)) not in content


def copy_source(target):
    """The tree without out/ and hidden files; what is the same already keeps its time."""
    kept = set()
    for path in TOP.rglob("*"):
        place = path.relative_to(TOP)
        if place.parts[0] == "out" or place.parts[0].startswith(".") or not path.is_file():
            continue
        copy = target / place
        kept.add(copy)
        if not copy.exists() or not filecmp.cmp(path, copy, shallow=False):
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, copy)
            shutil.copymode(path, copy)
    for copy in target.rglob("*"):
        if copy.is_file() and copy not in kept and (target / "out") not in copy.parents:
            copy.unlink()


def test_a_build_in_another_directory_gives_the_same_bytes():
    elsewhere = TOP / "out/check/elsewhere/vfiobox"
    copy_source(elsewhere)
    environment = {name: value for name, value in os.environ.items()
                   if name not in ("MAKEFLAGS", "MFLAGS", "MAKELEVEL")}
    done = subprocess.run(["make", "-C", elsewhere, *ARCHES],
                          env={**environment, "VFIOBOX_CACHE": CACHE}, stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    for arch in ARCHES:
        assert filecmp.cmp(TOP / "out" / arch / "vfiobox", elsewhere / "out" / arch / "vfiobox",
                           shallow=False), arch


def test_arrows_point_down():
    rank = {module: level for level, modules in enumerate(LAYERS) for module in modules}
    wrong = []
    for path in [*TOP.glob("lib/*/*.[ch]"), *TOP.glob("applets/*.[ch]")]:
        own = path.parent.name
        assert own in rank, f"{path}: a module without a layer"
        for other in re.findall(r'^#include "([a-z]+)/', path.read_text(encoding="utf-8"), re.M):
            if other != own and rank[other] >= rank[own]:
                wrong.append(f"{path.relative_to(TOP)} includes {other}/")
    assert wrong == []


def test_every_locked_file_is_locked_whole():
    rows = [line.split() for line in (TOP / "build/deps.lock").read_text().splitlines()
            if line and not line.startswith("#")]
    for name, version, checksum, file in rows:
        assert re.fullmatch(r"[0-9a-f]{64}", checksum) and version and name in file
        assert (TOP / "build/deps" / name).exists(), f"{name} has no recipe"
    assert {path.name for path in (TOP / "build/deps").iterdir()} == {row[0] for row in rows}
