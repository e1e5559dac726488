# SPDX-License-Identifier: GPL-2.0-or-later
# Builds vfiobox and its tests into out/. `make help` lists what can be asked for; config.mk holds
# what can be set. A file in lib/*/, applets/, tests/unit/ or tests/fuzz/ is found by its place.

include config.mk

MAKEFLAGS += --no-builtin-rules --no-print-directory
ifeq ($(filter -j%,$(MAKEFLAGS)),)
MAKEFLAGS += -j$(shell nproc)
endif
.DELETE_ON_ERROR:
.DEFAULT_GOAL := all
comma := ,

override VFIOBOX_CACHE := $(abspath $(VFIOBOX_CACHE))
CACHE := $(VFIOBOX_CACHE)
export ARCHES VFIOBOX_CACHE TARBALLS PYTHON CLANG_FORMAT QEMU_aarch64 FUZZ_RUNS FUZZ_LIMIT FUZZ_SECONDS

Q := $(if $(V),,@)
say = @$(if $(V),:,printf '  %-6s %s\n' '$(1)' '$(2)')

# ---- Before anything: the tools. make reads itself again when this file has been made.

KNOWN_ARCHES := $(sort $(patsubst CROSS_%,%,$(filter CROSS_%,$(.VARIABLES))))
ifneq ($(filter-out help clean,$(or $(MAKECMDGOALS),all)),)
include out/tools.mk
out/tools.mk: build/tools config.mk Makefile $(wildcard /var/lib/dpkg/status)
	@build/tools
	@mkdir -p out
	@for cross in native: $(foreach a,$(KNOWN_ARCHES),$a:$(CROSS_$a)); do \
		echo "# $${cross%%:*}: $$($${cross#*:}gcc --version 2>/dev/null | head -n 1)"; done >$@
endif

# ---- What there is

