#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# dracut module: PCI functions that are claimed for VMs go to vfio-pci before the host's drivers can
# take them. See ../README.md. Its directory is all that dracut needs: it goes to
# /usr/lib/dracut/modules.d/90vfiobox.

# Called by dracut: in every image of a system that has vfiobox.
check() {
	require_binaries vfiobox
}

depends() {
	return 0
}

# The modules of vfio, also in an image for this host alone, which has only what is loaded now:
# vfiobox loads them itself.
installkernel() {
	hostonly='' instmods vfio-pci vfio_iommu_type1
}

# The state as it is now. A system that has none (an OS image is being made), or whose state is not
# this machine's, leaves what was baked into its /etc/vfiobox before.
install_state() {
	local vfiobox=$1 archive=$initdir/vfiobox.cpio
	local -a root=()

	[[ ! $dracutsysrootdir ]] || root=(--root "$dracutsysrootdir")
	[[ ! -r $dracutsysrootdir/etc/default/vfiobox ]] || inst_simple /etc/default/vfiobox
	if (
		set -a
		[[ ! -r $dracutsysrootdir/etc/default/vfiobox ]] ||
			. "$dracutsysrootdir/etc/default/vfiobox"
		"$dracutsysrootdir$vfiobox" pcid "${root[@]}" bake "$archive"
	) 2>/dev/null; then
		cpio --quiet -idu -D "$initdir" <"$archive"
	elif [[ -d $dracutsysrootdir/etc/vfiobox ]]; then
		find "$dracutsysrootdir/etc/vfiobox" -type f -printf '/etc/vfiobox/%P\n' |
			while IFS= read -r file; do inst_simple "$file"; done
	fi
	rm -f "$archive"
}

# With systemd in the image by units, which can be ordered before all that loads drivers; else by
# dracut's own hooks: the first runs before udev and before rd.driver.pre.
install_stages() {
	if dracut_module_included systemd-initrd; then
		inst_simple "$moddir/vfiobox-early.service" \
			"$systemdsystemunitdir/vfiobox-early.service"
		inst_simple "$moddir/vfiobox-early-late.service" \
			"$systemdsystemunitdir/vfiobox-early-late.service"
		$SYSTEMCTL -q --root "$initdir" enable vfiobox-early.service vfiobox-early-late.service
	else
		inst_hook cmdline 00 "$moddir/early.sh"
		inst_hook pre-pivot 00 "$moddir/early-late.sh"
	fi
	inst_script "$moddir/early-late.sh" /usr/bin/vfiobox-early-late
}

install() {
	local vfiobox
	vfiobox=$(find_binary vfiobox)

	inst_binary "$vfiobox" /usr/bin/vfiobox
	install_state "$vfiobox"
	install_stages
}
