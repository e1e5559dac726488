# SPDX-License-Identifier: GPL-2.0-or-later
# pcid and the VFs of a NIC: made, refused, changed over none, made for claims that were there first,
# with pcid killed on the way.
. ./lib.sh
pf=0000:01:00.0 vf=0000:01:10.0 vf2=0000:01:10.2 vf3=0000:01:10.4 vf4=0000:01:10.6 vf5=0000:01:11.0
nvme=0000:02:00.0
nic=$(ls $devices/$pf/net)
numvfs=$devices/$pf/sriov_numvfs autoprobe=$devices/$pf/sriov_drivers_autoprobe
nic_wish=/var/lib/vfiobox/desired/local/sriovnetworkdevices/node1-$nic.json
cluster=/var/lib/vfiobox/desired/cluster/sriovnetworkdevices
observed=/run/vfiobox/observed/sriovnetworkdevices/node1-$nic.json
record=/var/lib/vfiobox/kept/sriovnetworkdevices/node1-$nic.json

sed 's/^/# /' /run/started

# has NUMBER: the kernel has so many VFs.
has() {
	[ "$(cat $numvfs)" = "$1" ] || { echo "$(cat $numvfs) VFs, not $1"; return 1; }
}
# wanted NUMBER: so says the wish.
wanted() {
	grep -q "\"numVFs\": $1$" "$nic_wish" || { cat "$nic_wish"; return 1; }
}
# prints TEXT COMMAND...: it works, and TEXT is a line of what it prints.
prints() {
	local text=$1
	shift
	"$@" >/tmp/prints || return 1
	cat /tmp/prints
	grep -qxF -- "$text" /tmp/prints
}
# refused NUMBER WORDS: so many VFs are refused with these words, and nothing comes of it.
refused() {
	local before=$(cat $numvfs) code
	cp "$nic_wish" /tmp/wish
	says "$2" pcid vfs "$nic" "$1"
	code=$?
	has "$before" && cmp /tmp/wish "$nic_wish" && [ $code = 0 ]
}
# reason WORD: of the condition Applied, as it is observed.
reason() {
	grep -q "\"reason\": \"$1\"" "$observed" || { cat "$observed"; return 1; }
}

### Looking.

check "the list has the NIC and no VFs" sh -c "vfiobox pcid vfs | grep -E '^$nic +$pf +0 +7 +igb +disabled\$'"
check "the NVMe controller is not in it" sh -c "! vfiobox pcid vfs | grep $nvme"
check "looking writes no wish" test ! -e /var/lib/vfiobox/desired
check "no NIC, no VFs" says "NoSRIOV;$nvme" pcid vfs $nvme 1
check "no interface of that name" says "NotFound" pcid vfs enp99s0 1
check "more than it can have is refused, and nothing written" says "TooManyVFs;8;7" pcid vfs "$nic" 8
check "there is no wish of it" test ! -e "$nic_wish"

### Numbers.

no_probe_in() {
	pcid plan | tee /tmp/plan
	grep -q "^VFs of $nic ($pf): 3 -> 0 -> 5$" /tmp/plan && has 3
}
plan_of_a_change() {
	sed 's/"numVFs": 3/"numVFs": 5/' "$nic_wish" >/tmp/wish5
	cp "$nic_wish" /tmp/wish3
	cp /tmp/wish5 "$nic_wish"
	no_probe_in
	code=$?
	cp /tmp/wish3 "$nic_wish"
	return $code
}

check "three VFs" prints "$nic: 3 VFs: $vf $vf2 $vf3" pcid vfs "$nic" 3
check "they are there, on their driver" on igbvf $vf $vf2 $vf3
check "the object is observed" reason Applied
dump three.json cat "$observed"
check "probing was never off" test ! -e "$record"
check "the PF has no PCIDevice" test ! -e "/run/vfiobox/observed/pcidevices/$(claim_name $pf).json"
check "eight are refused" refused 8 "TooManyVFs;8;7"
check "plan of five says over none" plan_of_a_change
check "five instead of three" prints "$nic: 5 VFs: $vf $vf2 $vf3 $vf4 $vf5" pcid vfs $pf 5
check "all five are there" on igbvf $vf $vf2 $vf3 $vf4 $vf5
check "the same again changes nothing" pcid vfs "$nic" 5

### VFs that somebody has.

