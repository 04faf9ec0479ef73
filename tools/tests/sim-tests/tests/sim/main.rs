// SPDX-License-Identifier: BSD-2-Clause

//! Clients against the socket core that ships, over a link that loses, doubles and delays frames,
//! with another stack at its end.

mod echo;
mod http;
#[path = "../../../../../libs/sockets/socket-server/tests/common/mod.rs"]
mod server;
mod wire;
