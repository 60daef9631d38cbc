//! What a server says it can do.

use nora_provider_sdk::Outcome;

use crate::session::{Reply, Session};

/// The name of a client that has none of its own: an address, as the protocol has it then.
const GREETING: &str = "EHLO [127.0.0.1]";

/// The extensions that matter here.
#[derive(Debug, Default)]
pub(crate) struct Extensions {
    pub(crate) starttls: bool,
    pub(crate) plain: bool,
    pub(crate) login: bool,
}

impl Extensions {
    /// Introduces the client and reads the answer.
    pub(crate) async fn ask(session: &mut Session) -> Result<Self, Box<Outcome>> {
        Ok(Self::parse(&session.expect(GREETING, 250).await?))
    }

    fn parse(reply: &Reply) -> Self {
        let mut extensions = Self::default();
        for line in reply.lines.iter().skip(1) {
            // Before there was a standard, some servers wrote `AUTH=`.
            let line = line.to_ascii_uppercase().replacen("AUTH=", "AUTH ", 1);
            let mut words = line.split_whitespace();
            match words.next() {
                Some("STARTTLS") => extensions.starttls = true,
                Some("AUTH") => words.for_each(|mechanism| match mechanism {
                    "PLAIN" => extensions.plain = true,
                    "LOGIN" => extensions.login = true,
                    _ => {}
                }),
                _ => {}
            }
        }
        extensions
    }
}
