//! SQL texts with values.

use diesel::deserialize::FromSqlRow;
use diesel::query_builder::{AstPass, BoxedSqlQuery, Query, QueryFragment, QueryId, SqlQuery};
use diesel::query_dsl::CompatibleType;
use diesel::serialize::ToSql;
use diesel::sql_types::{HasSqlType, Untyped};
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
#[must_use]
pub(crate) struct Statement(BoxedSqlQuery<'static, Sqlite, SqlQuery>);

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

    pub(crate) fn load<R>(self, connection: &mut SqliteConnection) -> QueryResult<Vec<R>>
    where
        Untyped: CompatibleType<R, Sqlite, SqlType = Untyped>,
        R: FromSqlRow<Untyped, Sqlite> + 'static,
    {
        RunQueryDsl::load(self, connection)
    }

    pub(crate) fn one<R>(self, connection: &mut SqliteConnection) -> QueryResult<R>
    where
        Untyped: CompatibleType<R, Sqlite, SqlType = Untyped>,
        R: FromSqlRow<Untyped, Sqlite> + 'static,
    {
        self.get_result(connection)
    }

    pub(crate) fn run(self, connection: &mut SqliteConnection) -> QueryResult<usize> {
        self.execute(connection)
    }
}

impl QueryFragment<Sqlite> for Statement {
    fn walk_ast<'b>(&'b self, pass: AstPass<'_, 'b, Sqlite>) -> QueryResult<()> {
        self.0.walk_ast(pass)
    }

    fn is_safe_to_cache_prepared(&self, _backend: &Sqlite) -> QueryResult<bool> {
        Ok(true)
    }
}

impl QueryId for Statement {
    type QueryId = ();

    /// Prepared statements are told apart by their texts.
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl Query for Statement {
    type SqlType = Untyped;
}

impl RunQueryDsl<SqliteConnection> for Statement {}

/// An update that each connection prepares once and keeps. Diesel would prepare it for each use: its text may depend on
/// its values, and then the one that was kept is another.
#[must_use]
pub(crate) struct Kept<Update>(pub(crate) Update);

impl<Update: QueryFragment<Sqlite>> QueryFragment<Sqlite> for Kept<Update> {
    fn walk_ast<'b>(&'b self, pass: AstPass<'_, 'b, Sqlite>) -> QueryResult<()> {
        self.0.walk_ast(pass)
    }

    fn is_safe_to_cache_prepared(&self, _backend: &Sqlite) -> QueryResult<bool> {
        Ok(true)
    }
}

impl<Update> QueryId for Kept<Update> {
    type QueryId = ();

    /// Prepared statements are told apart by their texts.
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<Update: Query> Query for Kept<Update> {
    type SqlType = Update::SqlType;
}

impl<Update> RunQueryDsl<SqliteConnection> for Kept<Update> {}