held_open() {
	vfioprobe -h $vf3 >/tmp/probe 2>&1 &
	probe=$!
	wait_for grep -q viable /tmp/probe
	exits 1 pcid release $vf3 --no-wait
}
refused_while_held() {
	refused 0 "InUse;$vf3;vfioprobe"
	code=$?
	kill -9 $probe
	wait $probe 2>/dev/null
	pcid apply && on igbvf $vf3 && [ $code = 0 ]
}
refused_by_hand() {
	move $vf vfio-pci
	refused 0 "VFInUse;$vf;vfio-pci"
	code=$?
	move $vf ""
	on igbvf $vf && [ $code = 0 ]
}
refused_with_address() {
	interface=$(ls $devices/$vf4/net)
	ip link set "$interface" up && ip addr add 192.0.2.1/24 dev "$interface" || return 1
	refused 0 "VFInUse;$vf4;192.0.2.1"
	code=$?
	ip addr del 192.0.2.1/24 dev "$interface"
	ip link set "$interface" down
	return $code
}
refused_in_a_container() {
	interface=$(ls $devices/$vf2/net)
	unshare -n sleep 1000 &
	container=$!
	wait_for sh -c "[ \"\$(readlink /proc/$container/ns/net)\" != \"\$(readlink /proc/1/ns/net)\" ]"
	ip link set "$interface" netns $container || return 1
	refused 0 "VFInUse;$vf2;network namespace"
	code=$?
	kill $container
	wait $container 2>/dev/null
	return $code
}

check "claim a VF" pcid claim $vf3
check "while a VF is claimed nothing changes" refused 4 "VFClaimed;$vf3"
check "nor are all taken away" refused 0 "VFClaimed;$vf3"
check "a claimed VF that is held open is not given back" held_open
check "while a process holds a VF nothing changes, then it is given back" refused_while_held
check "while somebody else has a VF on vfio-pci nothing changes" refused_by_hand
check "while a VF has an address nothing changes" refused_with_address
check "while a container has the VF's interface nothing changes" refused_in_a_container
check "the VFs are as they were" has 5

### Failures.

# A kernel that refuses cannot be had on demand: the attribute cannot be written.
cannot_be_written() {
	attribute=$(readlink -f $numvfs)
	echo 5 >/tmp/five
	mount --bind /tmp/five "$attribute" && mount -o remount,ro,bind "$attribute" || return 1
	says "VFsFailed;sriov_numvfs;as they were" pcid vfs "$nic" 2
	code=$?
	umount "$attribute"
	[ $code = 0 ] && reason VFsFailed && has 5
}

check "what cannot be written is said" cannot_be_written
check "apply tries it again" pcid apply
check "then it is as wanted" has 2

### Claims that were there before their VFs.

# claim_early ADDRESS: a claim of a function that is not there, as the cluster may have it.
claim_early() {
	mkdir -p "$(dirname "$(wish "$1")")"
	cat >"$(wish "$1")" <<-END
		{"apiVersion": "devices.harvesterhci.io/v1beta1", "kind": "PCIDeviceClaim",
		 "metadata": {"name": "$(claim_name "$1")", "uid": "8f4dd1d6-4b0c-4cf7-9d0e-$2"},
		 "spec": {"address": "$1", "nodeName": "node1", "userName": "admin"}}
	END
}
# probed ADDRESS: igbvf has said so since the last look. The kernel names an interface only then.
probed() {
	dmesg | grep -q "igbvf $1: "
}
never_probed() {
	! probed $vf2 && probed $vf && probed $vf3
}
as_before() {
	[ "$(cat $autoprobe)" = 1 ] && [ ! -e "$record" ]
}
# What a reboot leaves: the wishes and records, and no VFs.
after_a_reboot() {
	echo 0 >$numvfs
	dmesg -c >/dev/null
	pcid apply && on vfio-pci $vf2 && on igbvf $vf $vf3 && never_probed && as_before
}

check "no VFs" prints "$nic: no VFs" pcid vfs "$nic" 0
check "the number is none" has 0
claim_early $vf2 0c9f3a7a5c11
dmesg -c >/dev/null
check "three VFs, one of them claimed before" pcid vfs "$nic" 3
check "the claimed one is on vfio-pci" on vfio-pci $vf2
check "the others are on their driver" on igbvf $vf $vf3
check "igbvf never saw the claimed one" never_probed
check "probing is on again" as_before
check "the claimed one opens through VFIO" vfioprobe $vf2
check "so it is when the VFs come again after a reboot" after_a_reboot
check "its release gives it to the driver that it never had" pcid release $vf2
check "as all others" on igbvf $vf $vf2 $vf3

