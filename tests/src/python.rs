//! Outside libraries: what Python has of its own, or was given.

use std::io::Write as _;
use std::path::Path;
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
    let output = run(Path::new("python3"), SIGN, lines);
    let signatures: Vec<String> = output.lines().map(str::to_owned).collect();
    assert_eq!(signatures.len(), count, "Python signs every message");
    signatures
}

/// What a program prints for `input`.
pub(crate) fn run(python: &Path, program: &str, input: String) -> String {
    let mut command = Command::new(python);
    command.env_clear().env("PATH", environment::search_path()).args(["-c", program]);
    command.stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let writer = std::thread::spawn(move || stdin.write_all(input.as_bytes()).unwrap());
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap();
    assert!(output.status.success(), "Python ended with {}", output.status);
    String::from_utf8(output.stdout).unwrap()
}
