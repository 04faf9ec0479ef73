# SPDX-License-Identifier: BSD-2-Clause
#
# From an address to a source line, and the image under gdb; docs/debugging.md.

GDB_PORT ?= 1234
ADDR2LINE := aarch64-linux-gnu-addr2line

.PHONY: addr2line symbols debug pd-elf

addr2line: pd-elf ## source line of an address (PD=net_driver ADDR=0x201234)
	@$(ADDR2LINE) -fCpi -e $(OUT)/pds/$(PD) $(ADDR)

symbols: ## copy a console log from stdin, with source lines for each fault
	@tools/symbols.sh $(OUT)/pds

debug: pd-elf ## boot under gdb, stopped where PD=… begins
	@tools/debug.sh $(OUT)/pds/$(PD) $(GDB_PORT) $(QEMU)

pd-elf:
	@[ -n "$(PD)" ] && [ -f $(OUT)/pds/$(PD) ] || { \
	  echo "PD=$(PD): no program $(OUT)/pds/$(PD)" >&2; \
	  echo "  help: run make image, then name one of: $(sort $(filter-out %.new stamp,$(notdir $(wildcard $(OUT)/pds/*))))" >&2; exit 1; }
