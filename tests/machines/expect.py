# SPDX-License-Identifier: GPL-2.0-or-later
# What must be said of a described machine, from its description alone: which functions are listed,
# which have no object, which may be claimed and why not.
import pcitree

# In order of weight; a refusal names the weightiest.
HOST_USES = ["RootDisk", "DefaultRoute", "ManagementNIC", "VlanUplink", "Mounted", "Swap", "BlockHolder",
             "NetworkAddress", "NetworkMember", "Console", "HostUseUnknown"]
FINAL = {"RootDisk", "DefaultRoute"}
CANNOT = ["NoIOMMUGroup", "PFHasVFs", "BoundByAnother", "GroupHostDriver"]
WEIGHT = {name: n for n, name in enumerate([*HOST_USES, "BridgeFunction", *CANNOT])}
NOT_HOST_DRIVERS = {None, "pcieport", "pci-stub", "vfio-pci"}
FOREIGN_DRIVERS = {"vfio-pci", "uio_pci_generic", "igb_uio"}


def class_id(fn):
    return pcitree.class_text(fn)[:4]


def is_bridge(fn):
    return class_id(fn) == "0604"


def is_bridge_function(fn):
    return class_id(fn).startswith("06") and not is_bridge(fn)


def is_nic(fn):
    return class_id(fn).startswith("02")


def listed(functions):
    """Every function that is no PCI bridge, by address as a number."""
    return sorted((fn for fn in functions if not is_bridge(fn)), key=lambda fn: pcitree.address_key(fn["at"]))


def uses_of(host, address):
    return host.description.get("uses", {}).get(address, {})


def peers(host, fn):
    """The other functions of its IOMMU group."""
    if fn.get("group") is None:
        return []
    return [other for other in host.functions if other.get("group") == fn["group"] and other is not fn]


def closure(host, fn):
    """What a claim of the function takes."""
    return [fn] + [p for p in peers(host, fn) if not is_bridge(p) and not is_bridge_function(p)]


def reasons_of_member(host, fn):
    reasons = set(uses_of(host, fn["at"]))
    if (fn.get("vfs") or {}).get("count"):
        reasons.add("PFHasVFs")
    if fn.get("driver") in FOREIGN_DRIVERS:
        reasons.add("BoundByAnother")
    return reasons


def refusal(host, fn, override=None):
    """The reason why a claim of the function is refused, or None."""
    if fn.get("group") is None:
        return "NoIOMMUGroup"
    if is_bridge_function(fn) and override != "BridgeFunction":
        return "BridgeFunction"
    reasons = set()
    for member in closure(host, fn):
        reasons |= reasons_of_member(host, member)
    for peer in peers(host, fn):
        if is_bridge_function(peer) and peer.get("driver") not in NOT_HOST_DRIVERS:
            reasons.add("GroupHostDriver")
    if override not in FINAL:
        reasons.discard(override)
    return min(reasons, key=WEIGHT.get) if reasons else None


def guilty(host, fn, reason):
    """The functions of the closure that have the reason."""
    return [m for m in closure(host, fn) if reason in reasons_of_member(host, m)]


def ways(host, fn, reason):
    """The chains, as they are printed, by which the closure has a host use."""
    return [f"{m['at']} → {way}" for m in guilty(host, fn, reason) for way in uses_of(host, m["at"])[reason]]


def has_no_object(host, fn):
    """As today: a management NIC, a VLAN uplink, a NIC's PF with VFs."""
    uses = uses_of(host, fn["at"])
    if "ManagementNIC" in uses or "VlanUplink" in uses:
        return True
    return is_nic(fn) and bool((fn.get("vfs") or {}).get("count"))


def object_functions(host):
    return [fn for fn in listed(host.functions) if not has_no_object(host, fn)]
