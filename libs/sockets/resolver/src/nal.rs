// SPDX-License-Identifier: BSD-2-Clause

//! The trait of `embedded-nal-async`.

use core::net::IpAddr;

use embedded_nal_async::{AddrType, Dns};
use socket_client::{Errno, Transport};

use crate::{Kind, ResolveError, Resolver};

impl<T: Transport, const CACHE: usize> Dns for Resolver<'_, T, CACHE> {
    type Error = ResolveError;

    /// The first address; of either kind, one of IPv4 if there is one.
    async fn get_host_by_name(
        &self,
        host: &str,
        addr_type: AddrType,
    ) -> Result<IpAddr, ResolveError> {
        let answer = match addr_type {
            AddrType::IPv4 => self.resolve(host, Kind::A).await,
            AddrType::IPv6 => self.resolve(host, Kind::Aaaa).await,
            AddrType::Either => self.addresses(host).await,
        }?;
        let first = answer.addresses().first();
        first.copied().ok_or(ResolveError::NoData)
    }

    /// Fails with `EMSGSIZE` if the name is longer than `result`.
    async fn get_host_by_address(
        &self,
        addr: IpAddr,
        result: &mut [u8],
    ) -> Result<usize, ResolveError> {
        let name = self.name_of(addr).await?;
        let room = result.get_mut(..name.len()).ok_or(Errno::EMSGSIZE)?;
        room.copy_from_slice(name.as_bytes());
        Ok(name.len())
    }
}
