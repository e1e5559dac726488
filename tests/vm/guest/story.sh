# SPDX-License-Identifier: GPL-2.0-or-later
# How a story is told on the guest's terminal. Every command that is shown is run as shown; one that
# ends otherwise than the story says is counted, and the demonstration has failed.
. ./lib.sh
failed=0

# tell TEXT: what comes next.
tell() {
	echo
	echo "# $1"
}

# run COMMAND: shows and runs it; it must exit 0.
run() {
	run_for 0 "$1"
}

# refused COMMAND: shows and runs it; it must exit 1.
refused() {
	run_for 1 "$1"
}

run_for() {
	echo "node1 # $2"
	eval "$2" 2>&1
	code=$?
	[ $code = "$1" ] && return
	echo "*** exit $code; the story wants $1 ***"
	failed=$((failed + 1))
}

# The last line of a script: the host knows by it that all went as told.
end_story() {
	[ $failed != 0 ] || echo "--- finished"
}
