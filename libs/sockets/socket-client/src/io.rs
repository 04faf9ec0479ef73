// SPDX-License-Identifier: BSD-2-Clause

//! The traits of `embedded-io-async` for streams, by their methods of the same names.

use embedded_io_async::{ErrorType, Read, ReadReady, Write, WriteReady};
use socket_proto::Errno;

use crate::wakers::Direction;
use crate::{Guest, TcpReader, TcpStream, TcpWriter, Transport};

/// `io!([generics] type: methods of which type, traits)`
macro_rules! io {
    ($generics:tt $type:ty: $stream:ident, $($trait:ident)+) => {
        io!(@ErrorType $generics $type);
        $(io!(@$trait $generics $type: $stream);)+
    };
    (@ErrorType [$($generics:tt)*] $type:ty) => {
        impl<$($generics)*> ErrorType for $type {
            type Error = Errno;
        }
    };
    (@Read [$($generics:tt)*] $type:ty: $stream:ident) => {
        impl<$($generics)*> Read for $type {
            async fn read(&mut self, buf: &mut [u8]) -> Result<usize, Errno> {
                $stream::read(self, buf).await
            }
        }

        impl<$($generics)*> ReadReady for $type {
            fn read_ready(&mut self) -> Result<bool, Errno> {
                let bits = $stream::stream(self).poll_bits();
                Ok(bits.intersects(Direction::Read.mask()))
            }
        }
    };
    (@Write [$($generics:tt)*] $type:ty: $stream:ident) => {
        impl<$($generics)*> Write for $type {
            async fn write(&mut self, data: &[u8]) -> Result<usize, Errno> {
                $stream::write(self, data).await
            }

            /// Bytes that `write` has taken are the server's, which sends them without being asked.
            async fn flush(&mut self) -> Result<(), Errno> {
                Ok(())
            }
        }

        impl<$($generics)*> WriteReady for $type {
            fn write_ready(&mut self) -> Result<bool, Errno> {
                let bits = $stream::stream(self).poll_bits();
                Ok(bits.intersects(Direction::Write.mask()))
            }
        }
    };
}

io!([T: Transport] TcpStream<'_, T>: TcpStream, Read Write);
io!([T: Transport] &TcpStream<'_, T>: TcpStream, Read Write);
io!([T: Transport] TcpReader<'_, T>: TcpReader, Read);
io!([T: Transport] TcpWriter<'_, T>: TcpWriter, Write);
io!([T: Transport, const WORKERS: usize] Guest<'_, '_, T, WORKERS>: Guest, Read Write);
io!([T: Transport, const WORKERS: usize] &Guest<'_, '_, T, WORKERS>: Guest, Read Write);