LIB_C := $(wildcard lib/*/*.c)
LIB_S := $(wildcard lib/*/*.S)
APPLETS_C := $(wildcard applets/*.c)
UNIT_C := $(wildcard tests/unit/test_*.c)
UNIT_HELP_C := $(filter-out $(UNIT_C),$(wildcard tests/unit/*.c))
DRIVERS := $(patsubst tests/fuzz/drive_%.c,%,$(filter-out %/drive_main.c,$(wildcard tests/fuzz/drive_*.c)))
STEPPER_C := $(filter-out %/test_kernel.c,$(wildcard tests/faults/*.c))
# Compiled by the scripts that use them.
OTHER_C := $(wildcard build/*/*.c tests/vm/*.c tests/bench/*.c)
ALL_C := $(LIB_C) $(APPLETS_C) $(wildcard tests/unit/*.c tests/fuzz/*.c tests/faults/*.c) $(OTHER_C)
ALL_H := $(wildcard lib/*/*.h applets/*.h build/*/*.h tests/*/*.h)

# remember FILE,TEXT: FILE holds TEXT, and is new only when TEXT is.
remember = $(shell mkdir -p $(dir $1); echo '$2' | cmp -s - $1 || echo '$2' >$1)

# Built dependencies go by what they are made from: the lock, the recipes, the compilers.
DEPS := $(shell cat build/deps.lock build/sysroot build/deps/* out/tools.mk 2>/dev/null | sha256sum | cut -c 1-12)
sysroot = $(CACHE)/sysroot-$1-$(DEPS)
ifneq ($(filter-out help clean,$(or $(MAKECMDGOALS),all)),)
$(call remember,out/deps,$(CACHE) $(DEPS))
$(call remember,out/sources,$(LIB_C) $(LIB_S) $(APPLETS_C))
endif

# ---- Dependencies

$(CACHE)/sysroot-%-$(DEPS)/.complete:
	+@CROSS=$(CROSS_$*) build/sysroot $* $(@D)

# The names without the hash, for scripts and tests.
links: $(foreach a,$(ARCHES) native,$(call sysroot,$a)/.complete)
	@link() { [ "$$(readlink $(CACHE)/$$2)" = "$$1" ] || ln -sfn "$$1" "$(CACHE)/$$2"; }; \
	for a in $(ARCHES) native; do link sysroot-$$a-$(DEPS) sysroot-$$a; done; \
	link sysroot-x86_64/bin tools
.PHONY: links

# ---- The table of names

IDS := $(call sysroot,$(firstword $(ARCHES)))/share/misc
out/tools/mkids: build/ids/mkids.c lib/ids/ids_text.c $(wildcard lib/base/*.c lib/base/*.h lib/ids/*.h) config.mk
	$(call say,HOSTCC,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(HOSTCC) -std=c11 -D_GNU_SOURCE -O2 $(WARNINGS) $(WERROR) -Ilib -o $@ $(filter %.c,$^)

out/gen/ids.bin: out/tools/mkids out/deps | $(call sysroot,$(firstword $(ARCHES)))/.complete
	$(call say,IDS,$@)
	$(Q)mkdir -p $(@D)
	$(Q)out/tools/mkids $(IDS)/pci.ids $(IDS)/usb.ids $@

# ---- Compiling. A variant is a compiler with its flags and a sysroot; its objects are in
# out/VARIANT/obj, with lib/ as an archive out/VARIANT/lib.a.

CPPFLAGS = -D_GNU_SOURCE -DVFIOBOX_VERSION='"$(VERSION)"' -Ilib
ALL_CFLAGS = -std=c11 $(WARNINGS) $(WERROR) $(CPPFLAGS) -ffile-prefix-map=$(CURDIR)/=

PRODUCT_CFLAGS = $(OPTIMIZE) -g -flto -ffat-lto-objects -ffunction-sections -fdata-sections -fPIE \
	-fno-asynchronous-unwind-tables -fno-unwind-tables -fstack-protector-strong
PRODUCT_LDFLAGS = -static-pie -Wl,--gc-sections -Wl,-z,relro -Wl,-z,now -Wl,-z,noseparate-code \
	-Wl,--build-id=none

# variant NAME,SYSROOT,COMPILER,AR,FLAGS
define variant
CC_$1 = $3
CFLAGS_$1 = $5
LIBS_$1 = -L$2/lib -lpci -lyaml

out/$1/obj/%.o: %.c out/deps Makefile config.mk | $2/.complete
	$$(call say,CC,$$@)
	$$(Q)mkdir -p $$(@D)
	$$(Q)$3 $$(ALL_CFLAGS) $5 -MMD -MP -c -o $$@ $$<

out/$1/obj/%.o: %.S out/deps Makefile config.mk | $2/.complete
	$$(call say,AS,$$@)
	$$(Q)mkdir -p $$(@D)
	$$(Q)$3 $$(CPPFLAGS) -Wa,--noexecstack -Wa,-Iout/gen -MMD -MP -c -o $$@ $$<

out/$1/obj/lib/ids/ids_table.o: out/gen/ids.bin

out/$1/lib.a: $$(patsubst %,out/$1/obj/%.o,$$(basename $$(LIB_C) $$(LIB_S))) out/sources
	$$(call say,AR,$$@)
	$$(Q)rm -f $$@
	$$(Q)$4 rcsD $$@ $$(filter %.o,$$^)

-include $$(patsubst %.c,out/$1/obj/%.d,$$(ALL_C))
endef

# tests NAME,LINKING: each tests/unit/test_*.c as a program of this variant.
define tests
out/$1/tests/test_%: out/$1/obj/tests/unit/test_%.o \
		$$(patsubst %.c,out/$1/obj/%.o,$$(UNIT_HELP_C)) out/$1/lib.a
	$$(call say,LD,$$@)
	$$(Q)mkdir -p $$(@D)
	$$(Q)$$(CC_$1) $$(CFLAGS_$1) $2 -o $$@ $$^ $$(LIBS_$1) -lcmocka

tests-$1: $$(patsubst tests/unit/%.c,out/$1/tests/%,$$(UNIT_C))
.PHONY: tests-$1
.SECONDARY: $$(patsubst %.c,out/$1/obj/%.o,$$(UNIT_C) $$(UNIT_HELP_C))
endef

LAYOUT_aarch64 = -Wl,-T,build/aarch64.ld
out/aarch64/vfiobox.debug: build/aarch64.ld

# product ARCH
define product
out/$1/vfiobox.debug: $$(patsubst %.c,out/$1/obj/%.o,$$(APPLETS_C)) out/$1/lib.a
	$$(call say,LD,$$@)
	$$(Q)$$(CC_$1) $$(CFLAGS_$1) -flto-partition=one -flto=1 $$(PRODUCT_LDFLAGS) \
		$$(LAYOUT_$1) -ffile-prefix-map=$$(CURDIR)/= -Wl,-Map=out/$1/vfiobox.map -o $$@ \
		$$(filter %.o %.a,$$^) $$(LIBS_$1) $(call sysroot,$1)/lib/nofloat.o

out/$1/vfiobox: out/$1/vfiobox.debug
	$$(call say,STRIP,$$@)
	$$(Q)$$(CROSS_$1)strip -s -R .comment -o $$@ $$<

$1: out/$1/vfiobox
all: $1
.PHONY: $1
endef

$(foreach a,$(ARCHES),\
	$(eval $(call variant,$a,$(call sysroot,$a),$(call sysroot,$a)/bin/musl-gcc,$(CROSS_$a)gcc-ar,$(PRODUCT_CFLAGS)))\
	$(eval $(call product,$a))\
	$(eval $(call tests,$a,-fno-lto $(PRODUCT_LDFLAGS))))

$(eval $(call variant,native,$(call sysroot,native),$(HOSTCC),ar,-O1 -g -fno-omit-frame-pointer \
	-fsanitize=address$(comma)undefined -fno-sanitize-recover=undefined -isystem $(call sysroot,native)/include))
$(eval $(call tests,native))

$(eval $(call variant,fuzz,$(call sysroot,native),$(CLANG),ar,-O1 -g -fno-omit-frame-pointer \
	-fsanitize=fuzzer-no-link$(comma)address$(comma)undefined -fno-sanitize-recover=undefined \
	-isystem $(call sysroot,native)/include))

# ---- Drivers of the parsers: as programs, and under the fuzzer

out/x86_64/tests/drive-%: out/x86_64/obj/tests/fuzz/drive_%.o out/x86_64/obj/tests/fuzz/drive_main.o out/x86_64/lib.a
	$(call say,LD,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC_x86_64) $(CFLAGS_x86_64) -fno-lto $(PRODUCT_LDFLAGS) -o $@ $^ $(LIBS_x86_64)

out/fuzz/fuzz-%: out/fuzz/obj/tests/fuzz/drive_%.o out/fuzz/obj/tests/fuzz/fuzz_main.o out/fuzz/lib.a
	$(call say,LD,$@)
	$(Q)$(CLANG) -fsanitize=fuzzer,address,undefined -o $@ $^ $(LIBS_fuzz)

.SECONDARY: $(foreach d,$(DRIVERS) main,out/x86_64/obj/tests/fuzz/drive_$d.o) \
	$(foreach d,$(DRIVERS),out/fuzz/obj/tests/fuzz/drive_$d.o) out/fuzz/obj/tests/fuzz/fuzz_main.o
drivers: $(DRIVERS:%=out/x86_64/tests/drive-%)
fuzzers: $(DRIVERS:%=out/fuzz/fuzz-%)

# ---- The stepper, static for guests too; the kernel that it plays, tested with sanitizers

out/x86_64/faults/stepper: $(STEPPER_C:%.c=out/x86_64/obj/%.o) out/x86_64/lib.a
	$(call say,LD,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC_x86_64) $(CFLAGS_x86_64) -fno-lto $(PRODUCT_LDFLAGS) -o $@ $^ $(LIBS_x86_64)

out/native/faults/stepper: $(STEPPER_C:%.c=out/native/obj/%.o)
out/native/faults/test_kernel: $(patsubst %.c,out/native/obj/%.o,$(wildcard tests/faults/*kernel*.c))
out/native/faults/%: out/native/lib.a
	$(call say,LD,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC_native) $(CFLAGS_native) -o $@ $(filter %.o,$^) $(filter %.a,$^) $(LIBS_native) -lcmocka

.SECONDARY: $(foreach v,x86_64 native,$(STEPPER_C:%.c=out/$v/obj/%.o) out/$v/obj/tests/faults/test_kernel.o)
stepper: out/x86_64/faults/stepper out/native/faults/test_kernel
.PHONY: stepper

# ---- Warnings are errors: gcc where it compiles, clang over the same files

CLANG_CFLAGS = --target=x86_64-linux-musl -nostdinc -isystem $(call sysroot,x86_64)/include \
	-isystem $(shell $(CLANG) -print-resource-dir)/include
out/clang/%.ok: %.c out/deps Makefile config.mk | $(call sysroot,x86_64)/.complete
	$(call say,CLANG,$<)
	$(Q)mkdir -p $(@D)
	$(Q)$(CLANG) $(ALL_CFLAGS) -Werror $(CLANG_CFLAGS) -fsyntax-only -MMD -MP -MT $@ -MF $(@:.ok=.d) $<
	$(Q)touch $@
-include $(ALL_C:%.c=out/clang/%.d)

warnings-gcc: $(ALL_C:%.c=out/x86_64/obj/%.o)
warnings-clang: $(ALL_C:%.c=out/clang/%.ok)

# ---- For people

all: ## both products: out/x86_64/vfiobox, out/aarch64/vfiobox (what `make` alone does)

size: $(ARCHES) ## what each module and library adds to the products
	@$(PYTHON) build/size $(SIZE_LIMIT) $(ARCHES:%=out/%/vfiobox)

ready: all drivers fuzzers stepper tests-native $(ARCHES:%=tests-%) links vm-kit

check: ready ## every test; ends with "N passed, N failed, N skipped"
	+@$(PYTHON) tests/run
check-format check-warnings: check-%: ## the source's form; warnings of gcc and clang
	+@$(PYTHON) tests/run $*
check-unit: tests-native $(ARCHES:%=tests-%) ## unit tests: with sanitizers, as static musl, as aarch64
	@$(PYTHON) tests/run unit
check-cli: all drivers links stepper ## black-box tests of the program
	+@$(PYTHON) tests/run cli
check-faults: x86_64 stepper ## a kill, a power cut, an error at every call that changes a file
	@$(PYTHON) tests/run faults
check-vm: x86_64 stepper vm-kit ## tests on a real kernel
	@$(PYTHON) tests/run vm
check-fuzz: fuzzers ## a short run of each fuzzer
	@$(PYTHON) tests/run fuzz
fuzz: fuzzers ## FUZZ_SECONDS of each fuzzer, keeping what it finds in out/fuzz
	@$(PYTHON) tests/run fuzz-long

# Without it the tests that boot a kernel say what is missing.
vm-kit: links
	-@tests/vm/setup

bench: all drivers links ## figures: time and size, against others
	@tests/bench/run
demo: x86_64 links ## a real kernel hands devices to vfio and gets them back
	@tests/vm/demo
mutants: ready ## breaks each promise, and shows the test that notices
	+@tests/mutants/run

clean: ## removes out/, leaves the cache
	rm -rf out

help: ## this list
	@sed -n 's/^\([a-z][-a-z ]*\):.*## \(.*\)/\1|\2/p' Makefile | while IFS='|' read -r names what; do \
		printf '  %-28s %s\n' "$$names" "$$what"; done

.PHONY: all size ready check check-format check-warnings check-unit check-cli check-faults check-vm check-fuzz fuzz \
	drivers fuzzers warnings-gcc warnings-clang vm-kit bench demo mutants clean help
