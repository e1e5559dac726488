# SPDX-License-Identifier: GPL-2.0-or-later
"""pcid on a real kernel: every check of the guests' scripts is a test here, and what they dumped is
judged against the kernel's own view and against lspci's."""
import json
import re

import pytest

import vm

CHECKED = ("main", "noiommu", "hostuse", "steps", "sriov", "hotplug",
           "hotplug-daemon", "vfs", "state", "moved", "early-plain", "early-systemd")
RFC3339_UTC = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
API = "devices.harvesterhci.io/v1beta1"
VF_RESOURCE = "intel.com/82576_VIRTUAL_FUNCTION"
OBJECT_FIELDS = {"apiVersion", "kind", "metadata", "spec", "status"}


@pytest.mark.parametrize("scenario, name", [(s, name) for s in CHECKED for name in vm.checks_of(s)])
def test_check(guests, scenario, name):
    results, why = guests.results(scenario)
    assert name in results.checks, f"the guest never came to this check: {why}"
    check = results.checks[name]
    if check.skipped:
        pytest.skip(check.skipped)
    assert check.passed, "\n".join(check.details)


@pytest.mark.parametrize("scenario", CHECKED)
def test_script_ran_to_its_end(guests, scenario):
    results, why = guests.results(scenario)
    assert results.finished, why
    assert not results.twice
    assert sorted(results.checks) == sorted(vm.checks_of(scenario))


def dumped(guests, scenario, name):
    results, why = guests.results(scenario)
    assert name in results.dumps, f"the guest never came to this dump: {why}"
    return results.dumps[name]


def dumped_json(guests, scenario, name):
    return json.loads("\n".join(dumped(guests, scenario, name)))


def devices(guests, scenario, name):
    """Address → PCIDevice of a dumped list."""
    listed = dumped_json(guests, scenario, name)
    assert listed["kind"] == "List" and listed["apiVersion"] == "v1"
    found = {item["status"]["address"]: item for item in listed["items"]}
    assert len(found) == len(listed["items"])
    return found


def lspci(guests, scenario):
    """Address → (class, vendor, device, driver) by lspci, of each function but PCI bridges."""
    drivers, address = {}, None
    for line in dumped(guests, scenario, "lspci.nnk"):
        if not line.startswith("\t"):
            address = line.split(" ")[0]
        elif found := re.match(r"\tKernel driver in use: (.*)", line):
            drivers[address] = found[1]
    functions = {}
    for line in dumped(guests, scenario, "lspci.mmn"):
        address = line.split(" ")[0]
        kind, vendor, device = re.findall(r'"([^"]*)"', line)[:3]
        if kind != "0604":
            functions[address] = (kind, vendor, device, drivers.get(address, ""))
    return functions


def condition(thing, kind):
    found = [c for c in thing["status"]["conditions"] if c["type"] == kind]
    assert len(found) == 1, thing["status"]["conditions"]
    return found[0]


@pytest.mark.parametrize("scenario", ["main", "noiommu"])
def test_list_is_what_lspci_sees(guests, scenario):
    functions = lspci(guests, scenario)
    assert len(functions) > 10
    seen = {address: (d["status"]["classId"], d["status"]["vendorId"], d["status"]["deviceId"],
                      d["status"].get("kernelDriverInUse", ""))
            for address, d in devices(guests, scenario, "list.json").items()}
    assert seen == functions


@pytest.mark.parametrize("scenario", ["main"])
def test_list_has_the_kernels_iommu_groups(guests, scenario):
    paths = [path.split("/") for path in dumped(guests, scenario, "groups")]
    groups = {path[-1]: path[4] for path in paths}
    for address, device in devices(guests, scenario, "list.json").items():
        assert device["status"]["iommuGroup"] == groups[address]


@pytest.mark.parametrize("scenario", ["noiommu"])
def test_without_iommu_no_device_is_offered(guests, scenario):
    for device in devices(guests, scenario, "list.json").values():
        assert device["status"]["iommuGroup"] == ""
        assert condition(device, "Offered")["status"] == "False"


@pytest.mark.parametrize("scenario", ["main"])
@pytest.mark.parametrize("dump, wanted", [
    ("list.class", lambda f: f[0].startswith("02")),
    ("list.vendor", lambda f: f[1] == "1af4"),
    ("list.driver", lambda f: f[3] == "igbvf"),
])
def test_filter(guests, scenario, dump, wanted):
    functions = lspci(guests, scenario)
    expected = {address for address, function in functions.items() if wanted(function)}
    assert expected
    assert set(devices(guests, scenario, dump)) == expected


@pytest.mark.parametrize("scenario", ["main"])
def test_filter_by_group(guests, scenario):
    group = devices(guests, scenario, "list.group")
    assert set(group) == {"0000:04:01.0", "0000:04:02.0", "0000:04:03.0"}


@pytest.mark.parametrize("scenario", ["main"])
@pytest.mark.parametrize("dump", ["list.table", "list.wide"])
def test_table_has_every_function(guests, scenario, dump):
    rows = {line.split()[0] for line in dumped(guests, scenario, dump)[1:]}
    assert set(lspci(guests, scenario)) <= rows


