//! The conversation with a certificate authority (ACME, RFC 8555), with proof over HTTP on port 80 (HTTP-01).
//!
//! Not here: when it is held, what is kept of it, what becomes of the certificate (`operations::certificates`); where the
//! proof is shown meanwhile (`tls::Challenges`, `web::secure`).

use std::error::Error as StdError;
use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use http_body_util::{BodyExt, Full};
use hyper::Request;
use hyper::body::Bytes;
use instant_acme::{
    Account, AccountCredentials, AuthorizationStatus, BodyWrapper, BytesResponse, ChallengeType,
    Error, ExternalAccountKey, HttpClient, Identifier, NewAccount, NewOrder, OrderStatus, Problem,
    RetryPolicy,
};
use tokio::time::timeout;

use crate::crypto::Secret;
use crate::http_client::{Client, HttpError, Trust};
use crate::tls::{Challenges, Order, Pair, Step, TlsError};

/// The whole conversation. Authorities look at the challenges within seconds.
const LONGEST_ORDER: Duration = Duration::from_secs(180);
/// Waiting for the authority to look, or to issue.
const PATIENCE: RetryPolicy = RetryPolicy::new()
    .initial_delay(Duration::from_millis(250))
    .timeout(Duration::from_secs(60));
/// Characters of what an authority says; the rest is cut off.
const LONGEST_REASON: usize = 600;

/// The directory of Let's Encrypt.
pub const LETS_ENCRYPT: &str = "https://acme-v02.api.letsencrypt.org/directory";

/// Why no certificate was issued, for the owner.
#[derive(Debug, thiserror::Error)]
pub enum AcmeError {
    /// The PEM text of an authority of one's own.
    #[error(transparent)]
    Authority(#[from] HttpError),
    #[error("The certificate authority at {directory} cannot be reached: {why}")]
    Unreachable { directory: String, why: String },
    /// What the authority answered.
    #[error("The certificate authority refused: {0}")]
    Refused(String),
    /// The authority knows the account no more; with a new one it may go well.
    #[error("The certificate authority does not know the account any more")]
    AccountGone,
    #[error(
        "The certificate authority could not see that {name} leads to this machine: {why}. It must reach http://{name}/ on port 80"
    )]
    Challenge { name: String, why: String },
    #[error("The certificate authority offers no proof over HTTP for {0}")]
    NoHttpChallenge(String),
    #[error("The certificate authority did not answer in time")]
    Timeout,
    #[error("The account cannot be read: {0}")]
    Account(String),
    #[error("The certificate that was issued cannot be used. {0}")]
    Issued(TlsError),
}

/// Whom to ask, and as whom.
#[derive(Clone, Copy)]
pub struct Authority<'a> {
    /// Address of the directory, `https`.
    pub directory: &'a str,
    /// PEM text of the only authority to trust for it; empty for those that browsers trust.
    pub trust: &'a str,
    /// Where it writes when something is wrong; may be empty.
    pub email: &'a str,
    /// For a new account; `None` where the authority asks for none.
    pub binding: Option<Binding<'a>>,
}

/// An account that the owner has with the authority in another way (RFC 8555 section 7.3.4).
#[derive(Clone, Copy)]
pub struct Binding<'a> {
    pub key_id: &'a str,
    /// For HMAC-SHA256.
    pub key: &'a Secret<Vec<u8>>,
}

/// What a conversation is held with.
pub struct Session {
    account: Account,
    directory: String,
}

fn trust(pem: &str) -> Trust {
    match pem.trim().is_empty() {
        true => Trust::Public,
        false => Trust::Authority(pem.to_owned()),
    }
}

/// Whether PEM text names an authority that can be trusted; empty text is good. Errors: in words.
pub fn check_authority(pem: &str) -> Result<(), HttpError> {
    Client::new(&trust(pem)).map(drop)
}

/// How requests of this conversation go over our one client.
struct Https(Client);

impl HttpClient for Https {
    fn request(
        &self,
        request: Request<BodyWrapper<Bytes>>,
    ) -> Pin<Box<dyn Future<Output = Result<BytesResponse, Error>> + Send>> {
        let client = self.0.clone();
        Box::pin(async move {
            let (head, body) = request.into_parts();
            let body = body.collect().await.map_err(other)?.to_bytes();
            let request = Request::from_parts(head, Full::new(body));
            let (parts, octets) = client.send(request).await.map_err(other)?.into_parts();
            let body = Box::new(octets);
            Ok(BytesResponse { parts, body })
        })
    }
}

fn other(error: impl StdError + Send + Sync + 'static) -> Error {
    Error::Other(Box::new(error))
}

/// Signs in with a stored account, or makes one, which is returned to be stored: JSON text with a private key.
///
/// Errors: `Authority`, `Unreachable`, `Refused`, `Account`, `Timeout`.
pub async fn sign_in(
    authority: Authority<'_>,
    account: Option<&Secret<String>>,
) -> Result<(Session, Option<Secret<String>>), AcmeError> {
    let https = Https(Client::new(&trust(authority.trust))?);
    let builder = Account::builder_with_http(Box::new(https));
    let directory = authority.directory.to_owned();
    let fault = |error| told(error, &directory);
    if let Some(account) = account {
        let credentials: AccountCredentials = serde_json::from_str(account.expose())
            .map_err(|error| AcmeError::Account(format!("its text is damaged, {error}")))?;
        let account = timeout(LONGEST_ORDER, builder.from_credentials(credentials)).await;
        let account = account.map_err(|_| AcmeError::Timeout)?.map_err(fault)?;
        return Ok((Session { account, directory }, None));
    }
    let contact = format!("mailto:{}", authority.email);
    let contacts: &[&str] = if authority.email.is_empty() {
        &[]
    } else {
        &[&contact]
    };
    let new = NewAccount {
        contact: contacts,
        terms_of_service_agreed: true,
        only_return_existing: false,
    };
    let binding = authority
        .binding
        .map(|it| ExternalAccountKey::new(it.key_id.to_owned(), it.key.expose()));
    let making = builder.create(&new, directory.clone(), binding.as_ref());
    let made = timeout(LONGEST_ORDER, making).await;
    let (account, credentials) = made.map_err(|_| AcmeError::Timeout)?.map_err(fault)?;
    let kept = serde_json::to_string(&credentials)
        .map_err(|error| AcmeError::Account(error.to_string()))?;
    Ok((Session { account, directory }, Some(Secret::new(kept))))
}

impl Session {
    /// Orders a certificate for all `names` and waits for it, three minutes at most. While that lasts, `challenges` holds
    /// the answers. The certificate is good as PEM and has its key; nothing was stored.
    ///
    /// Errors: `Challenge` names the first name that could not be proved; all others as they are.
    pub async fn order(
        &self,
        names: &[String],
        challenges: &Challenges,
    ) -> Result<Pair, AcmeError> {
        let under_way = challenges.begin();
        let ordered = timeout(LONGEST_ORDER, self.hold(names, &under_way)).await;
        ordered.map_err(|_| AcmeError::Timeout)?
    }

    async fn hold(&self, names: &[String], under_way: &Order<'_>) -> Result<Pair, AcmeError> {
        let fault = |error| told(error, &self.directory);
        under_way.reach(Step::Order);
        let identifiers: Vec<Identifier> = names.iter().cloned().map(Identifier::Dns).collect();
        let order = self.account.new_order(&NewOrder::new(&identifiers)).await;
        let mut order = order.map_err(fault)?;
        under_way.reach(Step::Challenge);
        answer_challenges(&mut order, under_way)
            .await
            .map_err(|problem| problem.in_words(&self.directory))?;
        match order.poll_ready(&PATIENCE).await {
            Ok(OrderStatus::Ready) => {}
            Ok(_) => return Err(self.why_not(&mut order, None).await),
            Err(Error::Api(problem)) => return Err(self.why_not(&mut order, Some(problem)).await),
            Err(error) => return Err(fault(error)),
        }
        under_way.reach(Step::Issue);
        let key = Secret::new(order.finalize().await.map_err(fault)?);
        let chain = order.poll_certificate(&PATIENCE).await.map_err(fault)?;
        Pair::parse(&chain, key.expose()).map_err(AcmeError::Issued)
    }

    /// Asks what became of the challenges of an order that is not ready; else there is only what the authority `said` of it.
    async fn why_not(&self, order: &mut instant_acme::Order, said: Option<Problem>) -> AcmeError {
        let mut authorizations = order.authorizations();
        while let Some(Ok(mut authorization)) = authorizations.next().await {
            if authorization.refresh().await.is_err() {
                break;
            }
            let problem = authorization
                .challenges
                .iter()
                .find_map(|it| it.error.as_ref());
            if let Some(problem) = problem {
                return AcmeError::Challenge {
                    name: authorization.identifier().to_string(),
                    why: reason(problem),
                };
            }
        }
        AcmeError::Refused(said.map_or_else(
            || "the order is not valid".to_owned(),
            |problem| reason(&problem),
        ))
    }
}

/// What went wrong with one name.
enum Unanswered {
    NoHttp(String),
    Acme(Error),
}

impl Unanswered {
    fn in_words(self, directory: &str) -> AcmeError {
        match self {
            Unanswered::NoHttp(name) => AcmeError::NoHttpChallenge(name),
            Unanswered::Acme(error) => told(error, directory),
        }
    }
}

