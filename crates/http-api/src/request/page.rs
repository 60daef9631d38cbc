//! Pages of lists: what a query asks for, and where the next one is.

use actix_web::http::header::LINK;
use actix_web::{HttpRequest, HttpResponse};
use nora_kernel::{Caller, Cursor, Page, PageLimit, PageRequest, Workspace};
use serde::Serialize;
use url::form_urlencoded;

use super::{FromHead, Query};
use crate::answer;
use crate::problem::Problem;

/// Which part of a list is wanted.
#[derive(Debug, Clone, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct PageQuery {
    /// How many items a page holds.
    #[param(value_type = Option<u8>, minimum = 1, maximum = 200, example = 50)]
    limit: Option<PageLimit>,
    /// Where the page starts: as the `Link` header of the page before says.
    #[param(value_type = Option<String>)]
    cursor: Option<Cursor>,
    /// Whose list. Only `admin` may name another workspace than its own.
    #[param(value_type = Option<String>, example = "default")]
    workspace: Option<Workspace>,
}

impl FromHead for PageQuery {
    fn from_head(request: &HttpRequest) -> Result<Self, Problem> {
        let query = Query::of(request);
        Ok(Self {
            limit: query.parsed("limit")?,
            cursor: query.parsed("cursor")?,
            workspace: query.parsed("workspace")?,
        })
    }
}

impl PageQuery {
    pub(crate) fn request(&self) -> PageRequest {
        PageRequest { limit: self.limit.unwrap_or(PageLimit::DEFAULT), after: self.cursor }
    }

    /// Whose list it is.
    pub(crate) fn workspace_for(&self, caller: &Caller) -> Result<Workspace, Problem> {
        Ok(caller.workspace_for(self.workspace.clone())?)
    }

    /// The same question about the next page.
    fn next(&self, path: &str, cursor: Cursor) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.append_pair("cursor", &cursor.to_string());
        if let Some(limit) = self.limit {
            query.append_pair("limit", &limit.get().to_string());
        }
        if let Some(workspace) = &self.workspace {
            query.append_pair("workspace", workspace.as_str());
        }
        let joint = if path.contains('?') { '&' } else { '?' };
        format!("<{path}{joint}{}>; rel=\"next\"", query.finish())
    }
}

/// Answers with a page: the bare items, and a `Link` to the next page if there is one.
pub(crate) fn paged<T, V: Serialize>(
    path: &str,
    query: &PageQuery,
    page: Page<T>,
    view: impl Fn(T) -> V,
) -> Result<HttpResponse, Problem> {
    let Page { items, next } = page;
    let items: Vec<V> = items.into_iter().map(view).collect();
    let mut response = answer::ok(&items)?;
    if let Some(link) = next.and_then(|cursor| query.next(path, cursor).parse().ok()) {
        response.headers_mut().insert(LINK, link);
    }
    Ok(response)
}
