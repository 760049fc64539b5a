//! Settings of a source that become fields of a draft when all others are known.

use std::time::Duration;

/// Settings of a source that become fields when all others are known.
#[derive(Debug, Clone, Default)]
pub(crate) struct Pending {
    /// The interval, with the name of its setting.
    pub(crate) interval: Option<(String, Duration)>,
    pub(crate) retries: Option<Retries>,
    /// The setting by which any certificate is accepted.
    pub(crate) insecure: Option<String>,
    pub(crate) tls_name: Option<(String, String)>,
    /// The setting with the certificate of the client.
    pub(crate) certificate: Option<String>,
}

/// How a source repeats a failed check before it reports the failure.
#[derive(Debug, Clone)]
pub(crate) struct Retries {
    /// The name of the setting with the number.
    pub(crate) count_field: &'static str,
    /// The number of retries.
    pub(crate) count: f64,
    /// The name of the setting with the pause.
    pub(crate) pause_field: &'static str,
    /// The pause before each retry.
    pub(crate) pause: Duration,
}
