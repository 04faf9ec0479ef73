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

PDS := supervisor timer_driver net_driver net_server echo_server http_server console rng_driver

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

# The image for the system tests differs by the lines of system.xml and net.toml marked @test, by the client
# `hostile` and by the feature `fault-injection` of console, supervisor and net_driver. Its console takes commands, and has a priority above what it makes
# fault: else it would only ever be heard while everyone waits, and no PD would fault in the middle of its work.
ifeq ($(TEST_IMAGE),1)
OUT      := build/$(CONFIG)-test
PDS      += hostile
FEATURES := --features console/fault-injection,supervisor/fault-injection,net_driver/fault-injection
SYSTEM   := $(OUT)/system.xml
NET_TOML := $(OUT)/net.toml
else
OUT      := build/$(CONFIG)
SYSTEM   := system.xml
NET_TOML := net.toml
endif

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
CHECK_RIGHTS = $(TOOLS)/config-tool rights $(SYSTEM) $(GRANTED)

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
.PHONY: help run image qemu-command test check bench bench-loss setup sdk sdk-environment clean FORCE

help: ## this list
	@grep -hE '^[a-z][a-z-]*:.*## ' $(MAKEFILE_LIST) | sed -e 's/:.*## /\t/' | expand -t 16
	@echo
	@echo "Variables: CONFIG=debug|release  HTTP_PORT=8080  ECHO_PORT=8007  FORWARD=tcp:127.0.0.1:7000-:7000"
	@echo "           NETDEV=…  QEMU_ARGS=…  MICROKIT_SDK=<folder>  TEST_IMAGE=1 (the console takes: crash <PD>, hang <PD>, stall <PD>)"

run: image ## build and boot; Ctrl-C ends it
ifeq ($(origin NETDEV),file)
	@echo "Isthmus: http://127.0.0.1:$(HTTP_PORT)/  (echo, TCP and UDP: 127.0.0.1:$(ECHO_PORT)$(FORWARD:%=; %)); Ctrl-C ends QEMU"
else
	@echo "Isthmus on $(NETDEV); Ctrl-C ends QEMU"
endif
	@tools/run.sh $(QEMU)

image: $(IMAGE) ## build/<config>/loader.img and report.txt

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

build/$(CONFIG)-test/system.xml: system.xml $(TOOLS)/config-tool
	@mkdir -p $(@D)
	@$(TOOLS)/config-tool test-system $< -o $@

# Its network has room for a thousand neighbours.
build/$(CONFIG)-test/net.toml: net.toml Makefile
	@mkdir -p $(@D)
	@sed -e '/^address = /s|/24|/16|' -e 's|^#@test: ||' $< > $@

$(OUT)/net_config.bin: $(NET_TOML) $(SYSTEM) $(TOOLS)/config-tool
	@mkdir -p $(OUT)
	@$(TOOLS)/config-tool compile $(NET_TOML) --system $(SYSTEM) -o $@

$(OUT)/pds/stamp: FORCE | sdk
	@mkdir -p $(OUT)/pds $(dir $(PD_TARGET))
	@[ -e $@ ] || echo "building the protection domains ($(CONFIG)); the first time this takes a minute or two"
	@MICROKIT_SDK=$(SDK) MICROKIT_BOARD=$(BOARD) MICROKIT_CONFIG=$(CONFIG) \
	  flock $(PD_TARGET).lock $(CARGO) build --locked --quiet --profile $(PD_PROFILE) --target $(TARGET) \
	  --target-dir $(PD_TARGET) $(addprefix -p ,$(PDS)) $(FEATURES) || exit; \
	for pd in $(PDS); do \
	  cmp -s $(PD_TARGET)/$(TARGET)/$(PD_PROFILE)/$$pd $(OUT)/pds/$$pd || \
	  { cp $(PD_TARGET)/$(TARGET)/$(PD_PROFILE)/$$pd $(OUT)/pds/$$pd.new && mv $(OUT)/pds/$$pd.new $(OUT)/pds/$$pd && touch $@; } || exit; \
	done; \
	for old in $(filter-out $(addprefix $(OUT)/pds/,$(PDS) stamp),$(wildcard $(OUT)/pds/*)); do rm $$old; touch $@; done

$(IMAGE): $(SYSTEM) $(OUT)/net_config.bin $(OUT)/pds/stamp $(OUT)/sdk-used
	@$(SDK)/bin/microkit $(SYSTEM) --search-path $(OUT)/pds --search-path $(OUT) \
	  --board $(BOARD) --config $(CONFIG) -o $@ -r $(OUT)/report.txt $(REPORTS)
	@$(CHECK_RIGHTS) >$(OUT)/rights.txt

include tools/debug.mk

# --- Tools of the host ---------------------------------------------------------
HOST_TOOLS := config-tool check system-tests sdk-tests bench bench-loss

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
.PHONY: test-sdk test-rights test-system test-lan loom miri
test-sdk: sdk $(TOOLS)/sdk-tests ## the suite of small systems, on the SDK in use
	@MICROKIT_SDK=$(SDK) MICROKIT_BOARD=$(BOARD) MICROKIT_CONFIG=$(CONFIG) $(TOOLS)/sdk-tests --build build/$(CONFIG)/sdk-tests/$(SDK_ID)

test-rights: $(IMAGE) ## the rights in the image are those of the system description
	@$(CHECK_RIGHTS) && echo "1 passed, 0 failed" || { echo "0 passed, 1 failed"; exit 1; }

test-system: $(IMAGE) $(TOOLS)/system-tests ## the booted image driven from the host (TEST_IMAGE=1)
	@$(TOOLS)/system-tests --image $(IMAGE) --qemu "$(QEMU)"

test-lan: $(IMAGE) $(TOOLS)/system-tests ## the booted image beside Linux's own stack, on a bad cable and attacked (TEST_IMAGE=1; root)
	@$(AS_ROOT) $(TOOLS)/system-tests --lan --image $(IMAGE) --qemu "$(QEMU)"

loom: setup ## the rings of packets and log lines and the readiness region under the model checker
	@RUSTFLAGS="--cfg loom" $(CARGO) test --locked --quiet -p ring -p log-ring -p socket-proto --release --test loom --target-dir build/loom

miri: setup ## libs/pd/shm, libs/pd/executor and libs/link/virtio-net under Miri (needs a nightly toolchain with the component miri)
	@cargo +nightly miri --version >/dev/null 2>&1 || { echo "miri: it is not installed" >&2; \
	  echo "  help: rustup toolchain install nightly --component miri,rust-src" >&2; exit 1; }
	@$(CARGO) +nightly miri test --locked --quiet -p executor -p shm --target-dir build/miri
	@# The test device goes by addresses, as a device does; its memory is there for good.
	@MIRIFLAGS='-Zmiri-permissive-provenance -Zmiri-ignore-leaks' $(CARGO) +nightly miri test --locked --quiet -p virtio-net --target-dir build/miri

check: setup ## format, clippy, dependency rules, docs
	@tools/check.sh

bench: image $(TOOLS)/bench ## boot the release image and print the table of figures
	@$(TOOLS)/bench --image $(IMAGE) --report $(OUT)/report.txt --qemu "$(QEMU)"

bench-loss: image $(TOOLS)/bench-loss ## goodput on cables that lose and delay, of the image and of Linux (root)
	@$(AS_ROOT) $(TOOLS)/bench-loss --image $(IMAGE) --qemu "$(QEMU)"

clean: ## remove everything that was built
	rm -rf build

FORCE:
