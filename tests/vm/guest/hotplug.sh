# SPDX-License-Identifier: GPL-2.0-or-later
# pcid on a machine whose cards come and go: a claim waits for its card, takes it when it is back,
# and takes no other. With vmwith=daemon the daemon does what `pcid apply` does otherwise.
. ./lib.sh
nvme=0000:01:00.0 nic=0000:02:00.0
with=$(parameter vmwith)

sed 's/^/# /' /run/started

# pass: what carries the wishes out: one pass now, or the daemon by itself.
pass() {
	[ "$with" = daemon ] || pcid apply
}
present() {
	test -e $devices/$1
}
gone() {
	! present "$1"
}
device_of() {
	echo "/run/vfiobox/observed/pcidevices/$(claim_name "$1").json"
}
kept_of() {
	echo "/var/lib/vfiobox/kept/pcidevices/$(claim_name "$1").json"
}
# condition FILE TYPE STATUS REASON: the object has that condition.
condition() {
	tr -d ' \n' <"$1" | grep -o "{\"type\":\"$2\",\"status\":\"$3\",\"reason\":\"$4\"" ||
		{ cat "$1"; return 1; }
}
pull() {
	host device_del "$1" && wait_for gone "$2"
}
plug_nic() {
	host device_add e1000e,id=nic,bus=port4,romfile= && wait_for present $nic
}
override() {
	cat $devices/$1/driver_override
}

if [ "$with" = daemon ]; then
	/bin/pcid daemon >/tmp/daemon 2>&1 &
	daemon=$!
	wait_for test -e /run/vfiobox/observed/pcidevices/complete
else
	pcid apply
fi

### A claimed card is pulled out.

absent() {
	condition "$(device_of $nic)" Present False Absent
}
claim_waits() {
	condition "$(claim_of $nic)" Accepted False NotFound &&
		condition "$(claim_of $nic)" Bound False Refused
}

check "claim a card in a slot" pcid claim $nic
check "it is on vfio-pci" on vfio-pci $nic
check "the claimed card is pulled out" pull nic $nic
pass >/dev/null 2>&1
check "its PCIDevice stays, marked absent" wait_for absent
check "its claim stays and says what it waits for" wait_for claim_waits
if [ "$with" = daemon ]; then
	skip "a pass says what is missing" "the daemon makes the passes"
else
	check "a pass says what is missing" says "NotFound;$nic" pcid apply
fi
check "its wish and its record stay" test -s "$(wish $nic)" -a -s "$(kept_of $nic)"
dump pulled.device cat "$(device_of $nic)"
dump pulled.claim cat "$(claim_of $nic)"

### A card that nobody claims is pulled out.

device_gone() {
	test ! -e "$(device_of $nvme)"
}

check "an unclaimed card is pulled out" pull nvme0 $nvme
pass >/dev/null 2>&1
check "its PCIDevice goes" wait_for device_gone
check "the claimed one's PCIDevice is still there" absent

### Another card in the slot of the claimed one.

not_taken() {
	wait_for condition "$(claim_of $nic)" Accepted False IdentityMismatch &&
		on virtio-pci $nic && test -s "$(kept_of $nic)"
}

check "another card is plugged in its place" \
	host device_add virtio-net-pci,id=other,bus=port4,romfile=
wait_for on virtio-pci $nic
pass >/dev/null 2>&1
check "the other card is not taken" not_taken
check "the other card is pulled out" pull other $nic

### Back in its place.

host_has_it() {
	wait_for on e1000e $nic && [ "$(override $nic)" = "(null)" ]
}
bound() {
	on vfio-pci $nic && condition "$(claim_of $nic)" Bound True Bound
}
not_absent() {
	condition "$(device_of $nic)" Offered True Claimed && ! grep Absent "$(device_of $nic)"
}

check "the claimed card is plugged in again" plug_nic
if [ "$with" = daemon ]; then
	skip "its driver_override died with it" "the daemon may have been faster"
else
	check "its driver_override died with it" host_has_it
fi
check "a pass works again" pass
check "it is bound again" wait_for bound
check "it opens through VFIO" vfioprobe $nic
check "its PCIDevice is absent no more" wait_for not_absent
dump back.device cat "$(device_of $nic)"

### Pulled out while a virtual machine has it open: the kernel waits for that to end.

held_and_pulled() {
	vfioprobe -h $nic >/tmp/held 2>&1 &
	holder=$!
	wait_for grep -q open /tmp/held && host device_pull nic
}
# Whatever it says of a card that is about to go, it says it in time and takes nothing away.
pass_comes_back() {
	timeout 60 /bin/pcid apply --no-wait
	[ $? -le 1 ] && test -s "$(wish $nic)" && test -s "$(claim_of $nic)"
}

check "a card is pulled while it is open" held_and_pulled
check "a pass meanwhile does not hang" pass_comes_back
kill $holder
wait $holder 2>/dev/null
check "it goes when it is closed" wait_for gone $nic
pass >/dev/null 2>&1
check "then its PCIDevice is marked absent" wait_for absent

### Released while it is out.

released() {
	test ! -e "$(wish $nic)" -a ! -e "$(kept_of $nic)" -a ! -e "$(claim_of $nic)" \
		-a ! -e "$(device_of $nic)"
}
stays_with_the_host() {
	wait_for on e1000e $nic && pass &&
		wait_for condition "$(device_of $nic)" Offered True Available && on e1000e $nic
}

ends_when_told() {
	kill $daemon && wait $daemon
}

check "release it while it is out" pcid release $nic
check "nothing of it is left" wait_for released
check "plugged in once more" plug_nic
check "now it stays with the host" stays_with_the_host
if [ "$with" = daemon ]; then
	check "the daemon ends when it is told to" ends_when_told
	dump daemon cat /tmp/daemon
else
	skip "the daemon ends when it is told to" "there is none"
fi
check "the kernel has nothing to complain of" kernel_content
finish
