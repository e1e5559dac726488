# SPDX-License-Identifier: GPL-2.0-or-later
"""The guests: which machines there are, which script runs on which, how one is booted and heard."""
import dataclasses
import os
import pathlib
import re
import shutil
import struct
import subprocess
import sys
import threading

HERE = pathlib.Path(__file__).resolve().parent
TOP = HERE.parent.parent
CACHE = pathlib.Path(os.environ.get("VFIOBOX_CACHE") or pathlib.Path.home() / ".cache/vfiobox")
KIT = CACHE / "vm"
BINARY = pathlib.Path(os.environ.get("VFIOBOX_BIN") or TOP / "out/x86_64/vfiobox").resolve()


def port(n):
    """A PCI Express root port at 0000:00:0N.0; what is behind it has an IOMMU group of its own."""
    return f"-device pcie-root-port,id=port{n},slot={n},chassis={n},addr={n:#x}"


def disk(name, device):
    return [f"-drive if=none,id={name},file={{dir}}/{name}.img,format=raw",
            f"-device {device},drive={name}"]


# What can be in a machine. Bus numbers follow from the order of the root ports in it.
PARTS = {
    "iommu": ["-device intel-iommu,intremap=on,caching-mode=on"],
    # 01:00.0, a NIC with SR-IOV; its VFs are 01:10.0, .2, .4 ...
    "nic-sriov": [port(1), "-device igb,bus=port1,romfile="],
    # 02:00.0, an NVMe controller
    "nvme": [port(2), *disk("nvme", "nvme,bus=port2,serial=NVME01")],
    # 03:00.0, a bridge to conventional PCI, and three devices in its group
    "bridge": [port(3), "-device pcie-pci-bridge,id=bridge,bus=port3",
               "-device e1000,bus=bridge,addr=1,romfile=",
               "-device virtio-net-pci,bus=bridge,addr=2,romfile=",
               "-device edu,bus=bridge,addr=3"],
    # 05:00.0
    "nic": [port(4), "-device e1000e,bus=port4,romfile="],
    # 06:00.0 and 06:00.1, a GPU with its sound chip
    "gpu": [port(5), "-audiodev none,id=silent",
            "-device secondary-vga,bus=port5,addr=0.0,multifunction=on,romfile=",
            "-device intel-hda,id=hda,bus=port5,addr=0.1",
            "-device hda-output,bus=hda.0,audiodev=silent"],
    # 00:0a.0
    "usb": ["-device qemu-xhci,id=xhci,addr=0xa", "-device usb-kbd,bus=xhci.0"],
    "usb-disk": disk("usb", "usb-storage,bus=xhci.0,serial=USB01"),
    # 00:10.0 ... 00:13.0, disks; 00:14.0 ... 00:16.0, NICs
    "disks": [*disk("data", "virtio-blk-pci,addr=0x10"),
              *disk("mapped", "virtio-blk-pci,addr=0x11"),
              *disk("swap", "virtio-blk-pci,addr=0x12"),
              *disk("looped", "virtio-blk-pci,addr=0x13")],
    "nics": [f"-device virtio-net-pci,addr={slot:#x},romfile=" for slot in (0x14, 0x15, 0x16)],
    # 00:17.0, the boot VGA: the console
    "vga": ["-device VGA,addr=0x17,romfile="],
}

LAB = ("nic-sriov", "nvme", "bridge", "nic", "gpu", "usb", "vga")

MACHINES = {
    "lab": ("iommu", *LAB),
    "lab-without-iommu": LAB,
    "host": ("iommu", *LAB, "usb-disk", "disks", "nics"),
}

# Disk images, sparse: MiB, and whether there is a partition table with one partition.
DISKS = {"nvme": (64, False), "usb": (16, False), "data": (16, True), "mapped": (16, False),
         "swap": (16, False), "looped": (16, False)}

LAB_DRIVERS = ("igb igbvf nvme e1000 virtio_net e1000e bochs snd-hda-codec-generic snd-hda-intel "
               "xhci-pci")
