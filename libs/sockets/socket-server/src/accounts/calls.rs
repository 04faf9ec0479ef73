// SPDX-License-Identifier: BSD-2-Clause

//! Calls are shared by client, too. The server has a higher priority than its clients, and the
//! kernel charges none of its time to them; so a client that calls without pause would take the
//! processor from others with equal rights to it.

use socket_proto::Request;

use crate::protocol::window::Window;
use crate::server::Server;

/// How long a client counts as one who wants the server's time, in nanoseconds: after its last
/// call, and after a notification that it has not answered with one. Longer than the others' time
/// slices, for which it may have to wait.
pub(crate) const PRESENT: u64 = 100_000_000;

impl<W: Window> Server<W> {
    /// A call of this client took so many nanoseconds. To be told if [`super::Outcome::metered`] is
    /// set.
    pub fn spent(&mut self, client: usize, nanoseconds: u64) {
        if let Ok(client) = self.client_mut(client) {
            client.meter.spend(nanoseconds);
        }
    }

    /// A client calls. Returns how many clients want the server's time, this one included.
    pub(crate) fn meet(&mut self, number: usize) -> u64 {
        let now = self.time();
        let others = (self.clients.iter().enumerate())
            .filter(|&(other, _)| other != number)
            .filter_map(|(_, client)| client.as_ref())
            .filter(|client| client.present_until > now);
        let sharers = 1 + others.count() as u64;
        if let Ok(client) = self.client_mut(number) {
            client.present_until = now + PRESENT;
            client.meter.settle(now, sharers);
        }
        sharers
    }

    /// Whether a call is refused with `EAGAIN` because the client has had its share. Only calls
    /// that may answer so anyway are; the client is notified when it is worth trying again.
    pub(crate) fn refuses(&mut self, number: usize, request: &Request, sharers: u64) -> bool {
        let may_wait = matches!(
            request,
            Request::Send(_) | Request::Recv(_) | Request::Accept(_)
        );
        let now = self.stack.now();
        let Ok(client) = self.client_mut(number) else {
            return false;
        };
        if !may_wait || !client.attached || !client.meter.is_over() {
            return false;
        }
        let wait = smoltcp::time::Duration::from_micros(client.meter.wait(sharers).div_ceil(1_000));
        let at = client.refill.map_or(now + wait, |set| set.min(now + wait));
        client.refill = Some(at);
        self.timers.set_if_earlier(self.client_timer(number), at);
        true
    }
}
