/* SPDX-License-Identifier: BSD-2-Clause */

#pragma once

/* Makes the calls that nothing else here makes, with a connection to `listener`. Returns 0, or the line of what went wrong. */
int check(int listener);
