#![doc = include_str!("../README.md")]

use std::sync::Arc;

use nora_provider_sdk::{Declarative, ManifestError, Provider};

/// The names of the files in `manifests/`, and their texts.
macro_rules! manifests {
    ($($id:literal),+ $(,)?) => {
        &[$((concat!($id, ".toml"), include_str!(concat!("../manifests/", $id, ".toml")))),+]
    };
}

/// Every manifest, as the name of its file and its text. A new one is one more line here.
const MANIFESTS: &[(&str, &str)] = manifests! {
    "airtable",
    "algolia",
    "amplitude",
    "anthropic",
    "asana",
    "azure",
    "bitbucket",
    "box",
    "calendly",
    "circleci",
    "clickup",
    "cloudflare",
    "cohere",
    "confluence",
    "datadog",
    "digitalocean",
    "discord",
    "docker-hub",
    "dropbox",
    "elasticsearch",
    "facebook",
    "figma",
    "freshdesk",
    "gitea",
    "github",
    "gitlab",
    "google-gemini",
    "grafana",
    "groq",
    "hubspot",
    "huggingface",
    "intercom",
    "jenkins",
    "jira",
    "line",
    "linear",
    "linkedin",
    "mailchimp",
    "make",
    "mistral",
    "mixpanel",
    "monday",
    "n8n",
    "neon",
    "netlify",
    "newrelic",
    "notion",
    "openai",
    "openrouter",
    "opsgenie",
    "pagerduty",
    "paypal",
    "pinecone",
    "pipedrive",
    "posthog",
    "qdrant",
    "salesforce",
    "segment",
    "sendgrid",
    "sentry",
    "shopify",
    "slack",
    "stripe",
    "supabase",
    "teams",
    "telegram",
    "terraform",
    "trello",
    "twilio",
    "twitter",
    "typeform",
    "vercel",
    "weaviate",
    "whatsapp",
    "woocommerce",
    "zapier",
    "zendesk",
    "zoom",
};

/// Every provider of this crate.
///
/// # Errors
///
/// The first manifest that is refused, with its place in the file. The tests of this crate parse them all, so that it
/// is found there and not when a server starts.
pub fn all() -> Result<Vec<Arc<dyn Provider>>, ManifestError> {
    let mut providers: Vec<Arc<dyn Provider>> = Vec::with_capacity(MANIFESTS.len());
    for (file, text) in MANIFESTS {
        providers.push(Arc::new(Declarative::parse(file, text)?));
    }
    Ok(providers)
}

/// The names of the manifests' files.
pub fn files() -> impl Iterator<Item = &'static str> {
    MANIFESTS.iter().map(|(file, _)| *file)
}
