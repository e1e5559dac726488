# SPDX-License-Identifier: GPL-2.0-or-later
# The story goes on: a system on a disk, where two network cards are claimed; the next boot is by an
# initramfs of dracut's with vfiobox in it.
. ./story.sh

mkdir -p /etc
echo 'NAME=guest' >/etc/os-release

tell "Another machine, with four network cards, that boots from a disk. Two of the cards are claimed."
run "pcid claim 0000:02:00.0"
run "pcid bake /tmp/claims.cpio"
cat /tmp/claims.cpio >/dev/vdb
run "pcid claim 0000:03:00.0"
run "pcid list --driver vfio-pci"
sync
tell "Reboot. The initramfs was made by dracut; it knows of the first card, the disk of both."
end_story
