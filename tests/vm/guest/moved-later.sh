# SPDX-License-Identifier: GPL-2.0-or-later
# Two cards of the same models sit in front of the claimed ones now: every bus has another number, and
# the twins are at the addresses that were claimed.
. ./lib.sh
twin=0000:01:00.0 twin_edu=0000:02:00.0
nic=0000:03:00.0 edu=0000:04:00.0
export VFIOBOX_STATE=/state/vfiobox

sed 's/^/# /' /run/started

twins_are_the_hosts() {
	on e1000e $twin && on none $twin_edu &&
		test "$(cat $devices/$twin/driver_override $devices/$twin_edu/driver_override | sort -u)" = "(null)"
}
# claim_says WORDS: the claim that was made for the NIC's old address.
claim_says() {
	grep -F -- "$1" "$(claim_of $twin)"
}
second_pass_writes_nothing() {
	find /state /run/vfiobox -type f -exec stat -c '%n %i' {} + | sort >/tmp/state.1
	pcid apply && find /state /run/vfiobox -type f -exec stat -c '%n %i' {} + | sort >/tmp/state.2 &&
		diff /tmp/state.1 /tmp/state.2
}

### More cards in front.

check "the state disk is mounted" mount_state
check "a pass" pcid apply
check "the claimed cards are on vfio-pci, at their new addresses" on vfio-pci $nic $edu
check "the twins at the old addresses are left to the host" twins_are_the_hosts
check "the claim says where its card is now" claim_says "sits at $nic now"
check "the claimed cards open through VFIO" vfioprobe $nic
check "a second pass writes nothing" second_pass_writes_nothing
check "a twin's address is refused: its name is taken" says "NameTaken;$nic" pcid claim $twin

### The card with a serial number and its twin change places: it is followed by its number.

gone() {
	test ! -e $devices/$1
}
pull_both() {
	host device_del nic && host device_del twin && wait_for gone $nic && wait_for gone $twin
}
plug_both() {
	host device_add e1000e,id=nic,bus=port1,mac=52:54:00:12:34:01,romfile= &&
		host device_add e1000e,id=twin,bus=port4,mac=52:54:00:12:34:02,romfile= &&
		wait_for on e1000e $nic $twin
}
exchanged() {
	on vfio-pci $twin && on e1000e $nic
}

check "the card and its twin are pulled out" pull_both
check "a pass without them says that it is missing" says "NotFound" pcid apply
check "each is plugged into the other's slot" plug_both
check "a pass finds the card, and asks about its new IOMMU group" says "GroupChanged;$twin" pcid apply
check "neither is taken meanwhile" on e1000e $twin $nic
check "the claim is made again, as the pass says" pcid claim $twin
check "the card is on vfio-pci, its twin is not" exchanged
check "it is back at the address of its claim" claim_says '"passthroughEnabled": true'

### Given back.

at_home() {
	on e1000e $twin $nic && on none $edu $twin_edu
}

check "release both cards" pcid release $twin $edu
check "all are the host's" at_home
check "the kernel has nothing to complain of" kernel_content
finish
