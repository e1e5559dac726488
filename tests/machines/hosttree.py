# SPDX-License-Identifier: GPL-2.0-or-later
# What the host of a description runs on: block devices, network interfaces, USB devices, the
# console, and the files of /proc and /etc that tell.
import ipaddress

BOOT_ID = "0c1f6f2e-6b3a-4d0e-9a57-2f1f5f0f7a11"
# Every system has these mounts; the numbers are of anonymous devices.
PSEUDO_MOUNTS = [
    ("/proc", "0:21", "proc", "proc", "rw,nosuid,nodev,noexec,relatime shared:13"),
    ("/sys", "0:22", "sysfs", "sysfs", "rw,nosuid,nodev,noexec,relatime shared:2"),
    ("/dev", "0:5", "devtmpfs", "devtmpfs", "rw,nosuid shared:9"),
    ("/dev/shm", "0:23", "tmpfs", "tmpfs", "rw,nosuid,nodev shared:10"),
    ("/run", "0:25", "tmpfs", "tmpfs", "rw,nosuid,nodev shared:12"),
    ("/sys/fs/cgroup", "0:26", "cgroup2", "cgroup2", "rw,nosuid,nodev,noexec,relatime shared:4"),
]
IFF_UP = 0x1003


def escape(path):
    return "".join(f"\\{ord(c):03o}" if c in " \t\n\\" else c for c in path)


# Block devices


def write_block_device(tree, path, name, number, disk_type, extra):
    major, minor = number.split(":")
    tree.attributes(path, {
        "dev": number,
        "uevent": f"MAJOR={major}\nMINOR={minor}\nDEVNAME={name}\nDEVTYPE={disk_type}",
        "size": "1875385008",
        "ro": "0",
        **extra,
    })
    tree.dir(f"{path}/holders")
    tree.link(f"{path}/subsystem", "sys/class/block")
    tree.link(f"sys/class/block/{name}", path)
    tree.link(f"sys/dev/block/{number}", path)
    tree.put(f"dev/{name}", b"")


def disk_home(machine, disk, homes):
    """The directory that holds the disk's own directory."""
    if disk.get("subsystem"):
        return f"sys/devices/virtual/nvme-subsystem/{disk['subsystem']}"
    if disk.get("at"):
        return f"{machine.by_address[disk['at']]['path']}/{disk['via']}"
    return "sys/devices/virtual/block"


def write_nvme_paths(tree, machine, disk):
    """Native NVMe multipath: the disk is virtual, the controllers are links beside it."""
    subsystem = f"sys/devices/virtual/nvme-subsystem/{disk['subsystem']}"
    tree.put(f"{subsystem}/subsysnqn", f"nqn.1994-11.com.samsung:nvme:{disk['subsystem']}")
    tree.put(f"{subsystem}/iopolicy", "numa")
    tree.link(f"sys/class/nvme-subsystem/{disk['subsystem']}", subsystem)
    for n, (controller, address) in enumerate(disk["paths"].items()):
        home = f"{machine.by_address[address]['path']}/nvme/{controller}"
        tree.link(f"{subsystem}/{controller}", home)
        index, space = disk["name"][4:].split("n")
        hidden = f"nvme{index}c{n}n{space}"
        tree.attributes(f"{home}/{hidden}", {"hidden": "1", "size": "1875385008", "ana_state": "optimized",
                                             "uevent": "DEVTYPE=disk"})
        tree.link(f"{home}/{hidden}/subsystem", "sys/class/block")
        tree.link(f"sys/class/block/{hidden}", f"{home}/{hidden}")


