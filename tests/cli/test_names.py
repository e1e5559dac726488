# SPDX-License-Identifier: GPL-2.0-or-later
"""Resource names and descriptions: the rules written a second time, over every device of the locked
pci.ids, against the built-in table, against its text, and against Kubernetes' own rule of names."""
import os
import re
import subprocess

import pytest

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
CACHE = os.environ.get("VFIOBOX_CACHE", os.path.expanduser("~/.cache/vfiobox"))
PCI_IDS = os.environ.get("PCI_IDS", f"{CACHE}/sysroot-x86_64/share/misc/pci.ids")
USB_IDS = os.environ.get("USB_IDS", f"{CACHE}/sysroot-x86_64/share/misc/usb.ids")
SOCKET = "/var/lib/kubelet/device-plugins/kubevirt-/"


def drive(name, text):
    done = subprocess.run([f"{TOP}/out/x86_64/tests/drive-{name}"], input=text, capture_output=True, timeout=60)
    return done.returncode, done.stdout, done.stderr


def read_ids(path):
    """vendors, devices, classes, subclasses: id → name, the last of its like."""
    vendors, devices, classes, subclasses = {}, {}, {}, {}
    with open(path, encoding="utf-8") as file:
        lines = file.read().split("\n")
    parent = children = None
    for line in lines:
        if line.startswith(("#", "\t\t")) or not line.strip():
            continue
        if found := re.match(r"C ([0-9a-f]{2})  (.*)", line):
            parent, children = found[1], subclasses
            classes[parent] = found[2].strip()
        elif found := re.match(r"([0-9a-f]{4})  (.*)", line):
            parent, children = found[1], devices
            vendors[parent] = found[2].strip()
        elif not line.startswith("\t"):
            parent = None  # another section of usb.ids
        elif parent:
            found = re.match(r"\t([0-9a-f]+)  (.*)", line)
            children[parent, found[1]] = found[2].strip()
    return vendors, devices, classes, subclasses


def resource_name(vendor_name, product_name, device):
    bracket = re.search(r"\[([^]]+)\]", vendor_name)
    word = bracket[1].split("/")[0] if bracket else vendor_name.split()[0]
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
    return read_ids(PCI_IDS)


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
    by_text = dict(line.split("\t", 1) for line in out.decode().splitlines())
    assert list(by_text) == sorted(f"{v}:{d}" for v, d in devices)
    code, out, _ = drive("names", "".join(f"{id} 0000\n" for id in by_text).encode())
    assert code == 0
    assert out.decode().splitlines() == list(by_text.values())


def test_every_usb_name_of_the_locked_table():
    vendors, products, classes, _ = read_ids(USB_IDS)
    asked = {f"{v}:{p}": f"{vendors[v]}\t{name}" for (v, p), name in products.items()}
    asked |= {f"{v}:fffe": f"{name}\t" for v, name in vendors.items() if (v, "fffe") not in products}
    asked |= classes | {"fffd:0001": "\t", "fd": ""}
    assert len(asked) > 20000
    code, out, err = drive("names", "".join(f"usb {id}\n" for id in asked).encode())
    assert code == 0, err
    assert out.decode().split("\n")[:-1] == list(asked.values())


