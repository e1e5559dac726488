#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Stage 1, as a hook of a dracut image without systemd (sourced): /proc, /sys, /dev and /run are
# there, udev is not, and no driver was loaded yet. What it does it says in the kernel's log.
/usr/bin/vfiobox pcid early