def write_disk(tree, machine, disk, paths):
    home = disk_home(machine, disk, paths)
    path = f"{home}/{disk['name']}"
    extra = {"hidden": "0", "removable": str(disk.get("removable", 0)), "ext_range": "256", "range": "0"}
    write_block_device(tree, path, disk["name"], disk["dev"], "disk", extra)
    tree.link(f"sys/block/{disk['name']}", path)
    tree.dir(f"{path}/slaves")
    paths[disk["name"]] = path
    if disk.get("subsystem"):
        write_nvme_paths(tree, machine, disk)
        tree.link(f"{path}/device", home)
    elif disk.get("at"):
        tree.link(f"{path}/device", home.removesuffix("/block"))
    for n, (name, number) in enumerate(disk.get("parts", {}).items(), 1):
        paths[name] = f"{path}/{name}"
        write_block_device(tree, paths[name], name, number, "partition", {"partition": str(n), "start": "2048"})
    if disk.get("dm"):
        tree.attributes(f"{path}/dm", {"name": disk["dm"], "uuid": disk.get("uuid", "LVM-x"), "suspended": "0"})
        tree.raw_link(f"dev/mapper/{disk['dm']}", f"../{disk['name']}")
    if disk.get("md"):
        tree.attributes(f"{path}/md", {"level": disk["md"], "array_state": "clean", "metadata_version": "1.2"})
    if disk.get("file"):
        tree.attributes(f"{path}/loop", {"backing_file": disk["file"], "autoclear": "1", "offset": "0",
                                         "sizelimit": "0"})
    for below in disk.get("of", []):
        tree.link(f"{path}/slaves/{below}", paths[below])
        tree.link(f"{paths[below]}/holders/{disk['name']}", path)


def nvme_controllers(tree, machine):
    """sys/class/nvme/nvmeN for every controller that the description names."""
    for fn in machine.functions:
        if not fn.get("nvme"):
            continue
        home = f"{fn['path']}/nvme/{fn['nvme']}"
        tree.attributes(home, {"address": fn["at"], "model": fn.get("model", "NVMe"), "state": "live",
                               "transport": "pcie", "serial": fn.get("serial", "S000"),
                               "cntlid": "1", "dev": f"241:{fn['nvme'][4:]}"})
        tree.link(f"{home}/device", fn["path"])
        tree.link(f"sys/class/nvme/{fn['nvme']}", home)


def write_blocks(tree, machine):
    paths = {}
    for directory in ("sys/block", "sys/class/block", "sys/dev/block"):
        tree.dir(directory)
    nvme_controllers(tree, machine)
    for disk in machine.description.get("block", []):
        write_disk(tree, machine, disk, paths)


# Network interfaces


def net_path(machine, nic):
    if nic.get("at"):
        return f"{machine.by_address[nic['at']]['path']}/{nic.get('via', 'net')}/{nic['name']}"
    return f"sys/devices/virtual/net/{nic['name']}"


def write_master(tree, nic, path, paths, kinds):
    master = nic["master"]
    tree.link(f"{path}/master", paths[master])
    tree.link(f"{path}/upper_{master}", paths[master])
    tree.link(f"{paths[master]}/lower_{nic['name']}", path)
    if kinds[master] == "bridge":
        tree.link(f"{path}/brport/bridge", paths[master])
        tree.put(f"{path}/brport/state", "3")
        tree.link(f"{paths[master]}/brif/{nic['name']}", f"{path}/brport")
    if kinds[master] == "bond":
        tree.put(f"{path}/bonding_slave/state", "active")


def write_nic(tree, nic, path, ifindex):
    tree.attributes(path, {
        "address": nic.get("mac", "00:00:00:00:00:00"),
        "ifindex": str(nic["ifindex"]),
        "iflink": str(ifindex[nic["link"]] if nic.get("link") else nic["ifindex"]),
        "flags": "0x%x" % (IFF_UP if nic.get("up") else IFF_UP & ~1),
        "operstate": nic.get("operstate", "up" if nic.get("up") else "down"),
        "type": "772" if nic["name"] == "lo" else "1",
        "mtu": str(nic.get("mtu", 1500)),
        "dev_id": "0x0",
        "dev_port": str(nic.get("port", 0)),
        "uevent": (f"DEVTYPE={nic['kind']}\n" if nic.get("kind") in ("bond", "bridge", "vlan") else "")
        + f"INTERFACE={nic['name']}\nIFINDEX={nic['ifindex']}",
    })
    tree.link(f"{path}/subsystem", "sys/class/net")
    tree.link(f"sys/class/net/{nic['name']}", path)
    if nic.get("kind") == "bridge":
        tree.put(f"{path}/bridge/stp_state", "0")
        tree.dir(f"{path}/brif")
    if nic.get("kind") == "bond":
        tree.put(f"{path}/bonding/mode", nic.get("mode", "active-backup 1"))


