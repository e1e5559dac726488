# SPDX-License-Identifier: GPL-2.0-or-later
# A system on a disk, whose next boots are by an initramfs of dracut's. Of four NICs one is claimed
# and in what is baked for that initramfs, one is claimed later, so that only the disk knows.
. ./lib.sh
baked=0000:02:00.0 late=0000:03:00.0

sed 's/^/# /' /run/started
bake() {
	pcid bake /tmp/baked.cpio && cat /tmp/baked.cpio >/dev/vdb && sync
}

mkdir -p /etc
echo 'NAME=guest' >/etc/os-release
check "claim a NIC" pcid claim $baked
check "bake the state for the initramfs" bake
check "claim another NIC" pcid claim $late
check "the two are on vfio-pci" on vfio-pci $baked $late
finish
