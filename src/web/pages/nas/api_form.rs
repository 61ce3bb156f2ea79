//! The part of the form that says how the API of a router is reached.

use std::sync::Arc;

use crate::crypto::Secret;
use crate::domain::Invalid;
use crate::domain::nas::{ApiAccess, ApiTransport, Nas, UsageSource};
use crate::domain::text;
use crate::operations::nas::{self as verbs, ApiDraft};
use crate::web::form::{FormData, Problems, number, optional};
use crate::web::parts::{Field, Select};

const LONGEST_USER: usize = 64;
/// A few certificates in PEM: one is about two thousand characters.
const LONGEST_AUTHORITY: usize = 32_000;

/// Fields of the API. No Debug: one is of a password.
pub struct ApiFields {
    /// None, or the transport.
    pub access: Select,
    pub address: Field,
    /// Empty is the port of the transport.
    pub port: Field,
    pub user: Field,
    /// Empty keeps the present one where there is one.
    pub password: Field,
    pub has_password: bool,
    pub authority: Field,
    pub legacy_login: bool,
    pub usage_source: Select,
    pub fallback: bool,
}

/// What was typed.
pub struct Typed {
    pub api: Option<ApiDraft>,
    pub usage_source: UsageSource,
    pub fallback: bool,
}

pub fn fields(form: &FormData, problems: &Problems, has_password: bool) -> ApiFields {
    let field = |name| problems.field(form, name);
    let transports = [
        ("none", "No API access"),
        ("pinned", "TLS, keep the router's own certificate"),
        ("authority", "TLS, certificate of your own authority"),
        ("plain", "Plain, inside a tunnel only"),
    ];
    let sources = [
        ("accounting", "RADIUS accounting"),
        ("api", "API readings: the router sends no accounting"),
    ];
    ApiFields {
        access: problems.select(
            "api_access",
            Select::new(transports, form.text("api_access")),
        ),
        address: field("api_address"),
        port: field("api_port"),
        user: field("api_user"),
        password: problems.secret("api_password"),
        has_password,
        authority: field("api_authority"),
        legacy_login: form.has("api_legacy_login"),
        usage_source: problems.select(
            "usage_source",
            Select::new(sources, form.text("usage_source")),
        ),
        fallback: form.has("api_fallback"),
    }
}

/// The fields as they stand for a NAS, behind those that `fields` holds.
pub fn fill(nas: &Nas, fields: &mut Vec<(&'static str, String)>) {
    let source = match nas.usage_source {
        UsageSource::Accounting => "accounting",
        UsageSource::Api => "api",
    };
    fields.push(("usage_source", source.to_owned()));
    if nas.api_fallback {
        fields.push(("api_fallback", "on".to_owned()));
    }
    let Some(api) = &nas.api else {
        fields.push(("api_access", "none".to_owned()));
        return;
    };
    let address = api.address.map(|address| address.to_string());
    fields.push(("api_access", api.transport.word().to_owned()));
    fields.push(("api_address", address.unwrap_or_default()));
    fields.push(("api_port", api.port.to_string()));
    fields.push(("api_user", api.user.clone()));
    if let ApiTransport::Authority(pem) = &api.transport {
        fields.push(("api_authority", pem.clone()));
    }
    if api.legacy_login {
        fields.push(("api_legacy_login", "on".to_owned()));
    }
}

/// `None` once a problem was noted. Without access the other fields are not looked at.
pub fn parse(form: &FormData, problems: &mut Problems) -> Option<Typed> {
    let usage_source = problems.take("usage_source", source(form.text("usage_source")));
    let api = match form.text("api_access") {
        "" | "none" => Some(None),
        _ => parse_access(form, problems).map(Some),
    };
    Some(Typed {
        api: api?,
        usage_source: usage_source?,
        fallback: form.has("api_fallback"),
    })
}

fn parse_access(form: &FormData, problems: &mut Problems) -> Option<ApiDraft> {
    let transport = match form.text("api_access") {
        "plain" => Some(ApiTransport::Plain),
        "pinned" => Some(ApiTransport::Pinned(None)),
        "authority" => problems
            .take("api_authority", authority(form.text("api_authority")))
            .map(ApiTransport::Authority),
        _ => problems.take("api_access", Err(Invalid::new("Choose one of the list"))),
    };
    let address = optional(form.text("api_address"), |text| {
        let address = text.parse();
        address.map_err(|_| Invalid::new("An address, such as 10.0.0.1 or 2001:db8::1"))
    });
    let address = problems.take("api_address", address);
    let port = optional(form.text("api_port"), |text| number(text, 1, u16::MAX));
    let port = problems.take("api_port", port);
    let user = problems.take("api_user", user(form.text("api_user")));
    let password = problems.take("api_password", password(form.text("api_password")));
    let transport = transport?;
    Some(ApiDraft {
        access: ApiAccess {
            address: address?,
            port: port?.unwrap_or_else(|| ApiAccess::standard_port(&transport)),
            user: user?,
            transport,
            legacy_login: form.has("api_legacy_login"),
        },
        password: password?,
    })
}

fn source(typed: &str) -> Result<UsageSource, Invalid> {
    match typed {
        "" | "accounting" => Ok(UsageSource::Accounting),
        "api" => Ok(UsageSource::Api),
        _ => Err(Invalid::new("Choose one of the list")),
    }
}

fn user(typed: &str) -> Result<String, Invalid> {
    let user = text::line(typed, LONGEST_USER)?;
    match user.is_empty() {
        true => Err(Invalid::new("A user name is needed")),
        false => Ok(user),
    }
}

/// An empty one keeps the present one; the verb knows whether there is one.
fn password(typed: &str) -> Result<Option<Arc<Secret<String>>>, Invalid> {
    if typed.is_empty() {
        return Ok(None);
    }
    verbs::check_api_password(typed)?;
    Ok(Some(Arc::new(Secret::new(typed.to_owned()))))
}

fn authority(typed: &str) -> Result<String, Invalid> {
    let pem = text::paragraph(typed, LONGEST_AUTHORITY)?;
    match pem.is_empty() {
        true => Err(Invalid::new("Paste the certificate of the authority (PEM)")),
        false => Ok(pem),
    }
}