def vf_nics(machine):
    """A netdev for every VF whose description gives a name pattern and whose driver makes one."""
    index = 1000
    for pf in machine.functions:
        pattern = (pf.get("vfs") or {}).get("net")
        if not pattern:
            continue
        for n, vf in enumerate(machine.vfs_of(pf)):
            if vf.get("driver") == pf["vfs"].get("driver"):
                yield {"name": pattern % n, "at": vf["at"], "ifindex": index + n,
                       "mac": "4e:00:00:00:%02x:%02x" % (n >> 8, n & 255)}
        index += 1000


def write_nets(tree, machine):
    nics = list(machine.description.get("net", [])) + list(vf_nics(machine))
    paths = {nic["name"]: net_path(machine, nic) for nic in nics}
    kinds = {nic["name"]: nic.get("kind") for nic in nics}
    ifindex = {nic["name"]: nic["ifindex"] for nic in nics}
    tree.dir("sys/class/net")
    for nic in nics:
        write_nic(tree, nic, paths[nic["name"]], ifindex)
        if nic.get("at"):
            tree.link(f"{paths[nic['name']]}/device", machine.by_address[nic["at"]]["path"]
                      + ("/" + nic["via"].removesuffix("/net") if nic.get("via") else ""))
    for nic in nics:
        if nic.get("master"):
            write_master(tree, nic, paths[nic["name"]], paths, kinds)
        if nic.get("link"):
            tree.link(f"{paths[nic['name']]}/lower_{nic['link']}", paths[nic["link"]])
            tree.link(f"{paths[nic['link']]}/upper_{nic['name']}", paths[nic["name"]])
    if any(kind == "bond" for kind in kinds.values()):
        tree.put("sys/class/net/bonding_masters", " ".join(n for n, k in kinds.items() if k == "bond"))
    for nic in nics:
        if nic.get("kind") == "bond":
            slaves = [other["name"] for other in nics if other.get("master") == nic["name"]]
            tree.put(f"{paths[nic['name']]}/bonding/slaves", " ".join(slaves))


def little_endian(address):
    return "%08X" % int.from_bytes(ipaddress.IPv4Address(address).packed, "little")


def route_line(route):
    network = ipaddress.IPv4Network(route["to"])
    flags = 0x0003 if route.get("via") else 0x0001
    text = "\t".join([
        route["dev"], little_endian(network.network_address), little_endian(route.get("via", "0.0.0.0")),
        "%04X" % flags, "0", "0", str(route.get("metric", 0)), little_endian(network.netmask), "0", "0", "0"])
    return f"{text:<127}"


def route6_line(route):
    network = ipaddress.IPv6Network(route["to"])
    via = ipaddress.IPv6Address(route.get("via", "::"))
    return (f"{network.network_address.packed.hex()} {network.prefixlen:02x} {'0' * 32} 00 {via.packed.hex()} "
            f"00000400 00000001 00000000 {0x3 if route.get('via') else 0x1:08x} {route['dev']:>8}")


def own_address(route):
    """The host's address in a connected network: the eleventh."""
    return ipaddress.IPv4Network(route["to"])[11]


def fib_trie(description):
    """A drawing of all IPv4 prefixes; the host's addresses are the LOCAL ones."""
    leaves = [("127.0.0.0", "/8 host LOCAL"), ("127.0.0.1", "/32 host LOCAL")]
    for route in description.get("routes", []):
        network = ipaddress.IPv4Network(route["to"])
        leaves.append((network.network_address, f"/{network.prefixlen} {'universe' if route.get('via') else 'link'} UNICAST"))
        if not route.get("via"):
            leaves.append((own_address(route), "/32 host LOCAL"))
    lines = ["  +-- 0.0.0.0/0 3 0 5"]
    for address, kind in leaves:
        lines += [f"     |-- {address}", f"        {kind}"]
    return "\n".join(["Main:", *lines, "Local:", *lines])


