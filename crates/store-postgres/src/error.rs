//! What can go wrong.

use std::sync::Arc;

use diesel::result::{DatabaseErrorKind, Error as DieselError};
use diesel_async::pooled_connection::deadpool::PoolError;
use nora_kernel::{BoxError, Unavailable};
use tokio::task::JoinError;

/// Why the database was not opened. No message holds anything of the URL.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// The URL cannot be read. What its parser says could quote the password, so it is not kept.
    #[error("the database URL must have the form postgres://user:password@host:port/database?sslmode=...")]
    Url,
    /// `sslmode` is another one.
    #[error("sslmode in the database URL must be disable, require, verify-ca or verify-full")]
    SslMode,
    /// There is nothing to verify the server's certificate with.
    #[error(
        "sslmode=verify-ca needs the file of the authority in sslrootcert; \
         for a certificate of a public authority use verify-full"
    )]
    RootCertificateMissing,
    /// The file of `sslrootcert` cannot be used.
    #[error("the file named by sslrootcert cannot be used as a list of certificates")]
    RootCertificate(#[source] BoxError),
    /// The server speaks plain text only.
    #[error(
        "the database server offers no TLS; set it up there, \
         or say sslmode=disable if nobody else can read that network"
    )]
    NoTls,
    /// No trusted TLS session was made.
    #[error("no trusted TLS session with the database server could be made")]
    Tls(#[source] BoxError),
    /// The server does not let this user in.
    #[error("the database server does not let this user in")]
    Refused(#[source] BoxError),
    /// The server has no such database.
    #[error("the database server has no database of that name")]
    NoSuchDatabase(#[source] BoxError),
    /// The server did not answer.
    #[error("the database server cannot be reached")]
    Unreachable(#[source] BoxError),
    /// The server answered and failed.
    #[error("the database server failed while the connection was set up")]
    Setup(#[source] BoxError),
    /// The server is older than this store can use.
    #[error("PostgreSQL 13 or newer is needed; the server says it is {0}")]
    TooOld(String),
    /// The database holds text in an encoding that cannot hold every text.
    #[error("the database must be encoded in UTF8; it is in {0}")]
    Encoding(String),
}

/// Why the schema was not brought up to date.
#[derive(Debug, thiserror::Error)]
pub enum MigrateError {
    /// A newer release has been at this database.
    #[error("the database has the schema {0}, which this release does not know; run the newer release")]
    NewerSchema(String),
    /// The database could not be reached.
    #[error(transparent)]
    Connect(#[from] ConnectError),
    /// A step failed, or another server held the migration lock for too long.
    #[error("the schema of the database could not be brought up to date")]
    Failed(#[source] BoxError),
}

/// Why a unit of work was not done.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StoreError {
    #[error("no connection of the pool became free in time")]
    PoolWait,
    #[error("no connection could be made")]
    Pool(#[source] PoolError),
    #[error("the database did not answer in time")]
    Deadline,
    #[error("the work was stopped")]
    Stopped(#[from] JoinError),
    #[error("the database did not do a statement")]
    Query(#[from] DieselError),
    #[error("others kept changing the same agent")]
    Contended,
    #[error("what is stored as {0} does not parse")]
    Corrupt(&'static str),
    #[error("what several wrote together was not written")]
    Together(#[from] Arc<Self>),
    #[error("the store is closed")]
    Closed,
    #[error("the schema lacks {0}: the migrations have to run")]
    NotMigrated(String),
}

/// How the server, in English, begins what will pass: neither the client library nor diesel hands on the codes.
const PASSING: [&str; 7] = [
    "canceling statement due to statement timeout",
    "canceling statement due to lock timeout",
    "deadlock detected",
    "terminating connection",
    "the database system is",
    "sorry, too many clients already",
    "remaining connection slots are reserved",
];

impl StoreError {
    /// The unique constraint that a statement broke.
    pub(crate) fn broken_constraint(&self) -> Option<&str> {
        match self {
            Self::Query(DieselError::DatabaseError(DatabaseErrorKind::UniqueViolation, information)) => {
                information.constraint_name()
            }
            _ => None,
        }
    }

    fn will_pass(&self) -> bool {
        match self {
            Self::PoolWait | Self::Pool(_) | Self::Deadline | Self::Contended | Self::NotMigrated(_) | Self::Closed => {
                true
            }
            Self::Stopped(error) => error.is_cancelled(),
            Self::Query(error) => query_will_pass(error),
            Self::Together(error) => error.will_pass(),
            Self::Corrupt(_) => false,
        }
    }
}

fn query_will_pass(error: &DieselError) -> bool {
    use DatabaseErrorKind::{ClosedConnection, ReadOnlyTransaction, SerializationFailure, UnableToSendCommand};
    match error {
        // A server that only reads has just lost its role to another.
        DieselError::DatabaseError(
            ClosedConnection | ReadOnlyTransaction | SerializationFailure | UnableToSendCommand,
            _,
        )
        | DieselError::BrokenTransactionManager => true,
        DieselError::DatabaseError(_, information) => {
            PASSING.iter().any(|beginning| information.message().starts_with(beginning))
        }
        DieselError::RollbackErrorOnCommit { commit_error, .. } => query_will_pass(commit_error),
        _ => false,
    }
}

impl From<StoreError> for Unavailable {
    fn from(error: StoreError) -> Self {
        if error.will_pass() { Self::transient(error) } else { Self::fault(error) }
    }
}
