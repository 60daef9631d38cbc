//! Ports HTTP may be spoken to on.

/// Ports from 1024 on that browsers refuse too, because what listens there can be made to act on an HTTP request.
const NEVER: &[u16] = &[
    1719, 1720, 1723, 2049, 3659, 4045, 4190, 5060, 5061, 6000, 6566, 6665, 6666, 6667, 6668, 6669, 6679, 6697, 10080,
];

/// Whether HTTP or a WebSocket may be spoken to on `port`: 80, 443, and from 1024 up but for a few.
pub fn is_web_port(port: u16) -> bool {
    matches!(port, 80 | 443 | 1024..) && !NEVER.contains(&port)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn web_ports_are_web_ports() {
        for port in [80, 443, 1024, 8080, u16::MAX] {
            assert!(is_web_port(port), "{port}");
        }
        for port in [0, 22, 25, 81, 1023, 6000, 6667] {
            assert!(!is_web_port(port), "{port}");
        }
    }
}
