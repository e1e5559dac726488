# SPDX-License-Identifier: GPL-2.0-or-later
# PCI functions of a description as the kernel shows them: sys/devices/pciDDDD:BB/..., the links of
# sys/bus/pci and sys/kernel/iommu_groups (drivers/pci/pci-sysfs.c, drivers/iommu/iommu.c).
import pciconfig

DRIVER_FILES = ("bind", "unbind", "new_id", "remove_id", "uevent")
IOMMU_KINDS = {
    "intel": ("dmar0", "DMA-FQ"),
    "amd": ("ivhd0", "DMA-FQ"),
    "smmu3": ("smmu3.0x000023ffe0000000", "DMA"),
}
RESERVED = {
    "intel": "0x00000000fee00000 0x00000000feefffff msi",
    "amd": "0x00000000fee00000 0x00000000feefffff msi\n0x000000fd00000000 0x000000ffffffffff reserved",
    "smmu3": "0x0000000008000000 0x00000000080fffff msi",
}


def address_parts(address):
    domain, bus, rest = address.split(":")
    dev, fn = rest.split(".")
    return int(domain, 16), int(bus, 16), int(dev, 16), int(fn, 16)


def address_text(domain, bus, dev, fn):
    return "%04x:%02x:%02x.%x" % (domain, bus, dev, fn)


def address_key(address):
    return address_parts(address)


def vf_address(pf, offset, stride, index):
    domain, bus, dev, fn = address_parts(pf)
    rid = (bus << 8 | dev << 3 | fn) + offset + stride * index
    return address_text(domain, rid >> 8, rid >> 3 & 0x1F, rid & 7)


def expand_vfs(pf):
    """The VFs that exist of a physical function, as functions."""
    sriov = pf["vfs"]
    sriov.setdefault("count", 0)
    for index in range(sriov["count"]):
        fn = {
            "at": vf_address(pf["at"], sriov["offset"], sriov["stride"], index),
            "id": f"{pf['id'][:4]}:{sriov['device']}",
            "class": pf["class"],
            "rev": pf.get("rev", "00"),
            "sub": sriov.get("sub", pf.get("sub", "0000:0000")),
            "driver": sriov.get("drivers", {}).get(index, sriov.get("driver")),
            "physfn": pf["at"],
            "depth": pf["depth"],
            "numa": pf["numa"],
            "parent": pf["parent"],
            "flr": True,
        }
        if pf.get("group") is not None:
            fn["group"] = sriov["group"] + index
        yield fn


class Machine:
    """All functions of a description, flat, in the order they are found on the bus."""

    def __init__(self, description):
        self.description = description
        self.functions = []
        self.roots = []
        for root in description["pci"]:
            self.add_root(root, f"sys/devices/pci{root['bus']}")
        self.by_address = {fn["at"]: fn for fn in self.functions}
        slots = {}
        for fn in self.functions:
            slots.setdefault(fn["at"][:-2], []).append(fn)
        for place, fn in enumerate(self.functions):
            fn["place"] = place
            fn["multifunction"] = not fn.get("physfn") and len(slots[fn["at"][:-2]]) > 1

    def add_root(self, root, directory):
        self.roots.append(directory)
        for fn in root["functions"]:
            self.add(fn, directory, 0, root.get("numa", -1))

    def add(self, fn, parent, depth, numa):
        fn.setdefault("numa", numa)
        fn.setdefault("sub", self.description.get("sub", "0000:0000"))
        fn.update(depth=depth, parent=parent, path=f"{parent}/{fn['at']}")
        self.functions.append(fn)
        for below in fn.get("below", []):
            self.add(below, fn["path"], depth + 1, fn["numa"])
        if fn.get("domain"):
            self.add_root({"numa": fn["numa"], **fn["domain"]}, f"{fn['path']}/pci{fn['domain']['bus']}")
        if fn.get("vfs"):
            for vf in expand_vfs(fn):
                vf["path"] = f"{parent}/{vf['at']}"
                self.functions.append(vf)

    def vfs_of(self, pf):
        return [fn for fn in self.functions if fn.get("physfn") == pf["at"]]


def class_text(fn):
    """Six digits; a description may leave the programming interface out."""
    return fn["class"].ljust(6, "0")


