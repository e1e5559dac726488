#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The guests: which machines there are, which script runs on which, how one is booted and heard."""
import contextlib
import dataclasses
import os
import pathlib
import re
import shutil
import struct
import subprocess
import sys
import threading

import qmp

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
    "nvme": [port(2), *disk("nvme", "nvme,id=nvme0,bus=port2,serial=NVME01")],
    # 03:00.0, a bridge to conventional PCI, and three devices in its group
    "bridge": [port(3), "-device pcie-pci-bridge,id=bridge,bus=port3",
               "-device e1000,bus=bridge,addr=1,romfile=",
               "-device virtio-net-pci,bus=bridge,addr=2,romfile=",
               "-device edu,bus=bridge,addr=3"],
    # 05:00.0
    "nic": [port(4), "-device e1000e,id=nic,bus=port4,romfile="],
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
    # 01:00.0 and 02:00.0, NVMe controllers with 127 VFs each, as many as QEMU can
    "nvme-vfs": [word for n in (1, 2) for word in (
        port(n), f"-device nvme-subsys,id=subsys{n}",
        f"-device nvme,id=nvme{n},bus=port{n},serial=NVME0{n},subsys=subsys{n},sriov_max_vfs=127,"
        "sriov_vq_flexible=254,sriov_vi_flexible=127,max_ioqpairs=256,msix_qsize=256")],
    # Two cards, one with a serial number and one without any; and their twins, in slots before them.
    "cards": [port(4), "-device e1000e,id=nic,bus=port4,mac=52:54:00:12:34:01,romfile=",
              port(5), "-device edu,id=edu,bus=port5"],
    "twins": [port(1), "-device e1000e,id=twin,bus=port1,mac=52:54:00:12:34:02,romfile=",
              port(2), "-device edu,id=twin-edu,bus=port2"],
    # 01:00.0 ... 04:00.0, four NICs of one model
    "four": [word for n in (1, 2, 3, 4)
             for word in (port(n), f"-device e1000e,id=nic{n},bus=port{n},romfile=")],
    # /dev/vda, the root of an installed system; /dev/vdb takes what `pcid bake` makes
    "installed": [*disk("root", "virtio-blk-pci,addr=0x18"),
                  *disk("baked", "virtio-blk-pci,addr=0x19")],
    # 00:18.0, the disk with vfiobox's state
    "state": disk("state", "virtio-blk-pci,addr=0x18"),
    # 00:17.0, the boot VGA: the console
    "vga": ["-device VGA,addr=0x17,romfile="],
}

LAB = ("nic-sriov", "nvme", "bridge", "nic", "gpu", "usb", "vga")

MACHINES = {
    "lab": ("iommu", *LAB),
    "lab-without-iommu": LAB,
    "host": ("iommu", *LAB, "usb-disk", "disks", "nics"),
    # 01:00.0 the NVMe controller, 02:00.0 the NIC: both can be pulled out.
    # 01:00.0 the NVMe controller, 02:00.0 the NIC
    "stateful": ("iommu", "nvme", "nic", "state"),
    # The cards at 01:00.0 and 02:00.0; with more cards before them at 03:00.0 and 04:00.0.
    "cards": ("iommu", "cards", "state"),
    "cards-moved": ("iommu", "twins", "cards", "state"),
    "early": ("iommu", "four", "installed"),
    "vfs": ("iommu", "nvme-vfs"),
    "hotplug": ("iommu", "nvme", "nic"),
}

# Disk images, sparse: MiB, and whether there is a partition table with one partition.
DISKS = {"nvme": (64, False), "usb": (16, False), "data": (16, True), "mapped": (16, False),
         "swap": (16, False), "looped": (16, False), "state": (16, False),
         "root": (64, False), "baked": (1, False)}

LAB_DRIVERS = ("igb igbvf nvme e1000 virtio_net e1000e bochs snd-hda-codec-generic snd-hda-intel "
               "xhci-pci")
HOST_DRIVERS = ("virtio_blk usb-storage sd_mod crc32c_generic ext4 vfat nls_cp437 nls_ascii "
                "nls_utf8 loop dm-mod bridge bonding")


@dataclasses.dataclass(frozen=True)
class Boot:
    """guest/SCRIPT.sh on a machine. `line`: more for the kernel's command line. `initrd`: by dracut,
    plain or systemd, and then what an earlier boot has baked; else the kit's own, which is the
    guest's system."""

    script: str
    machine: str
    line: str = ""
    initrd: str = ""


@dataclasses.dataclass(frozen=True)
class Scenario:
    """Boots one after the other on the same disks, with these drivers loaded.

    `modules`: how the guest's /lib/modules is kept, xz as Debian ships it or plain. `limit`:
    seconds for each boot, several times what is needed.
    """

    name: str
    boots: tuple
    drivers: str = LAB_DRIVERS
    modules: str = "xz"
    limit: int = 600


# How an initramfs by dracut goes on to the system that an earlier boot has put onto its disk.
INSTALLED = "root=/dev/vda rw init=/init rd.shell=0 rd.emergency=poweroff"
EARLY_DRIVERS = "e1000e virtio_blk crc32c_generic ext4"


def early(kind):
    """A system is put onto a disk, then booted by dracut's initramfs."""
    return (Boot("early-first", "early", "vmroot=/dev/vda"),
            Boot("early-later", "early", f"{INSTALLED} vfiobox.claim=0000:04:00.0", initrd=kind))


SCENARIOS = {s.name: s for s in (
    Scenario("main", (Boot("main", "lab"),)),
    Scenario("noiommu", (Boot("noiommu", "lab-without-iommu"),)),
    Scenario("sriov", (Boot("sriov", "lab"),)),
    # vmroot: the disk that the guest moves to before the script.
    Scenario("hostuse", (Boot("hostuse", "host", "vmroot=/dev/nvme0n1"),), modules="plain",
             drivers=f"{LAB_DRIVERS} {HOST_DRIVERS}"),
    Scenario("steps", (Boot("steps", "lab"),)),
    Scenario("hotplug", (Boot("hotplug", "hotplug"),), drivers="nvme e1000e virtio_net"),
    Scenario("hotplug-daemon", (Boot("hotplug", "hotplug", "vmwith=daemon"),),
             drivers="nvme e1000e virtio_net"),
    Scenario("vfs", (Boot("vfs", "vfs"),), drivers="nvme"),
    Scenario("state", (Boot("state-first", "stateful"), Boot("state-later", "stateful")),
             drivers="nvme e1000e virtio_blk crc32c_generic ext4"),
    Scenario("moved", (Boot("moved-first", "cards"), Boot("moved-later", "cards-moved")),
             drivers="e1000e virtio_blk crc32c_generic ext4"),
    Scenario("early-plain", (*early("plain"), Boot(
        "early-disabled", "early", f"{INSTALLED} vfiobox.disable", initrd="plain")),
        drivers=EARLY_DRIVERS),
    Scenario("early-systemd", early("systemd"), drivers=EARLY_DRIVERS),
    Scenario("demo", (Boot("demo", "lab"),), drivers=f"{LAB_DRIVERS} crc32c_generic ext4"),
    Scenario("demo-reboot", (Boot("demo-claim", "early", "vmroot=/dev/vda"),
                             Boot("demo-reboot", "early", INSTALLED, initrd="plain")),
             drivers=EARLY_DRIVERS),
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


class CannotBoot(Exception):
    """This machine cannot make what the scenario boots; says why."""


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
    """The names of the checks that a scenario's scripts make, in order."""
    texts = [(HERE / "guest" / f"{boot.script}.sh").read_text()
             for boot in SCENARIOS[scenario].boots]
    return re.findall(r'^\s*check "([^"$]+)"', "\n".join(texts), re.M)


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
    """A guest that runs, of one boot of a scenario; a context manager that ends its own QEMU, and
    only that."""

    def __init__(self, scenario, boot, directory):
        self.scenario, self.boot, self.dir = scenario, boot, directory
        self.timed_out = False

    def log(self, name):
        """Of a scenario's several boots each has its own."""
        return self.dir / (name if len(self.scenario.boots) == 1 else f"{self.boot.script}.{name}")

    def __enter__(self):
        if self.boot.initrd:
            self._make_dracut_initramfs()
        else:
            self._make_initramfs()
        self._errors = open(self.log("qemu.txt"), "w")
        self.monitor = qmp.Monitor()
        # Its end comes with ours, however we end: a test run that is killed leaves no guest.
        self.qemu = subprocess.Popen(["setpriv", "--pdeathsig", "KILL", *self.command()],
                                     stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                     stderr=self._errors, pass_fds=[self.monitor.theirs.fileno()])
        self._timer = threading.Timer(self.scenario.limit, self._end)
        self._timer.start()
        return self

    def __exit__(self, *_):
        self._timer.cancel()
        self.qemu.kill()
        self.qemu.wait()
        self.qemu.stdout.close()
        self.qemu.stdin.close()
        self.monitor.close()
        self._errors.close()

    def _end(self):
        self.timed_out = True
        self.qemu.kill()

    def _make_initramfs(self):
        made = subprocess.run([HERE / "initramfs", "--kit", KIT, "--binary", BINARY,
                               "--modules", self.scenario.modules,
                               "--drivers", self.scenario.drivers, self.dir / "guest.cpio"],
                              stderr=subprocess.PIPE, text=True)
        if made.returncode:
            raise NoGuest(made.stderr.strip())

    def _make_dracut_initramfs(self):
        made = subprocess.run([HERE / "debian", KIT, BINARY, self.dir, "initramfs",
                               self.boot.initrd], stderr=subprocess.PIPE, text=True)
        if made.returncode == 3:
            raise CannotBoot(made.stderr.strip())
        if made.returncode:
            raise NoGuest(made.stderr.strip())
        # One archive after the other is one initramfs, whatever zeros are between and after them.
        (self.dir / "guest.cpio").write_bytes((self.dir / "initramfs").read_bytes() +
                                              (self.dir / "baked.img").read_bytes())

    def command(self):
        line = f"{KERNEL_LINE} vmscript={self.boot.script} vmlimit={2 * self.scenario.limit}"
        if "iommu" in MACHINES[self.boot.machine]:
            line += " intel_iommu=on"
        devices = [argument.format(dir=self.dir) for argument in devices_of(self.boot)]
        return [KIT / "tools/qemu", *QEMU_LINE.split(), *self.monitor.arguments(),
                "-serial", f"file:{self.log('console.txt')}", "-serial", "stdio",
                "-kernel", KIT / "kernel/vmlinux", "-initrd", self.dir / "guest.cpio",
                "-append", f"{line} {self.boot.line}",
                *(word for argument in devices for word in argument.split(" "))]

    def lines(self):
        """What the guest writes, line by line, until it is off; also kept in results.txt. What it
        asks for is done and answered on the way."""
        with open(self.log("results.txt"), "w") as kept:
            for raw in self.qemu.stdout:
                line = raw.decode(errors="replace").rstrip("\r\n")
                print(line, file=kept, flush=True)
                if line.startswith("host: "):
                    self._answer(qmp.answer(self.monitor, line.removeprefix("host: ")))
                yield line

    def _answer(self, text):
        with contextlib.suppress(BrokenPipeError):
            self.qemu.stdin.write(f"{text}\n".encode())
            self.qemu.stdin.flush()

    def why(self):
        """Why a guest that did not finish ended, as far as can be told."""
        reason = f"its time limit of {self.scenario.limit} s" if self.timed_out else "QEMU ended"
        tails = [self.log(name).read_text(errors="replace")[-2000:]
                 for name in ("qemu.txt", "console.txt") if self.log(name).exists()]
        return "\n".join([f"{self.boot.script}: {reason}", *tails])


def devices_of(boot):
    return [argument for part in MACHINES[boot.machine] for argument in PARTS[part]]


def make_disks(scenario, directory):
    wanted = " ".join(word for boot in scenario.boots for word in devices_of(boot))
    for name, (size, partitioned) in DISKS.items():
        if f"id={name}," not in wanted:
            continue
        with open(directory / f"{name}.img", "wb") as image:
            if partitioned:
                sectors = size * 2048
                entry = struct.pack("<4xB3x2I", 0x83, 2048, sectors - 2048)
                image.write(bytes(446) + entry + bytes(48) + b"\x55\xaa")
            image.truncate(size << 20)


def boot_all(name):
    """Boots the scenario: one running guest after the other, on the same new disks."""
    scenario = SCENARIOS[name]
    directory = TOP / "out/vm" / name
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir(parents=True)
    make_disks(scenario, directory)
    try:
        for boot in scenario.boots:
            with Guest(scenario, boot, directory) as guest:
                yield guest
    finally:
        for image in directory.glob("*.img"):
            image.unlink()


def run(name):
    """Boots the scenario, returns what it said and why it ended. Each of its boots must come to
    its script's end."""
    results, why = Results(), ""
    try:
        for guest in boot_all(name):
            results.finished = False
            results.read(guest.lines())
            why = guest.why()
            if not results.finished:
                break
    except NoGuest as missing:
        why = str(missing)
    return results, why


def main():
    """vm.py SCENARIO...: boots each and shows what it says."""
    make_kit(quiet=False)
    for name in sys.argv[1:]:
        for guest in boot_all(name):
            for line in guest.lines():
                print(line, flush=True)


if __name__ == "__main__":
    main()
