# SPDX-License-Identifier: GPL-2.0-or-later
# The first boot of a machine that keeps vfiobox's state on a disk of its own: two cards are claimed,
# and the machine is switched off with both bound.
. ./lib.sh
nvme=0000:01:00.0 nic=0000:02:00.0
export VFIOBOX_STATE=/state/vfiobox

sed 's/^/# /' /run/started

check "the state disk is new" new_state_disk
check "claim two cards" pcid claim $nic $nvme
check "both are on vfio-pci" on vfio-pci $nic $nvme
check "the state is on the disk, and nowhere else" \
	test -s /state/vfiobox/desired/machine -a ! -e /var/lib/vfiobox
check "the disk is left as it should be" umount /state
finish
