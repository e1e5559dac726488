# SPDX-License-Identifier: GPL-2.0-or-later
# pcid on a machine without an IOMMU: every claim is refused before anything is touched.
. ./lib.sh
nic=0000:05:00.0 virtio=0000:04:02.0

sed 's/^/# /' /run/started
drivers >/tmp/first

same_drivers() {
	drivers >/tmp/now
	diff /tmp/first /tmp/now
}
nothing_written() {
	find /var/lib/vfiobox/desired -name '*.json' 2>/dev/null | grep . && return 1
	return 0
}

check "the machine has no IOMMU group" test -z "$(ls /sys/kernel/iommu_groups)"
dump list.json pcid list -o json
dump lspci.mmn lspci -Dmmn
dump lspci.nnk lspci -Dnnk
check "list" pcid list
check "list the IOMMU groups" pcid list --groups
check "show a NIC" pcid show $nic
check "a claim is refused and says what to do" \
	says "$nic;NoIOMMUGroup;intel_iommu=on" pcid claim $nic
check "so is a claim behind the bridge" says "$virtio;NoIOMMUGroup" pcid claim $virtio
check "plan says the same" says "NoIOMMUGroup" pcid plan $nic
check "no wish is written" nothing_written
check "apply has nothing to do" pcid apply
check "every device is on its driver" same_drivers
check "no module was loaded" test ! -e /sys/module/vfio
finish