def modalias(fn):
    vendor, device = (part.upper() for part in fn["id"].split(":"))
    subvendor, subdevice = (part.upper() for part in fn.get("sub", "0000:0000").split(":"))
    cls = class_text(fn).upper()
    return (f"pci:v0000{vendor}d0000{device}sv0000{subvendor}sd0000{subdevice}"
            f"bc{cls[:2]}sc{cls[2:4]}i{cls[4:]}")


def uevent(fn):
    """drivers/base/core.c adds DRIVER, drivers/pci/pci-driver.c pci_uevent() the rest."""
    lines = [f"DRIVER={fn['driver']}"] if fn.get("driver") else []
    lines += [
        "PCI_CLASS=%04X" % int(class_text(fn), 16),
        f"PCI_ID={fn['id'].upper()}",
        f"PCI_SUBSYS_ID={fn.get('sub', '0000:0000').upper()}",
        f"PCI_SLOT_NAME={fn['at']}",
        f"MODALIAS={modalias(fn)}",
    ]
    return "\n".join(lines)


def bus_numbers(fn):
    """Primary, secondary and subordinate bus of a bridge."""
    primary = address_parts(fn["at"])[1]
    below = [address_parts(f["at"])[1] for f in fn.get("below", [])]
    if not below:
        return primary, fn.get("secondary", primary + 1), fn.get("secondary", primary + 1)
    last = max(below + [bus_numbers(f)[2] for f in fn["below"] if f["class"].startswith("0604")])
    last = max([last] + [address_parts(vf["at"])[1] for f in fn["below"] if f.get("vfs")
                         for vf in expand_vfs(f)])
    return primary, min(below), last


def cpus_of(description, node):
    nodes = description.get("numa", {})
    return nodes.get(node) or ",".join(str(c) for c in nodes.values()) or "0-7"


def reset_methods(fn):
    if "reset" in fn:
        return fn["reset"]
    if fn["class"].startswith("06"):
        return None
    return "flr bus" if fn.get("flr") else "pm bus"


def plain_attributes(machine, fn):
    vendor, device = fn["id"].split(":")
    subvendor, subdevice = fn.get("sub", "0000:0000").split(":")
    regions = pciconfig.bars(fn, fn["place"])
    numbers = bus_numbers(fn) if fn["class"].startswith("0604") else None
    values = {
        "vendor": f"0x{vendor}",
        "device": f"0x{device}",
        "subsystem_vendor": f"0x{subvendor}",
        "subsystem_device": f"0x{subdevice}",
        "class": f"0x{class_text(fn)}",
        "revision": f"0x{fn.get('rev', '00')}",
        "uevent": uevent(fn),
        "modalias": modalias(fn),
        "numa_node": str(fn["numa"]),
        "local_cpulist": cpus_of(machine.description, fn["numa"]),
        "irq": str(fn.get("irq", 0 if fn.get("physfn") else 16 + fn["place"] % 240)),
        "resource": pciconfig.resource_lines(fn, regions),
        "config": pciconfig.config_space({**fn, "class": class_text(fn)}, regions, numbers),
        "driver_override": "(null)",
    }
    if machine.description.get("lean") or fn.get("physfn"):
        return values
    values.update({
        "ari_enabled": "0",
        "broken_parity_status": "0",
        "consistent_dma_mask_bits": "64" if fn.get("driver") else "32",
        "d3cold_allowed": "0" if fn["class"].startswith("0604") else "1",
        "dma_mask_bits": "64" if fn.get("driver") else "32",
        "enable": "1" if fn.get("driver") else "0",
        "msi_bus": "1",
        "power_state": "D0",
    })
    if len(values["config"]) == 4096:
        values.update({"current_link_speed": "16.0 GT/s PCIe", "current_link_width": "16",
                       "max_link_speed": "16.0 GT/s PCIe", "max_link_width": "16"})
    if fn["class"].startswith("0604"):
        values.update({"secondary_bus_number": str(numbers[1]), "subordinate_bus_number": str(numbers[2])})
    return values


def sriov_attributes(sriov):
    return {
        "sriov_totalvfs": str(sriov["total"]),
        "sriov_numvfs": str(sriov["count"]),
        "sriov_offset": str(sriov["offset"]),
        "sriov_stride": str(sriov["stride"]),
        "sriov_vf_device": sriov["device"],
        "sriov_drivers_autoprobe": "1",
    }


