# SPDX-License-Identifier: GPL-2.0-or-later
# Fixtures of the black-box tests: the static binary, described machines as trees (one of each per
# run, copies for tests that change something), snapshots of trees.
import contextlib
import json
import os
import shutil
import stat
import subprocess
import sys
import tempfile
from dataclasses import dataclass

import pytest

REPOSITORY = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, f"{REPOSITORY}/tests/machines")

import tree as machines  # noqa: E402

BINARY = os.environ.get("VFIOBOX_BIN", f"{REPOSITORY}/out/x86_64/vfiobox")
CACHE = os.environ.get("VFIOBOX_CACHE", os.path.expanduser("~/.cache/vfiobox"))
STATE = "var/lib/vfiobox"
RUN = "run/vfiobox"
LOCK = f"{RUN}/pcid.lock"  # names who holds it: the one file that every pass writes
# What the kernel takes as a command; in a tree of files a write to it stays there as text.
COMMAND_FILES = {"bind", "unbind", "drivers_probe"}


@dataclass
class Result:
    code: int
    out: str
    err: str

    @property
    def all(self):
        return self.out + self.err

    def json(self):
        return json.loads(self.out)

    def must(self, code):
        assert self.code == code, f"exit {self.code}, not {code}\n--- out\n{self.out}\n--- err\n{self.err}"
        return self


def run_vfiobox(*args, env=None, cwd=None, timeout=60, before=(), text=True):
    """vfiobox with these arguments; `before` is a command that wraps it."""
    environment = {"PATH": os.environ.get("PATH", "/usr/bin:/bin"), "LC_ALL": "C.UTF-8", **(env or {})}
    done = subprocess.run([*before, BINARY, *map(str, args)], stdin=subprocess.DEVNULL, capture_output=True,
                          env=environment, cwd=cwd, timeout=timeout, check=False)
    if not text:
        return Result(done.returncode, done.stdout, done.stderr)
    return Result(done.returncode, done.stdout.decode(), done.stderr.decode())


class Host:
    """A tree and the node name it is looked at under."""

    def __init__(self, directory, node, description=None, functions=()):
        self.dir, self.node, self.description = str(directory), node, description
        self.functions = list(functions)

    def pcid(self, *args, **options):
        return run_vfiobox("pcid", "--root", self.dir, "--node", self.node, *args, **options)

    def path(self, path):
        return f"{self.dir}/{path}"

    def read(self, path):
        with open(self.path(path), encoding="utf-8") as file:
            return file.read()

    def write(self, path, content):
        os.makedirs(os.path.dirname(self.path(path)), exist_ok=True)
        with open(self.path(path), "wb") as file:
            file.write(content if isinstance(content, bytes) else content.encode())

    def load(self, path):
        return json.loads(self.read(path))

    def names(self, directory):
        """Object names in a directory of the store."""
        with contextlib.suppress(FileNotFoundError):
            return sorted(n[:-5] for n in os.listdir(self.path(directory))
                          if n.endswith(".json") and not n.startswith("."))
        return []

    def observed(self, plural, name=None):
        if name is None:
            return {n: self.load(f"{RUN}/observed/{plural}/{n}.json") for n in self.names(f"{RUN}/observed/{plural}")}
        return self.load(f"{RUN}/observed/{plural}/{name}.json")

    def device(self, address):
        return self.observed("pcidevices", self.object_name(address))

    def object_name(self, address):
        return f"{self.node}-{address.replace(':', '').replace('.', '')}"

    def function(self, address):
        return next(fn for fn in self.functions if fn["at"] == address)

    def sysfs(self, address, attribute=""):
        return f"{self.function(address)['path']}/{attribute}".rstrip("/")

    def remove(self, path):
        full = self.path(path)
        if os.path.isdir(full) and not os.path.islink(full):
            shutil.rmtree(full)
        else:
            os.unlink(full)

    def cluster(self, plural, name, content):
        """A wish of the cluster, in a state directory that is this machine's."""
        self.own_state()
        self.write(f"{STATE}/desired/cluster/{plural}/{name}.json", json.dumps(content))

    def own_state(self):
        """The sentinel: all that is known of the machine (lib/store/store.h)."""
        self.write(f"{STATE}/desired/machine", self.sentinel())

    def sentinel(self):
        known = {
            "product-uuid": self.description.get("product", {}).get("product_uuid"),
            "machine-id": self.description.get("machine_id"),
            "node": self.node,
        }
        return "".join(f"{name} {value}\n" for name, value in known.items() if value)

    def claim_object(self, address, **more):
        spec = {"address": address, "nodeName": self.node, "userName": "admin", **more.pop("spec", {})}
        metadata = {"name": self.object_name(address), "uid": "5a1c7e0a-0f9c-4b43-8d3c-6c1b5a1d0001",
                    **more.pop("metadata", {})}
        return {"apiVersion": "devices.harvesterhci.io/v1beta1", "kind": "PCIDeviceClaim", "metadata": metadata,
                "spec": spec, **more}

    def cluster_claim(self, address, **more):
        self.cluster("pcideviceclaims", self.object_name(address), self.claim_object(address, **more))

    def snapshot(self, without=(LOCK,)):
        return snapshot(self.dir, without)


