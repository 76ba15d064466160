//! Whether the system lets a port be bound.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, TcpListener};

use super::listener;
use crate::model::PortSlot;

/// A pair of ports that cannot be bound, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OccupiedSlot {
    /// The slot.
    pub slot: PortSlot,
    /// The port that cannot be bound.
    pub port: u16,
    /// The process that listens there, or the error of the system.
    pub reason: String,
}

/// Checks whether pairs of ports can be bound.
pub trait SlotProbe {
    /// Returns why a pair cannot be bound, or `None` if it can.
    fn check_slot(&mut self, slot: PortSlot) -> Option<OccupiedSlot>;
}

/// Binds each port for a moment.
#[derive(Debug, Clone, Copy, Default)]
pub struct TcpProbe;

/// The addresses on which a server may listen. Each is tried alone, because a listener on all
/// addresses of one family does not stop one on a single address of the other.
const ADDRESSES: [IpAddr; 4] = [
    IpAddr::V4(Ipv4Addr::LOCALHOST),
    IpAddr::V4(Ipv4Addr::UNSPECIFIED),
    IpAddr::V6(Ipv6Addr::LOCALHOST),
    IpAddr::V6(Ipv6Addr::UNSPECIFIED),
];

impl SlotProbe for TcpProbe {
    fn check_slot(&mut self, slot: PortSlot) -> Option<OccupiedSlot> {
        [slot.backend_port(), slot.frontend_port()].into_iter().find_map(|port| {
            let error = try_bind(port).err()?;
            let reason = if error.kind() == io::ErrorKind::AddrInUse {
                listener::describe_listener(port)
            } else {
                format!("cannot be bound: {error}")
            };
            Some(OccupiedSlot { slot, port, reason })
        })
    }
}

fn try_bind(port: u16) -> io::Result<()> {
    for address in ADDRESSES {
        match TcpListener::bind((address, port)) {
            Ok(_) => {}
            // A machine without IPv6 can still serve.
            Err(error) if address.is_ipv6() && error.kind() != io::ErrorKind::AddrInUse => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}
