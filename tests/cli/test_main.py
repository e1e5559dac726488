# SPDX-License-Identifier: GPL-2.0-or-later
# What the one program does around its applets: choosing one, the list, links, usage.
import os
import re
import shutil
import subprocess

import pytest
from conftest import BINARY, REPOSITORY, run_vfiobox

LEFT_ALONE = "not a symbolic link, left as it is"


def applets():
    return run_vfiobox("--list").must(0).out.split()


def call_by(path, *args):
    """The program called by this path."""
    return subprocess.run([path, *args], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          timeout=60, check=False)


def snapshot(directory):
    return {entry.name: os.readlink(entry) if entry.is_symlink() else "file"
            for entry in os.scandir(directory)}


@pytest.fixture
def own_copy(tmp_path):
    """A directory with the program in it, under a name of its own."""
    directory = tmp_path / "sbin"
    directory.mkdir()
    shutil.copy(BINARY, directory / "vfiobox")
    return directory


def test_the_table_is_sorted_and_has_a_file_for_each_line():
    names = applets()
    assert names == sorted(set(names)) and names
    for name in names:
        assert os.path.exists(f"{REPOSITORY}/applets/{name}.c")


def test_help_names_every_applet_with_what_it_does():
    usage = run_vfiobox("--help").must(0)
    assert usage.err == "" and usage.out == run_vfiobox("-h").must(0).out
    for name in applets():
        assert re.search(rf"^  {name} +\S+", usage.out, re.M)
    for option in ("--list", "--install DIR", "--version"):
        assert option in usage.out


def test_without_arguments_the_usage_and_exit_2():
    assert run_vfiobox().must(2).out == run_vfiobox("--help").out


def test_every_applet_has_help_with_an_example():
    for name in applets():
        said = run_vfiobox(name, "--help").must(0)
        assert re.search(rf"^ +(vfiobox )?{name} \S", said.out, re.M)


def test_version_is_the_one_of_the_build():
    with open(f"{REPOSITORY}/config.mk", encoding="utf-8") as text:
        version = re.search(r"^VERSION \?= (\S+)$", text.read(), re.M).group(1)
    assert run_vfiobox("--version").must(0).out == f"vfiobox {version}\n"


@pytest.mark.parametrize("args", [
    ("nosuch",), ("nosuch", "list"), ("",), ("--nosuch",), ("--list", "more"), ("--help", "more"),
    ("--version", "more"), ("--install",), ("--install", "a", "b"), ("PCID",), ("pci",),
], ids=" ".join)
def test_a_wrong_call_says_so_with_the_usage_on_stderr(args):
    said = run_vfiobox(*args).must(2)
    first = said.err.splitlines()[0]
    assert said.out == "" and first.startswith(f"vfiobox: {args[0]}: ")
    assert "Usage: vfiobox APPLET" in said.err


def test_a_link_of_the_applets_name_is_the_applet(tmp_path):
    for name in applets():
        os.symlink(BINARY, tmp_path / name)
        by_link = call_by(tmp_path / name, "--help")
        assert (by_link.returncode, by_link.stdout) == (0, run_vfiobox(name, "--help").out)


def test_a_link_of_another_name(tmp_path):
    for name in ("vfiobox-1", "vfiobox.static"):
        os.symlink(BINARY, tmp_path / name)
        assert call_by(tmp_path / name, "--list").stdout.split() == applets()
    os.symlink(BINARY, tmp_path / "nosuch")
    said = call_by(tmp_path / "nosuch", "--list")
    assert said.returncode == 2 and said.stdout == ""
    assert said.stderr.startswith("vfiobox: nosuch: ")


def test_install_beside_the_program_makes_relative_links(own_copy):
    said = call_by(own_copy / "vfiobox", "--install", own_copy)
    assert (said.returncode, said.stderr) == (0, "")
    assert snapshot(own_copy) == {"vfiobox": "file", **{name: "vfiobox" for name in applets()}}
    assert said.stdout.splitlines() == [f"{own_copy}/{name} -> vfiobox" for name in applets()]
    assert call_by(own_copy / applets()[0], "--help").returncode == 0


def test_install_elsewhere_makes_absolute_links(own_copy, tmp_path):
    elsewhere = tmp_path / "bin"
    elsewhere.mkdir()
    said = call_by(own_copy / "vfiobox", "--install", elsewhere)
    assert said.returncode == 0
    assert snapshot(elsewhere) == {name: f"{own_copy}/vfiobox" for name in applets()}


def test_install_once_more_changes_nothing(own_copy):
    call_by(own_copy / "vfiobox", "--install", own_copy)
    before = [os.lstat(own_copy / name).st_ino for name in applets()]
    said = call_by(own_copy / "vfiobox", "--install", own_copy)
    assert said.returncode == 0
    assert said.stdout.splitlines() == [f"{own_copy}/{name}: there already" for name in applets()]
    assert before == [os.lstat(own_copy / name).st_ino for name in applets()]


def test_install_replaces_a_link_but_never_a_file(own_copy):
    name = applets()[0]
    os.symlink("/nowhere", own_copy / name)
    said = call_by(own_copy / "vfiobox", "--install", own_copy)
    assert (said.returncode, os.readlink(own_copy / name)) == (0, "vfiobox")
    assert f"{name} -> vfiobox (was another link)" in said.stdout

    (own_copy / name).unlink()
    (own_copy / name).write_text("the user's own")
    said = call_by(own_copy / "vfiobox", "--install", own_copy)
    assert said.returncode == 1 and f"{name}: {LEFT_ALONE}" in said.stderr
    assert (own_copy / name).read_text() == "the user's own"

    (own_copy / name).unlink()
    (own_copy / name).mkdir()
    said = call_by(own_copy / "vfiobox", "--install", own_copy)
    assert said.returncode == 1 and f"{name}: {LEFT_ALONE}" in said.stderr


def test_install_into_what_is_no_directory(own_copy):
    for place, why in ((own_copy / "absent", "No such file"), (own_copy / "vfiobox", "Not a dir")):
        said = call_by(own_copy / "vfiobox", "--install", place)
        assert said.returncode == 1 and f"--install {place}: {why}" in said.stderr


@pytest.mark.parametrize("option", ["--list", "--help", "--version"])
def test_output_that_is_lost_is_a_failure(option):
    with open("/dev/full", "w", encoding="utf-8") as full:
        done = subprocess.run([BINARY, option], stdout=full, stderr=subprocess.PIPE, text=True,
                              timeout=60, check=False)
    assert done.returncode == 1 and "No space left" in done.stderr


def test_an_empty_name_is_that_of_the_program():
    done = subprocess.run(["bash", "-c", 'exec -a "" "$0"', BINARY], capture_output=True,
                          timeout=60, check=False)
    assert done.returncode == 2 and b"Usage" in done.stdout


def test_what_the_start_relocated_is_read_only_afterwards(tmp_path):
    trace = tmp_path / "trace"
    done = subprocess.run(["strace", "-o", trace, "-e", "mprotect", BINARY, "--list"],
                          capture_output=True, timeout=60, check=False)
    if b"PTRACE" in done.stderr or b"ptrace" in done.stderr:
        pytest.skip("no process may be traced here")
    assert re.search(r"^mprotect\(0x[0-9a-f]+, \d+, PROT_READ\) += 0$", trace.read_text(), re.M)
