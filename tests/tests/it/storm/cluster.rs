//! A PostgreSQL cluster of this scenario's own, which it may crash: made with the programs and as the user of the
//! cluster all scenarios share.

use std::fs;
use std::os::unix::fs::{MetadataExt as _, chown};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use e2e::{Installation, Store, eventually, free_port};
use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;
use tokio_postgres::NoTls;

/// The name of the cluster's superuser, who needs no password.
const USER: &str = "storm";

pub(crate) struct Cluster {
    folder: TempDir,
    programs: PathBuf,
    owner: (u32, u32),
    port: u16,
    server: Child,
}

impl Cluster {
    pub(crate) async fn start() -> Self {
        let (programs, owner) = shared().await;
        let folder = tempfile::tempdir().unwrap();
        chown(folder.path(), Some(owner.0), Some(owner.1)).unwrap();
        let data = folder.path().join("data");
        let mut initdb = command(&programs.join("initdb"), owner, folder.path());
        initdb.args(["--auth=trust", "--no-sync", "--encoding=UTF8", "--locale=C", "--username", USER, "--pgdata"]);
        assert!(initdb.arg(&data).status().unwrap().success(), "initdb");
        let port = free_port();
        let server = serve(&programs, owner, folder.path(), port);
        let cluster = Self { folder, programs, owner, port, server };
        cluster.ready().await;
        cluster
    }

    pub(crate) fn url(&self) -> String {
        format!("postgres://{USER}@127.0.0.1:{}/postgres", self.port)
    }

    /// Stops it as a power failure would, and starts it again.
    pub(crate) async fn restart(&mut self) {
        // An immediate shutdown: nothing is written any more, and the next start recovers from the log.
        kill_process(Pid::from_child(&self.server), Signal::QUIT).unwrap();
        self.server.wait().unwrap();
        self.server = serve(&self.programs, self.owner, self.folder.path(), self.port);
        self.ready().await;
    }

    async fn ready(&self) {
        let answers = async || tokio_postgres::connect(&self.url(), NoTls).await.is_ok().then_some(());
        eventually("a cluster of its own", answers).await;
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        // It may be gone.
        let _ = kill_process(Pid::from_child(&self.server), Signal::QUIT);
        let _ = self.server.wait();
    }
}

/// Where the programs of the shared cluster are, and who runs it.
async fn shared() -> (PathBuf, (u32, u32)) {
    let installation = Installation::without_keyring(Store::Postgres).await;
    let url = installation.database().url().unwrap();
    let (client, connection) = tokio_postgres::connect(&url, NoTls).await.unwrap();
    let connection = tokio::spawn(connection);
    let row = client.query_one("SELECT pg_backend_pid()", &[]).await.unwrap();
    let backend: i32 = row.get(0);
    let process = PathBuf::from(format!("/proc/{backend}"));
    let program = fs::read_link(process.join("exe")).unwrap();
    let owner = fs::metadata(&process).unwrap();
    drop(client);
    connection.abort();
    (program.parent().unwrap().to_owned(), (owner.uid(), owner.gid()))
}

fn command(program: &Path, (uid, gid): (u32, u32), folder: &Path) -> Command {
    let mut command = Command::new(program);
    command.env_clear().env("PATH", "/usr/bin:/bin").current_dir(folder);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    if fs::metadata("/proc/self").unwrap().uid() == 0 {
        command.gid(gid).uid(uid);
    }
    command
}

/// Durable as it is in production: `fsync` and `synchronous_commit` are on, as they are by default.
fn serve(programs: &Path, owner: (u32, u32), folder: &Path, port: u16) -> Child {
    let mut server = command(&programs.join("postgres"), owner, folder);
    server.arg("-D").arg(folder.join("data")).args(["-h", "127.0.0.1", "-p", &port.to_string()]);
    server.arg("-k").arg(folder);
    server.spawn().unwrap()
}
