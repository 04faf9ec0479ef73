// SPDX-License-Identifier: BSD-2-Clause

//! What `{:?}` shows of the types that hold a transport.

use core::fmt::{Debug, Formatter, Result};

use crate::{
    BatchWriter, Calls, Client, Guest, Net, Places, Service, Sleep, TcpListener, TcpReader,
    TcpStream, TcpWriter, Transport, UdpSocket,
};

/// `debug!([generics] type, name, field: what it shows, …)`
macro_rules! debug {
    ([$($generics:tt)*] $type:ty, $name:literal, $this:ident $(, $field:ident: $value:expr)*) => {
        impl<$($generics)*> Debug for $type {
            fn fmt(&self, f: &mut Formatter<'_>) -> Result {
                let $this = self;
                f.debug_struct($name)
                    $(.field(stringify!($field), &$value))*
                    .finish_non_exhaustive()
            }
        }
    };
}

debug!([T: Transport] Client<T>, "Client", this, max_sockets: this.max_sockets());
debug!([T: Transport] Net<T>, "Net", this, client: this.client());
debug!([T: Transport] TcpListener<'_, T>, "TcpListener", this, socket: this.socket());
debug!([T: Transport] TcpStream<'_, T>, "TcpStream", this, socket: this.socket());
debug!([T: Transport] TcpReader<'_, T>, "TcpReader", this, socket: this.stream().socket());
debug!([T: Transport] TcpWriter<'_, T>, "TcpWriter", this, socket: this.stream().socket());
debug!([T: Transport] UdpSocket<'_, T>, "UdpSocket", this, socket: this.socket());
debug!([T: Transport] Sleep<'_, T>, "Sleep", this, deadline: this.deadline());
debug!([const N: usize] Places<N>, "Places", this, taken: this.len());
debug!([T: Transport] Calls<'_, T>, "Calls", this, added: this.len());
debug!([] BatchWriter<'_>, "BatchWriter", this, datagrams: this.len());
debug!([T: Transport, const N: usize] Service<'_, T, N>, "Service", this, net: this.net());
debug!([T: Transport, const N: usize] Guest<'_, '_, T, N>, "Guest", this, stream: this.stream());