async fn answer_challenges(
    order: &mut instant_acme::Order,
    under_way: &Order<'_>,
) -> Result<(), Unanswered> {
    let mut authorizations = order.authorizations();
    while let Some(authorization) = authorizations.next().await {
        let mut authorization = authorization.map_err(Unanswered::Acme)?;
        // The authority remembers what was proved a while ago.
        if authorization.status == AuthorizationStatus::Valid {
            continue;
        }
        let name = authorization.identifier().to_string();
        let Some(mut challenge) = authorization.challenge(ChallengeType::Http01) else {
            return Err(Unanswered::NoHttp(name));
        };
        under_way.answer(&challenge.token, challenge.key_authorization().as_str());
        challenge.set_ready().await.map_err(Unanswered::Acme)?;
    }
    Ok(())
}

fn told(error: Error, directory: &str) -> AcmeError {
    match error {
        Error::Api(problem)
            if problem.r#type.as_deref()
                == Some("urn:ietf:params:acme:error:accountDoesNotExist") =>
        {
            AcmeError::AccountGone
        }
        Error::Api(problem) => AcmeError::Refused(reason(&problem)),
        Error::Timeout(_) => AcmeError::Timeout,
        other => {
            let why = match client_error(&other) {
                Some(HttpError::Timeout { .. }) => return AcmeError::Timeout,
                // The directory names the host already.
                Some(HttpError::Unreachable { why, .. }) => short(why),
                _ => with_causes(&other),
            };
            AcmeError::Unreachable {
                directory: directory.to_owned(),
                why,
            }
        }
    }
}

fn client_error(error: &Error) -> Option<&HttpError> {
    match error {
        Error::Other(inner) => inner.downcast_ref(),
        _ => None,
    }
}

/// What the authority says, one line, not longer than a page can show.
fn reason(problem: &Problem) -> String {
    let said = problem
        .detail
        .as_ref()
        .or(problem.r#type.as_ref())
        .map_or("without a reason", String::as_str);
    let mut all = said.to_owned();
    for part in &problem.subproblems {
        all.push_str(&format!("; {part}"));
    }
    short(&all)
}

/// The error and what caused it: the outermost alone says little.
fn with_causes(error: &(dyn StdError + 'static)) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    // Causes are a few deep.
    for _ in 0..8 {
        let Some(inner) = cause else { break };
        let said = inner.to_string();
        if !text.contains(&said) {
            text.push_str(": ");
            text.push_str(&said);
        }
        cause = inner.source();
    }
    short(&text)
}

fn short(text: &str) -> String {
    text.chars()
        .map(|letter| if letter.is_control() { ' ' } else { letter })
        .take(LONGEST_REASON)
        .collect::<String>()
        .trim_end_matches('.')
        .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_authority_says_is_one_bounded_line() {
        let problem = |detail: &str| Problem {
            r#type: Some("urn:x".to_owned()),
            detail: Some(detail.to_owned()),
            status: None,
            subproblems: Vec::new(),
        };
        for (detail, said) in [
            (
                "Fetching http://a/: refused.",
                "Fetching http://a/: refused",
            ),
            ("a\r\nb", "a  b"),
            (&"x".repeat(601), "x".repeat(600).as_str()),
        ] {
            assert_eq!(reason(&problem(detail)), said);
        }
        let bare = Problem {
            detail: None,
            ..problem("")
        };
        assert_eq!(reason(&bare), "urn:x");
        let gone = Problem {
            r#type: Some("urn:ietf:params:acme:error:accountDoesNotExist".to_owned()),
            ..problem("no such account")
        };
        assert!(matches!(
            told(Error::Api(gone), "https://ca.example"),
            AcmeError::AccountGone
        ));
    }

    #[test]
    fn causes_are_told_once() {
        let inner = std::io::Error::other("connection refused");
        let outer = Error::Other(Box::new(std::io::Error::other(inner)));
        assert_eq!(with_causes(&outer), "connection refused");
    }

    #[tokio::test]
    async fn a_directory_that_is_not_there_and_an_authority_that_is_none_are_told() {
        let authority = |directory, trust| Authority {
            directory,
            trust,
            email: "",
            binding: None,
        };
        // Port 9 of this machine: nobody listens.
        let away = sign_in(authority("https://127.0.0.1:9/dir", ""), None).await;
        let error = away.err().unwrap().to_string();
        assert!(
            error.contains("https://127.0.0.1:9/dir cannot be reached")
                && error.contains("refused"),
            "{error}"
        );
        for trust in [
            "nonsense",
            "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
        ] {
            let error = sign_in(authority("https://127.0.0.1:9/", trust), None).await;
            assert!(matches!(error, Err(AcmeError::Authority(_))), "{trust}");
            assert!(check_authority(trust).is_err());
        }
        assert!(check_authority("").is_ok());
        let damaged = Secret::new("{}".to_owned());
        let error = sign_in(authority("https://127.0.0.1:9/", ""), Some(&damaged)).await;
        assert!(matches!(error, Err(AcmeError::Account(_))));
    }
}
