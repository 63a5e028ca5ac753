//! Hands a package to TarsWeb, which publishes it.

use std::time::Duration;

use serde_json::Value;
use tars2rs::config::PackageConfig;
use ureq::Agent;

use super::archive::Archive;

/// Where to, and as whom.
#[derive(Debug, clap::Args)]
pub(super) struct Upload {
    /// Upload the package to this TarsWeb, such as http://tars.example.org:3000, and have it published
    #[arg(long, value_name = "URL")]
    upload: Option<String>,
    /// The token of a TarsWeb user. Others on this machine may see it here, but not in the environment
    #[arg(
        long,
        value_name = "TOKEN",
        env = "TARS_WEB_TOKEN",
        hide_env_values = true
    )]
    token: Option<String>,
    /// What TarsWeb shows beside the package [default: its file name]
    #[arg(long, value_name = "TEXT", requires = "upload")]
    comment: Option<String>,
    /// How long the upload and the publishing may take, in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 300, requires = "upload",
          value_parser = clap::value_parser!(u64).range(1..=86_400))]
    upload_timeout: u64,
}

impl Upload {
    /// `None` if nothing is to be uploaded.
    pub(super) fn destination(&self) -> Result<Option<Destination<'_>>, String> {
        let Some(url) = &self.upload else {
            return Ok(None);
        };
        let rest = ["http://", "https://"].map(|scheme| url.strip_prefix(scheme));
        let host = rest.into_iter().flatten().next().unwrap_or_default();
        if host.is_empty() || host.starts_with('/') || host.contains(['?', '#', ' ']) {
            return Err(format!(
                "`{url}` is no address of a TarsWeb, such as http://tars.example.org:3000"
            ));
        }
        let token = self.token.as_deref().filter(|token| !token.is_empty());
        let token = token.ok_or(
            "--upload needs a token, in TARS_WEB_TOKEN or by --token; TarsWeb's user center makes them",
        )?;
        Ok(Some(Destination {
            url: format!("{}/api/upload_and_publish", url.trim_end_matches('/')),
            token,
            comment: self.comment.as_deref(),
            timeout: Duration::from_secs(self.upload_timeout),
        }))
    }
}

/// What an upload needs.
pub(super) struct Destination<'a> {
    url: String,
    token: &'a str,
    comment: Option<&'a str>,
    timeout: Duration,
}

/// No answer of TarsWeb is as long.
const LONGEST_ANSWER: u64 = 1 << 20;

impl Destination<'_> {
    /// What TarsWeb answered.
    pub(super) fn upload(
        &self,
        config: &PackageConfig,
        name: &str,
        archive: &Archive,
    ) -> Result<String, String> {
        let url = &self.url;
        // An upload is not tried again, and goes nowhere else: it may have been done, and the token is in the address.
        let agent: Agent = Agent::config_builder()
            .timeout_global(Some(self.timeout))
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .build()
            .into();
        let boundary = archive.sha256();
        let fields = [
            ("application", config.app_name.as_str()),
            ("module_name", config.server_name.as_str()),
            ("comment", self.comment.unwrap_or(name)),
        ];
        let failed = |error: ureq::Error| match error {
            ureq::Error::Timeout(_) => format!(
                "no answer from {url} within {} s; whether the package was published is not known",
                self.timeout.as_secs()
            ),
            // Without its `io: `.
            ureq::Error::Io(error) => format!("cannot upload to {url}: {error}"),
            error => format!("cannot upload to {url}: {error}"),
        };
        let mut response = agent
            .post(url)
            .query("ticket", self.token)
            .content_type(format!("multipart/form-data; boundary={boundary}"))
            .send(form(&boundary, &fields, name, &archive.bytes))
            .map_err(failed)?;
        let status = response.status();
        let body = response
            .body_mut()
            .with_config()
            .limit(LONGEST_ANSWER)
            .lossy_utf8(true)
            .read_to_string()
            .map_err(failed)?;
        if status.is_redirection() {
            let to = response.headers().get("location");
            let to = to.map_or_else(Default::default, |to| {
                format!(" to {}", String::from_utf8_lossy(to.as_bytes()))
            });
            return Err(format!(
                "{url} redirects{to} ({status}): is the address right, and the token valid?"
            ));
        }
        judge(&body, status.is_success()).map_err(|reason| match reason {
            Some(reason) => format!("{url} refused the package ({status}): {reason}"),
            None => format!(
                "{url} answered {status} with what is no answer of TarsWeb: {}",
                excerpt(&body)
            ),
        })
    }
}

