# SPDX-License-Identifier: GPL-2.0-or-later
# What the guest's scripts share. Each check prints one line, `ok - NAME` or `not ok - NAME`, and
# below it, after `# `, what it saw. A NAME is written out (no variables): the host reads the names
# from the script, and one that is missing has failed.
devices=/sys/bus/pci/devices

check() {
	local name=$1 code
	shift
	"$@" >/tmp/check.out 2>&1
	code=$?
	if [ $code = 0 ]; then
		echo "ok - $name"
	else
		echo "not ok - $name"
		echo "# $* (exit $code)"
	fi
	sed 's/^/#   /' /tmp/check.out
}

# dump NAME COMMAND...: its output goes to the host, to be judged there.
dump() {
	echo "--- begin $1"
	shift
	"$@" 2>&1 | sed 's/^/| /'
	echo "--- end"
}

finish() {
	echo "# at $(cut -d' ' -f1 /proc/uptime) s"
	echo "--- finished"
}

# pcid never runs longer than this in here, however slow the host is.
pcid() {
	timeout 120 /bin/pcid "$@"
}

# exits CODE COMMAND...: its exit code is CODE.
exits() {
	local want=$1 got
	shift
	"$@"
	got=$?
	[ $got = "$want" ] && return 0
	echo "exit $got, not $want"
	return 1
}

# says "WORD;WORD;..." COMMAND...: it exits 1 and names every WORD.
says() {
	local words=$1 word refused
	shift
	exits 1 "$@" >/tmp/says.out 2>&1
	refused=$?
	cat /tmp/says.out
	[ $refused = 0 ] || return 1
	echo "$words" | tr ';' '\n' >/tmp/says.words
	while read -r word; do
		grep -qF -- "$word" /tmp/says.out || { echo "does not say: $word"; return 1; }
	done </tmp/says.words
}

# driver ADDRESS: the driver that holds it, or none.
driver() {
	local link
	link=$(readlink $devices/$1/driver) || link=none
	echo "${link##*/}"
}

# on DRIVER ADDRESS...: every one of them is on DRIVER.
on() {
	local want=$1 wrong=0 address
	shift
	for address in "$@"; do
		[ "$(driver "$address")" = "$want" ] && continue
		echo "$address is on $(driver "$address"), not on $want"
		wrong=1
	done
	return $wrong
}

# drivers: one line for every PCI function, what is on it and its override.
drivers() {
	local path override
	for path in $devices/*; do
		read -r override <$path/driver_override
		echo "${path##*/} $(driver ${path##*/}) $override"
	done
}

# move ADDRESS DRIVER: binds it by hand, as an administrator would; an empty DRIVER is the default.
move() {
	echo "$2" >$devices/$1/driver_override
	[ ! -e $devices/$1/driver ] || echo "$1" >$devices/$1/driver/unbind
	echo "$1" >/sys/bus/pci/drivers_probe
}

# wait_for COMMAND...: until it works, 30 s at most.
wait_for() {
	local tries=0
	until "$@" >/dev/null 2>&1; do
		tries=$((tries + 1))
		[ $tries -lt 300 ] || { echo "never: $*"; return 1; }
		usleep 100000
	done
}

# A disk for vfiobox's state alone, in the machines that have one: new, and again.
new_state_disk() {
	wait_for test -b /dev/vda && mke2fs /dev/vda >/dev/null && mount_state
}
mount_state() {
	wait_for test -b /dev/vda && mkdir -p /state && mount -t ext4 /dev/vda /state
}

# claim_name ADDRESS: the name of its objects, node1-000001100 for 0000:01:10.0.
claim_name() {
	echo "node1-$(echo "$1" | tr -d ':.')"
}

wish() {
	echo "/var/lib/vfiobox/desired/local/pcideviceclaims/$(claim_name "$1").json"
}

claim_of() {
	echo "/run/vfiobox/observed/pcideviceclaims/$(claim_name "$1").json"
}

# nothing that a kernel says when something went wrong in it.
kernel_content() {
	dmesg | grep -E 'BUG:|Oops|WARNING:|Call Trace|general protection' && return 1
	return 0
}

# object files with what changes when one is written again.
state() {
	find /var/lib/vfiobox /run/vfiobox -type f ! -name '*lock*' \
		-exec stat -c '%n %i %s %y' {} + 2>/dev/null | sort
}

# parameter NAME: its value on the kernel's command line.
parameter() {
	sed -n "s/.*\b$1=\([^ ]*\).*/\1/p" /proc/cmdline
}

# host ACTION WORDS: asks the host for something that only it can do to this machine (qmp.py), and
# waits for its word: `done`, or why not. What follows from it is to be waited for in sysfs.
host() {
	local answer
	echo "host: $*" >/dev/ttyS1
	read -t 120 -r answer </dev/ttyS1 || answer="no answer"
	echo "$*: $answer"
	[ "$answer" = done ]
}

# skip NAME WHY: a check that has nothing to say here.
skip() {
	echo "ok - $1 # skip $2"
}