def write_function(tree, machine, fn):
    path = fn["path"]
    tree.attributes(path, plain_attributes(machine, fn))
    methods = reset_methods(fn)
    if methods:
        tree.put(f"{path}/reset_method", methods)
        tree.put(f"{path}/reset", b"")
    if fn["class"].startswith("0300"):
        tree.put(f"{path}/boot_vga", "1" if fn.get("boot_vga") else "0")
    if fn.get("vfs"):
        tree.attributes(path, sriov_attributes(fn["vfs"]))
    tree.link(f"{path}/subsystem", "sys/bus/pci")
    tree.link(f"sys/bus/pci/devices/{fn['at']}", path)
    if fn.get("driver"):
        tree.link(f"{path}/driver", f"sys/bus/pci/drivers/{fn['driver']}")
        tree.link(f"sys/bus/pci/drivers/{fn['driver']}/{fn['at']}", path)
    if fn.get("physfn"):
        tree.link(f"{path}/physfn", machine.by_address[fn["physfn"]]["path"])


def write_vf_links(tree, machine):
    counts = {}
    for fn in machine.functions:
        if fn.get("physfn"):
            n = counts[fn["physfn"]] = counts.get(fn["physfn"], -1) + 1
            tree.link(f"{machine.by_address[fn['physfn']]['path']}/virtfn{n}", fn["path"])


def module_name(driver):
    return {"pcieport": None, "serial": None}.get(driver, driver.replace("-", "_"))


def write_drivers(tree, machine):
    used = {fn["driver"] for fn in machine.functions if fn.get("driver")}
    for driver in sorted(used | set(machine.description.get("drivers", []))):
        directory = tree.dir(f"sys/bus/pci/drivers/{driver}")
        for name in DRIVER_FILES:
            tree.put(f"{directory}/{name}", b"")
        module = module_name(driver)
        if module:
            tree.put(f"sys/module/{module}/initstate", "live")
            tree.link(f"{directory}/module", f"sys/module/{module}")
            tree.link(f"sys/module/{module}/drivers/pci:{driver}", directory)
    for module in machine.description.get("modules", []):
        tree.put(f"sys/module/{module}/initstate", "live")
    if "vfio_iommu_type1" in machine.description.get("modules", []):
        tree.put("sys/module/vfio_iommu_type1/parameters/allow_unsafe_interrupts", "N")


def write_groups(tree, machine):
    tree.dir("sys/kernel/iommu_groups")
    tree.dir("sys/class/iommu")
    kind = machine.description["iommu"]
    if kind == "none":
        return
    unit, domain = IOMMU_KINDS[kind]
    home = tree.dir(f"sys/devices/virtual/iommu/{unit}")
    tree.link(f"sys/class/iommu/{unit}", home)
    for fn in machine.functions:
        if fn.get("group") is None:
            continue
        group = f"sys/kernel/iommu_groups/{fn['group']}"
        if group not in tree.made:
            tree.put(f"{group}/type", domain)
            regions = machine.description.get("reserved", {}).get(fn["group"])
            tree.put(f"{group}/reserved_regions", "\n".join(filter(None, [regions, RESERVED[kind]])))
            tree.dir(group)
        tree.link(f"{group}/devices/{fn['at']}", fn["path"])
        tree.link(f"{fn['path']}/iommu_group", group)
        if not machine.description.get("lean") and not fn.get("physfn"):
            tree.link(f"{fn['path']}/iommu", home)
            tree.link(f"{home}/devices/{fn['at']}", fn["path"])


def write_pci(tree, machine):
    for directory in ("sys/bus/pci/devices", "sys/bus/pci/drivers", "sys/bus/pci/slots"):
        tree.dir(directory)
    for name, content in (("drivers_autoprobe", "1"), ("drivers_probe", b""), ("rescan", b""),
                          ("uevent", b"")):
        tree.put(f"sys/bus/pci/{name}", content)
    for fn in machine.functions:
        write_function(tree, machine, fn)
    write_vf_links(tree, machine)
    write_drivers(tree, machine)
    write_groups(tree, machine)
