# SPDX-License-Identifier: GPL-2.0-or-later
# The configuration space of one PCI function: header, BARs, capabilities (PCI Local Bus 3.0,
# PCI Express Base 4.0), and the lines of its `resource` attribute.
import struct

ENDPOINT, ROOT_PORT, UPSTREAM, DOWNSTREAM, TO_PCI, INTEGRATED = 0, 4, 5, 6, 7, 9
MEM32, MEM64, MEM64_PREFETCH, IO = 0x40200, 0x140204, 0x14220C, 0x40101

KIB, MIB, GIB = 1 << 10, 1 << 20, 1 << 30
# BARs by class: index -> (size, resource flags).
BARS = {
    "0108": {0: (16 * KIB, MEM64)},
    "0200": {0: (8 * MIB, MEM64_PREFETCH), 3: (32 * KIB, MEM64_PREFETCH)},
    "0207": {0: (32 * MIB, MEM64_PREFETCH)},
    "0300": {0: (16 * MIB, MEM32), 1: (256 * MIB, MEM64_PREFETCH), 3: (32 * MIB, MEM64_PREFETCH), 5: (128, IO)},
    "0302": {0: (16 * MIB, MEM64_PREFETCH), 2: (16 * GIB, MEM64_PREFETCH), 4: (32 * MIB, MEM64_PREFETCH)},
    "0104": {0: (1 * MIB, MEM64_PREFETCH), 2: (64 * KIB, MEM64)},
    "0c03": {0: (64 * KIB, MEM64)},
    "0600": {},
    "0601": {},
}
DEFAULT_BARS = {0: (4 * KIB, MEM32)}
VF_BARS = {0: (64 * KIB, MEM64_PREFETCH), 3: (16 * KIB, MEM64_PREFETCH)}


