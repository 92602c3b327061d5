//! Talking to a running server, for the commands that ask it something.

use anyhow::{Context, bail};
use clap::Args;
use data_encoding::BASE64;
use std::time::Duration;

/// Where the server is and who is asking.
#[derive(Args)]
pub struct Target {
    /// Address of the server.
    #[arg(
        long,
        value_name = "URL",
        default_value = "http://127.0.0.1:7700",
        env = "FROSTPANE_URL"
    )]
    url: String,
    /// Project.
    #[arg(long, value_name = "ID", default_value_t = 1, env = "FROSTPANE_PROJECT")]
    pub project: u32,
    /// Credential: `username:secret` of a service account, or an API secret. Better given by the environment, where
    /// other users of the machine do not see it.
    #[arg(long, value_name = "SECRET", env = "FROSTPANE_CREDENTIAL", hide_env_values = true)]
    credential: String,
}

pub struct Answer {
    pub status: u16,
    pub body: String,
}

impl Target {
    pub fn get(&self, path: &str) -> anyhow::Result<Answer> {
        let request = agent()
            .get(format!("{}{path}", self.url.trim_end_matches('/')))
            .header("Authorization", self.authorization());
        self.answer(request.call())
    }

    pub fn post(&self, path: &str, content_type: &str, gzip: bool, body: &[u8]) -> anyhow::Result<Answer> {
        let mut request = agent()
            .post(format!("{}{path}", self.url.trim_end_matches('/')))
            .header("Authorization", self.authorization())
            .header("Content-Type", content_type);
        if gzip {
            request = request.header("Content-Encoding", "gzip");
        }
        self.answer(request.send(body))
    }

    fn authorization(&self) -> String {
        let user = if self.credential.contains(':') {
            self.credential.clone()
        } else {
            format!("{}:", self.credential)
        };
        format!("Basic {}", BASE64.encode(user.as_bytes()))
    }

    fn answer(&self, sent: Result<ureq::http::Response<ureq::Body>, ureq::Error>) -> anyhow::Result<Answer> {
        let mut response = sent.with_context(|| format!("no answer from {}", self.url))?;
        let status = response.status().as_u16();
        let body = response.body_mut().with_config().limit(1 << 30).read_to_string()?;
        Ok(Answer { status, body })
    }
}

fn agent() -> ureq::Agent {
    ureq::Agent::config_builder()
        .http_status_as_error(false)
        .timeout_global(Some(Duration::from_secs(300)))
        .proxy(None)
        .build()
        .into()
}

impl Answer {
    /// The body of a success; the server's own words otherwise.
    pub fn success(self) -> anyhow::Result<String> {
        if self.status == 200 {
            return Ok(self.body);
        }
        let json: serde_json::Value = serde_json::from_str(&self.body).unwrap_or_default();
        let part = |name: &str| json["error"][name].as_str().map(str::to_owned);
        let message = part("message")
            .or_else(|| json["error"].as_str().map(str::to_owned))
            .unwrap_or_default();
        let at = part("at").map_or(String::new(), |at| format!(" (at {at})"));
        let fix = part("fix").map_or(String::new(), |fix| format!("; {fix}"));
        bail!("the server answered {}: {message}{at}{fix}", self.status)
    }
}
