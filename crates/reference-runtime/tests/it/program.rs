//! The program itself.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};

use crate::support::{TOKEN, exchange};

struct Killed(Child);

impl Drop for Killed {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[tokio::test]
async fn it_serves_and_ends_when_told_to() {
    let directory = tempfile::tempdir().unwrap();
    let token = directory.path().join("token");
    fs::write(&token, format!("{TOKEN}\n")).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_reference-runtime"));
    command.args(["--listen", "127.0.0.1:0", "--token-file"]).arg(&token);
    command.arg("--state").arg(directory.path().join("state")).env("NO_COLOR", "1").env_remove("RUST_LOG");
    let mut program = Killed(command.stderr(Stdio::piped()).spawn().unwrap());
    let line = BufReader::new(program.0.stderr.take().unwrap()).lines().next().unwrap().unwrap();
    let address = line.split("address=").nth(1).unwrap().split_whitespace().next().unwrap().parse().unwrap();

    let health = exchange(address, "GET /health", Some(TOKEN), b"").await.unwrap();
    assert_eq!((health.status, &health.body["status"]), (200, &serde_json::json!("ok")));
    assert_eq!(exchange(address, "GET /env", Some("wrong"), b"").await.unwrap().status, 401);
    let id = program.0.id().to_string();
    assert!(Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
    assert!(program.0.wait().unwrap().success());
}

#[test]
fn it_does_not_start_without_a_token() {
    let run = |arguments: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_reference-runtime"));
        command.args(arguments).env_remove("NORA_RUNTIME_TOKEN_FILE").stderr(Stdio::null());
        command.status().unwrap().success()
    };
    assert!(!run(&["--listen", "127.0.0.1:0"]));
    assert!(!run(&["--listen", "127.0.0.1:0", "--token-file", "/no/such/file"]));
    assert!(!run(&["--listen", "127.0.0.1:0", "--token-file", "/dev/null"]));
}
