//! The one connection that writes, and the units of work that wait for it.

use std::sync::Arc;

use diesel::{Connection as _, QueryResult, SqliteConnection};
use nora_kernel::{ApiKeyId, Unavailable};
use tokio::runtime::Handle;
use tokio::sync::{Mutex, mpsc, oneshot};
use tokio::task::JoinHandle;

use crate::OpenError;
use crate::connection::{self, Connection};
use crate::failure::{Abort, Ending, unavailable};
use crate::file::LockedFile;
use crate::hub::{Hub, News};

/// How many units of work may wait; whoever comes then waits to be let in.
const WAITING: usize = 1024;
/// How many are committed together at most.
const TOGETHER: usize = 64;

/// A unit of work under way: the connection, and what is to be told once it is committed.
pub(crate) struct Transaction<'a> {
    pub(crate) connection: &'a mut SqliteConnection,
    news: &'a mut News,
}

impl Transaction<'_> {
    /// A target may have become due.
    pub(crate) fn tell_due(&mut self) {
        self.news.due = true;
    }

    /// A delivery may have become due.
    pub(crate) fn tell_delivery(&mut self) {
        self.news.delivery = true;
    }

    /// A redeploy may have become due.
    pub(crate) fn tell_redeploy(&mut self) {
        self.news.redeploy = true;
    }

    /// A key was revoked.
    pub(crate) fn tell_revoked(&mut self, key: ApiKeyId) {
        self.news.revoked.push(key);
    }
}

/// Does a unit of work, and returns how to answer it once it is known whether it was committed. The error is for a
/// database that can take no more work in this transaction.
type Work = Box<dyn FnOnce(&mut SqliteConnection, &mut News) -> (Answer, QueryResult<()>) + Send>;
type Answer = Box<dyn FnOnce(bool) + Send>;

enum Order {
    Work(Work),
    Close,
}

/// Hands units of work to the connection that writes.
pub(crate) struct Writer {
    orders: mpsc::Sender<Order>,
    task: Mutex<Option<JoinHandle<()>>>,
}

impl Writer {
    /// Takes over the connection. It stays open, and the file locked, until the last order is carried out.
    pub(crate) fn start(connection: SqliteConnection, file: Arc<LockedFile>, hub: Arc<Hub>, runtime: &Handle) -> Self {
        let (orders, waiting) = mpsc::channel(WAITING);
        let desk = Desk { connection: Some(Connection::new(connection)), file, hub };
        Self { orders, task: Mutex::new(Some(runtime.spawn(desk.serve(waiting)))) }
    }

    /// Does a unit of work in a transaction: all of it or, if it is aborted, nothing.
    ///
    /// It is done even if nobody waits for its answer any more.
    pub(crate) async fn write<T, E, W>(&self, work: W) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<Unavailable> + Send + 'static,
        W: FnOnce(&mut Transaction<'_>) -> Ending<T, E> + Send + 'static,
    {
        let (sender, answer) = oneshot::channel();
        let order = Order::Work(Box::new(move |connection, news| perform(connection, news, work, sender)));
        self.orders.send(order).await.map_err(|_| closed())?;
        let ending = answer.await.map_err(|_| interrupted())?;
        ending.map_err(Abort::into_error)
    }

    /// Carries out what was ordered and closes the connection.
    pub(crate) async fn close(&self) {
        // Sending fails only if it is closed already.
        let _ = self.orders.send(Order::Close).await;
        if let Some(task) = self.task.lock().await.take() {
            let _ = task.await;
        }
    }
}

fn closed() -> Unavailable {
    Unavailable::transient("the database is closed")
}

fn interrupted() -> Unavailable {
    Unavailable::transient("the database failed while units of work were committed together")
}

/// Does one unit of work in a savepoint of the transaction it shares with others.
fn perform<T, E, W>(
    connection: &mut SqliteConnection,
    news: &mut News,
    work: W,
    sender: oneshot::Sender<Ending<T, E>>,
) -> (Answer, QueryResult<()>)
where
    T: Send + 'static,
    E: Send + 'static,
    W: FnOnce(&mut Transaction<'_>) -> Ending<T, E>,
{
    let mut own = News::default();
    let ending = connection.transaction(|connection| work(&mut Transaction { connection, news: &mut own }));
    let goes_on = match &ending {
        Ok(_) => {
            news.due |= own.due;
            news.delivery |= own.delivery;
            news.redeploy |= own.redeploy;
            news.revoked.append(&mut own.revoked);
            Ok(())
        }
        // A full disk or the like may have rolled back everybody's work.
        Err(Abort::Failed(failure)) if failure.is_retryable() => Err(diesel::result::Error::RollbackTransaction),
        Err(_) => Ok(()),
    };
    let answer = move |committed| {
        let ending = if committed { ending } else { Err(Abort::Failed(interrupted())) };
        // Whoever asked may have gone.
        let _ = sender.send(ending);
    };
    (Box::new(answer), goes_on)
}

/// Where the connection is.
struct Desk {
    connection: Option<Connection>,
    file: Arc<LockedFile>,
    hub: Arc<Hub>,
}

impl Desk {
    async fn serve(mut self, mut waiting: mpsc::Receiver<Order>) {
        let mut orders = Vec::with_capacity(TOGETHER);
        while waiting.recv_many(&mut orders, TOGETHER).await > 0 {
            let mut works = Vec::with_capacity(orders.len());
            let mut closing = false;
            for order in orders.drain(..) {
                match order {
                    Order::Work(work) => works.push(work),
                    Order::Close => closing = true,
                }
            }
            self.commit(works).await;
            if closing {
                break;
            }
        }
    }

    /// Does the works in one transaction and answers them. Works that are dropped undone answer by that.
    async fn commit(&mut self, works: Vec<Work>) {
        if works.is_empty() {
            return;
        }
        let mut connection = match self.connection.take().map_or_else(|| self.reopen(), Ok) {
            Ok(connection) => connection,
            Err(error) => return tracing::error!(error = %error, "the database cannot be opened again"),
        };
        match connection.spawn_blocking(move |connection| Ok(perform_all(connection, works))).await {
            Ok((answers, news, Ok(()))) => {
                self.connection = Some(connection);
                self.hub.announce(news);
                reply(answers, true);
            }
            Ok((answers, _, Err(error))) => {
                let failure = unavailable(error);
                tracing::error!(error = %chain(&failure), "a commit failed; the database is opened again");
                reply(answers, false);
            }
            Err(error) => tracing::error!(error = %error, "a unit of work panicked; the database is opened again"),
        }
    }

    fn reopen(&self) -> Result<Connection, OpenError> {
        connection::writer(self.file.url()?).map(Connection::new)
    }
}

fn reply(answers: Vec<Answer>, committed: bool) {
    for answer in answers {
        answer(committed);
    }
}

fn perform_all(connection: &mut SqliteConnection, works: Vec<Work>) -> (Vec<Answer>, News, QueryResult<()>) {
    let (mut answers, mut news) = (Vec::with_capacity(works.len()), News::default());
    let committed = connection.immediate_transaction(|connection| {
        works.into_iter().try_for_each(|work| {
            let (answer, goes_on) = work(connection, &mut news);
            answers.push(answer);
            goes_on
        })
    });
    (answers, news, committed)
}

fn chain(error: &dyn std::error::Error) -> String {
    let sources = std::iter::successors(Some(error), |error| error.source());
    sources.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}
