# SPDX-License-Identifier: GPL-2.0-or-later
"""Resource names and descriptions: the rules written a second time, over every device of the locked
pci.ids, against the built-in table, against --ids, and against Kubernetes' own rule of names."""
import os
import re
import subprocess

import pytest

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
CACHE = os.environ.get("VFIOBOX_CACHE", os.path.expanduser("~/.cache/vfiobox"))
PCI_IDS = os.environ.get("PCI_IDS", f"{CACHE}/sysroot-x86_64/share/misc/pci.ids")
SOCKET = "/var/lib/kubelet/device-plugins/kubevirt-/"


def drive(name, text):
    done = subprocess.run([f"{TOP}/out/x86_64/tests/drive-{name}"], input=text, capture_output=True, timeout=60)
    return done.returncode, done.stdout, done.stderr


def read_ids(lines):
    """vendors, devices, classes, subclasses: id → name, the last of its like."""
    vendors, devices, classes, subclasses = {}, {}, {}, {}
    vendor = base = None
    for line in lines:
        if line.startswith("#") or not line.strip() or line.startswith("\t\t"):
            continue
        if found := re.match(r"C ([0-9a-f]{2})  (.*)", line):
            vendor, base = None, found[1]
            classes[base] = found[2].strip()
        elif found := re.match(r"([0-9a-f]{4})  (.*)", line):
            vendor, base = found[1], None
            vendors[vendor] = found[2].strip()
        elif found := re.match(r"\t([0-9a-f]+)  (.*)", line):
            if vendor:
                devices[vendor, found[1]] = found[2].strip()
            elif base:
                subclasses[base, found[1]] = found[2].strip()
    return vendors, devices, classes, subclasses


def resource_name(vendor_name, product_name, device):
    bracket = re.search(r"\[([^]]*)\]", vendor_name)
    word = bracket[1].split("/")[0] if bracket and bracket[1] else vendor_name.split()[0]
    vendor = re.sub("[^A-Za-z0-9]", "", word).lower() + ".com"
    product = re.sub(r"[ \t\n\r\f\v]+", "_", re.sub("[/.]", "_", product_name.strip()))
    product = re.sub("[^A-Za-z0-9_.]", "", product).upper().rstrip("_.-")

    def too_long(text):
        return len(f"{SOCKET}{vendor}-{text}.sock") > 108

    if too_long(product):
        product = product.replace("VIRTUAL_FUNCTION", "VF")
    if too_long(product):
        product = ""
    return f"{vendor}/{product or device}"


@pytest.fixture(scope="module")
def names():
    assert os.path.exists(PCI_IDS), "the locked pci.ids is where the build leaves it"
    with open(PCI_IDS, encoding="utf-8") as file:
        return read_ids(file)


def test_every_device_of_the_locked_table(names):
    vendors, devices, classes, subclasses = names
    asked = sorted(devices)
    assert len(asked) > 15000
    code, out, err = drive("names", "".join(f"{v}:{d} 0200\n" for v, d in asked).encode())
    assert code == 0, err
    answers = out.decode().splitlines()
    assert len(answers) == len(asked)
    for (vendor, device), answer in zip(asked, answers):
        resource, description = answer.split("\t")
        assert resource == resource_name(vendors[vendor], devices[vendor, device], device), (vendor, device)
        assert description == f"Ethernet controller: {vendors[vendor]} {devices[vendor, device]}"


def test_every_class_of_the_locked_table(names):
    _, _, classes, subclasses = names
    ids = sorted(f"{base}{sub}" for base, sub in subclasses) + [f"{base}fe" for base in sorted(classes)]
    code, out, err = drive("names", "".join(f"8086:10ca {id}\n" for id in ids).encode())
    assert code == 0, err
    for id, answer in zip(ids, out.decode().splitlines()):
        expected = subclasses.get((id[:2], id[2:]), classes[id[:2]])
        assert answer.split("\t")[1] == f"{expected}: Intel Corporation 82576 Virtual Function"


