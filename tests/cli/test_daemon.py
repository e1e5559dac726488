# SPDX-License-Identifier: GPL-2.0-or-later
# `pcid daemon` on a tree that answers as sysfs does (tests/faults/kernel.h): it reacts, is one, rests, and
# what is killed goes on.
import contextlib
import ctypes
import json
import os
import shutil
import signal
import subprocess
import time

import pytest
from conftest import BINARY, REPOSITORY, RUN, STATE, Host, machines

STEPPER = f"{REPOSITORY}/out/x86_64/faults/stepper"
NODE = "step"
GPU = [f"0000:01:00.{n}" for n in range(4)]
NIC, SPARE, ROOT_DISK = "0000:05:01.0", "0000:00:03.0", "0000:00:02.0"
LIMIT = 30


def until(what, condition):
    end = time.monotonic() + LIMIT
    while not condition():
        assert time.monotonic() < end, f"never: {what}"
        time.sleep(0.02)


@pytest.fixture
def host(tmp_path):
    built = machines.build(machines.describe(f"{REPOSITORY}/tests/faults/machine.yaml"), f"{tmp_path}/tree")
    host = Host(f"{tmp_path}/tree", NODE, {"product": {}}, built.functions)
    return host


class Daemon:
    """The daemon under the stepper that plays its kernel."""

    def __init__(self, host):
        self.host = host
        self.log = open(f"{host.dir}.log", "w+", encoding="utf-8")  # noqa: SIM115
        self.process = subprocess.Popen(
            [STEPPER, "--run", host.dir, "--", BINARY, "pcid", "daemon", "--root", host.dir, "--node", NODE],
            stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log)

    def pid(self):
        """Of the daemon itself: it says so in its lock."""
        with contextlib.suppress(FileNotFoundError, ValueError, IndexError):
            return int(self.host.read(f"{RUN}/pcid.lock").split()[0])
        return None

    def ready(self):
        until("the first pass", lambda: os.path.exists(self.host.path(f"{RUN}/observed/pcidevices"))
              and self.host.names(f"{RUN}/observed/pcidevices"))
        return self

    def end(self, number=signal.SIGTERM):
        pid = self.pid()
        self.process.send_signal(number)
        try:
            status = self.process.wait(LIMIT)
            until("the end of what was traced", lambda: not pid or not os.path.exists(f"/proc/{pid}"))
            return status
        finally:
            self.process.kill()
            self.log.close()

    def said(self):
        return open(f"{self.host.dir}.log", encoding="utf-8").read()


@pytest.fixture
def daemon(host):
    if not os.path.exists(STEPPER):
        pytest.skip("skipped: the stepper is not built for this machine")
    daemon = Daemon(host)
    if daemon.process.poll() == 77:
        pytest.skip("skipped: no process can be traced here")
    yield daemon.ready()
    daemon.process.kill()
    daemon.process.wait(LIMIT)


def driver(host, address):
    with contextlib.suppress(FileNotFoundError):
        return os.path.basename(os.readlink(host.path(host.sysfs(address, "driver"))))
    return ""


def bound(host, address):
    with contextlib.suppress(FileNotFoundError, json.JSONDecodeError):
        return host.observed("pcideviceclaims", host.object_name(address))["status"]["passthroughEnabled"]
    return False


def test_a_claim_waits_for_the_daemon(host, daemon):
    result = host.pcid("claim", NIC).must(0)
    assert "claimed, on vfio-pci" in result.out
    assert driver(host, NIC) == "vfio-pci"
    assert result.err == ""  # it was not this process that bound
    assert "seccomp" in daemon.said()
    assert "bound to vfio-pci" in daemon.said()


def test_a_release_waits_for_the_daemon(host, daemon):
    host.pcid("claim", *GPU[:1]).must(0)
    assert {driver(host, a) for a in GPU} == {"vfio-pci"}
    host.pcid("release", GPU[0]).must(0)
    assert [driver(host, a) for a in GPU] == ["nouveau", "snd_hda_intel", "xhci_hcd", ""]
    assert host.names(f"{STATE}/kept/pcidevices") == []