### The PF.

unbound() {
	echo $pf >$devices/$pf/driver/unbind
	says "NoDriver;$pf" pcid vfs $pf 2
	code=$?
	test -s "$observed" || { echo "no object"; code=1; }
	echo $pf >/sys/bus/pci/drivers_probe
	on igb $pf && pcid apply && has 0 && [ $code = 0 ]
}
claimed_pf() {
	pcid claim $pf || return 1
	says "PFClaimed;$pf" pcid vfs $pf 2
	code=$?
	pcid release $pf && on igb $pf && [ $code = 0 ]
}
wanted_pf() {
	cp "$nic_wish" /tmp/wish0
	sed 's/"numVFs": 0/"numVFs": 2/' /tmp/wish0 >"$nic_wish"
	says "PFHasVFs;$pf" pcid claim $pf
	code=$?
	cp /tmp/wish0 "$nic_wish"
	return $code
}

check "none again" pcid vfs "$nic" 0
check "a PF without driver makes no VFs, and keeps its object" unbound
check "a claimed PF makes none" claimed_pf
check "a PF that is to have VFs is not claimed" wanted_pf

### The cluster's.

clusters_number() {
	mkdir -p $cluster
	cat >"$cluster/node1-$nic.json" <<-END
		{"apiVersion": "devices.harvesterhci.io/v1beta1", "kind": "SRIOVNetworkDevice",
		 "metadata": {"name": "node1-$nic", "uid": "8f4dd1d6-4b0c-4cf7-9d0e-0c9f3a7a5c12"},
		 "spec": {"address": "$pf", "nodeName": "node1", "numVFs": 4}}
	END
	pcid apply && has 4 && on igbvf $vf4
}
clusters_order() {
	says "kubectl patch sriovnetworkdevices.devices.harvesterhci.io node1-$nic --type merge;\"numVFs\":2" \
		pcid vfs "$nic" 2
}
without_a_wish() {
	rm "$cluster/node1-$nic.json" "$nic_wish"
	pcid apply && has 4 && reason NoWish
}

check "the cluster's number wins" clusters_number
check "it is changed in the cluster" clusters_order
check "without a wish the VFs stay" without_a_wish

### Killed.

# killed NUMBER MICROSECONDS: the process is killed after that time, then one apply must mend it.
killed() {
	/bin/pcid vfs "$nic" "$1" >/dev/null 2>&1 &
	usleep "$2"
	kill -9 $! 2>/dev/null
	wait $! 2>/dev/null
	[ -e "$nic_wish" ] || { echo "killed after $2 us: no wish yet"; return 0; }
	echo "killed after $2 us: $(cat $numvfs) VFs, autoprobe $(cat $autoprobe), $(ls "$record" 2>/dev/null)"
	# killed before it wrote the wish, none are wanted, and a claim has no VF
	pcid apply || has 0 || return 1
	as_before && wanted "$(cat $numvfs)"
}
killed_changes() {
	pcid vfs "$nic" 2 || return 1
	for after in 20000 150000 700000; do
		killed 3 $after && killed 2 $((after + 10000)) || return 1
	done
}
killed_with_a_claim() {
	for after in 30000 50000 80000 120000 180000 250000; do
		rm -f "$(wish $vf2)"
		pcid apply && pcid vfs "$nic" 0 || return 1
		claim_early $vf2 0c9f3a7a5c13
		dmesg -c >/dev/null
		killed 3 $after || return 1
		if has 3; then
			on vfio-pci $vf2 && on igbvf $vf $vf3 && ! probed $vf2 || return 1
		fi
	done
	rm -f "$(wish $vf2)"
	pcid apply
}
kernel_content() {
	dmesg | grep -E 'BUG:|Oops|WARNING:|Call Trace|general protection' && return 1
	return 0
}

check "a change killed at any time is mended by apply" killed_changes
check "so is one with a claim, and no host driver sees its VF" killed_with_a_claim
check "no VFs at the end" pcid vfs "$nic" 0
check "the kernel has nothing to complain of" kernel_content
finish
