# SPDX-License-Identifier: GPL-2.0-or-later
# Two cards are claimed, one with a serial number and one without. Then the machine is opened.
. ./lib.sh
nic=0000:01:00.0 edu=0000:02:00.0
export VFIOBOX_STATE=/state/vfiobox

sed 's/^/# /' /run/started
check "a state disk" new_state_disk
check "claim two cards" pcid claim $nic $edu
check "the cards are on vfio-pci" on vfio-pci $nic $edu
dump kept.nic cat $VFIOBOX_STATE/kept/pcidevices/node1-000001000.json
dump kept.edu cat $VFIOBOX_STATE/kept/pcidevices/node1-000002000.json
check "the state disk is left as it should be" umount /state
finish
