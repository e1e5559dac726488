# SPDX-License-Identifier: GPL-2.0-or-later
# The same system and initramfs with vfiobox.disable on the command line: the safe way in.
. ./lib.sh
free=0000:01:00.0 baked=0000:02:00.0 late=0000:03:00.0 named=0000:04:00.0

sed 's/^/# /' /run/started
says_why() {
	dmesg | grep -F "vfiobox: early: nothing is bound: vfiobox.disable"
}

check "every NIC is with its driver" on e1000e $free $baked $late $named
check "the log says why" says_why
dump disabled.json cat /run/vfiobox/early.json
check "the claims are still there: a pass binds them" pcid apply
check "they are on vfio-pci" on vfio-pci $baked $late
check "release all" pcid release $baked $late
check "all are with the host" on e1000e $free $baked $late $named
finish
