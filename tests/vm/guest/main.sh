# SPDX-License-Identifier: GPL-2.0-or-later
# pcid on a machine with an IOMMU: what it lists, what it claims and gives back, what it refuses,
# how it mends what was cut off.
. ./lib.sh
pf=0000:01:00.0 vf=0000:01:10.0 vf2=0000:01:10.2 vf3=0000:01:10.4
nvme=0000:02:00.0
bridge=0000:03:00.0 e1000=0000:04:01.0 virtio=0000:04:02.0 edu=0000:04:03.0
nic=0000:05:00.0
gpu=0000:06:00.0 sound=0000:06:00.1

sed 's/^/# /' /run/started
echo 3 >$devices/$pf/sriov_numvfs
wait_for on igbvf $vf $vf2 $vf3
drivers >/tmp/first

same_drivers() {
	drivers >/tmp/now
	diff /tmp/first /tmp/now
}

### Looking: what list, show and plan say, and that they change nothing.

plan_names_all() {
	pcid plan $virtio >/tmp/plan 2>&1
	code=$?
	cat /tmp/plan
	grep -q $e1000 /tmp/plan && grep -q $virtio /tmp/plan && grep -q $edu /tmp/plan &&
		[ $code = 0 ]
}

dump list.json pcid list -o json
dump lspci.mmn lspci -Dmmn
dump lspci.nnk lspci -Dnnk
dump groups sh -c 'for d in /sys/kernel/iommu_groups/*/devices/*; do echo $d; done'
dump list.class pcid list --class 02 -o json
dump list.vendor pcid list --vendor 1af4 -o json
dump list.driver pcid list --driver igbvf -o json
dump list.group pcid list --group "$(basename "$(readlink $devices/$edu/iommu_group)")" -o json
dump list.table pcid list
dump list.wide pcid list -o wide
dump list.name pcid list -o name
dump list.groups pcid list --groups
check "list as a table" pcid list -o table
check "list as a wide table" pcid list -o wide
check "list as names" pcid list -o name
check "list as yaml" pcid list -o yaml
check "list the IOMMU groups" pcid list --groups
check "show a VF" pcid show $vf
check "show a GPU" pcid show $gpu
check "show of a function that is not there exits 1" exits 1 pcid show 0000:7f:00.0
check "plan of everything" pcid plan
check "plan of a VF" pcid plan $vf
check "plan of a group names all that would move" plan_names_all
check "plan of a PF with VFs exits 1" exits 1 pcid plan $pf
check "looking loads no module" test ! -e /sys/module/vfio
check "looking writes no wish" test ! -e /var/lib/vfiobox/desired
check "looking moves no device" same_drivers

### A VF: vfio loaded by pcid itself, one function moved, none of the same model with it.

without_modules() {
	mv /lib/modules /lib/modules.away
	says "ModuleMissing;modprobe" pcid claim $vf
	code=$?
	mv /lib/modules.away /lib/modules
	[ $code = 0 ] && on igbvf $vf
}
vfio_loaded() {
	test -e /sys/module/vfio_pci && test -e /sys/module/vfio_iommu_type1
}

check "without its modules a claim says which modprobe to run" without_modules
echo $vf2 >$devices/$vf2/driver/unbind
check "claim a VF" pcid claim $vf
check "the VF is on vfio-pci" on vfio-pci $vf
check "pcid loaded vfio from compressed modules" vfio_loaded
check "an unbound VF of the same model is left alone" on none $vf2
check "the VF opens through VFIO" vfioprobe $vf
check "its wish is on disk" test -s "$(wish $vf)"
check "its claim is observed" test -s "$(claim_of $vf)"
check "claiming it again is no error" pcid claim $vf
echo $vf2 >/sys/bus/pci/drivers_probe
check "the VF of the same model still finds its driver" on igbvf $vf2

### A group: all functions behind a conventional bridge, the bridge stays.

check "claim a device of the bridge's group" pcid claim $virtio
check "all three functions of the group are on vfio-pci" on vfio-pci $e1000 $virtio $edu
check "the bridge stays" on none $bridge
check "all three open through VFIO" vfioprobe $e1000 $virtio $edu
check "the peers' claims are observed" test -s "$(claim_of $e1000)" -a -s "$(claim_of $edu)"
check "the peers' claims are not wishes" test ! -e "$(wish $e1000)" -a ! -e "$(wish $edu)"
check "the release of a peer names the claim that holds it" says "$virtio" pcid release $e1000
check "claim a GPU" pcid claim $gpu
check "the GPU and its sound chip are on vfio-pci" on vfio-pci $gpu $sound
check "GPU and sound chip open through VFIO" vfioprobe $gpu $sound

