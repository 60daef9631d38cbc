//! Ports to listen on.

use std::net::{Ipv4Addr, TcpListener, UdpSocket};
use std::sync::Mutex;

/// Below what systems give to outgoing connections, so that a port that was free a moment ago stays free.
const FIRST: u16 = 10_240;
const COUNT: u16 = 20_000;

/// The UDP ports of the numbers this process was given: no other scenario is given them while it lives.
static TAKEN: Mutex<Vec<UdpSocket>> = Mutex::new(Vec::new());

/// A port of this machine on which nobody listens, and which is nobody else's until this process ends.
pub fn free_port() -> u16 {
    for _ in 0..1_000 {
        let [high, low, ..] = random().to_be_bytes();
        let port = FIRST + u16::from_be_bytes([high, low]) % COUNT;
        let address = (Ipv4Addr::LOCALHOST, port);
        if let (Ok(claim), Ok(_)) = (UdpSocket::bind(address), TcpListener::bind(address)) {
            TAKEN.lock().unwrap().push(claim);
            return port;
        }
    }
    panic!("no port is free");
}

/// Different in every process and at every call.
pub(crate) fn random() -> u128 {
    use std::hash::{BuildHasher as _, RandomState};
    let half = |salt: u8| u128::from(RandomState::new().hash_one(salt));
    half(0) << 64 | half(1)
}
