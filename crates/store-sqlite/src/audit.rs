//! The audit trail.

use async_trait::async_trait;
use diesel::prelude::*;
use diesel::sqlite::Sqlite;
use nora_access::ports::AuditStore;
use nora_kernel::audit::{Action, Actor, AuditLine, Outcome, Resource, ResourceKind};
use nora_kernel::{Cursor, Page, PageRequest, Purpose, Timestamp, Unavailable, Workspace};

use crate::SqliteStore;
use crate::failure::{Ending, corrupt};
use crate::page::Behind;
use crate::schema::audit_log;
use crate::value::{Id, Parsed, Time};

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = audit_log, check_for_backend(Sqlite))]
struct LineRow {
    workspace: Parsed<Workspace>,
    at: Time,
    id: Id,
    actor_kind: String,
    actor_id: String,
    action: String,
    resource_kind: String,
    resource_id: String,
    agent_id: Option<Id>,
    purpose: Option<String>,
    outcome: String,
    request_id: Option<Id>,
}

impl From<&AuditLine> for LineRow {
    fn from(line: &AuditLine) -> Self {
        Self {
            workspace: Parsed(line.workspace.clone()),
            at: Time(line.at),
            id: line.id.into(),
            actor_kind: line.actor.kind().to_owned(),
            actor_id: line.actor.id(),
            action: line.action.as_str().to_owned(),
            resource_kind: line.resource.kind.as_str().to_owned(),
            resource_id: line.resource.id.clone(),
            agent_id: line.agent.map(Id::from),
            purpose: line.purpose.map(|purpose| purpose.as_str().to_owned()),
            outcome: line.outcome.as_str().to_owned(),
            request_id: line.request.map(Id::from),
        }
    }
}

impl LineRow {
    /// The line; `None` if a name in it is none of ours.
    fn into_line(self) -> Option<AuditLine> {
        let purpose = match self.purpose {
            Some(purpose) => Some(Purpose::from_wire(&purpose)?),
            None => None,
        };
        Some(AuditLine {
            id: self.id.into(),
            at: self.at.0,
            workspace: self.workspace.0,
            actor: actor(&self.actor_kind, self.actor_id)?,
            action: Action::from_wire(&self.action)?,
            resource: Resource { kind: ResourceKind::from_wire(&self.resource_kind)?, id: self.resource_id },
            agent: self.agent_id.map(Into::into),
            purpose,
            outcome: Outcome::from_wire(&self.outcome)?,
            request: self.request_id.map(Into::into),
        })
    }
}

fn actor(kind: &str, id: String) -> Option<Actor> {
    match kind {
        "api_key" => id.parse().ok().map(Actor::ApiKey),
        "jwt" => Some(Actor::Jwt(id)),
        "system" => Some(Actor::System),
        _ => None,
    }
}

/// Writes a line in the transaction of what it is about.
pub(crate) fn write_line(connection: &mut SqliteConnection, line: &AuditLine) -> QueryResult<()> {
    diesel::insert_into(audit_log::table).values(LineRow::from(line)).execute(connection).map(drop)
}

/// The table begins with the workspace, so each is looked into by itself.
const PRUNE: &str = "
    DELETE FROM audit_log WHERE (workspace, at, id) IN (
        WITH RECURSIVE workspaces (name) AS (
            SELECT min(workspace) FROM audit_log
            UNION ALL
            SELECT (SELECT min(workspace) FROM audit_log WHERE workspace > workspaces.name)
            FROM workspaces WHERE workspaces.name IS NOT NULL
        )
        SELECT line.workspace, line.at, line.id
        FROM workspaces CROSS JOIN audit_log AS line ON line.workspace = workspaces.name AND line.at < ?
        LIMIT ? + 0
    )
";

fn list(connection: &mut SqliteConnection, workspace: &Workspace, page: PageRequest) -> Ending<Page<AuditLine>> {
    let Behind { at, id } = page.after.into();
    let rows: Vec<LineRow> = audit_log::table
        .filter(audit_log::workspace.eq(workspace.as_str()))
        .filter(audit_log::at.le(at))
        .filter(audit_log::at.lt(at).or(audit_log::id.lt(id)))
        .order((audit_log::at.desc(), audit_log::id.desc()))
        .limit(i64::from(page.limit.get()) + 1)
        .select(LineRow::as_select())
        .load(connection)?;
    let lines: Option<Vec<AuditLine>> = rows.into_iter().map(LineRow::into_line).collect();
    let lines = lines.ok_or_else(|| corrupt("an audit line holds an unknown name"))?;
    Ok(Page::cut(lines, page.limit, |line| Cursor { at: line.at, id: line.id.as_uuid() }))
}

#[async_trait]
impl AuditStore for SqliteStore {
    async fn list(&self, workspace: &Workspace, page: PageRequest) -> Result<Page<AuditLine>, Unavailable> {
        let workspace = workspace.clone();
        self.read(move |connection| list(connection, &workspace, page)).await
    }

    async fn prune(&self, before: Timestamp, limit: u32) -> Result<u64, Unavailable> {
        self.prune_by(PRUNE, before, limit).await
    }
}
