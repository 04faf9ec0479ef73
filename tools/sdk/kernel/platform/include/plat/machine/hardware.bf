-- SPDX-License-Identifier: BSD-2-Clause
-- This platform has no registers to describe, but the kernel expects the file.
base 32