### A PF with VFs.

pf_untouched() {
	test "$(cat $devices/$pf/sriov_numvfs)" = 3 && on igb $pf && on igbvf $vf2 &&
		on vfio-pci $vf
}

check "a PF with VFs is refused" says "$pf;PFHasVFs" pcid claim $pf
check "the PF keeps its driver and its VFs" pf_untouched
check "a refusal on the command line writes nothing" test ! -e "$(wish $pf)"

### apply: idempotent, and nothing is released on half a view.

second_apply_writes_nothing() {
	pcid apply || return 1
	state >/tmp/state.1
	pcid apply || return 1
	state >/tmp/state.2
	test -s /tmp/state.1 && diff /tmp/state.1 /tmp/state.2
}

# As if the disk with the wishes were not mounted.
without_wishes() {
	mv /var/lib/vfiobox/desired /var/lib/vfiobox/away
	exits 1 pcid apply
	code=$?
	mv /var/lib/vfiobox/away /var/lib/vfiobox/desired
	[ $code = 0 ] && on vfio-pci $vf $gpu $sound
}

check "a second apply writes nothing" second_apply_writes_nothing
check "while the wishes are not to be seen nothing is released" without_wishes
dump claimed.list pcid list -o json
dump claimed.vf cat "$(claim_of $vf)"
dump claimed.peer cat "$(claim_of $e1000)"
dump claimed.wish cat "$(wish $vf)"
dump claimed.kept sh -c 'cat /var/lib/vfiobox/kept/pcidevices/node1-000001100.json'
dump claimed.device cat /run/vfiobox/observed/pcidevices/node1-000001100.json
dump claimed.observed ls /run/vfiobox/observed/pcidevices

### A wish that comes from elsewhere: refused, skipped, with a name of its own.

# wish_for ADDRESS [ANNOTATIONS [MORE OF SPEC]]: as kubesync or an administrator's file would be.
wish_for() {
	mkdir -p /var/lib/vfiobox/desired/local/pcideviceclaims
	cat >"$(wish "$1")" <<-END
	{"apiVersion": "devices.harvesterhci.io/v1beta1", "kind": "PCIDeviceClaim",
	 "metadata": {"name": "$(claim_name "$1")", "annotations": {$2}},
	 "spec": {"address": "$1", "nodeName": "node1", "userName": "admin"$3}}
	END
}
refused_wish_stays() {
	exits 1 pcid apply && on igb $pf && test -s "$(wish $pf)" && grep PFHasVFs "$(claim_of $pf)"
}
skipped_wish() {
	pcid apply && on nvme $nvme
}

wish_for $pf
check "a wish from elsewhere that is refused stays, with its condition" refused_wish_stays
dump refused.claim cat "$(claim_of $pf)"
rm "$(wish $pf)"
wish_for $nvme '"pcidevices.harvesterhci.io/skip-vfio-binding": "true"'
check "a wish with the skip annotation leaves the driver" skipped_wish
rm "$(wish $nvme)"
wish_for $vf2 '' ', "disableResourcePooling": true'
wish_for $vf3 '"pcidevice.harvesterhci.io/override-resource-name": "example.com/MINE"'
check "wishes from elsewhere are applied" pcid apply
check "both are on vfio-pci" on vfio-pci $vf2 $vf3
dump named.list pcid list -o json
rm "$(wish $vf2)" "$(wish $vf3)"
check "wishes that are gone are given back" pcid apply
check "both are on their driver again" on igbvf $vf2 $vf3

### Two at once.

# at_once VERB: on two VFs side by side; both must work.
at_once() {
	pcid "$1" $vf2 &
	first=$!
	pcid "$1" $vf3 &
	second=$!
	wait $first
	code=$?
	wait $second && [ $code = 0 ]
}
claimed_at_once() {
	at_once claim && on vfio-pci $vf2 $vf3
}
released_at_once() {
	at_once release && on igbvf $vf2 $vf3
}

check "two claims at once" claimed_at_once
check "two releases at once" released_at_once

### In use.

vfioprobe -h $vf >/tmp/held 2>&1 &
holder=$!
wait_for grep -q open /tmp/held
check "a device held open is not released, and its holder is named" \
	says "$holder;vfioprobe" pcid release $vf --timeout 2
check "while it is held it stays on vfio-pci" on vfio-pci $vf
dump held.claim cat "$(claim_of $vf)"
check "while it is held apply does not release it either" exits 1 pcid apply --no-wait
kill $holder
wait $holder 2>/dev/null
check "once it is closed apply ends the release" pcid apply
check "it is back on its driver" on igbvf $vf

