# SPDX-License-Identifier: GPL-2.0-or-later
# The story of pcid, told on the guest's terminal.
. ./story.sh

mke2fs /dev/nvme0n1 >/dev/null 2>&1 && mkdir /data && mount -t ext4 /dev/nvme0n1 /data
uplink=$(ls $devices/0000:05:00.0/net)
ip link set "$uplink" up && ip address add 10.2.0.2/24 dev "$uplink" &&
	ip route add default via 10.2.0.1

tell "A Linux kernel, and what is on its PCI buses."
run "uname -sr"
run "pcid list"

tell "Two virtual functions on the network card; the kernel gives them to igbvf."
run "echo 2 > /sys/bus/pci/devices/0000:01:00.0/sriov_numvfs"
wait_for on igbvf 0000:01:10.0 0000:01:10.2
drivers >/tmp/first
run "pcid list --driver igbvf"

tell "What would a claim of the first one do? Then do it."
run "pcid plan 0000:01:10.0"
run "pcid claim 0000:01:10.0"

tell "A GPU: its sound chip shares the IOMMU group, so both must move."
run "pcid claim 0000:06:00.0"

tell "A card behind a conventional bridge: three functions move, the bridge stays."
run "pcid claim 0000:04:02.0"

tell "What the host lives on is refused, and the way from the device to its use is named."
refused "pcid claim 0000:02:00.0"
refused "pcid claim 0000:05:00.0"
refused "pcid claim 0000:01:00.0"

tell "What is claimed."
run "pcid list --driver vfio-pci"
run "ls /var/lib/vfiobox/desired/local/pcideviceclaims"

tell "Opened through VFIO as a virtual machine would: group, container, IOMMU, DMA, device."
run "vfioprobe 0000:01:10.0"
run "vfioprobe 0000:06:00.0 0000:06:00.1"
run "vfioprobe 0000:04:01.0 0000:04:02.0 0000:04:03.0"

tell "While a process holds a device it is not taken away."
echo "node1 # vfioprobe -h 0000:01:10.0 &"
vfioprobe -h 0000:01:10.0 >/tmp/held 2>&1 &
holder=$!
wait_for grep -q open /tmp/held
refused "pcid release 0000:01:10.0 --timeout 1"
echo "node1 # kill %1"
kill $holder
wait $holder 2>/dev/null

tell "All of it goes back."
run "pcid apply"
run "pcid release 0000:06:00.0"
run "pcid release 0000:04:02.0"
run "pcid list"
drivers >/tmp/last
if diff /tmp/first /tmp/last >/tmp/changed; then
	tell "Every device is on the driver it had at first."
else
	tell "*** devices that are not on the driver they had at first ***"
	cat /tmp/changed
	failed=$((failed + 1))
fi
end_story
