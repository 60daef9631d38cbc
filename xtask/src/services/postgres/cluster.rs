//! One cluster, from `initdb` to the removal of its folder.

use std::fmt::Write;
use std::fs::{self, File, OpenOptions};
use std::io::{Read, Write as _};
use std::net::{Ipv4Addr, TcpListener};
use std::path::Path;

use anyhow::{Context, Result, bail};

use super::programs::Programs;
use super::scratch::Scratch;
use crate::interrupts;

const ROLE: &str = "nora";

/// Somebody else may take a free port between our look and the server's start.
const PORTS_TO_TRY: usize = 5;

/// Exit code of `pg_ctl status` for a folder whose server does not run.
const NOT_RUNNING: i32 = 3;

/// A cluster that is stopped and removed when this is dropped.
pub(super) struct Cluster {
    programs: Programs,
    scratch: Scratch,
    password: String,
}

impl Cluster {
    /// Makes one in a new folder in `parent`. Nothing runs yet.
    pub(super) fn create(parent: &Path, programs: Programs) -> Result<Self> {
        let scratch = Scratch::create(parent, programs.account())?;
        let cluster = Self { programs, scratch, password: random_password()? };
        cluster.initialise()?;
        Ok(cluster)
    }

    /// Starts the server on a free port of 127.0.0.1 and returns the URL of its superuser.
    pub(super) fn start(&self) -> Result<String> {
        let mut attempt = 1;
        loop {
            interrupts::check()?;
            let port = free_port()?;
            match self.start_on(port) {
                Ok(()) => return Ok(format!("postgres://{ROLE}:{}@127.0.0.1:{port}/postgres", self.password)),
                Err(error) if attempt == PORTS_TO_TRY => return Err(error.context(self.log())),
                Err(_) => attempt += 1,
            }
        }
    }

    fn initialise(&self) -> Result<()> {
        let account = self.programs.account();
        self.scratch.private_folder("data", account)?;
        let sockets = self.scratch.private_folder("run", account)?;
        self.scratch.private_file("password", &self.password, account)?;
        let username = format!("--username={ROLE}");
        let arguments = [
            "--pgdata=data",
            "--pwfile=password",
            "--auth=scram-sha-256",
            "--encoding=UTF8",
            "--locale=C",
            "--no-sync",
            &username,
        ];
        self.programs.run(self.scratch.path(), "initdb", &arguments)?;
        self.configure(&sockets)
    }

    /// `fsync` stays as it is, on: tests of durability rely on it.
    fn configure(&self, sockets: &Path) -> Result<()> {
        let path = self.scratch.path().join("data/postgresql.conf");
        let mut file = OpenOptions::new().append(true).open(path).context("cannot open postgresql.conf")?;
        write!(
            file,
            "\nlisten_addresses = '127.0.0.1'\nunix_socket_directories = '{}'\nmax_connections = 200\n",
            sockets.display()
        )
        .context("cannot write postgresql.conf")
    }

    fn start_on(&self, port: u16) -> Result<()> {
        let options = format!("-p {port}");
        let arguments = ["start", "--pgdata=data", "--wait", "--timeout=60", "--log=run/log", "--options", &options];
        self.programs.run(self.scratch.path(), "pg_ctl", &arguments)?;
        Ok(())
    }

    fn log(&self) -> String {
        let log = fs::read_to_string(self.scratch.path().join("run/log")).unwrap_or_default();
        format!("the server's log says: {}", log.trim())
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        if let Err(error) = stop_and_remove(&self.scratch, &self.programs) {
            eprintln!("PostgreSQL's cluster was not removed: {error:#}");
        }
    }
}

/// Stops and removes the clusters in `parent` whose runs were killed.
pub(super) fn sweep(parent: &Path, programs: &Programs) {
    for scratch in Scratch::abandoned(parent) {
        let path = scratch.path().display();
        match stop_and_remove(&scratch, programs) {
            Ok(()) => println!("removed {path}, left by a run that was killed"),
            Err(error) => eprintln!("cannot remove {path}, left by a run that was killed: {error:#}"),
        }
    }
}

fn stop_and_remove(scratch: &Scratch, programs: &Programs) -> Result<()> {
    if scratch.path().join("data/postmaster.pid").exists() {
        let stop = ["stop", "--pgdata=data", "--mode=immediate", "--wait", "--timeout=60"];
        if let Err(error) = programs.run(scratch.path(), "pg_ctl", &stop) {
            require_stopped(scratch, programs).context(error)?;
        }
    }
    scratch.remove()
}

/// A server that ended by itself leaves a pid file too, and stopping it fails.
fn require_stopped(scratch: &Scratch, programs: &Programs) -> Result<()> {
    let status = programs.output(scratch.path(), "pg_ctl", &["status", "--pgdata=data"])?.status;
    if status.code() != Some(NOT_RUNNING) {
        bail!("its server still runs");
    }
    Ok(())
}

fn free_port() -> Result<u16> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("no port is free")?;
    Ok(listener.local_addr().context("no port is free")?.port())
}

fn random_password() -> Result<String> {
    let mut bytes = [0; 24];
    File::open("/dev/urandom").and_then(|mut file| file.read_exact(&mut bytes)).context("cannot read /dev/urandom")?;
    let mut password = String::new();
    for byte in bytes {
        write!(password, "{byte:02x}").context("cannot write a password")?;
    }
    Ok(password)
}