def write_proc_net(tree, description):
    tree.put("proc/1/net/fib_trie", fib_trie(description))
    ifindex = {nic["name"]: nic["ifindex"] for nic in description.get("net", [])}
    heads = ("Iface", "Destination", "Gateway ", "Flags", "RefCnt", "Use", "Metric", "Mask", "\tMTU", "Window", "IRTT")
    head = "\t".join(heads)
    lines = [f"{head:<127}"] + [route_line(r) for r in description.get("routes", [])]
    tree.put("proc/1/net/route", "\n".join(lines))
    routes6 = [route6_line(r) for r in description.get("routes6", [])]
    routes6.append(f"{'0' * 32} 00 {'0' * 32} 00 {'0' * 32} ffffffff 00000001 00000000 00200200       lo")
    tree.put("proc/1/net/ipv6_route", "\n".join(routes6))
    inet6 = ["00000000000000000000000000000001 01 80 10 80       lo"]
    for address in description.get("inet6", []):
        interface = ipaddress.IPv6Interface(address["addr"])
        scope = 0x20 if interface.ip.is_link_local else 0
        inet6.append(f"{interface.ip.packed.hex()} {ifindex[address['dev']]:02x} {interface.network.prefixlen:02x} "
                     f"{scope:02x} 80 {address['dev']:>8}")
    tree.put("proc/1/net/if_inet6", "\n".join(inet6))


# Mounts, swap, console, USB, identity


def mount_line(number, mount):
    at, device, fs, source, options = mount
    opts, _, shared = options.partition(" ")
    optional = f" {shared}" if shared else ""
    return f"{number} {1 if at == '/' else 24} {device} {{root}} {escape(at)} {opts}{optional} - {fs} {escape(source)} rw"


