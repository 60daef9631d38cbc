//! An outside library to sign with: Python's own.

use std::io::Write as _;
use std::process::{Command, Stdio};

use crate::environment;

const SIGN: &str = r"
import hashlib, hmac, sys
for line in sys.stdin:
    secret, message = line.rstrip('\n').split('\t')
    print(hmac.new(secret.encode(), message.encode(), hashlib.sha256).hexdigest())
";

/// The HMAC-SHA256 of each message under its secret, in hexadecimal, as Python's `hmac` makes it. Neither may hold a
/// tab or a line break.
pub fn sign<'a>(messages: impl IntoIterator<Item = (&'a str, &'a str)>) -> Vec<String> {
    let lines: Vec<_> = messages.into_iter().map(|(secret, message)| format!("{secret}\t{message}\n")).collect();
    let lines = lines.concat();
    let count = lines.lines().count();
    let mut python = Command::new("python3");
    python.env_clear().env("PATH", environment::search_path()).args(["-c", SIGN]);
    python.stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = python.spawn().unwrap();
    let mut input = child.stdin.take().unwrap();
    let writer = std::thread::spawn(move || input.write_all(lines.as_bytes()).unwrap());
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap();
    let signatures: Vec<String> = String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect();
    assert_eq!(signatures.len(), count, "Python signs every message");
    signatures
}
