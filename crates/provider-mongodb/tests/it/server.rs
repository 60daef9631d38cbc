//! A server that knows SCRAM, written from the RFC and not from what is tested here.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use nora_provider_sdk::{Connection, Outcome, Secret, SecretMap};
use nora_provider_testkit::{Identity, LoopbackContext};
use ring::{digest, hmac};
use serde_json::Map;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use crate::frames::{array, binary, boolean, error, good, int, object, reply, text};

pub(crate) const USER: &str = "app";
pub(crate) const PASSWORD: &str = "canary-password";

const SALT: &[u8] = b"sixteen bytes :)";
const ITERATIONS: u32 = 4096;

/// How a server differs from a good one of today.
#[derive(Debug, Clone, Default)]
pub(crate) struct Manners {
    /// The reply to a command, in place of the good one.
    pub(crate) instead: Vec<(&'static str, Vec<u8>)>,
    /// It wants an empty message at the end, as servers before 4.4 do.
    pub(crate) old: bool,
    /// It signs with a key that is not the user's.
    pub(crate) impostor: bool,
    /// It hangs up at this command.
    pub(crate) hangs_up_at: Option<&'static str>,
    /// It says nothing to this command.
    pub(crate) silent_at: Option<&'static str>,
}

/// A server on the loopback interface, and the commands it was sent.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    commands: Arc<Mutex<Vec<Vec<u8>>>>,
}

impl Server {
    pub(crate) async fn start(manners: Manners) -> Self {
        Self::listen(manners, None).await
    }

    pub(crate) async fn start_tls(identity: &Identity) -> Self {
        Self::listen(Manners::default(), Some(TlsAcceptor::from(identity.server()))).await
    }

    async fn listen(manners: Manners, tls: Option<TlsAcceptor>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let commands: Arc<Mutex<Vec<Vec<u8>>>> = Arc::default();
        let heard = Arc::clone(&commands);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let talk = Talk { manners: manners.clone(), heard: Arc::clone(&heard), first: None, signature: None };
                match &tls {
                    None => drop(tokio::spawn(talk.hold(stream))),
                    Some(acceptor) => {
                        if let Ok(stream) = acceptor.accept(stream).await {
                            tokio::spawn(talk.hold(stream));
                        }
                    }
                }
            }
        });
        Self { address, commands }
    }

    /// The commands that were sent, whole.
    pub(crate) fn commands(&self) -> Vec<Vec<u8>> {
        self.commands.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Their names.
    pub(crate) fn names(&self) -> Vec<String> {
        self.commands().iter().map(|command| name(command)).collect()
    }
}

struct Talk {
    manners: Manners,
    heard: Arc<Mutex<Vec<Vec<u8>>>>,
    /// What the client began with, and the challenge it got.
    first: Option<(String, String)>,
    signature: Option<String>,
}

impl Talk {
    async fn hold<S: AsyncRead + AsyncWrite + Unpin>(mut self, mut stream: S) {
        loop {
            let mut header = [0; 16];
            if stream.read_exact(&mut header).await.is_err() {
                return;
            }
            let number = |at: usize| i32::from_le_bytes(header.as_chunks().0.get(at).copied().unwrap());
            assert_eq!(number(3), 2013, "OP_MSG");
            let mut body = vec![0; usize::try_from(number(0)).unwrap() - 16];
            stream.read_exact(&mut body).await.unwrap();
            let command = body.split_off(5);
            assert_eq!(body, [0; 5], "no flags, one document");
            self.heard.lock().unwrap_or_else(PoisonError::into_inner).push(command.clone());
            let name = name(&command);
            if self.manners.hangs_up_at == Some(name.as_str()) {
                return;
            }
            if self.manners.silent_at == Some(name.as_str()) {
                continue;
            }
            let scripted = self.manners.instead.iter().find(|(candidate, _)| *candidate == name);
            let scripted = scripted.map(|(_, answer)| answer.clone());
            let answer = scripted.unwrap_or_else(|| self.answer(&name, &command));
            if stream.write_all(&reply(number(1), &answer)).await.is_err() {
                return;
            }
        }
    }