def test_what_is_refused_is_refused_at_once(host, daemon):
    assert "RootDisk" in host.pcid("claim", ROOT_DISK).must(1).err


def test_numbers_of_vfs_wait_for_the_daemon(host, daemon):
    result = host.pcid("vfs", "0000:00:06.0", "3")
    assert result.code == 0, result.all
    assert host.read("sys/bus/pci/devices/0000:00:06.0/sriov_numvfs").strip() == "3"


def test_a_wish_of_the_cluster_needs_no_command(host, daemon):
    host.pcid("claim", SPARE).must(0)  # the state directory and its sentinel
    name = host.object_name(NIC)
    directory = host.path(f"{STATE}/desired/cluster/pcideviceclaims")
    os.makedirs(directory, exist_ok=True)
    with open(f"{directory}/.new", "w", encoding="utf-8") as file:
        json.dump({"metadata": {"name": name, "uid": "u"}, "spec": {"address": NIC, "nodeName": NODE, "userName": "u"}}, file)
    os.rename(f"{directory}/.new", f"{directory}/{name}.json")
    until("bound", lambda: bound(host, NIC))
    os.unlink(f"{directory}/{name}.json")
    until("given back", lambda: driver(host, NIC) == "e1000")


def test_there_is_one(host, daemon):
    pid = daemon.pid()
    for verb in ("daemon", "apply"):
        result = host.pcid(verb, *(["--no-wait"] if verb == "apply" else [])).must(1)
        assert str(pid) in result.err and "pcid.lock" in result.err


def test_it_ends_when_asked(host, daemon):
    assert daemon.end() == 0