@pytest.mark.parametrize("arch", os.environ.get("ARCHES", "x86_64 aarch64").split())
def test_the_table_is_read_only_in_a_section_of_its_own(arch):
    done = subprocess.run(["readelf", "--wide", "--sections", "--relocs", f"{TOP}/out/{arch}/vfiobox"],
                          capture_output=True, text=True, check=True)
    section = re.search(r"\] \.ids +PROGBITS +(\w+) \w+ (\w+) \w+ +(\w+) ", done.stdout)
    start, size = int(section[1], 16), int(section[2], 16)
    assert section[3] == "A"
    assert size == os.path.getsize(f"{TOP}/out/gen/ids.bin") < 1_000_000
    moved = [int(line.split()[0], 16) for line in done.stdout.splitlines() if re.match(r"[0-9a-f]{8,} ", line)]
    assert not [at for at in moved if start <= at < start + size]


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
    ("1002:4b49", "amd.com/R481_RADEON_X850_XT_AGP"),
    ("15b3:0212", "mellanox.com/MT2892_FAMILY_CONNECTX6_DX_FLASH_RECOVERY"),
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
    ("Acme [] [Eme]", "x", "eme.com/X"),
    ("Acme [Eme", "x", "acme.com/X"),
    ("Acme [One Two/Three]", "x", "onetwo.com/X"),
    ("Société Générale", "é", "socit.com/0001"),
    ("Acme", "a\tb", "acme.com/A_B"),
    ("Acme", "a / b", "acme.com/A___B"),
])
def test_rules(vendor, product, resource):
    code, out, err = drive("ids", ids_text(vendor, product))
    assert code == 0, err
    assert out.decode().split("\t")[1] == resource


@pytest.mark.parametrize("vendor, product, resource", [
    ("[/Acme] Corp", "x", "vendor.com/X"),
    ("(?) Corp", "x", "vendor.com/X"),
    ("V" * 249, "x", "v" * 249 + ".com/0001"),
    ("V" * 250, "x", "vendor.com/X"),
    ("Acme", "/dev", "acme.com/0001"),
    ("Acme", "__x", "acme.com/0001"),
])
def test_what_kubernetes_would_not_take_is_avoided(vendor, product, resource):
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


def test_a_long_virtual_function_that_stays_too_long_is_its_id():
    code, out, _ = drive("ids", ids_text("Acme", "P" * 50 + " Virtual Function"))
    assert code == 0
    assert out.decode().split("\t")[1] == "acme.com/0001"


def test_order_does_not_matter_and_the_last_name_counts():
    code, out, err = drive("ids", b"8086  Intel\r\n\t0002  two\r\n\t0001  one\r\n1022  AMD\n\t0003  three\n"
                                  b"XYZ 00  another section\n\tof no interest\n"
                                  b"8086  Last\n\t0002  last\n\t\t0001 0002  Subsystem\n")
    assert code == 0, err
    assert [line.split("\t")[:2] for line in out.decode().splitlines()] == [
        ["1022:0003", "amd.com/THREE"], ["8086:0001", "last.com/ONE"], ["8086:0002", "last.com/LAST"]]


@pytest.mark.parametrize("text", [b"", b"# nothing\n", b"\n\n", b"8086  Intel"])
def test_a_table_without_devices_is_one(text):
    assert drive("ids", text) == (0, b"", b"")


@pytest.mark.parametrize("text, line", [
    (b"8086\n", 1), (b"8086  Intel\n\tzz  x\n", 2), (b"\t0001  no vendor\n", 1), (b"8086  \n", 1),
    (b"8086  Intel\nnonsense here\n", 2), (b"C 0  x\n", 1), (b"# fine\n\x00\x00\n", 2),
    (b"DEAD  \n", 1), (b"8086x  Intel\n", 1), (b"0x86  Intel\n", 1), (b"\xef\xbb\xbf8086  Intel\n", 1),
    (b"8086  Int\x1b[2Jel\n", 1), (b"8086  Int\xffel\n", 1), (b"8086  Int\x00el\n", 1),
    (b"8086  Intel\n\t0001  " + b"x" * 1017 + b"\n", 2),
])
def test_what_is_no_table_is_refused_with_its_line(text, line):
    code, out, err = drive("ids", text)
    assert (code, out) == (1, b"")
    assert f"line {line}:".encode() in err


def test_bounds_of_a_text():
    code, out, _ = drive("ids", b"8086  Intel\n\t0001  " + b"x" * 1016 + b"\n")
    assert (code, out.decode().split("\t")[1]) == (0, "intel.com/0001")
    assert drive("ids", b"#\n" * (8 << 20)) == (0, b"", b"")
    code, _, err = drive("ids", b"#\n" * (8 << 20) + b"\n")
    assert (code, err) == (1, b"over 16 MiB\n")