    fn answer(&mut self, name: &str, command: &[u8]) -> Vec<u8> {
        match name {
            "hello" => good(vec![
                boolean("isWritablePrimary", false),
                array("saslSupportedMechs", &[text("0", "SCRAM-SHA-1"), text("1", "SCRAM-SHA-256")]),
                int("maxWireVersion", 25),
            ]),
            "saslStart" => self.challenge(&payload(command)),
            "saslContinue" => self.judge(&payload(command)),
            "connectionStatus" => {
                let user = object("0", &[text("user", USER), text("db", "admin")]);
                good(vec![object("authInfo", &[array("authenticatedUsers", &[user])])])
            }
            _ => error(59),
        }
    }

    fn challenge(&mut self, first: &str) -> Vec<u8> {
        let bare = first.strip_prefix("n,,").unwrap().to_owned();
        let (user, nonce) = bare.split_once(",r=").unwrap();
        if user != format!("n={USER}") {
            return error(18);
        }
        let challenge = format!("r={nonce}added,s={},i={ITERATIONS}", STANDARD.encode(SALT));
        let answer = conversation(challenge.as_bytes(), false);
        self.first = Some((bare, challenge));
        answer
    }

    fn judge(&mut self, last: &str) -> Vec<u8> {
        if last.is_empty() && self.signature.take().is_some() {
            return conversation(b"", true);
        }
        let (bare, challenge) = self.first.take().unwrap();
        let (without_proof, proof) = last.split_once(",p=").unwrap();
        let nonce = challenge.split(',').next().unwrap();
        assert_eq!(without_proof, format!("c=biws,{nonce}"));
        let signed = format!("{bare},{challenge},{without_proof}");
        let salted = hi(PASSWORD.as_bytes(), SALT, ITERATIONS);
        // RFC 5802: the client's key is its proof without its signature, and the stored key is its digest.
        let stored = sha256(&mac(&salted, b"Client Key"));
        let key: Vec<u8> = mac(&stored, signed.as_bytes())
            .iter()
            .zip(STANDARD.decode(proof).unwrap())
            .map(|(byte, proof)| byte ^ proof)
            .collect();
        if sha256(&key) != stored {
            return error(18);
        }
        let label: &[u8] = if self.manners.impostor { b"Some Key" } else { b"Server Key" };
        let signature = format!("v={}", STANDARD.encode(mac(&mac(&salted, label), signed.as_bytes())));
        let answer = conversation(signature.as_bytes(), !self.manners.old);
        self.signature = Some(signature);
        answer
    }
}

fn conversation(payload: &[u8], done: bool) -> Vec<u8> {
    good(vec![int("conversationId", 1), boolean("done", done), binary("payload", payload)])
}

/// `Hi` of RFC 5802, as it stands there.
fn hi(password: &[u8], salt: &[u8], iterations: u32) -> Vec<u8> {
    let mut last = mac(password, &[salt, &1_u32.to_be_bytes()].concat());
    let mut sum = last.clone();
    for _ in 1..iterations {
        last = mac(password, &last);
        sum.iter_mut().zip(&last).for_each(|(sum, byte)| *sum ^= byte);
    }
    sum
}

fn mac(key: &[u8], message: &[u8]) -> Vec<u8> {
    hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), message).as_ref().to_vec()
}

fn sha256(message: &[u8]) -> Vec<u8> {
    digest::digest(&digest::SHA256, message).as_ref().to_vec()
}

/// The name of the first member, which names the command.
fn name(command: &[u8]) -> String {
    let name = command.iter().skip(5).take_while(|byte| **byte != 0).copied().collect();
    String::from_utf8(name).unwrap()
}

fn payload(command: &[u8]) -> String {
    let mark = b"\x05payload\0";
    let at = command.windows(mark.len()).position(|window| window == mark).unwrap() + mark.len();
    let (length, rest) = command.split_at(at).1.split_first_chunk().unwrap();
    let length = usize::try_from(u32::from_le_bytes(*length)).unwrap();
    String::from_utf8(rest.iter().skip(1).take(length).copied().collect()).unwrap()
}

/// Tests a connection string, and shows that nothing in the outcome gives the password away.
pub(crate) async fn test(context: &LoopbackContext, uri: &str) -> Outcome {
    let provider = nora_provider_mongodb::provider().unwrap();
    let secrets: SecretMap =
        [("connection_string".parse().unwrap(), Secret::new(uri.to_owned()))].into_iter().collect();
    let outcome = provider.test(&Connection::new(provider.manifest(), &Map::new(), &secrets), context).await;
    assert!(!format!("{outcome:?}").contains("canary"), "the outcome shows the password");
    outcome
}
