//! The connection that listens, tells the other servers of work, and shows that this process lives.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use diesel::pg::PgNotification;
use diesel::sql_types::Integer;
use diesel::{QueryResult, QueryableByName};
use diesel_async::{AsyncPgConnection, SimpleAsyncConnection as _};
use futures_util::StreamExt as _;

use crate::connector::{Connector, Session};
use crate::error::ConnectError;
use crate::signals::{Signals, Topic};
use crate::statement::Statement;

/// Tells that something is to be pushed. It says no more than that, so any number of them are one.
const DUE_CHANNEL: &str = "nora_due";
/// The same for events that are to be delivered.
const DELIVERY_CHANNEL: &str = "nora_delivery";
/// Tells which key was revoked, by its record's id.
const REVOKED_CHANNEL: &str = "nora_revoked";

const LISTEN: &str = "LISTEN nora_due; LISTEN nora_delivery; LISTEN nora_revoked";

const fn tell(topic: Topic) -> &'static str {
    match topic {
        Topic::Sync => "NOTIFY nora_due",
        Topic::Delivery => "NOTIFY nora_delivery",
    }
}

/// Shared, because a process that lost this connection may hold the lock on the old one for a while.
const SHOW_LIFE: &str = "SELECT pg_backend_pid() AS process, \
                         pg_advisory_lock_shared(hashtextextended($1, 0))::text AS held";

const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

#[derive(QueryableByName)]
struct Backend {
    #[diesel(sql_type = Integer)]
    process: i32,
}

/// What a listening connection is made with.
pub(crate) struct Listener {
    pub(crate) connector: Arc<Connector>,
    pub(crate) signals: Arc<Signals>,
    /// The name this process's leases carry.
    pub(crate) owner: Arc<str>,
}

/// A connection that listens.
pub(crate) struct Ear {
    connection: AsyncPgConnection,
    process: i32,
}

impl Listener {
    /// Makes the connection. When this returns nothing is missed any more.
    pub(crate) async fn open(&self) -> Result<Ear, ConnectError> {
        let mut connection = self.connector.connect(Session::Listen).await?;
        let setup = |error: diesel::result::Error| ConnectError::Setup(error.into());
        connection.batch_execute(LISTEN).await.map_err(setup)?;
        let show_life = Statement::new(SHOW_LIFE).text(&*self.owner);
        let backend = show_life.load::<Backend>(&mut connection).await.map_err(setup)?;
        let process = backend.first().map(|backend| backend.process).unwrap_or_default();
        Ok(Ear { connection, process })
    }

    /// Listens for as long as the process lives, over as many connections as it takes.
    pub(crate) async fn run(self, mut ear: Ear) {
        loop {
            let lost = self.follow(&mut ear).await;
            tracing::warn!(error = lost.as_ref().map(tracing::field::display), "the listening connection was lost");
            drop(ear);
            ear = self.open_again().await;
            tracing::info!("listening again");
            self.signals.missed_anything();
        }
    }

    async fn open_again(&self) -> Ear {
        let mut pause = FIRST_PAUSE;
        loop {
            match self.open().await {
                Ok(ear) => return ear,
                Err(error) => tracing::debug!(%error, "still not listening"),
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    /// Hears and tells until the connection is lost.
    async fn follow(&self, ear: &mut Ear) -> Option<diesel::result::Error> {
        loop {
            let heard = tokio::select! {
                heard = next(&mut ear.connection) => heard,
                topic = self.signals.others_to_tell() => {
                    if let Err(error) = ear.connection.batch_execute(tell(topic)).await {
                        self.signals.tell_again(topic);
                        return Some(error);
                    }
                    continue;
                }
            };
            match heard {
                Some(Ok(notification)) => self.hear(&notification, ear.process),
                Some(Err(error)) => return Some(error),
                None => return None,
            }
        }
    }

    fn hear(&self, notification: &PgNotification, own_process: i32) {
        match notification.channel.as_str() {
            // What this process tells it knew before.
            DUE_CHANNEL | DELIVERY_CHANNEL if notification.process_id == own_process => {}
            DUE_CHANNEL => self.signals.hear_of(Topic::Sync),
            DELIVERY_CHANNEL => self.signals.hear_of(Topic::Delivery),
            REVOKED_CHANNEL => self.signals.hear_of_revocation(notification.payload.parse().ok()),
            _ => {}
        }
    }
}

async fn next(connection: &mut AsyncPgConnection) -> Option<QueryResult<PgNotification>> {
    pin!(connection.notifications_stream()).next().await
}
