# SPDX-License-Identifier: GPL-2.0-or-later
# pcid on a machine that lives on its devices: a root disk, mounts, swap, dm and loop chains, a
# default route over bridge and bond. Every claim of these is refused, and the refusal names the way
# from the device to what uses it.
. ./lib.sh
root=0000:02:00.0 usb=0000:00:0a.0
data=0000:00:10.0 mapped=0000:00:11.0 swap=0000:00:12.0 looped=0000:00:13.0
uplink=0000:00:14.0 address=0000:00:15.0 member=0000:00:16.0
vga=0000:00:17.0
e1000=0000:04:01.0 edu=0000:04:03.0
free=0000:05:00.0

sed 's/^/# /' /run/started

# netdev ADDRESS: the network interface of a function.
netdev() {
	ls $devices/$1/net $devices/$1/virtio*/net 2>/dev/null | grep -v : | grep .
}
# blockdev ADDRESS: the disk of a virtio function.
blockdev() {
	ls $devices/$1/virtio*/block
}
# filesystem DISK DIRECTORY: a new one, mounted.
filesystem() {
	mkdir -p "$2"
	mke2fs "$1" >/dev/null && mount -t ext4 "$1" "$2"
}

data_disk=$(blockdev $data) mapped_disk=$(blockdev $mapped)
swap_disk=$(blockdev $swap) looped_disk=$(blockdev $looped)
uplink_nic=$(netdev $uplink) address_nic=$(netdev $address) member_nic=$(netdev $member)
e1000_nic=$(netdev $e1000)

setup_disks() {
	filesystem /dev/${data_disk}1 /data &&
	mkdir -p /dev/mapper && dm=$(dmlinear volume /dev/$mapped_disk 20480) &&
	filesystem /dev/$dm /mnt/volume &&
	mkswap /dev/$swap_disk && swapon /dev/$swap_disk &&
	losetup /dev/loop0 /dev/$looped_disk && filesystem /dev/loop0 /mnt/inner &&
	wait_for test -b /dev/sda && mkdosfs /dev/sda && mkdir -p /boot &&
	mount -t vfat /dev/sda /boot
}
setup_network() {
	echo +mgmt-bo >/sys/class/net/bonding_masters &&
	echo "+$uplink_nic" >/sys/class/net/mgmt-bo/bonding/slaves &&
	brctl addbr mgmt-br && brctl addif mgmt-br mgmt-bo &&
	ip link set mgmt-bo up && ip link set mgmt-br up &&
	ip address add 10.1.0.2/24 dev mgmt-br &&
	ip route add default via 10.1.0.1 dev mgmt-br &&
	ip link set "$address_nic" up && ip address add 10.2.0.2/24 dev "$address_nic" &&
	brctl addbr br1 && brctl addif br1 "$member_nic" &&
	ip link set "$e1000_nic" up && ip address add 10.3.0.2/24 dev "$e1000_nic"
}

check "disks are mounted, mapped, looped, swapped on" setup_disks
check "NICs carry a bond, a bridge, addresses, the default route" setup_network
drivers >/tmp/first
dump list.json pcid list -o json
dump list.table pcid list
dump list.groups pcid list --groups
dump mountinfo cat /proc/1/mountinfo

same_drivers() {
	drivers >/tmp/now
	diff /tmp/first /tmp/now
}
nothing_wished() {
	find /var/lib/vfiobox/desired -name '*.json' 2>/dev/null | grep . && return 1
	return 0
}

### Refusals, each with its chain.

check "the disk under / is refused" says "RootDisk;$root → nvme0n1 → /" pcid claim $root
check "a mounted partition is refused" \
	says "Mounted;$data → $data_disk → ${data_disk}1 → /data" pcid claim $data
check "a disk under a mounted dm volume is refused" \
	says "$mapped → $mapped_disk → $dm → /mnt/volume" pcid claim $mapped
check "a disk under a mounted loop device is refused" \
	says "$looped → $looped_disk → loop0 → /mnt/inner" pcid claim $looped
check "a disk with swap is refused" says "Swap;$swap → $swap_disk" pcid claim $swap
check "the USB controller of the boot medium is refused" \
	says "RootDisk;$usb;sda → /boot" pcid claim $usb
check "the NIC of the default route is refused" \
	says "DefaultRoute;$uplink → $uplink_nic → mgmt-bo → mgmt-br" pcid claim $uplink
check "a NIC with an address is refused" \
	says "NetworkAddress;$address → $address_nic;10.2.0.2" pcid claim $address
check "a NIC in a bridge is refused" \
	says "NetworkMember;$member → $member_nic → br1" pcid claim $member
check "a device whose group peer is in use is refused" \
	says "$edu;$e1000 → $e1000_nic" pcid claim $edu
check "beside a serial console the VGA is no console" pcid plan $vga
echo N >/sys/class/tty/ttyS0/console
check "the only console is refused" says "Console;$vga → console tty0" pcid claim $vga
check "plan refuses too" says "RootDisk" pcid plan $root
check "no wish is written" nothing_wished
check "no device moved" same_drivers

### Overrides: never of the root disk or the default route, else by the exact reason only.

check "the root disk cannot be overridden" says "RootDisk" pcid claim $root --override RootDisk
check "the boot medium cannot be overridden" says "RootDisk" pcid claim $usb --override RootDisk
check "the default route cannot be overridden" \
	says "DefaultRoute" pcid claim $uplink --override DefaultRoute
check "a wrong reason does not override" says "Mounted" pcid claim $data --override Swap
check "a word that is no reason is an error of usage" exits 2 pcid claim $data --override Please
check "still no wish is written" nothing_wished
check "still no device moved" same_drivers
umount /data
check "a disk that is in use no more is claimed" pcid claim $data
check "it is on vfio-pci" on vfio-pci $data
check "pcid loaded vfio from plain modules" test -e /sys/module/vfio_pci
check "release it" pcid release $data
check "it is a disk again" wait_for test -b /dev/${data_disk}1
check "the exact reason overrides" pcid claim $address --override NetworkAddress
check "the NIC with an address is on vfio-pci" on vfio-pci $address
check "a console is claimed when asked for" pcid claim $vga --override Console
check "release the console" pcid release $vga
echo Y >/sys/class/tty/ttyS0/console
dump overridden.wish cat "$(wish $address)"
check "release the NIC" pcid release $address
check "a device that nobody uses is claimed without a word" pcid claim $free
check "it opens through VFIO" vfioprobe $free
check "release the free device" pcid release $free
check "every device is on the driver it had at first" same_drivers
dump observed ls /run/vfiobox/observed/pcidevices
finish
