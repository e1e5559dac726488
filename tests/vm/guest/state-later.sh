# SPDX-License-Identifier: GPL-2.0-or-later
# The next boot: passes come before the disk with the state is there, while it is, and after it went.
# As long as it is not to be seen nothing is released, deleted or written in its place.
. ./lib.sh
nvme=0000:01:00.0 nic=0000:02:00.0
export VFIOBOX_STATE=/state/vfiobox

sed 's/^/# /' /run/started

same_drivers() {
	drivers >/tmp/now
	diff /tmp/first /tmp/now
}
nothing_written() {
	ls -A /state | grep . && return 1
	return 0
}
bound() {
	on vfio-pci $nic $nvme && grep '"passthroughEnabled": true' "$(claim_of $nic)" &&
		grep '"passthroughEnabled": true' "$(claim_of $nvme)" &&
		grep '"kernelDriverToUnbind": "nvme"' "$(claim_of $nvme)"
}
observed() {
	find /run/vfiobox/observed -name '*.json' -exec md5sum {} + | sort
}

### Before the mount. The NVMe controller is on vfio-pci already, as early boot leaves it.

releases_nothing() {
	pcid apply
	[ $? -le 1 ] && same_drivers
}

mkdir -p /state
modprobe vfio-pci
move $nvme vfio-pci
drivers >/tmp/first
check "before the mount one is on vfio-pci, one with the host" \
	test "$(driver $nvme) $(driver $nic)" = "vfio-pci e1000e"
dump early.apply pcid apply
check "before the mount a pass releases nothing" releases_nothing
check "nor does a release" says "$nvme;not claimed" pcid release $nvme
check "nothing is written where the disk is to be mounted" nothing_written

### After it.

check "the state disk is mounted" mount_state
check "a pass binds what was claimed before" pcid apply
check "both are bound, and their own driver is known" bound
check "the one that was on vfio-pci opens through VFIO" vfioprobe $nvme
check "the one that was with the host opens through VFIO" vfioprobe $nic

### The disk goes.

releases_and_deletes_nothing() {
	observed >/tmp/observed.1
	releases_nothing && observed >/tmp/observed.2 && grep -c claims /tmp/observed.2 &&
		diff /tmp/observed.1 /tmp/observed.2
}

drivers >/tmp/first
cp -a /state/vfiobox /tmp/copy
check "the state disk goes" umount /state
dump late.apply pcid apply
check "without it a pass releases nothing and deletes nothing" releases_and_deletes_nothing
check "a claim without it is refused" says "$nic" pcid claim $nic
check "still nothing is written in its place" nothing_written

### Another machine's disk comes in its place.

foreign_disk() {
	mount -t tmpfs tmpfs /state && cp -a /tmp/copy /state/vfiobox &&
		echo "node node2" >/state/vfiobox/desired/machine
}
by_it_nothing_is_released() {
	says "StateForeign;another machine" pcid apply && same_drivers &&
		test -s "$(claim_of $nic)" -a -s "$(claim_of $nvme)"
}
it_stays_as_it_is() {
	says "$nic" pcid release $nic || return 1
	[ "$(diff -rq /tmp/copy /state/vfiobox)" = \
		"Files /tmp/copy/desired/machine and /state/vfiobox/desired/machine differ" ]
}

check "another machine's state is mounted" foreign_disk
check "by it nothing is released" by_it_nothing_is_released
check "it stays as it is" it_stays_as_it_is
umount /state

### And all is well again.

check "the disk is back" mount_state
check "a pass finds all as it was" pcid apply
check "both are still bound" bound
check "release both" pcid release $nic $nvme
check "the one is with its driver again" on nvme $nvme
check "so is the other" on e1000e $nic
check "the kernel has nothing to complain of" kernel_content
finish