@pytest.mark.parametrize("scenario", ["main"])
def test_observed_device(guests, scenario):
    device = dumped_json(guests, scenario, "claimed.device")
    assert set(device) <= OBJECT_FIELDS
    assert (device["apiVersion"], device["kind"]) == (API, "PCIDevice")
    assert device["metadata"]["name"] == "node1-000001100"
    assert device["metadata"]["labels"]["nodename"] == "node1"
    assert device["metadata"]["annotations"]["harvesterhci.io/pcideviceDriver"] == "igbvf"
    status = dict(device["status"])
    assert status.pop("iommuGroup").isdecimal()
    assert isinstance(status.pop("numaNode"), int)
    assert status.pop("conditions")
    assert status == {
        "address": "0000:01:10.0", "vendorId": "8086", "deviceId": "10ca", "classId": "0200",
        "nodeName": "node1", "resourceName": VF_RESOURCE, "kernelDriverInUse": "vfio-pci",
        "description": "Ethernet controller: Intel Corporation 82576 Virtual Function"}


@pytest.mark.parametrize("scenario", ["main"])
@pytest.mark.parametrize("dump, address, driver", [("claimed.vf", "0000:01:10.0", "igbvf"),
                                                   ("claimed.peer", "0000:04:01.0", "e1000")])
def test_observed_claim(guests, scenario, dump, address, driver):
    claim = dumped_json(guests, scenario, dump)
    assert (claim["apiVersion"], claim["kind"]) == (API, "PCIDeviceClaim")
    assert claim["metadata"]["name"] == "node1-" + re.sub("[:.]", "", address)
    assert claim["spec"]["address"] == address and claim["spec"]["nodeName"] == "node1"
    assert claim["status"]["kernelDriverToUnbind"] == driver
    assert claim["status"]["passthroughEnabled"] is True
    assert condition(claim, "Bound")["status"] == "True"
    for entry in claim["status"]["conditions"]:
        assert set(entry) == {"type", "status", "reason", "message", "lastTransitionTime"}
        assert entry["status"] in ("True", "False", "Unknown")
        assert RFC3339_UTC.fullmatch(entry["lastTransitionTime"])


@pytest.mark.parametrize("scenario", ["main"])
def test_peers_claim_is_its_devices_and_its_users(guests, scenario):
    claim = dumped_json(guests, scenario, "claimed.peer")
    wish = dumped_json(guests, scenario, "claimed.wish")
    assert claim["spec"]["userName"] == wish["spec"]["userName"]
    owners = [(o["kind"], o["name"]) for o in claim["metadata"]["ownerReferences"]]
    assert owners == [("PCIDevice", "node1-000004010")]


@pytest.mark.parametrize("scenario", ["main"])
def test_users_claim_is_accepted(guests, scenario):
    assert condition(dumped_json(guests, scenario, "claimed.vf"), "Accepted")["status"] == "True"


@pytest.mark.parametrize("scenario", ["main"])
def test_wish_is_a_wish_only(guests, scenario):
    wish = dumped_json(guests, scenario, "claimed.wish")
    assert wish["spec"]["address"] == "0000:01:10.0" and wish["spec"]["nodeName"] == "node1"
    assert "status" not in wish


@pytest.mark.parametrize("scenario", ["main"])
def test_kept_has_the_driver_of_first_sight(guests, scenario):
    assert '"igbvf"' in "\n".join(dumped(guests, scenario, "claimed.kept"))


@pytest.mark.parametrize("scenario", ["main"])
def test_pf_with_claimed_vfs_is_listed_but_not_observed(guests, scenario):
    assert "node1-000001000.json" not in dumped(guests, scenario, "claimed.observed")
    assert "node1-000001100.json" in dumped(guests, scenario, "claimed.observed")
    pf = devices(guests, scenario, "claimed.list")["0000:01:00.0"]
    assert condition(pf, "Offered")["status"] == "False"


@pytest.mark.parametrize("scenario", ["main"])
def test_refused_wish_has_its_condition(guests, scenario):
    claim = dumped_json(guests, scenario, "refused.claim")
    accepted = condition(claim, "Accepted")
    assert (accepted["status"], accepted["reason"]) == ("False", "PFHasVFs")
    assert "0000:01:00.0" in accepted["message"]
    assert claim["status"].get("passthroughEnabled", False) is False


@pytest.mark.parametrize("scenario", ["main"])
@pytest.mark.parametrize("address, resource", [("0000:01:10.2", "intel.com/node1-000001102"),
                                               ("0000:01:10.4", "example.com/MINE")])
def test_resource_name_of_its_own(guests, scenario, address, resource):
    claimed = devices(guests, scenario, "named.list")[address]
    assert claimed["status"]["resourceName"] == resource
    released = devices(guests, scenario, "released.list")[address]
    assert released["status"]["resourceName"] == VF_RESOURCE


