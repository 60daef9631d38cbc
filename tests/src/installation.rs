//! A server's surroundings, which outlive its process: settings, data directory, database, keyring.

use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;

use tempfile::TempDir;

use crate::command::text;
use crate::{Api, Database, Ended, PATIENCE, Server, Started, Store, environment, free_port, providers, run_to_end};

/// Everything a server is started with, and what it leaves behind.
pub struct Installation {
    folder: TempDir,
    database: Arc<Database>,
    port: u16,
    metrics_port: u16,
    variables: Vec<(String, String)>,
}

impl Installation {
    /// An empty installation that can be started.
    pub async fn new(store: Store) -> Self {
        let installation = Self::without_keyring(store).await;
        if store == Store::Postgres {
            installation.run(&["vault", "init"]).await.success();
        }
        installation
    }

    /// An empty installation whose keyring nobody has made.
    pub async fn without_keyring(store: Store) -> Self {
        let folder = tempfile::tempdir().unwrap();
        providers::write(&folder.path().join("providers"));
        std::fs::create_dir(folder.path().join("logs")).unwrap();
        let database = Database::create(store, folder.path().join("data/nora.db")).await;
        Self::over(folder, Arc::new(database))
    }

    /// A second server over the same database with the same keyring and a data directory of its own.
    #[must_use]
    pub fn replica(&self) -> Self {
        let folder = tempfile::tempdir().unwrap();
        providers::write(&folder.path().join("providers"));
        std::fs::create_dir(folder.path().join("logs")).unwrap();
        let keyring = self.keyring().display().to_string();
        Self::over(folder, Arc::clone(&self.database)).with("NORA_VAULT_KEYRING", &keyring)
    }

    fn over(folder: TempDir, database: Arc<Database>) -> Self {
        let (port, metrics_port) = (free_port(), free_port());
        let path = |name| folder.path().join(name).display().to_string();
        let mut variables = vec![
            ("NORA_LISTEN".to_owned(), format!("127.0.0.1:{port}")),
            ("NORA_METRICS_LISTEN".to_owned(), format!("127.0.0.1:{metrics_port}")),
            ("NORA_DATA_DIR".to_owned(), path("data")),
            ("NORA_PROVIDERS_DIR".to_owned(), path("providers")),
            ("NORA_ALLOW_NETWORKS".to_owned(), "127.0.0.0/8".to_owned()),
            ("NORA_URL".to_owned(), format!("http://127.0.0.1:{port}")),
            ("RUST_LOG".to_owned(), "info,nora=debug".to_owned()),
        ];
        variables.extend(database.url().map(|url| ("NORA_DATABASE_URL".to_owned(), url)));
        Self { folder, database, port, metrics_port, variables }
    }

    /// The same with a variable set.
    #[must_use]
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.set(name, value);
        self
    }

    /// Sets a variable for whatever is started next.
    pub fn set(&mut self, name: &str, value: &str) {
        self.unset(name);
        self.variables.push((name.to_owned(), value.to_owned()));
    }

    /// Takes a variable away.
    pub fn unset(&mut self, name: &str) {
        self.variables.retain(|(known, _)| known != name);
    }

    /// The data directory.
    pub fn data_dir(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// The directory of provider manifests.
    pub fn providers_dir(&self) -> PathBuf {
        self.folder.path().join("providers")
    }

    /// A place for a scenario's own files.
    pub fn scratch(&self) -> PathBuf {
        self.folder.path().to_owned()
    }

    /// The keyring.
    pub fn keyring(&self) -> PathBuf {
        let elsewhere = self.variables.iter().find(|(name, _)| name == "NORA_VAULT_KEYRING");
        elsewhere.map_or_else(|| self.data_dir().join("vault.keyring"), |(_, path)| path.into())
    }

    /// The database.
    pub fn database(&self) -> &Database {
        &self.database
    }

    /// Where the server listens.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// The port the server listens on.
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// Where the server shows its metrics.
    pub fn metrics_url(&self) -> String {
        format!("http://127.0.0.1:{}", self.metrics_port)
    }

    /// Everything any server of this installation has logged.
    pub fn logs(&self) -> String {
        ["logs/out", "logs/err"].map(|name| text(&self.folder.path().join(name))).concat()
    }

    /// The first key of the installation.
    pub fn bootstrap_key(&self) -> String {
        text(&self.data_dir().join("bootstrap-key")).trim().to_owned()
    }

    /// A client that presents the first key.
    pub fn api(&self) -> Api {
        Api::new(self.url(), self.bootstrap_key())
    }

    /// Starts the server and waits until it is ready.
    pub async fn start(&self) -> Server {
        match self.try_start(&[]).await {
            Started::Ready(server) => server,
            Started::Ended(ended) => panic!("the server did not start: {ended:?}"),
        }
    }

    /// Starts the server and expects that it refuses to.
    pub async fn refuse(&self) -> Ended {
        match self.try_start(&[]).await {
            Started::Ready(_) => panic!("the server started"),
            Started::Ended(ended) => ended,
        }
    }

    /// Starts the server with these arguments.
    pub async fn try_start(&self, arguments: &[&str]) -> Started {
        Server::start(self.command(arguments), self.url(), &self.folder.path().join("logs")).await
    }

    /// Runs a command of the binary to its end.
    pub async fn run(&self, arguments: &[&str]) -> Ended {
        run_to_end(self.command(arguments), PATIENCE).await
    }

    /// The binary in these surroundings and in no others.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(environment::nora());
        command.env_clear().env("PATH", environment::search_path()).args(arguments).current_dir(self.folder.path());
        command.envs(self.variables.iter().map(|(name, value)| (name, value)));
        command
    }
}
