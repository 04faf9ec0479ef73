// SPDX-License-Identifier: BSD-2-Clause

//! What `{:?}` shows of the types that hold a transport.

use core::fmt::{Debug, Formatter, Result};

use crate::{
    Client, Guest, IcmpSocket, Net, NetSocket, Places, Service, Storage, TcpListener, TcpReader,
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

debug!([T: Transport] Client<T>, "Client", this, serial: this.ready_serial());
debug!([T: Transport] Net<T>, "Net", this, client: this.client());
debug!([T: Transport] NetSocket<'_, T>, "NetSocket", this, socket: this.socket());
debug!([T: Transport] TcpListener<'_, T>, "TcpListener", this, socket: this.socket());
debug!([T: Transport] TcpStream<'_, T>, "TcpStream", this, socket: this.socket());
debug!([T: Transport] TcpReader<'_, T>, "TcpReader", this, socket: this.stream().socket());
debug!([T: Transport] TcpWriter<'_, T>, "TcpWriter", this, socket: this.stream().socket());
debug!([T: Transport] UdpSocket<'_, T>, "UdpSocket", this, socket: this.socket());
debug!([T: Transport] IcmpSocket<'_, T>, "IcmpSocket", this, socket: this.socket());
debug!([const N: usize] Places<N>, "Places", _this);
debug!([const S: usize, const T: usize] Storage<S, T>, "Storage", _this, sockets: S, timers: T);
debug!([T: Transport, const N: usize] Service<'_, T, N>, "Service", this, net: this.net());
debug!([T: Transport, const N: usize] Guest<'_, '_, T, N>, "Guest", this, stream: this.stream());
