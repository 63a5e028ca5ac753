//! The base of the controllers: `/<Controller>/<action>` answered by methods.
//!
//! ```
//! use std::sync::Arc;
//! use example_server::component::controller::{Access, Actions, Controller, Refusal, Request, text};
//!
//! struct ClockController;
//!
//! impl Controller for ClockController {
//!     const NAME: &'static str = "Clock";
//!
//!     fn actions(actions: &mut Actions<Self>) {
//!         actions.add("tick", Access::Open, Self::tick); // GET or POST /Clock/tick?times=3
//!     }
//! }
//!
//! impl ClockController {
//!     async fn tick(self: Arc<Self>, request: Request) -> Result<axum::response::Response, Refusal> {
//!         Ok(text(format!("tick {} times", request.parameter("times")?)))
//!     }
//! }
//! ```
//! and a line in `controller/mod.rs`.

use std::collections::HashMap;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::http::request::Parts;
use axum::http::{Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use percent_encoding::percent_decode;
use serde_json::value::RawValue;

use crate::component::hello::HelloError;
use crate::component::json_text::json_text;
use crate::component::room::RoomError;
use crate::http::plain;
use crate::hub::SendError;

/// The largest body of a POST.
const MAX_BODY: usize = 2 * 1024 * 1024;
/// How long a body may take to arrive.
const BODY_TIMEOUT: Duration = Duration::from_secs(10);

/// A group of actions under one name.
pub trait Controller: Sized + Send + Sync + 'static {
    /// The first segment of the path; matched without regard to case.
    const NAME: &'static str;

    /// Names the actions.
    fn actions(actions: &mut Actions<Self>);
}

/// Who may call an action.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Everybody.
    Open,
    /// Holders of the push token, or programs on this host while there is none.
    Push,
}

type ActionFuture = Pin<Box<dyn Future<Output = Response> + Send>>;

/// An action as the router sees it.
pub(crate) struct Action {
    pub(crate) access: Access,
    run: Box<dyn Fn(Request) -> ActionFuture + Send + Sync>,
}

impl Action {
    pub(crate) fn call(&self, request: Request) -> ActionFuture {
        (self.run)(request)
    }
}

/// The actions of one controller.
pub struct Actions<C> {
    controller: Arc<C>,
    table: HashMap<String, Action>,
}

impl<C: Controller> std::fmt::Debug for Actions<C> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct(C::NAME)
            .field("actions", &self.table.keys())
            .finish()
    }
}

impl<C: Controller> Actions<C> {
    /// Adds a method as the action `name`; matched without regard to case.
    pub fn add<F, R>(&mut self, name: &str, access: Access, method: F)
    where
        F: Fn(Arc<C>, Request) -> R + Send + Sync + 'static,
        R: Future<Output = Result<Response, Refusal>> + Send + 'static,
    {
        let controller = Arc::clone(&self.controller);
        let run = move |request| -> ActionFuture {
            let answer = method(Arc::clone(&controller), request);
            Box::pin(async move { answer.await.unwrap_or_else(IntoResponse::into_response) })
        };
        self.table.insert(
            name.to_ascii_lowercase(),
            Action {
                access,
                run: Box::new(run),
            },
        );
    }
}

/// All controllers, by name.
#[derive(Default)]
pub struct Controllers {
    table: HashMap<String, HashMap<String, Action>>,
}

impl std::fmt::Debug for Controllers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.table.keys()).finish()
    }
}

impl Controllers {
    /// Adds a controller.
    #[must_use]
    pub fn with<C: Controller>(mut self, controller: C) -> Self {
        let mut actions = Actions {
            controller: Arc::new(controller),
            table: HashMap::new(),
        };
        C::actions(&mut actions);
        self.table
            .insert(C::NAME.to_ascii_lowercase(), actions.table);
        self
    }

    /// The action of a path. As in TarsPHP, further segments mean nothing.
    pub(crate) fn find(&self, path: &str) -> Option<&Action> {
        let mut segments = path.strip_prefix('/')?.split('/');
        let controller = segments.next()?.to_ascii_lowercase();
        let action = segments.next()?.to_ascii_lowercase();
        self.table.get(&controller)?.get(&action)
    }
}

/// The parameters of a request: of its body (form or JSON) and, behind these, of its query.
#[derive(Debug, Clone, Default)]
pub struct Request {
    parameters: HashMap<String, String>,
}

impl Request {
    /// A parameter that the action cannot do without.
    pub fn parameter(&self, name: &'static str) -> Result<&str, Refusal> {
        self.parameters
            .get(name)
            .map(String::as_str)
            .ok_or(Refusal::MissingParameter(name))
    }
}