@pytest.mark.parametrize("scenario", ["main"])
def test_held_device_says_who_holds_it(guests, scenario):
    claim = dumped_json(guests, scenario, "held.claim")
    released = condition(claim, "Released")
    assert released["status"] == "False"
    assert re.search(r"\b\d+\b.*vfioprobe|vfioprobe.*\b\d+\b", released["message"])


@pytest.mark.parametrize("scenario", ["hostuse"])
@pytest.mark.parametrize("address", ["0000:02:00.0", "0000:00:10.0", "0000:00:14.0",
                                     "0000:00:15.0"])
def test_device_in_use_is_not_offered(guests, scenario, address):
    device = devices(guests, scenario, "list.json")[address]
    assert condition(device, "Offered")["status"] == "False"


@pytest.mark.parametrize("scenario", ["hostuse"])
def test_management_nic_has_no_object(guests, scenario):
    observed = dumped(guests, scenario, "observed")
    assert "node1-000005000.json" in observed
    assert "node1-000000140.json" not in observed


@pytest.mark.parametrize("scenario", ["hostuse"])
def test_override_is_kept_in_the_wish(guests, scenario):
    wish = dumped_json(guests, scenario, "overridden.wish")
    assert wish["metadata"]["annotations"]["vfiobox.io/override"] == "NetworkAddress"


@pytest.mark.parametrize("scenario", ["hotplug", "hotplug-daemon"])
def test_device_that_is_pulled_out_keeps_its_name_and_ids(guests, scenario):
    pulled = dumped_json(guests, scenario, "pulled.device")
    back = dumped_json(guests, scenario, "back.device")
    assert pulled["metadata"] == back["metadata"]
    for field in ("address", "vendorId", "deviceId", "classId", "resourceName", "description"):
        assert pulled["status"][field] == back["status"][field]
    assert condition(pulled, "Present")["status"] == "False"
    assert "Present" not in {c["type"] for c in back["status"]["conditions"]}


@pytest.mark.parametrize("scenario", ["hotplug", "hotplug-daemon"])
def test_claim_of_a_device_that_is_pulled_out_is_passed_through_no_more(guests, scenario):
    claim = dumped_json(guests, scenario, "pulled.claim")
    assert claim["status"]["passthroughEnabled"] is False
    assert "0000:02:00.0" in condition(claim, "Accepted")["message"]


@pytest.mark.parametrize("scenario", ["vfs"])
def test_seconds_are_told(guests, scenario):
    told = [line.split(":")[0] for line in dumped(guests, scenario, "seconds")]
    assert told == ["claim of 254", "apply of all, nothing to do", "release of 254",
                    "the kernel's own unbinding of 20"]


@pytest.mark.parametrize("scenario", ["moved"])
def test_record_knows_a_device_by_what_the_kernel_and_its_config_space_say(guests, scenario):
    nic = dumped_json(guests, scenario, "kept.nic")
    assert nic["serial"] == {"dsn": "52-54-00-ff-ff-12-34-01", "mac": "52:54:00:12:34:01"}
    assert nic["slot"] == "pci0000:00/04.0/00.0"
    edu = dumped_json(guests, scenario, "kept.edu")
    assert edu["serial"] == {} and edu["slot"] == "pci0000:00/05.0/00.0"


@pytest.mark.parametrize("scenario", ["sriov"])
def test_observed_nic(guests, scenario):
    nic = dumped_json(guests, scenario, "three.json")
    assert set(nic) <= OBJECT_FIELDS
    assert (nic["apiVersion"], nic["kind"]) == (API, "SRIOVNetworkDevice")
    interface = nic["metadata"]["annotations"]["sriov.devices.harvesterhi.io/interface-name"]
    assert nic["metadata"]["name"] == f"node1-{interface}"
    assert nic["metadata"]["labels"] == {"nodename": "node1"}
    assert nic["spec"] == {"address": "0000:01:00.0", "nodeName": "node1", "numVFs": 3}
    assert condition(nic, "Applied")["status"] == "True"
    status = {key: value for key, value in nic["status"].items() if key != "conditions"}
    assert status == {
        "status": "sriovNetworkDeviceEnabled",
        "vfAddresses": ["0000:01:10.0", "0000:01:10.2", "0000:01:10.4"],
        "vfPCIDevices": ["node1-000001100", "node1-000001102", "node1-000001104"]}


@pytest.mark.parametrize("scenario", ["early-plain", "early-systemd"])
def test_early_report_is_of_the_last_stage_and_has_every_function(guests, scenario):
    report = dumped_json(guests, scenario, "early.json")
    assert (report["stage"], report["disabled"]) == (2, None)
    assert {f["address"]: f["result"] for f in report["functions"]} == {
        "0000:02:00.0": "bound", "0000:03:00.0": "bound", "0000:04:00.0": "bound"}


@pytest.mark.parametrize("scenario", ["early-plain"])
def test_early_report_says_that_it_was_turned_off(guests, scenario):
    report = dumped_json(guests, scenario, "disabled.json")
    assert "vfiobox.disable" in report["disabled"]
    assert report["functions"] == []
