# SPDX-License-Identifier: GPL-2.0-or-later
# pcid on a machine with as many virtual functions as QEMU carries, all of them at once. How long it
# takes is told (dump seconds) and never judged.
. ./lib.sh
first=0000:01:00.0 second=0000:02:00.0

sed 's/^/# /' /run/started
for pf in $first $second; do
	echo 0 >$devices/$pf/sriov_drivers_autoprobe
	echo 127 >$devices/$pf/sriov_numvfs
done
drivers >/tmp/first
vfs=$(ls $devices | grep -E '^0000:0[12]:' | grep -v ':00\.0$')

# timed WHAT COMMAND...: its last lines, and its seconds for the dump.
timed() {
	local what=$1 code from to
	shift
	read -r from _ </proc/uptime
	"$@" >/tmp/timed 2>&1
	code=$?
	read -r to _ </proc/uptime
	echo "$what: $(awk "BEGIN { print $to - $from }") s" >>/tmp/seconds
	tail -n 3 /tmp/timed
	return $code
}
# count NUMBER COMMAND...: it prints that many lines.
count() {
	local want=$1 got
	shift
	got=$("$@" | wc -l)
	[ "$got" = "$want" ] || { echo "$got, not $want"; return 1; }
}
on_vfio() {
	ls /sys/bus/pci/drivers/vfio-pci | grep :
}
groups_of_vfs() {
	for vf in $vfs; do readlink $devices/$vf/iommu_group; done | sort -u
}
bound_claims() {
	grep -l '"passthroughEnabled": true' /run/vfiobox/observed/pcideviceclaims/*.json
}
wishes() {
	ls /var/lib/vfiobox/desired/local/pcideviceclaims | grep json
}
records() {
	ls /var/lib/vfiobox/kept/pcidevices | grep json
}
refused_with_one() {
	says "$second;PFHasVFs" pcid claim $vfs $second && count 0 on_vfio && count 0 wishes
}
apply_writes_nothing() {
	state >/tmp/state.1
	timed "apply of all, nothing to do" pcid apply && state >/tmp/state.2 &&
		diff /tmp/state.1 /tmp/state.2
}
both_open() {
	vfioprobe 0000:01:00.1 && vfioprobe 0000:02:0f.7
}
same_drivers() {
	drivers >/tmp/now
	diff /tmp/first /tmp/now
}
# What the kernel alone needs to let go of one, for comparison.
some=$(echo $vfs | cut -d' ' -f1-20)
unbind_some() {
	local vf
	for vf in $some; do echo "$vf" >$devices/$vf/driver/unbind; done
}

check "there are 254 VFs" count 254 printf '%s\n' $vfs
check "each has an IOMMU group of its own" count 254 groups_of_vfs
check "with one among them that is refused none is claimed" refused_with_one
check "claim all of them in one call" timed "claim of 254" pcid claim $vfs
check "all of them are on vfio-pci" count 254 on_vfio
check "each has a wish, a record and a claim that says it is bound" \
	count 762 eval 'wishes; records; bound_claims'
check "the first and the last open through VFIO" both_open
check "an apply has nothing to do" apply_writes_nothing
check "release all of them in one call" timed "release of 254" pcid release $vfs
check "none is on vfio-pci" count 0 on_vfio
check "every function is as it was at first" same_drivers
check "no wish, no record and no claim is left" count 0 eval 'wishes; records; bound_claims'
for vf in $some; do move $vf vfio-pci; done
timed "the kernel's own unbinding of 20" unbind_some
dump seconds cat /tmp/seconds
check "the kernel has nothing to complain of" kernel_content
finish
