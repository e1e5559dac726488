# SPDX-License-Identifier: GPL-2.0-or-later
# `pcid`'s command line: places of options, usage errors, exit codes, the node's name.
import os
import socket
import subprocess

import pytest
from conftest import BINARY, changes, run_vfiobox

VERBS = ["list", "show", "plan", "claim", "release", "apply"]


@pytest.fixture
def host(machine):
    return machine("no-iommu")


def pcid(*arguments, **options):
    return run_vfiobox("pcid", *arguments, **options)


def test_global_options_before_or_after_the_verb(host):
    places = [
        ["--root", host.dir, "--node", "n", "-o", "name", "list"],
        ["list", "--root", host.dir, "--node", "n", "-o", "name"],
        ["--root", host.dir, "list", "-o", "name", "--node", "n"],
        [f"--root={host.dir}", "list", "--node=n", "-o", "name"],
        ["-v", "list", f"--root={host.dir}", "--node=n", "-oname"],
    ]
    answers = {pcid(*arguments).must(0).out for arguments in places}
    assert len(answers) == 1
    assert answers.pop().startswith("pcidevice.devices.harvesterhci.io/n-00000000")


def test_options_and_addresses_in_any_order(host):
    first = host.pcid("plan", "0000:02:00.0", "--override", "Mounted").must(1)
    assert host.pcid("plan", "--override", "Mounted", "0000:02:00.0").must(1).out == first.out


def test_the_node_comes_from_the_option_the_environment_the_host(host):
    def first(*arguments, env=None):
        return pcid("--root", host.dir, "list", "-o", "name", *arguments, env=env).must(0).out.split()[0].partition("/")[2]

    assert first("--node", "abc", env={"NODE_NAME": "def"}) == "abc-000000000"
    assert first(env={"NODE_NAME": "def"}) == "def-000000000"
    assert first() == f"{socket.gethostname()}-000000000"


@pytest.mark.parametrize("node", ["", "a/b", "..", "../x", "A_B", "a b", "x" * 254, ".hidden", "-o\n"])
def test_a_node_name_that_is_none(fresh, node):
    host = fresh("no-iommu")
    result = pcid("--root", host.dir, "--node", node, "apply")
    assert result.code in (1, 2) and result.err
    assert not os.path.exists(host.path("run/vfiobox"))


@pytest.mark.parametrize("root", ["relative", "trailing", "dots"])
def test_ways_to_write_the_root(host, root):
    parent, name = os.path.split(host.dir)
    text = {"relative": name, "trailing": f"{host.dir}///", "dots": f"{parent}/./{name}/../{name}"}[root]
    answer = pcid("--root", text, "--node", host.node, "list", "-o", "name", cwd=parent).must(0).out
    assert answer == host.pcid("list", "-o", "name").out


@pytest.mark.parametrize("root", ["/nonexistent/root", "/dev/null", ""])
def test_a_root_that_is_none(root):
    result = pcid("--root", root, "--node", "n", "list")
    assert result.code in (1, 2)
    assert result.err and not result.out


@pytest.mark.parametrize("arguments", [
    ["nonsense"],
    ["list", "extra"],
    ["list", "-o"],
    ["list", "-o", "xml"],
    ["list", "--nonsense"],
    ["list", "-z"],
    ["list", "--override", "Mounted"],
    ["show"],
    ["show", "0000:00:00.0", "0000:00:00.1"],
    ["show", "garbage"],
    ["plan", "garbage"],
    ["plan", "0000:00:00.0", "0000:00:00.1"],
    ["plan", "0000:00:00.0", "--override"],
    ["plan", "0000:00:00.0", "--override", "Nonsense"],
    ["plan", "0000:00:00.0", "--override", "mounted"],
    ["plan", "0000:00:00.0", "--override", ""],
    ["plan", "0000:00:00.0", "--override", "Accepted"],
    ["claim"],
    ["claim", "garbage"],
    ["claim", "0000:02:00.0", "--timeout", "soon"],
    ["claim", "0000:02:00.0", "--timeout", "-1"],
    ["claim", "0000:02:00.0", "--timeout", ""],
    ["claim", "0000:02:00.0", "--timeout"],
    ["claim", "0000:02:00.0", "--override", "Nonsense"],
    ["release"],
    ["release", "garbage"],
    ["release", "0000:02:00.0", "garbage"],
    ["apply", "extra"],
    ["--root"],
    ["--nonsense", "list"],
])
def test_usage_errors_are_exit_2_and_do_nothing(host, arguments):
    before = host.snapshot()
    result = host.pcid(*arguments)
    assert result.code == 2, result
    assert result.err and result.out == ""
    assert changes(before, host.snapshot()) == []


@pytest.mark.parametrize("arguments", [[], ["--help"], ["-h"], ["list", "--help"]])
def test_help_has_every_verb_and_an_example(arguments):
    result = pcid(*arguments)
    assert result.code == (0 if arguments else result.code) and result.code in (0, 2)
    for verb in VERBS:
        assert verb in result.all
    assert "pcid claim 0000:" in result.all


def test_errors_say_what_on_stderr_and_nothing_else(host):
    result = host.pcid("claim", "0000:02:00.0").must(1)
    assert result.out == "" and "0000:02:00.0" in result.err
    assert len(result.err.splitlines()) <= 6


def test_an_ids_file_that_is_not_there(host):
    result = host.pcid("list", "--ids", "/nonexistent.ids").must(1)
    assert "/nonexistent.ids" in result.err


def test_an_ids_file_of_junk_does_not_hurt(host, scratch):
    path = f"{scratch}/junk.ids"
    with open(path, "wb") as file:
        file.write(bytes(range(256)) * 64)
    result = host.pcid("list", "-o", "json", "--ids", path)
    assert result.code in (0, 1)
    assert result.err if result.code else result.json()["kind"] == "List"


def test_a_closed_pipe_is_no_crash(machine):
    host = machine("ice-256vf")
    with subprocess.Popen([BINARY, "pcid", "--root", host.dir, "--node", "n", "list", "-o", "json"],
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        process.stdout.read(10)
        process.stdout.close()
        process.stderr.read()
    assert process.returncode in (0, 1, -13)


def test_a_full_output_is_an_error(host):
    with open("/dev/full", "w", encoding="utf-8") as full:
        done = subprocess.run([BINARY, "pcid", "--root", host.dir, "--node", "n", "list"], stdout=full,
                              stderr=subprocess.PIPE, check=False)
    assert done.returncode == 1 and done.stderr


def test_verbose_logs_on_stderr_only(host):
    quiet = host.pcid("list", "-o", "json").must(0)
    loud = host.pcid("list", "-o", "json", "-v").must(0)
    assert loud.json()["kind"] == "List" and quiet.err == ""
