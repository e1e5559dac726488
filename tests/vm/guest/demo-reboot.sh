# SPDX-License-Identifier: GPL-2.0-or-later
# The boot after the claims.
. ./story.sh

tell "The kernel's own words: the first card was bound before any driver, e1000e never saw it."
run "dmesg | grep -E 'vfiobox: early|e1000e 0000:0[23]|Intel\(R\) PRO/1000' | cut -c16-110"
refused "dmesg | grep 'e1000e 0000:02:00.0'"

tell "What was claimed is claimed; nobody had to ask again."
run "pcid list --class 02"
run "pcid apply"
run "vfioprobe 0000:02:00.0"

tell "The system is up: this boot counts as good. And the first card meets its driver at last."
run "pcid settled"
run "pcid release 0000:02:00.0"
run "pcid list --class 02"
end_story
