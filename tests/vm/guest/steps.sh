# SPDX-License-Identifier: GPL-2.0-or-later
# pcid killed by SIGKILL at chosen calls of a claim and of a release, on a NIC and on the group behind
# a bridge; one apply each time, and the node is whole again. The stepper counts the calls.
. ./lib.sh
nic=0000:01:00.0
e1000=0000:04:01.0 virtio=0000:04:02.0 edu=0000:04:03.0
spread=12

at_home() {
	on igb $nic && on e1000 $e1000 && on virtio-pci $virtio && on none $edu &&
		no_override_left
}
no_override_left() {
	drivers | grep -v '(null)$' && return 1
	return 0
}
# claimed ADDRESS: with the whole of its group.
claimed() {
	if [ "$1" = $nic ]; then on vfio-pci $nic; else on vfio-pci $e1000 $virtio $edu; fi
}
# whole ADDRESS: its wish is on disk and its group bound, or neither.
whole() {
	if [ -e "$(wish $1)" ]; then claimed $1; else at_home; fi
}
records() {
	ls /var/lib/vfiobox/kept/pcidevices 2>/dev/null | grep -c json
}
# Of what is on vfio-pci each has a record, also right after the kill.
all_can_be_given_back() {
	local address
	for address in $nic $e1000 $virtio $edu; do
		[ "$(driver $address)" != vfio-pci ] ||
			[ -e "/var/lib/vfiobox/kept/pcidevices/$(claim_name $address).json" ] ||
			{ echo "$address is on vfio-pci and has no record"; return 1; }
	done
}
# points VERB ADDRESS: how many the command passes when nobody kills it.
points() {
	stepper --kill-at 0 -- /bin/pcid "$1" "$2" 2>&1 >/dev/null |
		sed -n 's/^stepper: \([0-9]*\) points.*/\1/p'
}
# killed VERB ADDRESS POINT
killed() {
	stepper --kill-at "$3" -- /bin/pcid "$1" "$2" >/tmp/killed 2>&1
	[ $? = 137 ] || { cat /tmp/killed; echo "$1 $2 was not killed"; return 1; }
	grep ^stepper: /tmp/killed
	all_can_be_given_back && pcid apply >/tmp/applied 2>&1 && whole "$2" && return
	cat /tmp/applied
	return 1
}
# Points of a command, from the first to nearly the last: what is observed is written only where it
# differs, so that one run may have a few points less than another.
spread_over() {
	seq 0 $((spread - 1)) | while read -r i; do
		echo $((1 + i * ($1 * 9 / 10) / (spread - 1)))
	done
}
killed_claims() {
	local n at
	n=$(points claim $1) && [ "$n" -gt $spread ] || return 1
	echo "a claim of $1 has $n points"
	pcid release $1 || return 1
	for at in $(spread_over $n); do
		killed claim $1 $at || return 1
		[ ! -e "$(wish $1)" ] || pcid release $1 >/dev/null 2>&1 || return 1
		at_home || return 1
	done
}
killed_releases() {
	local n at
	pcid claim $1 >/dev/null 2>&1 || return 1
	n=$(points release $1) && [ "$n" -gt $spread ] || return 1
	echo "a release of $1 has $n points"
	for at in $(spread_over $n); do
		pcid claim $1 >/dev/null 2>&1 && claimed $1 || return 1
		killed release $1 $at || return 1
		[ ! -e "$(wish $1)" ] || pcid release $1 >/dev/null 2>&1 || return 1
		at_home || return 1
	done
}

# The first claim of a boot has more to do: it loads vfio and observes every device.
first_claim() {
	pcid claim $nic && claimed $nic && pcid release $nic && at_home
}

sed 's/^/# /' /run/started
check "tracing works here" stepper --kill-at 0 -- true
check "the first claim and its release" first_claim
check "claims of a NIC killed at a spread of calls are mended by apply" killed_claims $nic
check "releases of a NIC killed at a spread of calls are mended by apply" killed_releases $nic
check "claims of a group killed at a spread of calls are mended by apply" killed_claims $virtio
check "releases of a group killed at a spread of calls are mended by apply" killed_releases $virtio
check "every device is on the driver it had at first" at_home
check "no record is left" test "$(records)" = 0
finish
