/* SPDX-License-Identifier: BSD-2-Clause */
/* No constants of this platform are part of the kernel's interface, but the kernel expects the file. */
#pragma once
