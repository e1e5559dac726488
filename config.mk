# SPDX-License-Identifier: GPL-2.0-or-later
# What can be set for a build: on make's command line, in the environment, or here.

VERSION ?= 0.1.0

# The machines that vfiobox is built for, and the prefix of each one's compiler.
ARCHES ?= x86_64 aarch64
CROSS_x86_64 ?=
CROSS_aarch64 ?= aarch64-linux-gnu-

# The compilers and tools of this machine.
HOSTCC ?= gcc
CLANG ?= clang
CLANG_FORMAT ?= clang-format
QEMU_aarch64 ?= qemu-aarch64-static
PYTHON ?= /usr/bin/python3

# Sources, built dependencies, and what the tests boot. It outlives `make clean`.
VFIOBOX_CACHE ?= $(HOME)/.cache/vfiobox

# A directory that holds the files of build/deps.lock; without it they are downloaded.
TARBALLS ?=

# Empty: a warning does not stop the build, for compilers that warn of more than ours do.
WERROR ?= -Werror

WARNINGS = -Wall -Wextra -Wshadow -Wconversion -Wsign-conversion -Wstrict-prototypes \
	-Wmissing-prototypes -Wvla -Wformat=2 -Wundef -Wwrite-strings
OPTIMIZE ?= -Os

# The most a stripped product may have beside its table of names (section .ids), in bytes.
SIZE_LIMIT = 400000

# Of one fuzzer: runs in `make check` (and its hang limit), seconds in `make fuzz`.
FUZZ_RUNS ?= 20000
FUZZ_LIMIT ?= 60
FUZZ_SECONDS ?= 600
