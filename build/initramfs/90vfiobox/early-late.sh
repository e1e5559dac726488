#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Stage 2: the system to be is mounted, and with it the state directory. Sourced as a hook, run as
# the program of vfiobox-early-late.service.
(
	root=${NEWROOT:-/sysroot}
	for settings in "$root/etc/default/vfiobox" /etc/default/vfiobox; do
		[ -r "$settings" ] || continue
		. "$settings"
		break
	done
	state=${VFIOBOX_STATE:-/var/lib/vfiobox}
	# Of the system to be; or mounted in the initramfs where it will be then (Elemental's /oem).
	if [ -d "$root$state" ]; then
		state=$root$state
	fi
	VFIOBOX_STATE=$state exec /usr/bin/vfiobox pcid early --stage 2
)
