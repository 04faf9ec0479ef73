// SPDX-License-Identifier: BSD-2-Clause
//! The value of QEMU's `-netdev`.

use std::fmt;
use std::path::PathBuf;

/// A transport protocol of a forwarded port.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transport {
    /// TCP
    Tcp,
    /// UDP
    Udp,
}

/// A port of the host's loopback that QEMU's user networking hands to a port of the guest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Forward {
    /// TCP or UDP
    pub transport: Transport,
    /// port on 127.0.0.1
    pub host: u16,
    /// port of the guest
    pub guest: u16,
}

/// How the guest's network card is connected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Netdev {
    /// QEMU's user-mode network: 10.0.2.0/24, gateway 10.0.2.2.
    User(Vec<Forward>),
    /// Each Ethernet frame is one UDP datagram between two ports of the loopback. QEMU calls it
    /// `dgram`.
    Datagram {
        /// port that QEMU receives on
        guest: u16,
        /// port that QEMU sends to
        peer: u16,
    },
    /// Each Ethernet frame stands behind its length in a stream; QEMU connects to this Unix socket
    /// when it starts. No frame is lost on the way. QEMU calls it `stream`.
    Stream(PathBuf),
}

impl fmt::Display for Netdev {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::User(forwards) => {
                f.write_str("user,id=netdev0")?;
                for forward in forwards {
                    let transport = match forward.transport {
                        Transport::Tcp => "tcp",
                        Transport::Udp => "udp",
                    };
                    write!(
                        f,
                        ",hostfwd={transport}:127.0.0.1:{}-:{}",
                        forward.host, forward.guest
                    )?;
                }
                Ok(())
            }
            Self::Datagram { guest, peer } => write!(
                f,
                "dgram,id=netdev0,local.type=inet,local.host=127.0.0.1,local.port={guest},\
                 remote.type=inet,remote.host=127.0.0.1,remote.port={peer}"
            ),
            Self::Stream(path) => write!(
                f,
                "stream,id=netdev0,server=off,addr.type=unix,addr.path={}",
                // QEMU's options are separated by commas; a doubled one stands for itself.
                path.display().to_string().replace(',', ",,")
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn user_network_lists_its_forwards() {
        let netdev = Netdev::User(vec![
            Forward {
                transport: Transport::Tcp,
                host: 8080,
                guest: 80,
            },
            Forward {
                transport: Transport::Udp,
                host: 8007,
                guest: 7,
            },
        ]);
        assert_eq!(
            netdev.to_string(),
            "user,id=netdev0,hostfwd=tcp:127.0.0.1:8080-:80,hostfwd=udp:127.0.0.1:8007-:7"
        );
    }

    #[test]
    fn datagram_network_names_both_ports() {
        let text = Netdev::Datagram {
            guest: 11,
            peer: 22,
        }
        .to_string();
        assert!(text.starts_with("dgram,id=netdev0,"));
        assert!(text.contains("local.port=11,") && text.ends_with("remote.port=22"));
    }

    #[test]
    fn stream_network_names_its_socket() {
        let text = Netdev::Stream("a,b/net.sock".into()).to_string();
        assert!(text.starts_with("stream,id=netdev0,server=off,"));
        assert!(text.ends_with(",addr.path=a,,b/net.sock"), "{text}");
    }
}
