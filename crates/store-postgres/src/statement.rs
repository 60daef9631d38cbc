//! SQL texts with values.

use diesel::deserialize::FromSqlRow;
use diesel::pg::Pg;
use diesel::query_builder::{AstPass, BoxedSqlQuery, Query, QueryFragment, QueryId, SqlQuery};
use diesel::query_dsl::CompatibleType;
use diesel::serialize::ToSql;
use diesel::sql_types::{Array, BigInt, Binary, Bool, HasSqlType, Nullable, SmallInt, Text, Untyped, Uuid as UuidType};
use diesel::{QueryResult, sql_query};
use diesel_async::{AsyncPgConnection, RunQueryDsl as _};
use uuid::Uuid;

/// A statement and the values of its parameters, `$1` first.
///
/// The text is one of this crate's constants, so each connection prepares it once and keeps it. Diesel would prepare
/// it for each use: it cannot know that a text was not made up for the occasion.
#[must_use]
pub(crate) struct Statement(BoxedSqlQuery<'static, Pg, SqlQuery>);

impl Statement {
    pub(crate) fn new(text: &'static str) -> Self {
        Self(sql_query(text).into_boxed())
    }

    pub(crate) fn text(self, value: impl Into<String>) -> Self {
        self.bind::<Text, String>(value.into())
    }

    pub(crate) fn optional_text(self, value: Option<impl Into<String>>) -> Self {
        self.bind::<Nullable<Text>, Option<String>>(value.map(Into::into))
    }

    pub(crate) fn texts(self, values: Vec<String>) -> Self {
        self.bind::<Array<Text>, Vec<String>>(values)
    }

    pub(crate) fn optional_texts(self, values: Vec<Option<String>>) -> Self {
        self.bind::<Array<Nullable<Text>>, Vec<Option<String>>>(values)
    }

    pub(crate) fn uuid(self, value: Uuid) -> Self {
        self.bind::<UuidType, Uuid>(value)
    }

    pub(crate) fn optional_uuid(self, value: Option<Uuid>) -> Self {
        self.bind::<Nullable<UuidType>, Option<Uuid>>(value)
    }

    pub(crate) fn uuids(self, values: Vec<Uuid>) -> Self {
        self.bind::<Array<UuidType>, Vec<Uuid>>(values)
    }

    pub(crate) fn optional_uuids(self, values: Vec<Option<Uuid>>) -> Self {
        self.bind::<Array<Nullable<UuidType>>, Vec<Option<Uuid>>>(values)
    }

    pub(crate) fn number(self, value: i64) -> Self {
        self.bind::<BigInt, i64>(value)
    }

    pub(crate) fn optional_number(self, value: Option<i64>) -> Self {
        self.bind::<Nullable<BigInt>, Option<i64>>(value)
    }

    pub(crate) fn numbers(self, values: Vec<i64>) -> Self {
        self.bind::<Array<BigInt>, Vec<i64>>(values)
    }

    pub(crate) fn optional_numbers(self, values: Vec<Option<i64>>) -> Self {
        self.bind::<Array<Nullable<BigInt>>, Vec<Option<i64>>>(values)
    }

    pub(crate) fn optional_small_number(self, value: Option<i16>) -> Self {
        self.bind::<Nullable<SmallInt>, Option<i16>>(value)
    }

    pub(crate) fn bytes(self, value: impl Into<Vec<u8>>) -> Self {
        self.bind::<Binary, Vec<u8>>(value.into())
    }

    pub(crate) fn optional_bytes(self, value: Option<Vec<u8>>) -> Self {
        self.bind::<Nullable<Binary>, Option<Vec<u8>>>(value)
    }

    pub(crate) fn many_bytes(self, values: Vec<Vec<u8>>) -> Self {
        self.bind::<Array<Binary>, Vec<Vec<u8>>>(values)
    }

    pub(crate) fn many_optional_bytes(self, values: Vec<Option<Vec<u8>>>) -> Self {
        self.bind::<Array<Nullable<Binary>>, Vec<Option<Vec<u8>>>>(values)
    }

    pub(crate) fn flag(self, value: bool) -> Self {
        self.bind::<Bool, bool>(value)
    }

    pub(crate) async fn load<R>(self, connection: &mut AsyncPgConnection) -> QueryResult<Vec<R>>
    where
        Untyped: CompatibleType<R, Pg, SqlType = Untyped>,
        R: FromSqlRow<Untyped, Pg> + Send + 'static,
    {
        diesel_async::RunQueryDsl::load(self, connection).await
    }

    pub(crate) async fn run(self, connection: &mut AsyncPgConnection) -> QueryResult<usize> {
        self.execute(connection).await
    }

    fn bind<SqlType, Value>(self, value: Value) -> Self
    where
        Pg: HasSqlType<SqlType>,
        Value: ToSql<SqlType, Pg> + Send + 'static,
        SqlType: Send + 'static,
    {
        Self(self.0.bind::<SqlType, Value>(value))
    }
}

/// One column of many rows, for a parameter that is an array.
pub(crate) fn each<Row, T>(rows: &[Row], value: impl Fn(&Row) -> T) -> Vec<T> {
    rows.iter().map(value).collect()
}

impl QueryFragment<Pg> for Statement {
    fn walk_ast<'b>(&'b self, pass: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        self.0.walk_ast(pass)
    }

    fn is_safe_to_cache_prepared(&self, _backend: &Pg) -> QueryResult<bool> {
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
