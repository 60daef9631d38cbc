//! The database behind the server's back.

use std::path::PathBuf;
use std::time::Duration;

use diesel::connection::SimpleConnection as _;
use diesel::{Connection as _, QueryableByName, RunQueryDsl as _, SqliteConnection, sql_query, sql_types};
use e2e::{Installation, Store};

/// Long enough for a server that writes at the same time.
const PATIENCE: Duration = Duration::from_secs(20);

/// Statements for either store. Where the two differ, the methods below say what to write.
pub(crate) struct Sql {
    store: Store,
    file: PathBuf,
    url: Option<String>,
}

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = sql_types::Nullable<sql_types::Text>)]
    value: Option<String>,
}

impl Sql {
    pub(crate) fn open(installation: &Installation) -> Self {
        let database = installation.database();
        Self { store: database.store(), file: database.file().clone(), url: database.url() }
    }

    /// An id as a literal.
    pub(crate) fn id(&self, id: &str) -> String {
        match self.store {
            Store::Sqlite => format!("x'{}'", id.replace('-', "")),
            Store::Postgres => format!("'{id}'::uuid"),
        }
    }

    /// Bytes as a literal.
    pub(crate) fn bytes(&self, bytes: &[u8]) -> String {
        let digits = hex::encode(bytes);
        match self.store {
            Store::Sqlite => format!("x'{digits}'"),
            Store::Postgres => format!("'\\x{digits}'::bytea"),
        }
    }

    /// Runs a statement; it must change at least one row.
    pub(crate) async fn change(&self, statement: &str) {
        let changed = match &self.url {
            Some(url) => client(url).await.execute(statement, &[]).await.unwrap(),
            None => u64::try_from(sql_query(statement).execute(&mut self.sqlite()).unwrap()).unwrap(),
        };
        assert!(changed > 0, "no row was changed: {statement}");
    }

    /// The number a `SELECT count(*)` gives.
    pub(crate) async fn count(&self, query: &str) -> u64 {
        self.text(&format!("SELECT CAST(({query}) AS TEXT)")).await.parse().unwrap()
    }

    /// The one value of a column of bytes.
    pub(crate) async fn blob(&self, column: &str, rest: &str) -> Vec<u8> {
        let expression = match self.store {
            Store::Sqlite => format!("hex({column})"),
            Store::Postgres => format!("encode({column}, 'hex')"),
        };
        let digits = self.text(&format!("SELECT {expression} {rest}")).await;
        hex::decode(digits).unwrap()
    }

    /// Every row of every table as text; nothing for the embedded store, whose file can be read.
    pub(crate) async fn dump(&self) -> String {
        let Some(url) = &self.url else { return String::new() };
        let client = client(url).await;
        let tables = "SELECT table_name::text FROM information_schema.tables WHERE table_schema = 'public'";
        let mut dump = String::new();
        for table in client.query(tables, &[]).await.unwrap() {
            let name: String = table.get(0);
            let rows = client.query(&format!("SELECT t::text FROM \"{name}\" AS t"), &[]).await.unwrap();
            assert!(!rows.is_empty() || name != "integrations", "there is something to search");
            for row in rows {
                dump.push_str(row.get(0));
                dump.push('\n');
            }
        }
        dump
    }

    /// The one text a query gives.
    async fn text(&self, query: &str) -> String {
        if let Some(url) = &self.url {
            return client(url).await.query_one(query, &[]).await.unwrap().get(0);
        }
        let query = format!("WITH found(value) AS ({query}) SELECT value FROM found");
        let row: Row = sql_query(query).get_result(&mut self.sqlite()).unwrap();
        row.value.unwrap()
    }

    fn sqlite(&self) -> SqliteConnection {
        let mut connection = SqliteConnection::establish(self.file.to_str().unwrap()).unwrap();
        connection.batch_execute(&format!("PRAGMA busy_timeout = {}", PATIENCE.as_millis())).unwrap();
        connection
    }
}

async fn client(url: &str) -> tokio_postgres::Client {
    let (client, connection) = tokio_postgres::connect(url, tokio_postgres::NoTls).await.unwrap();
    tokio::spawn(connection);
    client
}
