//! How a unit of work ends without its value.

use diesel::result::{DatabaseErrorKind, Error};
use nora_kernel::{BoxError, Unavailable};

/// Why a unit of work is rolled back.
#[derive(Debug)]
pub(crate) enum Abort<E> {
    /// The port's own refusal.
    Refused(E),
    /// The database failed, or holds what it should not.
    Failed(Unavailable),
}

/// How a unit of work ends. Those that can refuse nothing name [`Unavailable`].
pub(crate) type Ending<T, E = Unavailable> = Result<T, Abort<E>>;

impl<E> From<Error> for Abort<E> {
    fn from(error: Error) -> Self {
        Self::Failed(unavailable(error))
    }
}

impl<E: From<Unavailable>> Abort<E> {
    /// The port's error.
    pub(crate) fn into_error(self) -> E {
        match self {
            Self::Refused(error) => error,
            Self::Failed(unavailable) => unavailable.into(),
        }
    }
}

/// What is kept does not follow its own rules.
pub(crate) fn corrupt<E>(what: &'static str) -> Abort<E> {
    Abort::Failed(Unavailable::fault(what))
}

/// How messages of SQLite begin that say the same however often they are asked for: a value that does not fit its
/// column, a schema that is not there.
const LASTING: [&str; 2] = ["cannot store ", "no such "];

/// Statements that are wrong, rows that do not parse and broken constraints stay so; all else may pass.
pub(crate) fn unavailable(error: Error) -> Unavailable {
    let passes = match &error {
        Error::DatabaseError(DatabaseErrorKind::Unknown, information) => {
            !LASTING.iter().any(|lasting| information.message().starts_with(lasting))
        }
        Error::DatabaseError(DatabaseErrorKind::UnableToSendCommand | DatabaseErrorKind::ClosedConnection, _)
        | Error::BrokenTransactionManager
        | Error::AlreadyInTransaction
        | Error::RollbackErrorOnCommit { .. } => true,
        _ => false,
    };
    let source = BoxError::from(error);
    if passes { Unavailable::transient(source) } else { Unavailable::fault(source) }
}

/// Whether a row was refused because another one has the same value in `column` (`table.column`).
pub(crate) fn is_taken(error: &Error, column: &str) -> bool {
    match error {
        Error::DatabaseError(DatabaseErrorKind::UniqueViolation, information) => {
            information.message().rsplit(": ").next() == Some(column)
        }
        _ => false,
    }
}
