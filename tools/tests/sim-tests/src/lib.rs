// SPDX-License-Identifier: BSD-2-Clause

//! Nothing but tests: the client library and what is built on it, against the socket core that
//! ships, on the simulated link of `libs/sockets/socket-server/tests`. It is a crate of its own
//! because clients do not depend on the server, not even their tests.

#![forbid(unsafe_code)]
