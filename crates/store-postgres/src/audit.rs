//! The audit trail. Lines are written by the statements they are about.

use async_trait::async_trait;
use diesel::pg::Pg;
use diesel::{
    BoolExpressionMethods as _, ExpressionMethods as _, QueryDsl as _, Queryable, Selectable, SelectableHelper as _,
};
use diesel_async::RunQueryDsl as _;
use futures_util::FutureExt as _;
use nora_access::ports::AuditStore;
use nora_kernel::audit::{Action, Actor, AuditLine, Outcome, Resource, ResourceKind};
use nora_kernel::{AgentId, AuditId, Cursor, Page, PageRequest, Purpose, RequestId, Timestamp, Unavailable, Workspace};
use uuid::Uuid;

use crate::error::StoreError;
use crate::pages::{behind, one_more};
use crate::rows::{known, parse};
use crate::schema::audit_log;
use crate::statement::Statement;
use crate::store::PostgresStore;

/// Writes the line for each row of what follows. The line is `$1` to `$12`, and `$2` the time, of every statement
/// that begins with [`with_line`].
macro_rules! insert_line {
    () => {
        "INSERT INTO audit_log (id, at, workspace, actor_kind, actor_id, action, resource_kind, resource_id, \
         agent_id, purpose, outcome, request_id) SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12 FROM "
    };
}
pub(crate) use insert_line;

/// A statement whose first twelve parameters are a line.
pub(crate) fn with_line(text: &'static str, line: &AuditLine) -> Statement {
    Statement::new(text)
        .uuid(line.id.as_uuid())
        .number(line.at.as_microseconds())
        .text(line.workspace.as_str())
        .text(line.actor.kind())
        .text(line.actor.id())
        .text(line.action.as_str())
        .text(line.resource.kind.as_str())
        .text(line.resource.id.as_str())
        .optional_uuid(line.agent.map(AgentId::as_uuid))
        .optional_text(line.purpose.map(Purpose::as_str))
        .text(line.outcome.as_str())
        .optional_uuid(line.request.map(RequestId::as_uuid))
}

/// The index begins with the workspace, so each is looked into by itself. The ids go through an array: the planner
/// then expects few and looks them up.
const PRUNE: &str = "\
    WITH RECURSIVE workspaces AS ((SELECT workspace FROM audit_log ORDER BY workspace LIMIT 1) \
    UNION ALL SELECT (SELECT workspace FROM audit_log WHERE workspace > workspaces.workspace \
    ORDER BY workspace LIMIT 1) FROM workspaces WHERE workspaces.workspace IS NOT NULL), \
    old AS (SELECT line.id FROM workspaces CROSS JOIN LATERAL (SELECT id FROM audit_log \
    WHERE workspace = workspaces.workspace AND at < $1 ORDER BY at, id LIMIT $2) AS line LIMIT $2) \
    DELETE FROM audit_log WHERE id = ANY (ARRAY(SELECT id FROM old))";

#[derive(Queryable, Selectable)]
#[diesel(table_name = audit_log, check_for_backend(Pg))]
struct Row {
    id: Uuid,
    at: i64,
    workspace: String,
    actor_kind: String,
    actor_id: String,
    action: String,
    resource_kind: String,
    resource_id: String,
    agent_id: Option<Uuid>,
    purpose: Option<String>,
    outcome: String,
    request_id: Option<Uuid>,
}

impl TryFrom<Row> for AuditLine {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self, StoreError> {
        let purpose = row.purpose.map(|purpose| known("audit_log.purpose", Purpose::from_wire(&purpose)));
        let kind = known("audit_log.resource_kind", ResourceKind::from_wire(&row.resource_kind))?;
        Ok(Self {
            id: AuditId::from_uuid(row.id),
            at: Timestamp::from_microseconds(row.at),
            workspace: parse("audit_log.workspace", &row.workspace)?,
            actor: actor(&row.actor_kind, row.actor_id)?,
            action: known("audit_log.action", Action::from_wire(&row.action))?,
            resource: Resource { kind, id: row.resource_id },
            agent: row.agent_id.map(AgentId::from_uuid),
            purpose: purpose.transpose()?,
            outcome: known("audit_log.outcome", Outcome::from_wire(&row.outcome))?,
            request: row.request_id.map(RequestId::from_uuid),
        })
    }
}

fn actor(kind: &str, id: String) -> Result<Actor, StoreError> {
    match kind {
        "api_key" => Ok(Actor::ApiKey(parse("audit_log.actor_id", &id)?)),
        "jwt" => Ok(Actor::Jwt(id)),
        "system" => Ok(Actor::System),
        _ => Err(StoreError::Corrupt("audit_log.actor_kind")),
    }
}

#[async_trait]
impl AuditStore for PostgresStore {
    async fn list(&self, workspace: &Workspace, page: PageRequest) -> Result<Page<AuditLine>, Unavailable> {
        let (at, id) = behind(page.after);
        let query = audit_log::table
            .filter(audit_log::workspace.eq(workspace.as_str().to_owned()))
            .filter(audit_log::at.le(at))
            .filter(audit_log::at.lt(at).or(audit_log::id.lt(id)))
            .order((audit_log::at.desc(), audit_log::id.desc()))
            .limit(one_more(page))
            .select(Row::as_select());
        let rows = self.read(|connection| async move { Ok(query.load(connection).await?) }.boxed()).await?;
        let lines = rows.into_iter().map(AuditLine::try_from).collect::<Result<_, _>>()?;
        Ok(Page::cut(lines, page.limit, |line: &AuditLine| Cursor { at: line.at, id: line.id.as_uuid() }))
    }

    async fn prune(&self, before: Timestamp, limit: u32) -> Result<u64, Unavailable> {
        let prune = Statement::new(PRUNE).number(before.as_microseconds()).number(limit.into());
        Ok(self.execute(prune).await?.try_into().unwrap_or(u64::MAX))
    }
}