/// The body of the request. The boundary is a digest of the file, which cannot contain it, and neither do the fields.
fn form(boundary: &str, fields: &[(&str, &str)], name: &str, file: &[u8]) -> Vec<u8> {
    let mut body = Vec::with_capacity(file.len() + 1024);
    for (field, value) in fields {
        let part = format!(
            "--{boundary}\r\nContent-Disposition: form-data; name=\"{field}\"\r\n\r\n{value}\r\n"
        );
        body.extend_from_slice(part.as_bytes());
    }
    let head = format!(
        "--{boundary}\r\nContent-Disposition: form-data; name=\"suse\"; filename=\"{name}\"\r\n\
         Content-Type: application/gzip\r\n\r\n"
    );
    body.extend_from_slice(head.as_bytes());
    body.extend_from_slice(file);
    body.extend_from_slice(format!("\r\n--{boundary}--\r\n").as_bytes());
    body
}

/// What to say of an answer, or why it is a refusal; `None` if it is no answer at all.
fn judge(body: &str, is_success: bool) -> Result<String, Option<String>> {
    const GOOD: i64 = 200;
    let answer: Value = serde_json::from_str(body).map_err(|_| None)?;
    let code = answer["ret_code"].as_i64().ok_or(None)?;
    if code == GOOD && is_success {
        const DONE: &str = "uploaded and published";
        return Ok(match &answer["data"] {
            Value::String(text) if !text.is_empty() => format!("{DONE}: {}", excerpt(text)),
            Value::Object(data) if !data.is_empty() => {
                format!("{DONE}: {}", excerpt(&answer["data"].to_string()))
            }
            _ => DONE.to_owned(),
        });
    }
    let message = answer["err_msg"].as_str().unwrap_or_default();
    let message = if message.is_empty() {
        "no reason given"
    } else {
        message
    };
    Err(Some(format!("{} [ret_code {code}]", excerpt(message))))
}

/// The beginning, on one line, as far as a terminal may have it.
fn excerpt(text: &str) -> String {
    const LENGTH: usize = 500;
    let shown = |c: char| if c.is_control() { ' ' } else { c };
    let mut excerpt: String = text.trim().chars().take(LENGTH).map(shown).collect();
    if text.trim().chars().nth(LENGTH).is_some() {
        excerpt.push_str(" ..");
    }
    if excerpt.is_empty() {
        excerpt.push_str("nothing");
    }
    excerpt
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers() {
        let good = r#"{"data":{},"ret_code":200,"err_msg":""}"#;
        assert_eq!(judge(good, true).unwrap(), "uploaded and published");
        let told = good.replace("{}", r#"{"id":7}"#);
        assert_eq!(
            judge(&told, true).unwrap(),
            r#"uploaded and published: {"id":7}"#
        );
        let refusal = |body: &str, is_success| judge(body, is_success).unwrap_err();
        assert_eq!(
            refusal(r#"{"data":{},"ret_code":500,"err_msg":"no\nauth"}"#, true),
            Some("no auth [ret_code 500]".to_owned())
        );
        // A proxy that fails after TarsWeb has answered.
        let reason = Some("no reason given [ret_code 200]".to_owned());
        assert_eq!(refusal(good, false), reason);
        for body in ["", "<html>", "{}", "[]", r#"{"ret_code":"200"}"#] {
            assert_eq!(refusal(body, true), None, "{body}");
        }
    }

    #[test]
    fn excerpts_are_short_and_tame() {
        assert_eq!(excerpt("a\x1b[31m\nb"), "a [31m b");
        assert_eq!(excerpt(&"x".repeat(500)).len(), 500);
        assert_eq!(excerpt(&"x".repeat(501)).len(), 503);
        assert_eq!(excerpt(" \n"), "nothing");
    }
}
