//! SQL texts with values.

use diesel::query_builder::{AstPass, BoxedSqlQuery, Query, QueryFragment, QueryId, SqlQuery};
use diesel::serialize::ToSql;
use diesel::sql_types::HasSqlType;
use diesel::sqlite::Sqlite;
use diesel::{QueryResult, RunQueryDsl, SqliteConnection, sql_query};

/// A statement and the values of its parameters, `?1` first.
///
/// The text is one of this crate's constants, so each connection prepares it once and keeps it. Diesel would prepare
/// it for each use: it cannot know that a text was not made up for the occasion.
///
/// SQLite prepares a kept statement again whenever a parameter changes that its plan may depend on. A limit is one,
/// unless it is written as an expression (`LIMIT ?1 + 0`); so is what is compared with the condition of a partial
/// index.
pub(crate) type Statement = Kept<BoxedSqlQuery<'static, Sqlite, SqlQuery>>;

impl Statement {
    pub(crate) fn new(text: &'static str) -> Self {
        Self(sql_query(text).into_boxed())
    }

    pub(crate) fn bind<SqlType, Value>(self, value: Value) -> Self
    where
        Sqlite: HasSqlType<SqlType>,
        Value: ToSql<SqlType, Sqlite> + Send + 'static,
        SqlType: Send + 'static,
    {
        Self(self.0.bind::<SqlType, Value>(value))
    }
}

/// A statement that each connection prepares once and keeps. Diesel would prepare an update for each use: its text may
/// depend on its values, and then the one that was kept is another.
#[must_use]
pub(crate) struct Kept<Kind>(pub(crate) Kind);

impl<Kind: QueryFragment<Sqlite>> QueryFragment<Sqlite> for Kept<Kind> {
    fn walk_ast<'b>(&'b self, pass: AstPass<'_, 'b, Sqlite>) -> QueryResult<()> {
        self.0.walk_ast(pass)
    }

    fn is_safe_to_cache_prepared(&self, _backend: &Sqlite) -> QueryResult<bool> {
        Ok(true)
    }
}

impl<Kind> QueryId for Kept<Kind> {
    type QueryId = ();

    /// Prepared statements are told apart by their texts.
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<Kind: Query> Query for Kept<Kind> {
    type SqlType = Kind::SqlType;
}

impl<Kind> RunQueryDsl<SqliteConnection> for Kept<Kind> {}