def test_the_text_gives_the_same_names_as_the_built_in_table(names):
    _, devices, _, _ = names
    with open(PCI_IDS, "rb") as file:
        code, out, err = drive("ids", file.read())
    assert code == 0, err
    by_text = dict(line.split("\t")[:2] for line in out.decode().splitlines())
    assert set(by_text) == {f"{v}:{d}" for v, d in devices}
    code, out, _ = drive("names", "".join(f"{id} 0000\n" for id in by_text).encode())
    assert code == 0
    assert [line.split("\t")[0] for line in out.decode().splitlines()] == list(by_text.values())


def test_kubernetes_takes_the_names(names):
    """A qualified name: a DNS subdomain, and at most 63 characters of [A-Za-z0-9_.-] that begin and
    end with a letter or digit."""
    _, devices, _, _ = names
    code, out, _ = drive("names", "".join(f"{v}:{d} 0000\n" for v, d in devices).encode())
    assert code == 0
    for line in out.decode().splitlines():
        domain, _, name = line.split("\t")[0].partition("/")
        assert re.fullmatch(r"[a-z0-9]+\.com", domain), line
        assert re.fullmatch(r"[A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?", name), line


@pytest.mark.parametrize("ids, resource", [
    ("8086:1515", "intel.com/X540_ETHERNET_CONTROLLER_VIRTUAL_FUNCTION"),
    ("1002:5d57", "amd.com/R423_RADEON_X800_XT"),
    ("103c:3300", "hewlettpackard.com/3300"),
    ("8086:fffe", "intel.com/fffe"),
    ("f0f0:1234", "vendor.com/1234"),
])
def test_examples(ids, resource):
    code, out, _ = drive("names", f"{ids} 0200\n".encode())
    assert code == 0
    assert out.decode().split("\t")[0] == resource


def test_what_is_not_known_reads_as_its_id():
    code, out, _ = drive("names", b"f0f0:1234 f7f8\n")
    assert code == 0
    assert out.decode() == "vendor.com/1234\tClass f7f8: Vendor f0f0 Device 1234\n"


def ids_text(vendor, product):
    return f"abcd  {vendor}\n\t0001  {product}\n".encode()


@pytest.mark.parametrize("vendor, product, resource", [
    ("Acme Corp", "A/B.C", "acme.com/A_B_C"),
    ("Acme Corp", "  two   blanks  ", "acme.com/TWO_BLANKS"),
    ("Acme Corp", "dash-ed (x) [y]", "acme.com/DASHED_X_Y"),
    ("Acme Corp", "ends in . / _", "acme.com/ENDS_IN"),
    ("Acme Corp", "(((", "acme.com/0001"),
    ("Advanced Micro Devices, Inc. [AMD/ATI]", "x", "amd.com/X"),
    ("Broadcom / LSI", "x", "broadcom.com/X"),
    ("Hewlett-Packard Company", "x", "hewlettpackard.com/X"),
    ("Acme []", "x", "acme.com/X"),
])
def test_rules(vendor, product, resource):
    code, out, err = drive("ids", ids_text(vendor, product))
    assert code == 0, err
    assert out.decode().split("\t")[1] == resource


@pytest.mark.parametrize("over", [0, 1])
def test_the_socket_path_may_have_108_characters(over):
    room = 108 - len(f"{SOCKET}acme.com-.sock")
    product = "P" * (room + over)
    code, out, _ = drive("ids", ids_text("Acme", product))
    assert code == 0
    assert out.decode().split("\t")[1] == ("acme.com/0001" if over else f"acme.com/{product}")


def test_a_long_virtual_function_is_a_vf():
    product = "P" * 40 + " Virtual Function"
    code, out, _ = drive("ids", ids_text("Acme", product))
    assert code == 0
    assert out.decode().split("\t")[1] == "acme.com/" + "P" * 40 + "_VF"


@pytest.mark.parametrize("text, line", [
    (b"8086\n", 1), (b"8086  Intel\n\tzz  x\n", 2), (b"\t0001  no vendor\n", 1), (b"8086  \n", 1),
    (b"8086  Intel\nnonsense here\n", 2), (b"C 0  x\n", 1), (b"# fine\n\x00\x00\n", 2),
])
def test_what_is_no_table_is_refused_with_its_line(text, line):
    code, out, err = drive("ids", text)
    assert (code, out) == (1, b"")
    assert f"line {line}:".encode() in err