def bars(fn, place):
    """{index: (start, end, flags)}; `place` counts functions, so that no two overlap."""
    if fn["class"].startswith("0604"):
        return {}
    kinds = VF_BARS if fn.get("physfn") else BARS.get(fn["class"][:4], DEFAULT_BARS)
    out = {}
    low, high = 0x80000000 + (place % 0x300) * 0x200000, 0x3800_0000_0000 + place * 0x10_0000_0000
    for index, (size, flags) in kinds.items():
        if flags == IO:
            start = 0x1000 + (place % 0xE0) * 0x100
        elif flags == MEM32:
            start = -(-low // size) * size & 0xFFFFFFFF
            low = start + size
        else:
            start = -(-high // size) * size
            high = start + size
        out[index] = (start, start + size - 1, flags)
    return out


def resource_lines(fn, regions):
    """7 lines, or 17 for a bridge (drivers/pci/pci-sysfs.c, resource_show())."""
    count = 17 if fn["class"].startswith("0604") else 7
    lines = [regions.get(i, (0, 0, 0)) for i in range(count)]
    return "\n".join("0x%016x 0x%016x 0x%016x" % line for line in lines)


class Space:
    def __init__(self, size):
        self.bytes = bytearray(size)

    def set(self, at, fmt, *values):
        struct.pack_into("<" + fmt, self.bytes, at, *values)

    def chain(self, builders):
        """Capabilities of the standard list, one after the other from 0x40."""
        at = 0x40
        if builders:
            self.bytes[0x34] = at
            self.bytes[0x06] |= 0x10
        for i, (cap, body) in enumerate(builders):
            length = -(-(2 + len(body)) // 4) * 4
            self.bytes[at] = cap
            self.bytes[at + 1] = at + length if i + 1 < len(builders) else 0
            self.bytes[at + 2 : at + 2 + len(body)] = body
            at += length

    def extended(self, builders):
        at = 0x100
        for i, (cap, version, body) in enumerate(builders):
            length = -(-(4 + len(body)) // 16) * 16
            following = at + length if i + 1 < len(builders) else 0
            self.set(at, "I", cap | version << 16 | following << 20)
            self.bytes[at + 4 : at + 4 + len(body)] = body
            at += length


def power_management():
    return (0x01, struct.pack("<HHH", 0xC803, 0x0008, 0))


def msi():
    return (0x05, struct.pack("<HIIHHII", 0x0180, 0, 0, 0, 0, 0, 0))


def msix(vectors, bar):
    return (0x11, struct.pack("<HII", 0x8000 | (vectors - 1), bar, 0x1000 | bar))


def subsystem(vendor, device):
    return (0x0D, struct.pack("<HHH", 0, vendor, device))


def express(kind, flr):
    body = bytearray(0x3A)
    struct.pack_into("<HI", body, 0, 2 | kind << 4 | (0x100 if kind in (ROOT_PORT, DOWNSTREAM) else 0),
                     0x8002 | (1 << 28 if flr else 0))
    struct.pack_into("<HH", body, 6, 0x2910, 0)
    struct.pack_into("<IHH", body, 10, 0x00437103, 0, 0x1103)
    return (0x10, bytes(body))


def advanced_errors():
    return (0x0001, 2, bytes(0x44))


def serial_number(text):
    parts = bytes.fromhex(text.replace("-", ""))
    return (0x0003, 1, parts[::-1])


def alternative_routing():
    return (0x000E, 1, struct.pack("<HH", 0, 0))


def access_control(port):
    return (0x000D, 1, struct.pack("<HH", 0x005F if port else 0, 0x001D if port else 0))


def single_root_iov(sriov):
    return (0x0010, 1, struct.pack("<IHHHHHBBHHHHII", 0, 0x19 if sriov["count"] else 0, 0, sriov["total"],
                                   sriov["total"], sriov["count"], 0, 0, sriov["offset"], sriov["stride"],
                                   0, int(sriov["device"], 16), 0x553, 1) + bytes(24))


def kind_of(fn):
    bridge = fn["class"].startswith("0604")
    if fn.get("port") == "pci":
        return TO_PCI
    if bridge:
        return {0: ROOT_PORT, 1: UPSTREAM}.get(fn["depth"], DOWNSTREAM)
    return ENDPOINT if fn["depth"] else INTEGRATED


def default_caps(fn):
    if fn.get("physfn"):
        return ["pcie", "msix", "aer", "ari"]
    if fn["class"].startswith(("0600", "0601", "0880")) and not fn["depth"]:
        return []
    if fn["class"].startswith("0604"):
        return ["pcie", "msi", "pm", "aer", "acs"]
    return ["pm", "msi", "pcie", "aer"] if fn["depth"] else ["pm", "msi"]


def config_space(fn, regions, numbers):
    """`numbers` of a bridge: primary, secondary, subordinate bus."""
    caps = list(fn.get("caps", default_caps(fn)))
    if fn.get("dsn"):
        caps.append("dsn")
    if fn.get("vfs"):
        caps += ["ari", "sriov"]
    space = Space(4096 if "pcie" in caps else 256)
    vendor, device = (int(part, 16) for part in fn["id"].split(":"))
    sub = [int(part, 16) for part in fn.get("sub", "0000:0000").split(":")]
    bridge = fn["class"].startswith("0604")
    if fn.get("physfn"):
        vendor = device = 0xFFFF
    space.set(0, "HHHH", vendor, device, 0x0406 if fn.get("driver") or bridge else 0, 0)
    space.set(8, "I", int(fn["class"], 16) << 8 | int(fn.get("rev", "00"), 16))
    space.set(12, "BBBB", 0x10, 0, (1 if bridge else 0) | (0x80 if fn["multifunction"] else 0), 0)
    if bridge:
        space.set(0x18, "BBBB", *numbers, 0)
        space.set(0x20, "HH", 0xFFF0, 0x0000)
        space.set(0x24, "HH", 0xFFF1, 0x0001)
    else:
        space.set(0x2C, "HH", *sub)
    for index, (start, _, flags) in regions.items():
        if fn.get("physfn"):
            continue
        space.set(0x10 + 4 * index, "I", {IO: start | 1, MEM32: start, MEM64: start | 4 & 0xF,
                                          MEM64_PREFETCH: start | 0xC}[flags] & 0xFFFFFFFF)
        if flags in (MEM64, MEM64_PREFETCH):
            space.set(0x14 + 4 * index, "I", start >> 32)
    space.set(0x3C, "BB", 0xFF if not fn.get("irq") else fn["irq"] & 0xFF, 0 if fn.get("physfn") else 1)
    table = {
        "pm": power_management,
        "msi": msi,
        "msix": lambda: msix(64, 3 if 3 in regions else 0),
        "pcie": lambda: express(kind_of(fn), fn.get("flr", False)),
    }
    standard = [table[cap]() for cap in caps if cap in table]
    if bridge and fn.get("sub"):
        standard.append(subsystem(*sub))
    space.chain(standard)
    if "pcie" in caps:
        more = {
            "aer": advanced_errors,
            "dsn": lambda: serial_number(fn["dsn"]),
            "ari": alternative_routing,
            "acs": lambda: access_control(bridge),
            "sriov": lambda: single_root_iov(fn["vfs"]),
        }
        space.extended([more[cap]() for cap in caps if cap in more])
    return bytes(space.bytes)
