// SPDX-License-Identifier: BSD-2-Clause

//! Timers: connections, clients' deadlines, the gateway, neighbours.

use crate::frames::TxQueue;
use crate::protocol::window::Window;
use crate::server::Server;
use crate::transport::connection::Owner;
use crate::transport::egress::patience;

impl<W: Window> Server<W> {
    pub(crate) fn client_timer(&self, client: usize) -> usize {
        self.tcp.len() + client
    }

    pub(crate) fn gateway_timer(&self) -> usize {
        self.tcp.len() + self.clients.len()
    }

    pub(crate) fn neighbour_timer(&self) -> usize {
        self.gateway_timer() + 1
    }

    /// Does what is due. Each timer comes once a wake-up, so that the work is bounded by their
    /// number.
    pub(crate) fn run_timers<T: TxQueue>(&mut self, tx: &mut T) {
        let now = self.stack.now();
        let connections = self.tcp.len();
        for _ in 0..=self.neighbour_timer() {
            let Some(id) = self.timers.pop_due(now) else {
                break;
            };
            if id < connections {
                self.connection_due(id);
            } else if id < self.gateway_timer() {
                self.wake(id - connections);
            } else if id == self.gateway_timer() {
                self.ask_gateway(tx);
            } else {
                self.ask_neighbours(tx);
            }
        }
    }

    fn connection_due(&mut self, index: usize) {
        let connection = self.tcp.get(index);
        if connection.owner == Owner::Free {
            return;
        }
        if patience(connection).is_some_and(|until| until <= self.stack.now()) {
            self.give_up(index);
        }
        self.dirty.push(index);
    }
}