def test_once_it_ends_when_nothing_is_left_to_do(host):
    done = subprocess.run([STEPPER, "--run", host.dir, "--", BINARY, "pcid", "daemon", "--once", "--root", host.dir,
                           "--node", NODE], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    assert host.names(f"{RUN}/observed/pcidevices")


def switches(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as file:
        return [line for line in file if "ctxt_switches" in line]


@contextlib.contextmanager
def untraced(host):
    """Without a claim nothing is written to sysfs: it needs no kernel that is played."""
    process = subprocess.Popen([BINARY, "pcid", "daemon", "--root", host.dir, "--node", NODE],
                               stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        until("the first pass", lambda: host.names(f"{RUN}/observed/pcidevices"))
        yield process
    finally:
        process.terminate()
        assert process.wait(LIMIT) == 0


def test_it_is_in_its_sandbox(host):
    with untraced(host) as process, open(f"/proc/{process.pid}/status", encoding="ascii") as file:
        status = {name: value.strip() for name, _, value in (line.partition(":") for line in file)}
    assert status["Seccomp"] == "2" and status["NoNewPrivs"] == "1"
    cap_sys_module = 1 << 16
    for name in ("CapEff", "CapPrm", "CapInh", "CapAmb"):
        assert int(status[name], 16) & ~cap_sys_module == 0, name


def test_at_rest_it_does_nothing(host):
    with untraced(host) as process:
        calm, end = 0, time.monotonic() + LIMIT
        before = switches(process.pid)
        while calm < 3 and time.monotonic() < end:
            time.sleep(1)
            after = switches(process.pid)
            calm = calm + 1 if after == before else 0  # what else happens on this machine may wake it
            before = after
        assert calm == 3


def test_killed_and_started_it_goes_on(host, daemon):
    host.pcid("claim", GPU[0]).must(0)
    daemon.end(signal.SIGKILL)
    os.unlink(host.path(f"{STATE}/desired/local/pcideviceclaims/{host.object_name(GPU[0])}.json"))
    again = Daemon(host)
    try:
        until("given back", lambda: driver(host, GPU[0]) == "nouveau")
    finally:
        assert again.end() == 0


def test_a_state_that_comes_later_is_seen(host):
    host.pcid("claim", NIC)
    state, away = host.path(STATE), f"{host.dir}.state"
    shutil.move(state, away)
    shutil.rmtree(host.path(RUN))
    daemon = Daemon(host)
    try:
        daemon.ready()
        os.rename(away, state)  # as a mount does: the sandbox lets it into the directory of before only
        assert daemon.process.wait(LIMIT) == 1
        assert "start the daemon again" in daemon.said()
    finally:
        daemon.end()
    daemon = Daemon(host)
    try:
        until("bound", lambda: bound(host, NIC))
    finally:
        assert daemon.end() == 0


def test_a_state_that_goes_releases_nothing(host, daemon):
    host.pcid("claim", NIC).must(0)
    os.rename(host.path(STATE), f"{host.dir}.state")
    host.write(f"{RUN}/settled", "")  # an event: it looks
    time.sleep(0.5)
    assert driver(host, NIC) == "vfio-pci"
    assert host.object_name(NIC) in host.names(f"{RUN}/observed/pcideviceclaims")
    os.rename(f"{host.dir}.state", host.path(STATE))
    host.pcid("release", NIC).must(0)
    assert driver(host, NIC) == "e1000"


# Release is a handshake (design rule 6); the device plugin's part is played by writing its file.

def plugin_says(host, address, **fields):
    host.write(f"{RUN}/observed/plugins/.new", json.dumps(fields))
    os.rename(host.path(f"{RUN}/observed/plugins/.new"),
              host.path(f"{RUN}/observed/plugins/{host.object_name(address)}.json"))


def plugin_runs(host):
    host.write(f"{RUN}/observed/plugins/complete", host.read("proc/sys/kernel/random/boot_id"))


def released(host, address):
    claim = host.observed("pcideviceclaims", host.object_name(address))
    return next(c for c in claim["status"]["conditions"] if c["type"] == "Released"), claim["status"].get("release")


def test_what_is_advertised_is_withdrawn_before_it_goes_back(host, daemon):
    host.write("proc/sys/kernel/random/boot_id", "11111111-1111-4111-8111-111111111111\n")
    host.pcid("claim", SPARE).must(0)
    plugin_runs(host)
    result = host.pcid("release", SPARE, "--no-wait").must(1)
    until("Releasing", lambda: "Released" in str(host.observed("pcideviceclaims", host.object_name(SPARE))))
    condition, release = released(host, SPARE)
    assert (condition["status"], condition["reason"]) == ("False", "Releasing"), result.all
    assert driver(host, SPARE) == "vfio-pci"
    plugin_says(host, SPARE, withdrawn="of another release", allocatedTo="")
    plugin_says(host, SPARE, withdrawn=release, allocatedTo="default/virt-launcher-x")
    until("Allocated", lambda: released(host, SPARE)[0]["reason"] == "Allocated")
    assert "default/virt-launcher-x" in released(host, SPARE)[0]["message"]
    assert driver(host, SPARE) == "vfio-pci"
    plugin_says(host, SPARE, withdrawn=release, allocatedTo="")
    until("given back", lambda: driver(host, SPARE) == "nvme")


def test_where_no_plugin_has_run_nothing_is_waited_for(host, daemon):
    host.write("proc/sys/kernel/random/boot_id", "11111111-1111-4111-8111-111111111111\n")
    host.pcid("claim", SPARE).must(0)
    plugin_runs(host)
    host.write(f"{RUN}/observed/plugins/complete", "22222222-2222-4222-8222-222222222222\n")
    host.pcid("release", SPARE).must(0)
    assert driver(host, SPARE) == "nvme"


def test_probing_opens_no_group(host, daemon):
    """A group's node opens once (design rule 9): nobody but a VM opens it, not to look either."""
    host.pcid("claim", GPU[0]).must(0)
    node = "dev/vfio/21"
    host.write(node, "")
    libc = ctypes.CDLL(None, use_errno=True)
    watch = libc.inotify_init1(os.O_NONBLOCK)
    in_open = 0x20
    assert libc.inotify_add_watch(watch, host.path(node).encode(), in_open) >= 0
    try:
        for verb in (["claim", GPU[0]], ["claim", SPARE], ["list"], ["show", GPU[0]], ["plan"], ["doctor"], ["release", SPARE]):
            host.pcid(*verb)
        with pytest.raises(BlockingIOError):
            os.read(watch, 4096)
        open(host.path(node), encoding="ascii").close()  # that an opening would have been seen
        assert os.read(watch, 4096)
    finally:
        os.close(watch)
