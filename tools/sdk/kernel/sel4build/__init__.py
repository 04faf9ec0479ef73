# SPDX-License-Identifier: BSD-2-Clause
"""Builds seL4 5.0.0 for QEMU's machine `virt` out of the crate sel4-sys."""
