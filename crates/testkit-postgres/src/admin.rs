//! The cluster's superuser.

use diesel::QueryableByName;
use diesel::sql_types::{Bool, Text};
use diesel_async::{AsyncConnection as _, AsyncPgConnection, RunQueryDsl as _, SimpleAsyncConnection as _};
use url::Url;

const VARIABLE: &str = "NORA_TEST_POSTGRES_URL";

/// Every test ends in this one line if nobody started a cluster.
const MISSING: &str = "NORA_TEST_POSTGRES_URL is not set: run `cargo xtask test`, which starts a PostgreSQL cluster, or \
                       set it to the URL of a superuser of a cluster whose databases may be thrown away";

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = Text)]
    value: String,
}

#[derive(QueryableByName)]
struct Answer {
    #[diesel(sql_type = Bool)]
    value: bool,
}

/// A connection of the role that may create and drop databases.
pub(crate) struct Admin {
    url: Url,
    connection: AsyncPgConnection,
}

impl Admin {
    pub(crate) async fn connect() -> Self {
        #[expect(clippy::disallowed_methods, reason = "tests have no configuration but this variable")]
        let url = std::env::var(VARIABLE).ok().filter(|url| !url.is_empty());
        let url = Url::parse(&url.expect(MISSING)).expect("NORA_TEST_POSTGRES_URL is a URL");
        let connection = connect(&url).await;
        Self { url, connection }
    }

    /// The URL of another database of the cluster, for the same role.
    pub(crate) fn url_of(&self, database: &str) -> Url {
        let mut url = self.url.clone();
        url.set_path(database);
        url
    }

    pub(crate) async fn execute(&mut self, sql: &str) {
        self.connection.batch_execute(sql).await.expect("the cluster does what its superuser asks");
    }

    /// The texts that a query returns as `value`.
    pub(crate) async fn texts(&mut self, sql: &str) -> Vec<String> {
        let rows: Vec<Row> = diesel::sql_query(sql).load(&mut self.connection).await.expect("the cluster answers");
        rows.into_iter().map(|row| row.value).collect()
    }

    /// The truth that a query returns as `value`.
    pub(crate) async fn holds(&mut self, sql: &str) -> bool {
        let answer: Answer =
            diesel::sql_query(sql).get_result(&mut self.connection).await.expect("the cluster answers");
        answer.value
    }

    pub(crate) async fn drop_database(&mut self, name: &str) {
        self.execute(&format!("DROP DATABASE IF EXISTS \"{name}\" WITH (FORCE)")).await;
    }
}

pub(crate) async fn connect(url: &Url) -> AsyncPgConnection {
    AsyncPgConnection::establish(url.as_str()).await.expect("the cluster of NORA_TEST_POSTGRES_URL can be reached")
}
