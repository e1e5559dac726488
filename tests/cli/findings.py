# SPDX-License-Identifier: GPL-2.0-or-later
# What `pcid doctor` found, for the tests of it.
import json
import os

from conftest import RUN, STATE
from test_doubt import put_on_vfio

RELEASE = os.uname().release  # modules are looked for below lib/modules of the running kernel

LEVELS = ["problem", "note", "ok"]


def key(finding):
    return f"{finding['topic']} {finding['subject']}".rstrip()


def doctor(host, **options):
    """{(level, "topic subject"): finding}; each once, problems first, and the exit code that goes with it."""
    result = host.pcid("doctor", "-o", "json", **options)
    answer = result.json()
    assert sorted(answer) == ["findings", "kind"] and answer["kind"] == "Doctor"
    found = answer["findings"]
    for finding in found:
        assert sorted(finding) == ["level", "message", "subject", "todo", "topic"]
        assert finding["message"]
        assert bool(finding["todo"]) == (finding["level"] != "ok"), finding
    assert [f["level"] for f in found] == sorted((f["level"] for f in found), key=LEVELS.index)
    assert result.code == (1 if any(f["level"] == "problem" for f in found) else 0)
    out = {(f["level"], key(f)): f for f in found}
    assert len(out) == len(found), sorted(map(key, found))
    return out


def one(host, level, what, *words, **options):
    """There is this finding, with these words in its sentence or in what to do."""
    found = doctor(host, **options)
    assert (level, what) in found, sorted(found)
    finding = found[level, what]
    for word in words:
        assert word in f"{finding['message']} -> {finding['todo']}", finding
    return finding


def none(host, what):
    found = [k for k in doctor(host) if k[1] == what or k[1].startswith(f"{what} ")]
    assert found == []


def early(host, stage=1, boot=None, disabled=None, functions=()):
    """The report that `pcid early` leaves."""
    boot = boot or host.read("proc/sys/kernel/random/boot_id").strip()
    host.write(f"{RUN}/early.json", json.dumps(
        {"stage": stage, "bootId": boot, "disabled": disabled, "functions": list(functions)}))


def wish(host, address, tree="local", node=None, status=None, **metadata):
    """A claim in a state directory that is this machine's."""
    host.own_state()
    name = host.object_name(address)
    host.write(f"{STATE}/desired/{tree}/pcideviceclaims/{name}.json", json.dumps(
        {"metadata": {"name": name, **metadata}, "spec": {"address": address, "nodeName": host.node, "userName": "u"},
         **({"status": status} if status else {})}))


def put(host, address, attribute, text):
    host.write(host.sysfs(address, attribute), text if isinstance(text, bytes) else f"{text}\n")


def bound(host, address, **more):
    """Claimed, and as it is after the bind."""
    wish(host, address)
    put_on_vfio(host, address, **more)
    put(host, address, "driver_override", "vfio-pci")


def unprivileged(host, path):
    """The file may not be read by what runs after these words."""
    os.chmod(host.path(path), 0)
    return [] if os.geteuid() else ["setpriv", "--bounding-set=-all", "--inh-caps=-all"]