def write_mounts(tree, description):
    lines, number = [], 24
    for mount in description.get("mounts", []):
        entry = (mount["at"], mount["dev"], mount["fs"], mount["from"], mount.get("opts", "rw,relatime shared:1"))
        lines.append(mount_line(number, entry).format(root=escape(mount.get("root", "/"))))
        number += 1
    for mount in PSEUDO_MOUNTS:
        lines.append(mount_line(number, mount).format(root="/"))
        number += 1
    tree.put("proc/1/mountinfo", "\n".join(lines))
    swaps = ["Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority"]
    for n, swap in enumerate(description.get("swaps", [])):
        pad = "\t" * max(1, 5 - len(swap["at"]) // 8)
        swaps.append(f"{swap['at']}{pad}{swap.get('type', 'partition')}\t8388604\t\t0\t\t{-2 - n}")
    tree.put("proc/swaps", "\n".join(swaps))


def write_console(tree, machine):
    tree.attributes("sys/devices/virtual/tty/console",
                    {"active": " ".join(machine.description["console"]), "dev": "5:1"})
    tree.link("sys/class/tty/console", "sys/devices/virtual/tty/console")
    for n, fn in enumerate(f for f in machine.functions if f["class"].startswith(("0300", "0302"))
                           and f.get("drm")):
        tree.put(f"{fn['path']}/drm/card{n}/dev", f"226:{n}")
        tree.link(f"{fn['path']}/drm/card{n}/device", fn["path"])
        tree.link(f"sys/class/drm/card{n}", f"{fn['path']}/drm/card{n}")
        if fn.get("boot_vga"):
            framebuffer = f"{fn['path']}/graphics/fb0"
            tree.attributes(framebuffer, {"name": fn["drm"], "dev": "29:0"})
            tree.link(f"{framebuffer}/device", fn["path"])
            tree.link("sys/class/graphics/fb0", framebuffer)
            tree.attributes("sys/devices/virtual/vtconsole/vtcon1", {"name": "(M) frame buffer device", "bind": "1"})
            tree.link("sys/class/vtconsole/vtcon1", "sys/devices/virtual/vtconsole/vtcon1")


def write_usb(tree, machine):
    for usb in machine.description.get("usb", []):
        path = f"{machine.by_address[usb['at']]['path']}/{usb['path']}"
        vendor, product = usb["id"].split(":")
        name = path.rpartition("/")[2]
        tree.attributes(path, {
            "idVendor": vendor, "idProduct": product, "busnum": str(usb["bus"]), "devnum": str(usb["num"]),
            "bDeviceClass": usb.get("class", "00"), "product": usb["product"],
            "uevent": f"MAJOR=189\nMINOR={(usb['bus'] - 1) * 128 + usb['num'] - 1}\n"
            f"DEVNAME=bus/usb/{usb['bus']:03}/{usb['num']:03}\nDEVTYPE=usb_device\nDRIVER=usb\n"
            f"PRODUCT={vendor.lstrip('0')}/{product.lstrip('0')}/100\nBUSNUM={usb['bus']:03}\nDEVNUM={usb['num']:03}"})
        tree.link(f"{path}/subsystem", "sys/bus/usb")
        tree.link(f"sys/bus/usb/devices/{name}", path)


def write_identity(tree, description):
    product = description.get("product")
    if product:
        home = "sys/devices/virtual/dmi/id"
        tree.attributes(home, product)
        tree.link("sys/class/dmi/id", home)
    if description.get("machine_id"):
        tree.put("etc/machine-id", description["machine_id"])
    tree.put("proc/sys/kernel/random/boot_id", BOOT_ID)
    tree.put("proc/sys/kernel/osrelease", description.get("kernel", "6.12.57-default"))
    tree.put("proc/cmdline", description["cmdline"])


CPUS = {
    "intel": "vendor_id\t: GenuineIntel\nmodel name\t: Intel(R) Xeon(R)",
    "amd": "vendor_id\t: AuthenticAMD\nmodel name\t: AMD EPYC",
    "arm": "BogoMIPS\t: 50.00\nCPU implementer\t: 0x41\nCPU architecture: 8",
}
TABLES = {"none": [], "intel": ["DMAR"], "amd": ["IVRS"], "smmu3": ["IORT"]}


def interrupts(cpu, remapped):
    """proc/interrupts (kernel/irq/proc.c): number, a count per CPU, chip, hardware number, action."""
    if cpu == "arm":
        lines = ["  9:  0  0     GICv3  25 Level     vgic", " 41:  7  0  ITS-MSI 524288 Edge      nvme0q0"]
    else:
        msi = "-0000:00:14.0   0-edge     " if remapped else " 327680-edge    "
        prefix = "IR-" if remapped else ""
        lines = [f"  8:  0  0  {prefix}IO-APIC   8-edge      rtc0", f" 24:  9  0  {prefix}PCI-MSI{msi} xhci_hcd",
                 "NMI:  1  1   Non-maskable interrupts"]
    return "\n".join(["           CPU0       CPU1", *lines])


def write_platform(tree, machine):
    """What the firmware and the processor say."""
    description = machine.description
    cpu = description.get("cpu") or {"intel": "intel", "amd": "amd", "smmu3": "arm"}[description["iommu"]]
    tree.put("proc/cpuinfo", f"processor\t: 0\n{CPUS[cpu]}\n")
    tree.put("proc/interrupts", interrupts(cpu, description["iommu"] != "none"))
    for table in ["APIC", "DSDT", "FACP", "MCFG", *TABLES[description["iommu"]]]:
        tree.put(f"sys/firmware/acpi/tables/{table}", table.encode() + bytes(40))


def write_vfio(tree, machine):
    modules = set(machine.description.get("drivers", [])) | {f.get("driver") for f in machine.functions}
    if "vfio-pci" not in modules:
        return
    tree.put("dev/vfio/vfio", b"")
    for fn in machine.functions:
        if fn.get("driver") == "vfio-pci" and fn.get("group") is not None:
            tree.put(f"dev/vfio/{fn['group']}", b"")
            home = f"sys/devices/virtual/vfio/{fn['group']}"
            if home not in tree.made:
                tree.put(f"{home}/dev", f"511:{fn['group']}")
                tree.dir(home)
                tree.link(f"sys/class/vfio/{fn['group']}", home)


def write_host(tree, machine):
    description = machine.description
    for directory in ("run", "var/lib", "dev", "etc", "proc/1", "sys/class/vfio", "sys/class/tty"):
        tree.dir(directory)
    write_blocks(tree, machine)
    write_nets(tree, machine)
    write_proc_net(tree, description)
    write_mounts(tree, description)
    write_console(tree, machine)
    write_usb(tree, machine)
    write_identity(tree, description)
    write_platform(tree, machine)
    write_vfio(tree, machine)