/// Why an action does not do what it is asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// A parameter is not there.
    #[error("missing parameter: {0}")]
    MissingParameter(&'static str),
    /// The query or the body cannot be read.
    #[error("{1}")]
    Unreadable(StatusCode, String),
    /// The room's name is not allowed.
    #[error("roomNum: {0}")]
    Room(#[from] RoomError),
    /// There is no greeting.
    #[error("{0}")]
    Hello(#[from] HelloError),
    /// The message was not delivered, or not everywhere.
    #[error("{0}")]
    Send(#[from] SendError),
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let status = match &self {
            Self::MissingParameter(_) | Self::Room(_) | Self::Hello(HelloError::NoName) => {
                StatusCode::BAD_REQUEST
            }
            Self::Unreadable(status, _) => *status,
            Self::Hello(HelloError::Timeout(_)) => StatusCode::GATEWAY_TIMEOUT,
            Self::Hello(HelloError::TooMany) | Self::Send(SendError::Alone) => {
                StatusCode::SERVICE_UNAVAILABLE
            }
            Self::Hello(_) => StatusCode::BAD_GATEWAY,
            Self::Send(_) => StatusCode::INTERNAL_SERVER_ERROR,
        };
        plain(status, format!("Error: {self}"))
    }
}

/// An answer in plain text.
pub fn text(text: impl Into<String>) -> Response {
    plain(StatusCode::OK, text)
}

/// Reads the parameters of a request.
pub(crate) async fn read_request(parts: &Parts, body: Body) -> Result<Request, Refusal> {
    // Of a name that comes twice, the last one counts, as in PHP.
    let query = parts.uri.query().unwrap_or_default();
    let mut parameters: HashMap<_, _> = read_form(query.as_bytes())?.into_iter().collect();
    if parts.method == Method::POST {
        let body = axum::body::to_bytes(body, MAX_BODY);
        let body = match tokio::time::timeout(BODY_TIMEOUT, body).await {
            Ok(Ok(body)) => body,
            Ok(Err(error)) => {
                return Err(Refusal::Unreadable(
                    StatusCode::PAYLOAD_TOO_LARGE,
                    error.to_string(),
                ));
            }
            Err(_) => {
                let slow = "the body did not arrive in time".to_owned();
                return Err(Refusal::Unreadable(StatusCode::REQUEST_TIMEOUT, slow));
            }
        };
        if !body.is_empty() {
            parameters.extend(read_body(parts, &body)?);
        }
    }
    Ok(Request { parameters })
}

/// The pairs of a form or query. What is no text is refused: it would reach others as `\u{fffd}`.
fn read_form(form: &[u8]) -> Result<Vec<(String, String)>, Refusal> {
    let text = |encoded: &[u8]| {
        let spaced: Vec<u8> = encoded
            .iter()
            .map(|&byte| if byte == b'+' { b' ' } else { byte })
            .collect();
        let decoded = percent_decode(&spaced).decode_utf8();
        decoded.map(|text| text.into_owned()).map_err(|_| {
            let problem = "the parameters are not UTF-8".to_owned();
            Refusal::Unreadable(StatusCode::BAD_REQUEST, problem)
        })
    };
    form.split(|&byte| byte == b'&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| {
            let mut parts = pair.splitn(2, |&byte| byte == b'=');
            let name = parts.next().unwrap_or_default();
            Ok((text(name)?, text(parts.next().unwrap_or_default())?))
        })
        .collect()
}

fn read_body(parts: &Parts, body: &[u8]) -> Result<Vec<(String, String)>, Refusal> {
    let bad = |problem: String| Refusal::Unreadable(StatusCode::BAD_REQUEST, problem);
    let content_type = parts.headers.get(header::CONTENT_TYPE);
    let essence = content_type
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    let essence = essence
        .split(';')
        .next()
        .unwrap_or_default()
        .trim()
        .to_ascii_lowercase();
    match essence.as_str() {
        "application/x-www-form-urlencoded" => read_form(body),
        "application/json" => {
            let json: HashMap<String, &RawValue> =
                serde_json::from_slice(body).map_err(|error| bad(error.to_string()))?;
            json.into_iter()
                .map(|(name, value)| match json_text(value) {
                    Ok(Some(text)) => Ok((name, text.into_owned())),
                    Ok(None) => Err(bad(format!("{name} must be a string or a number"))),
                    Err(error) => Err(bad(format!("{name}: {error}"))),
                })
                .collect()
        }
        _ => Err(Refusal::Unreadable(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "post a form (application/x-www-form-urlencoded) or JSON (application/json)".to_owned(),
        )),
    }
}
