# SPDX-License-Identifier: BSD-2-Clause
#
# `make help` lists the targets. Everything that is made lies under build/.

CONFIG    ?= release
BOARD     := qemu_virt_aarch64
HTTP_PORT ?= 8080
ECHO_PORT ?= 8007
# More ports of the host for the guest, such as tcp:127.0.0.1:7000-:7000
FORWARD   ?=
NETDEV    ?= user,id=netdev0,hostfwd=tcp:127.0.0.1:$(HTTP_PORT)-:80,hostfwd=tcp:127.0.0.1:$(ECHO_PORT)-:7,hostfwd=udp:127.0.0.1:$(ECHO_PORT)-:7$(subst $() $(),,$(FORWARD:%=,hostfwd=%))

# The folder with the declaration (isthmus.toml) and the PDs of a system of your own
SYSTEM    ?= .
# Ready PDs to be in the image besides: folders of pds/ that have a declaration.toml
APPS      ?=

ifeq ($(filter $(CONFIG),debug release),)
$(error CONFIG=$(CONFIG) is not known: use CONFIG=debug or CONFIG=release)
endif

# --- Which SDK ---------------------------------------------------------------
# MICROKIT_SDK names an official Microkit SDK. Without it the registry SDK is built.
ifneq ($(MICROKIT_SDK),)
SDK    := $(abspath $(MICROKIT_SDK))
SDK_ID := sdk-$(shell printf %s '$(SDK)' | cksum | cut -d' ' -f1)
# What its tool has put into the image, for the check of the rights in it.
GRANTED = --capdl $(OUT)/capdl.json
REPORTS = --capdl-json $(OUT)/capdl.json
else
SDK    := $(CURDIR)/build/sdk
SDK_ID := sdk-registry
GRANTED = --image $(IMAGE)
REPORTS :=
endif

# The image for the system tests has another console, one PD more, and the feature `fault-injection` in three of them.
ifeq ($(SYSTEM),.)
OUT := build/$(CONFIG)
else
OUT := build/systems/$(notdir $(abspath $(SYSTEM)))/$(CONFIG)
endif
ifeq ($(TEST_IMAGE),1)
OUT      := $(OUT)-test
WITH     := --with tools/tests/system-tests/image/test.toml
FEATURES := console/fault-injection,supervisor/fault-injection,net_driver/fault-injection
endif
ifneq ($(APPS),)
OUT      := $(OUT)+$(subst $() $(),+,$(strip $(APPS)))
WITH     += $(APPS:%=--with pds/%/declaration.toml)
endif
DECLARATION := $(SYSTEM)/isthmus.toml
# What sysgen makes of it: system.xml, wiring tables
MADE     := $(OUT)/system

# PDs do not use the FPU, so the kernel never has to switch it.
TARGET    := aarch64-unknown-none-softfloat
# The profile of Cargo.toml.
PD_PROFILE := $(if $(filter debug,$(CONFIG)),checked,release)
# PDs are built once for both images; only what the feature touches differs.
PD_TARGET := build/$(CONFIG)/cargo/$(SDK_ID)
TOOLS     := build/tools
CARGO     := cargo

IMAGE := $(OUT)/loader.img
# Whether the image grants what the system description says, to whom it says.
CHECK_RIGHTS = $(TOOLS)/sysgen rights $(MADE)/system.xml $(GRANTED)

QEMU_BASE := qemu-system-aarch64 -machine virt,virtualization=on -cpu cortex-a53 -m size=2G \
	-display none -monitor none -serial stdio \
	-device loader,file=$(IMAGE),addr=0x70000000,cpu-num=0
QEMU_NET  := -global virtio-mmio.force-legacy=false \
	-device virtio-net-device,netdev=netdev0,bus=virtio-mmio-bus.0
# In a page of registers of its own: eight slots share one.
QEMU_RNG  := -device virtio-rng-device,bus=virtio-mmio-bus.8
# More for QEMU, such as -d int
QEMU_ARGS ?=
QEMU      := $(QEMU_BASE) $(QEMU_NET) $(QEMU_RNG) -netdev $(NETDEV) $(QEMU_ARGS)

.DELETE_ON_ERROR:
.PHONY: help run image qemu-command test check doc bench bench-loss setup sdk sdk-environment clean FORCE

