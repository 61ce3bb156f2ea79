//! The part of the script that opens the API for us: a user with few rights, a certificate, the service.

use super::text::{ensure, guarded};
use super::{ApiNames, ApiService, COMMENT, ScriptInput, Version, server_only};

pub(super) fn user(input: &ScriptInput<'_>, api: &ApiNames) -> Vec<String> {
    let policy = "policy=api,read,write,test";
    let group = ensure(
        "/user group",
        "name=\"proxpanel\"",
        &format!("name=\"proxpanel\" {policy}"),
        policy,
    );
    let user = &api.user;
    let address = server_only(input);
    let (new, kept) = match &api.password {
        Some(password) => (password.clone(), format!(" password={password}")),
        None => ("\"APIPASS\"".to_owned(), String::new()),
    };
    // Somebody else's user, such as the administrator, must not lose rights.
    let user = format!(
        ":if ([:len [/user find where name={user}]] = 0) do={{\n  /user add name={user} group=\"proxpanel\" password={new} address={address} {COMMENT}\n}} else={{\n  :if ([/user get [/user find where name={user}] group] = \"proxpanel\") do={{\n    /user set [/user find where name={user}]{kept} address={address}\n  }} else={{\n    :put \"proxpanel: the API user is in another group and stays as it is\"\n  }}\n}}"
    );
    vec![
        guarded("the group of the API user", &group),
        guarded("the API user", &user),
    ]
}

pub(super) fn service(input: &ScriptInput<'_>, api: &ApiNames, version: Version) -> Vec<String> {
    let reach = format!(
        "address={} port={} disabled=no",
        server_only(input),
        api.port
    );
    if api.service == ApiService::Plain {
        let set = format!("/ip service set api {reach}");
        return vec![guarded("the API service", &set)];
    }
    let mut commands = Vec::new();
    let certificate = match api.service {
        ApiService::OwnCertificate => {
            commands.push(guarded("the certificate", &own_certificate(version)));
            " certificate=\"proxpanel-api\""
        }
        ApiService::GivenCertificate | ApiService::Plain => "",
    };
    let set = format!("/ip service set api-ssl{certificate} {reach}");
    commands.push(guarded("the API service", &set));
    if version == Version::V7 {
        let newest = "/ip service set api-ssl tls-version=only-1.2";
        commands.push(guarded("TLS 1.2", newest));
    }
    commands
}

/// Small routers need a while to sign.
fn own_certificate(version: Version) -> String {
    let usage = match version {
        Version::V6 => "",
        Version::V7 => " key-usage=digital-signature,key-encipherment,tls-server",
    };
    let key = "name=\"proxpanel-api\"";
    format!(
        ":if ([:len [/certificate find where {key}]] = 0) do={{\n  /certificate add {key} common-name=\"proxpanel-api\" key-size=2048 days-valid=3650{usage}\n  /certificate sign [/certificate find where {key}]\n  :delay 30s\n}}"
    )
}