HOST_DRIVERS = ("virtio_blk usb-storage sd_mod crc32c_generic ext4 vfat nls_cp437 nls_ascii "
                "nls_utf8 loop dm-mod bridge bonding")


@dataclasses.dataclass(frozen=True)
class Scenario:
    """One boot: guest/NAME.sh on a machine with these drivers loaded.

    `modules`: how the guest's /lib/modules is kept, xz as Debian ships it or plain. `root`: the
    disk that the guest moves to before the script. `limit`: seconds, several times what is needed.
    """

    name: str
    machine: str
    drivers: str = LAB_DRIVERS
    modules: str = "xz"
    root: str = ""
    limit: int = 600


SCENARIOS = {s.name: s for s in (
    Scenario("main", "lab"),
    Scenario("noiommu", "lab-without-iommu"),
    Scenario("hostuse", "host", modules="plain", root="/dev/nvme0n1",
             drivers=f"{LAB_DRIVERS} {HOST_DRIVERS}"),
    Scenario("steps", "lab"),
    Scenario("demo", "lab", drivers=f"{LAB_DRIVERS} crc32c_generic ext4"),
)}

KERNEL_LINE = ("console=tty0 console=ttyS0 quiet panic=-1 nokaslr mitigations=off tsc=reliable "
               "no_timer_check rcupdate.rcu_expedited=1 cryptomgr.notests audit=0 apparmor=0 "
               "random.trust_cpu=on nowatchdog")
# kvm may be there and still not run this kernel: never tried.
QEMU_LINE = ("-accel tcg -cpu qemu64 -smp 1 -m 512 -machine q35 -display none -nodefaults "
             "-no-reboot -monitor none")


class KitMissing(Exception):
    """The kit cannot be had here: no network, or no package client."""


class NoGuest(Exception):
    """The guest's file system could not be made; says why."""


def make_kit(quiet=True):
    """Runs setup; what it does is shown unless `quiet`."""
    said = []
    with subprocess.Popen([HERE / "setup"], stdin=subprocess.DEVNULL, stderr=subprocess.PIPE,
                          text=True) as setup:
        for line in setup.stderr:
            said.append(line.strip())
            if not quiet:
                print(line, end="", file=sys.stderr, flush=True)
    if setup.returncode:
        raise KitMissing((said or ["tests/vm/setup failed"])[-1])


def checks_of(scenario):
    """The names of the checks that a guest script makes, in order."""
    text = (HERE / "guest" / f"{scenario}.sh").read_text()
    return re.findall(r'^\s*check "([^"$]+)"', text, re.M)


@dataclasses.dataclass
class Check:
    passed: bool
    details: list
    skipped: str = ""


@dataclasses.dataclass
class Results:
    """What the guest said on its second serial port."""

    checks: dict = dataclasses.field(default_factory=dict)
    dumps: dict = dataclasses.field(default_factory=dict)
    notes: list = dataclasses.field(default_factory=list)
    twice: list = dataclasses.field(default_factory=list)
    finished: bool = False

    def read(self, lines):
        details, into = self.notes, None
        for line in lines:
            if into is not None and line.startswith("| "):
                into.append(line[2:])
            elif line.startswith("--- begin "):
                into = []
                self.dumps[line[10:]] = into
            elif line == "--- end":
                into = None
            elif line == "--- finished":
                self.finished = True
            elif found := re.fullmatch(r"(ok|not ok) - (.*?)(?: # skip (.*))?", line):
                said, name, skipped = found.groups(default="")
                details = []
                if name in self.checks:
                    self.twice.append(name)
                self.checks[name] = Check(said == "ok", details, skipped)
            else:
                details.append(line)
        return self


