//! The server under test, as an operator would start it, and the controls beside it.

use std::fs::File;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use rustix::process::{Pid, Signal, kill_process};

use crate::load::{Connection, Wanted};
use crate::world;

/// How long a start may take.
const PATIENCE: Duration = Duration::from_mins(1);
/// How often a start is looked at, which is how exactly it is timed.
const LOOK: Duration = Duration::from_millis(1);

/// Where a server lives: what outlasts its process.
pub(crate) struct Installation {
    program: PathBuf,
    folder: PathBuf,
    database: Option<String>,
}

/// A process that is ended when this is dropped.
pub(crate) struct Running {
    child: Child,
    pub(crate) address: SocketAddr,
    /// How long it took until it was ready.
    pub(crate) start: Duration,
}

impl Installation {
    /// An empty one in a new folder. Without a database's URL it embeds its own.
    pub(crate) fn create(program: &Path, folder: PathBuf, database: Option<String>) -> Result<Self> {
        std::fs::create_dir_all(&folder).context("no folder can be made for the server")?;
        let installation = Self { program: program.to_owned(), folder, database };
        if installation.database.is_some() {
            let made = installation.command()?.args(["vault", "init"]).status().context("nora cannot be started")?;
            if !made.success() {
                bail!("`nora vault init` failed ({made})");
            }
        }
        Ok(installation)
    }

    /// The first key.
    pub(crate) fn key(&self) -> Result<String> {
        let key = std::fs::read_to_string(self.folder.join("data/bootstrap-key")).context("there is no first key")?;
        Ok(key.trim().to_owned())
    }

    /// The embedded database's file.
    pub(crate) fn file(&self) -> PathBuf {
        self.folder.join("data/nora.db")
    }

    /// Starts the server and waits until it says that it is ready.
    pub(crate) async fn start(&self) -> Result<Running> {
        let address = free_address()?;
        let mut command = self.command()?;
        command.env("NORA_LISTEN", address.to_string()).env("NORA_METRICS_LISTEN", free_address()?.to_string());
        let begun = Instant::now();
        let mut running =
            Running { child: command.spawn().context("nora cannot be started")?, address, start: Duration::ZERO };
        while !is_ready(address).await {
            running.check(begun)?;
            tokio::time::sleep(LOOK).await;
        }
        running.start = begun.elapsed();
        Ok(running)
    }

    /// The server's program in these surroundings and in no others.
    fn command(&self) -> Result<Command> {
        let log =
            || File::options().create(true).append(true).open(self.folder.join("log")).context("no log can be kept");
        let mut command = Command::new(&self.program);
        command.env_clear().current_dir(&self.folder).env("NORA_DATA_DIR", self.folder.join("data"));
        // Its ceiling, ten thousand webhooks a second, is less than what is measured.
        command.env("NORA_WEBHOOK_RATE", "0");
        command.envs(self.database.iter().map(|url| ("NORA_DATABASE_URL", url)));
        command.stdin(Stdio::null()).stdout(log()?).stderr(log()?);
        Ok(command)
    }
}

impl Running {
    /// Starts the controls over the same database.
    pub(crate) fn controls(database: &str) -> Result<Self> {
        let address = free_address()?;
        let program = std::env::current_exe().context("this program is not to be found")?;
        let mut command = Command::new(program);
        command.args(["control", "--listen", &address.to_string()]).env("NORA_BENCH_DATABASE", database);
        let begun = Instant::now();
        let child = command.stdin(Stdio::null()).spawn().context("the controls cannot be started")?;
        let mut running = Self { child, address, start: Duration::ZERO };
        while TcpStream::connect(address).is_err() {
            running.check(begun)?;
            std::thread::sleep(LOOK);
        }
        running.start = begun.elapsed();
        Ok(running)
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Ends it as a service manager does.
    pub(crate) fn stop(mut self) -> Result<()> {
        kill_process(Pid::from_child(&self.child), Signal::TERM).context("a process cannot be told to end")?;
        self.child.wait().context("a process does not end")?;
        Ok(())
    }

    fn check(&mut self, begun: Instant) -> Result<()> {
        if let Some(status) = self.child.try_wait().context("a process cannot be waited for")? {
            bail!("a process ended instead of starting ({status}); its log is in the scratch folder");
        }
        if begun.elapsed() > PATIENCE {
            bail!("a process does not become ready");
        }
        Ok(())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

async fn is_ready(address: SocketAddr) -> bool {
    let Ok(mut connection) = Connection::open(address).await else { return false };
    connection.call(world::get("/health/ready", ""), Wanted::Success).await.is_ok()
}

fn free_address() -> Result<SocketAddr> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("no port is free")?;
    listener.local_addr().context("no port is free")
}
