# SPDX-License-Identifier: BSD-2-Clause
#
# Builds the registry SDK into build/sdk, for one configuration. Files are replaced only if they changed, so that nothing
# that depends on them is made again without need. tools/sdk/README.md says what the parts are.

SDK_BOARD_DIR := build/sdk/board/$(BOARD)/$(CONFIG)
SDK_CARGO_DIR := build/sdk-programs/$(CONFIG)

# $(call install-changed,from,to)
install-changed = cmp -s $(1) $(2) || { mkdir -p $(dir $(2)) && cp $(1) $(2).new.$$$$ && mv $(2).new.$$$$ $(2); }

.PHONY: registry-sdk
registry-sdk: setup
	@[ -e $(SDK_BOARD_DIR)/elf/initialiser.elf ] || echo "building the registry SDK ($(CONFIG)): kernel, loader, initialiser, tool"
	@python3 tools/sdk/kernel/build.py --out build/sdk --config $(CONFIG)
	@RUSTFLAGS="-Crelocation-model=static" \
	  MICROKIT_SDK=$(CURDIR)/build/sdk MICROKIT_BOARD=$(BOARD) MICROKIT_CONFIG=$(CONFIG) \
	  $(CARGO) build --locked --quiet --release --target aarch64-unknown-none --target-dir $(SDK_CARGO_DIR) \
	  -p sdk-loader -p sdk-initialiser --features sdk-loader/program,sdk-initialiser/program
	@$(CARGO) build --locked --quiet --profile tool --target-dir build/host -p microkit
	@$(call install-changed,$(SDK_CARGO_DIR)/aarch64-unknown-none/release/sdk-loader,$(SDK_BOARD_DIR)/elf/loader.elf)
	@$(call install-changed,$(SDK_CARGO_DIR)/aarch64-unknown-none/release/sdk-initialiser,$(SDK_BOARD_DIR)/elf/initialiser.elf)
	@$(call install-changed,build/host/tool/microkit,build/sdk/bin/microkit)
