# SPDX-License-Identifier: GPL-2.0-or-later
# Describes a host of any number of PCI functions: domains of root ports with NVMe disks, GPUs with
# sound, HBAs, NICs and their VFs, by the ids of devices that exist.
PER_DOMAIN = 1250

ROOT_FUNCTIONS = [
    ("00.0", "8086:09a2", "0880"),
    ("00.1", "8086:09a4", "0880"),
    ("00.2", "8086:09a3", "0880"),
    ("00.4", "8086:0998", "0806"),
]
NVME = [("144d:a824", "1028:2153"), ("8086:0b60", "1028:2121"), ("1344:51c3", "1344:3000")]


class Host:
    def __init__(self, count):
        self.left = count
        self.group = 0
        self.units = 0
        self.roots = []
        self.bus = self.port = 0
        self.in_domain = 0

    def next_group(self):
        self.group += 1
        return self.group - 1

    def take(self, functions):
        self.left -= functions
        self.in_domain += functions

    def domain(self):
        return "%04x" % (len(self.roots) - 1)

    def start_domain(self):
        self.roots.append({"bus": "%04x:00" % len(self.roots), "numa": len(self.roots) % 2, "functions": []})
        self.bus, self.port, self.in_domain = 1, 8, 0
        for at, ids, cls in ROOT_FUNCTIONS[: self.left]:
            self.roots[-1]["functions"].append({"at": f"{self.domain()}:00:{at}", "id": ids, "sub": "8086:0000",
                                                "class": cls, "group": self.next_group()})
            self.take(1)

    def full(self):
        return not self.roots or self.in_domain >= PER_DOMAIN or self.port > 0xF0 or self.bus > 0xF8

    def endpoint(self, slot, ids, sub, cls, driver, group, **more):
        return {"at": f"{self.domain()}:{self.bus:02x}:{slot}", "id": ids, "sub": sub, "class": cls,
                "driver": driver, "group": group, **more}

    def nvme(self):
        ids, sub = NVME[self.units % len(NVME)]
        return [self.endpoint("00.0", ids, sub, "010802", "nvme", self.next_group(), flr=True)]

    def gpu(self):
        group = self.next_group()
        return [self.endpoint("00.0", "10de:1e30", "10de:129e", "0300", "nvidia", group),
                self.endpoint("00.1", "10de:10f7", "10de:129e", "0403", "snd_hda_intel", group),
                self.endpoint("00.2", "10de:1ad6", "10de:129e", "0c0330", "xhci_hcd", group),
                self.endpoint("00.3", "10de:1ad7", "10de:129e", "0c80", "nvidia-gpu", group)]

    def hba(self):
        return [self.endpoint("00.0", "1000:0097", "1028:1f53", "0107", "mpt3sas", self.next_group())]

    def nic(self):
        return [self.endpoint(f"00.{port}", "15b3:1017", "15b3:0020", "0200", "mlx5_core", self.next_group(),
                              flr=True, dsn="b8-59-9f-03-00-d1-%02x-%02x" % (self.bus, port)) for port in (0, 1)]

    def sriov(self, vfs):
        pf = self.endpoint("00.0", "8086:1592", "8086:0002", "0200", "ice", self.next_group(), flr=True)
        pf["vfs"] = {"total": 256, "count": vfs, "offset": 8, "stride": 1, "device": "1889", "driver": "iavf",
                     "sub": "8086:0000", "group": self.group}
        self.group += vfs
        return [pf]

    def unit(self):
        """A root port and what is behind it, never more functions than are left."""
        self.units += 1
        vfs = min(16, self.left - 2)
        if self.units % 4 == 0 and vfs > 0:
            below, size = self.sriov(vfs), 2 + vfs
        elif self.units % 4 == 1 and self.left >= 5:
            below, size = self.gpu(), 5
        elif self.units % 4 == 2 and self.left >= 3:
            below, size = self.nic(), 3
        else:
            below, size = (self.hba() if self.units % 8 == 3 else self.nvme()), 2
        slot = "%02x.%x" % (self.port >> 3, self.port & 7)
        self.roots[-1]["functions"].append({
            "at": f"{self.domain()}:00:{slot}", "id": "8086:347a", "sub": "8086:0000", "class": "0604",
            "driver": "pcieport", "group": self.next_group(), "below": below})
        self.port += 1
        self.bus += 1
        self.take(size)

    def lone(self):
        slot = "%02x.%x" % (self.port >> 3, self.port & 7)
        self.roots[-1]["functions"].append({"at": f"{self.domain()}:00:{slot}", "id": "8086:0b00", "sub": "8086:0000",
                                            "class": "0880", "driver": "ioatdma", "group": self.next_group()})
        self.port += 1
        self.take(1)


def describe(count):
    host = Host(count)
    while host.left:
        if host.full():
            host.start_domain()
        elif host.left == 1:
            host.lone()
        else:
            host.unit()
    return {"about": f"a generated host of {count} functions", "lean": True, "iommu": "intel",
            "cmdline": "BOOT_IMAGE=/boot/vmlinuz intel_iommu=on iommu=pt", "console": ["tty0"],
            "numa": {0: "0-63", 1: "64-127"}, "pci": host.roots,
            "machine_id": "5f0e3b6fd9c14bb3a2a7b6d0c9f01234"}