class Guest:
    """A running guest of one scenario; a context manager that ends its own QEMU, and only that."""

    def __init__(self, scenario, directory=None):
        self.scenario = scenario
        self.dir = pathlib.Path(directory or TOP / "out/vm" / scenario.name)
        self.timed_out = False

    def __enter__(self):
        shutil.rmtree(self.dir, ignore_errors=True)
        self.dir.mkdir(parents=True)
        self._make_disks()
        made = subprocess.run([HERE / "initramfs", "--kit", KIT, "--binary", BINARY,
                               "--modules", self.scenario.modules,
                               "--drivers", self.scenario.drivers, self.dir / "guest.cpio"],
                              stderr=subprocess.PIPE, text=True)
        if made.returncode:
            raise NoGuest(made.stderr.strip())
        self._errors = open(self.dir / "qemu.txt", "w")
        # Its end comes with ours, however we end: a test run that is killed leaves no guest.
        self.qemu = subprocess.Popen(["setpriv", "--pdeathsig", "KILL", *self.command()],
                                     stdin=subprocess.DEVNULL,
                                     stdout=subprocess.PIPE, stderr=self._errors)
        self._timer = threading.Timer(self.scenario.limit, self._end)
        self._timer.start()
        return self

    def __exit__(self, *_):
        self._timer.cancel()
        self.qemu.kill()
        self.qemu.wait()
        self.qemu.stdout.close()
        self._errors.close()
        for image in self.dir.glob("*.img"):
            image.unlink()

    def _end(self):
        self.timed_out = True
        self.qemu.kill()

    def _make_disks(self):
        wanted = " ".join(self.devices())
        for name, (size, partitioned) in DISKS.items():
            if f"id={name}," not in wanted:
                continue
            with open(self.dir / f"{name}.img", "wb") as image:
                if partitioned:
                    sectors = size * 2048
                    entry = struct.pack("<4xB3x2I", 0x83, 2048, sectors - 2048)
                    image.write(bytes(446) + entry + bytes(48) + b"\x55\xaa")
                image.truncate(size << 20)

    def devices(self):
        return [argument.format(dir=self.dir)
                for part in MACHINES[self.scenario.machine] for argument in PARTS[part]]

    def command(self):
        line = f"{KERNEL_LINE} vmscript={self.scenario.name} vmlimit={2 * self.scenario.limit}"
        if "iommu" in MACHINES[self.scenario.machine]:
            line += " intel_iommu=on"
        if self.scenario.root:
            line += f" vmroot={self.scenario.root}"
        return [KIT / "tools/qemu", *QEMU_LINE.split(),
                "-serial", f"file:{self.dir}/console.txt", "-serial", "stdio",
                "-kernel", KIT / "kernel/vmlinux", "-initrd", self.dir / "guest.cpio",
                "-append", line,
                *(word for argument in self.devices() for word in argument.split(" "))]

    def lines(self):
        """What the guest writes, line by line, until it is off; also kept in results.txt."""
        with open(self.dir / "results.txt", "w") as kept:
            for raw in self.qemu.stdout:
                line = raw.decode(errors="replace").rstrip("\r\n")
                print(line, file=kept, flush=True)
                yield line

    def why(self):
        """Why a guest that did not finish ended, as far as can be told."""
        reason = f"its time limit of {self.scenario.limit} s" if self.timed_out else "QEMU ended"
        tails = [(self.dir / name).read_text(errors="replace")[-2000:]
                 for name in ("qemu.txt", "console.txt") if (self.dir / name).exists()]
        return "\n".join([reason, *tails])


def run(name):
    """Boots the scenario, returns what it said and why it ended."""
    try:
        with Guest(SCENARIOS[name]) as guest:
            results = Results().read(guest.lines())
            return results, guest.why()
    except NoGuest as why:
        return Results(), str(why)


def main():
    """vm.py SCENARIO...: boots each and shows what it says."""
    make_kit(quiet=False)
    for name in sys.argv[1:]:
        with Guest(SCENARIOS[name]) as guest:
            for line in guest.lines():
                print(line, flush=True)


if __name__ == "__main__":
    main()