### Another's device, and one that is taken over.

in_hand_of_another() {
	on vfio-pci $nic && pcid apply && on vfio-pci $nic
}
wanted_from_another() {
	wish_for $nic
	exits 1 pcid apply && grep BoundByAnother "$(claim_of $nic)"
	code=$?
	rm "$(wish $nic)"
	[ $code = 0 ] && in_hand_of_another
}
adopted() {
	pcid apply && on vfio-pci $nvme &&
		grep -E '"kernelDriverToUnbind": ?"nvme"' "$(claim_of $nvme)"
}
cluster_wish=/var/lib/vfiobox/desired/cluster/pcideviceclaims/$(claim_name $nvme).json

move $nic vfio-pci
check "a device that somebody else gave to vfio-pci is refused" \
	says "$nic;BoundByAnother" pcid claim $nic
check "apply leaves it where it is" in_hand_of_another
check "so it does when a wish for it came and went" wanted_from_another
move $nic ''
move $nvme vfio-pci
mkdir -p "$(dirname "$cluster_wish")"
cat >"$cluster_wish" <<-END
	{"apiVersion": "devices.harvesterhci.io/v1beta1", "kind": "PCIDeviceClaim",
	 "metadata": {"name": "$(claim_name $nvme)", "uid": "8f4dd1d6-4b0c-4cf7-9d0e-0c9f3a7a5c11"},
	 "spec": {"address": "$nvme", "nodeName": "node1", "userName": "admin"},
	 "status": {"kernelDriverToUnbind": "nvme", "passthroughEnabled": true}}
END
check "a device of a claim that says it is passed through is adopted" adopted
rm "$cluster_wish"
check "an adopted device whose claim is gone is released" pcid apply
check "it goes back to the driver its claim named" on nvme $nvme

### Cut off: a bind that fails, a pcid that is killed.

group_at_home() {
	on e1000 $e1000 && on virtio-pci $virtio && on none $edu
}
group_claimed() {
	on vfio-pci $e1000 $virtio $edu
}
no_override_left() {
	drivers | grep -E "^($e1000|$virtio|$edu) " | grep -v '(null)$' && return 1
	return 0
}
# The kernel's own refusal cannot be had on demand; a driver_override that takes no word has the
# same effect: the probe leaves the last of the three without vfio-pci.
bind_fails_at_the_last() {
	override=$(readlink -f $devices/$edu)/driver_override
	: >/tmp/deaf
	mount --bind /tmp/deaf "$override"
	says "$edu" pcid claim $e1000
	code=$?
	umount "$override"
	return $code
}
# killed VERB MICROSECONDS: the process is killed with SIGKILL after that time, then one apply must
# bring all three to one side.
killed() {
	/bin/pcid "$1" $e1000 >/dev/null 2>&1 &
	usleep "$2"
	kill -9 $! 2>/dev/null
	wait $! 2>/dev/null
	echo "$1 killed after $2 us: $(driver $e1000) $(driver $virtio) $(driver $edu)"
	pcid apply || return 1
	if [ -e "$(wish $e1000)" ]; then
		group_claimed
	else
		group_at_home && no_override_left
	fi
}
killed_claims() {
	for after in 10000 30000 60000 100000 150000 250000; do
		killed claim $after || return 1
		pcid release $e1000
		group_at_home || return 1
	done
}
killed_releases() {
	for after in 10000 40000 80000 140000 220000; do
		pcid claim $e1000 || return 1
		killed release $after || return 1
		pcid release $e1000
		group_at_home || return 1
	done
}

check "release the group" pcid release $virtio
check "each of the group is back where it was" group_at_home
check "a bind that fails at the last device fails the claim" bind_fails_at_the_last
check "the whole group is undone" group_at_home
check "no override is left in the group" no_override_left
pcid release $e1000 >/dev/null 2>&1
check "a claim killed at any time is mended by apply" killed_claims
check "a release killed at any time is mended by apply" killed_releases

### Release of all.

nothing_wished() {
	find /var/lib/vfiobox/desired -name '*.json' | grep . && return 1
	return 0
}
vfio_groups_gone() {
	test "$(ls /dev/vfio)" = vfio
}

check "release the GPU" pcid release $gpu
check "release of what is not claimed exits 1" exits 1 pcid release $gpu
check "every device is on the driver it had at first" same_drivers
check "no wish is left" nothing_wished
check "no group of vfio is left" vfio_groups_gone
check "the kernel has nothing to complain of" kernel_content
dump released.list pcid list -o json
finish