help: ## this list
	@grep -hE '^[a-z][a-z-]*:.*## ' $(MAKEFILE_LIST) | sed -e 's/:.*## /\t/' | expand -t 16
	@echo
	@echo "Variables: CONFIG=debug|release  HTTP_PORT=8080  ECHO_PORT=8007  FORWARD=tcp:127.0.0.1:7000-:7000"
	@echo "           NETDEV=…  QEMU_ARGS=…  MICROKIT_SDK=<folder>  SYSTEM=<folder>"
	@echo "           APPS=\"key_value …\" (ready PDs to be in the image besides: docs/apps)"
	@echo "           TEST_IMAGE=1 (the console takes: crash <PD>, hang <PD>, stall <PD>)"

run: image ## build and boot; Ctrl-C ends it
ifeq ($(origin NETDEV),file)
	@echo "Isthmus: http://127.0.0.1:$(HTTP_PORT)/  (echo, TCP and UDP: 127.0.0.1:$(ECHO_PORT)$(FORWARD:%=; %)); Ctrl-C ends QEMU"
else
	@echo "Isthmus on $(NETDEV); Ctrl-C ends QEMU"
endif
	@tools/run.sh $(QEMU)

image: $(IMAGE) ## build/<config>/loader.img and report.txt

.PHONY: new-client new-system
PORT ?= 7000
LANGUAGE ?= rust
new-client: ## a client that answers: its folder and its block in the declaration (NAME=greeter, PORT=7000, LANGUAGE=c, SYSTEM=<folder>)
	@tools/new.sh client '$(NAME)' '$(SYSTEM)' '$(PORT)' '$(LANGUAGE)'

new-system: ## a folder with a system of your own (SYSTEM=<folder>); make run SYSTEM=<folder> boots it
	@tools/new.sh system '$(SYSTEM)'

qemu-command: ## print the command line that `make run` uses
	@echo $(QEMU)

setup: ## install what the build needs (Debian packages, Rust target)
	@tools/setup.sh

# --- The SDK -----------------------------------------------------------------
include tools/sdk/sdk.mk

ifneq ($(MICROKIT_SDK),)
sdk: setup
	@[ -x $(SDK)/bin/microkit ] && [ -d $(SDK)/board/$(BOARD)/$(CONFIG) ] || { \
	  echo "MICROKIT_SDK=$(MICROKIT_SDK): no bin/microkit or no board/$(BOARD)/$(CONFIG) in it." >&2; \
	  echo "  help: name the folder of an unpacked Microkit SDK 2.3, or unset MICROKIT_SDK to use the registry SDK" >&2; exit 1; }
else
sdk: registry-sdk ## the SDK that the image is built with
endif

sdk-environment: # for tools/check.sh
	@echo MICROKIT_SDK=$(SDK) MICROKIT_BOARD=$(BOARD) MICROKIT_CONFIG=$(CONFIG)

# --- The image ---------------------------------------------------------------
# Rules with FORCE run each time and touch their file only if its content changed.
define replace-if-changed
@cmp -s $@.new $@ && rm $@.new || mv $@.new $@
endef

