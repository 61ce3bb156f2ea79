//! Step 1: the operator is there, a second factor is offered.

use askama::Template;
use axum::response::IntoResponse;

use crate::operations::operators;
use crate::operations::setup::Step;
use crate::web::error::Reply;
use crate::web::extract::Administrator;
use crate::web::filters;
use crate::web::page::Page;
use crate::web::shell::Bare;

use super::{Frame, NETWORK, StepLink, frame};

/// `GET /setup/operator`.
#[derive(Template)]
#[template(path = "pages/setup/operator.html")]
pub struct OperatorPage {
    pub shell: Bare,
    pub steps: Vec<StepLink>,
    pub name: String,
    pub has_factor: bool,
    pub onward: &'static str,
}

pub async fn operator(Administrator(signed): Administrator) -> Reply {
    let own = &signed.current.operator;
    let Frame { shell, steps } = frame(&signed, "Your account", Some(Step::Operator))?;
    let page = OperatorPage {
        shell,
        steps,
        name: own.name.clone(),
        has_factor: operators::factor_state(signed.app(), own.id)?.is_some(),
        onward: NETWORK,
    };
    Ok(Page::ok(page).into_response())
}
