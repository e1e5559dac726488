# SPDX-License-Identifier: GPL-2.0-or-later
# The system after dracut's initramfs, with vfiobox in it, has booted it: what was claimed is on
# vfio-pci, and what the initramfs itself knew of was never seen by a driver of the host.
. ./lib.sh
free=0000:01:00.0 baked=0000:02:00.0 late=0000:03:00.0 named=0000:04:00.0

sed 's/^/# /' /run/started
dmesg >/tmp/log
drivers >/tmp/first

same_drivers() {
	drivers >/tmp/now
	diff /tmp/first /tmp/now
}
# line_of WORDS: where the log says so first.
line_of() {
	grep -nF -m 1 -- "$1" /tmp/log | cut -d: -f1 | grep .
}
# unseen ADDRESS...: the host's driver has said nothing of them.
unseen() {
	local address
	for address in "$@"; do
		grep -F "e1000e $address" /tmp/log && return 1
	done
	return 0
}
before_any_driver() {
	[ "$(line_of "early: $1: bound to vfio-pci")" -lt "$(line_of "e1000e: ")" ]
}
after_the_driver() {
	[ "$(line_of "early: $1: bound to vfio-pci")" -gt "$(line_of "e1000e $1")" ]
}
all_open() {
	vfioprobe $baked && vfioprobe $late && vfioprobe $named
}
pass_finds_all_done() {
	pcid apply && same_drivers
}
known_driver() {
	grep '"kernelDriverToUnbind": "e1000e"' "$(claim_of $baked)" "$(claim_of $late)" | wc -l |
		grep -x 2
}
boots() {
	grep "\"begun\": $1" /var/lib/vfiobox/kept/early/boots.json
}

### What the boot has left.

check "the NIC that was baked is on vfio-pci" on vfio-pci $baked
check "so is the one that the command line names" on vfio-pci $named
check "so is the one that only the disk knows of" on vfio-pci $late
check "the one that nobody claims is with its driver" on e1000e $free
check "no driver of the host has seen the first two" unseen $baked $named
check "the baked one was bound before any driver was there" before_any_driver $baked
check "so was the named one" before_any_driver $named
check "the one of the disk was taken off its driver" after_the_driver $late
check "all three open through VFIO" all_open
dump early.json cat /run/vfiobox/early.json
check "the boot is counted" boots 1

### The system takes over.

check "a pass finds all as it should be" pass_finds_all_done
check "the claims know the driver that was not there" known_driver
check "without a claim the named one is not released behind its back" on vfio-pci $named
if [ -e /run/systemd/system ]; then
	check "before the system is up no new claim is accepted" says "Unsettled" pcid claim $named
else
	skip "before the system is up no new claim is accepted" "nobody says when without systemd"
fi
check "the boot is one that came up" pcid settled
check "none is counted any more" boots 0
check "it can be claimed" pcid claim $named
check "and released: now a driver sees it" pcid release $named
check "it is with the host" on e1000e $named
check "the kernel has nothing to complain of" kernel_content
finish