$(OUT)/sdk-used: FORCE | sdk
	@mkdir -p $(OUT)
	@{ echo $(SDK); cksum < $(SDK)/bin/microkit; cat $(SDK)/board/$(BOARD)/$(CONFIG)/elf/* | cksum; } > $@.new
	$(replace-if-changed)

$(MADE)/system.xml: FORCE $(TOOLS)/sysgen
	@$(TOOLS)/sysgen build $(DECLARATION) $(WITH) -o $(MADE)
ifeq ($(SYSTEM)$(TEST_IMAGE)$(APPS),.)
	@cmp -s $@ system.xml || cp $@ system.xml
endif

# Each program is built here or, if it has a folder pds/<program> there, in the system's own workspace.
$(OUT)/pds/stamp: FORCE $(MADE)/system.xml | sdk
	@MICROKIT_SDK=$(SDK) MICROKIT_BOARD=$(BOARD) MICROKIT_CONFIG=$(CONFIG) TARGET=$(TARGET) PROFILE=$(PD_PROFILE) FEATURES=$(FEATURES) \
	  tools/build-pds.sh $(SYSTEM) $(MADE)/programs $(OUT)/pds $(PD_TARGET)

$(IMAGE): $(MADE)/system.xml $(OUT)/pds/stamp $(OUT)/sdk-used
	@$(SDK)/bin/microkit $< --search-path $(OUT)/pds --search-path $(MADE) --search-path $(SYSTEM) \
	  --board $(BOARD) --config $(CONFIG) -o $@ -r $(OUT)/report.txt $(REPORTS)
	@cat $(MADE)/costs >>$(OUT)/report.txt
	@$(CHECK_RIGHTS) >$(OUT)/rights.txt

include tools/debug.mk

# --- Tools of the host ---------------------------------------------------------
HOST_TOOLS := sysgen check system-tests sdk-tests bench bench-loss

$(addprefix $(TOOLS)/,$(HOST_TOOLS)): FORCE | setup
	@mkdir -p $(TOOLS)
	@$(CARGO) build --locked --quiet --profile tool --target-dir build/host -p $(@F)
	@cp build/host/tool/$(@F) $@.new
	$(replace-if-changed)

# --- Tests -------------------------------------------------------------------
# Who makes network namespaces: root, or a user that may be root in a user namespace.
AS_ROOT = $(shell [ "$$(id -u)" = 0 ] || ! unshare --map-root-user true 2>/dev/null || echo unshare --map-root-user --)

test: ## all tests that CI runs, host and QEMU
	@tools/test.sh

# One suite each; `make test` runs them all.
.PHONY: test-sdk test-rights test-system test-lan test-outside test-apps test-c-program loom miri
test-sdk: sdk $(TOOLS)/sdk-tests ## the suite of small systems, on the SDK in use
	@MICROKIT_SDK=$(SDK) MICROKIT_BOARD=$(BOARD) MICROKIT_CONFIG=$(CONFIG) $(TOOLS)/sdk-tests --build build/$(CONFIG)/sdk-tests/$(SDK_ID)

test-rights: $(IMAGE) ## the rights in the image are those of the system description
	@$(CHECK_RIGHTS) && echo "1 passed, 0 failed" || { echo "0 passed, 1 failed"; exit 1; }

test-system: $(IMAGE) $(TOOLS)/system-tests ## the booted image driven from the host (TEST_IMAGE=1)
	@$(TOOLS)/system-tests --image $(IMAGE) --qemu "$(QEMU)"

test-lan: $(IMAGE) $(TOOLS)/system-tests ## the booted image beside Linux's own stack, on a bad cable and attacked (TEST_IMAGE=1; root)
	@$(AS_ROOT) $(TOOLS)/system-tests --lan --image $(IMAGE) --qemu "$(QEMU)"

test-outside: sdk $(TOOLS)/sysgen ## a system outside this tree: one client, then 32 with 16,000 sockets
	@tools/tests/outside.sh

test-c-program: sdk $(TOOLS)/sysgen ## a C program from a Debian source package, unchanged, as a PD
	@tools/tests/c-program.sh

test-apps: sdk ## the ready PDs, driven by the programs that they are made for (ONLY=key_value: one of them)
	@tools/tests/apps.sh $(ONLY)

loom: setup ## the rings of packets and log lines and the readiness region under the model checker
	@RUSTFLAGS="--cfg loom" $(CARGO) test --locked --quiet -p path+file://$(CURDIR)/libs/link/ring -p log-ring -p socket-proto --profile tool --test loom --target-dir build/loom

miri: setup ## libs/pd/shm, libs/pd/executor and libs/link/virtio-net under Miri (needs a nightly toolchain with the component miri)
	@cargo +nightly miri --version >/dev/null 2>&1 || { echo "miri: it is not installed" >&2; \
	  echo "  help: rustup toolchain install nightly --component miri,rust-src" >&2; exit 1; }
	@$(CARGO) +nightly miri test --locked --quiet -p executor -p shm --target-dir build/miri
	@$(CARGO) +nightly miri test --locked --quiet -p sel4-microkit --lib heap --target-dir build/miri
	@# The test device goes by addresses, as a device does; its memory is there for good.
	@MIRIFLAGS='-Zmiri-permissive-provenance -Zmiri-ignore-leaks' $(CARGO) +nightly miri test --locked --quiet -p virtio-net --target-dir build/miri

doc: setup ## the documentation of the crates that a client uses, in build/host/doc
	@RUSTDOCFLAGS="-D warnings" $(CARGO) doc --locked --quiet --no-deps -p executor -p pd-net -p pd-support -p resolver -p socket-client -p time --target-dir build/host
	@echo "build/host/doc/socket_client/index.html"

check: setup ## format, clippy, dependency rules, docs
	@tools/check.sh

bench: image $(TOOLS)/bench ## boot the release image and print the table of figures
	@$(TOOLS)/bench --image $(IMAGE) --report $(OUT)/report.txt --qemu "$(QEMU)"

bench-loss: image $(TOOLS)/bench-loss ## goodput on cables that lose and delay, of the image and of Linux (root)
	@$(AS_ROOT) $(TOOLS)/bench-loss --image $(IMAGE) --qemu "$(QEMU)"

clean: ## remove everything that was built
	rm -rf build

FORCE:
