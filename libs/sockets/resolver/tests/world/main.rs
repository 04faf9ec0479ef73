// SPDX-License-Identifier: BSD-2-Clause

//! The resolver on the simulated world, with a test peer that is a name server, or several.

mod answers;
mod lies;
mod peer;
mod servers;