def vlan_config(nodes, nics):
    return {"apiVersion": "network.harvesterhci.io/v1beta1", "kind": "VlanConfig",
            "metadata": {"name": "prod", "annotations": {"network.harvesterhci.io/matched-nodes": json.dumps(nodes)}},
            "spec": {"clusterNetwork": "prod", "uplink": {"nics": nics}}}


def snapshot(directory, without=()):
    """{path: (kind, mode, content or target, mtime)} of everything below a directory."""
    out = {}

    def walk(path, relative):
        for entry in os.scandir(path):
            name = f"{relative}{entry.name}"
            if name in without:
                continue
            status = entry.stat(follow_symlinks=False)
            if entry.is_symlink():
                out[name] = ("link", os.readlink(entry.path), status.st_mtime_ns)
            elif entry.is_dir():
                out[name] = ("dir", status.st_mode, 0 if name in ("run", "var/lib") else status.st_mtime_ns)
                walk(entry.path, f"{name}/")
            elif stat.S_ISREG(status.st_mode):
                with open(entry.path, "rb") as file:
                    out[name] = ("file", status.st_mode, file.read(), status.st_mtime_ns)
            else:
                out[name] = ("other", status.st_mode, None, status.st_mtime_ns)

    walk(directory, "")
    return out


def changes(before, after):
    """Paths that came, went or differ."""
    return sorted(path for path in before.keys() | after.keys() if before.get(path) != after.get(path))


@pytest.fixture(scope="session", autouse=True)
def binary():
    if not os.access(BINARY, os.X_OK):
        pytest.exit(f"{BINARY} is not built: run make", returncode=1)
    return BINARY


@pytest.fixture(scope="session")
def workspace():
    """A directory in memory where there is one: trees are many small files."""
    base = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    with tempfile.TemporaryDirectory(prefix="vfiobox-", dir=base) as directory:
        yield directory


@pytest.fixture(scope="session")
def machine(workspace):
    """machine(NAME): the described host as a tree that no test changes."""
    made = {}

    def get(name):
        if name not in made:
            description = machines.describe(name)
            built = machines.build(description, f"{workspace}/{name}")
            host = made[name] = Host(f"{workspace}/{name}", description["node"], description, built.functions)
            if description.get("vlanconfig"):
                host.cluster("vlanconfigs", "prod", vlan_config([host.node], description["vlanconfig"]["nics"]))
        return made[name]

    return get


@pytest.fixture
def fresh(machine, workspace):
    """fresh(NAME): a copy that the test may change; gone after it."""
    made = []

    def get(name):
        host = machine(name)
        directory = tempfile.mkdtemp(prefix="copy-", dir=workspace)
        made.append(directory)
        subprocess.run(["cp", "-a", f"{host.dir}/.", directory], check=True)
        return Host(directory, host.node, host.description, host.functions)

    yield get
    for directory in made:
        shutil.rmtree(directory, ignore_errors=True)


@pytest.fixture
def scratch(workspace):
    """An empty tree that the test fills, with the files that say what the host uses."""
    directory = tempfile.mkdtemp(prefix="scratch-", dir=workspace)
    yield directory
    shutil.rmtree(directory, ignore_errors=True)
