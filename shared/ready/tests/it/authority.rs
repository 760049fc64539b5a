//! Certificate authorities and certificates for tests.

use portpulse_ready::TlsClient;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, date_time_ymd};

/// A certificate authority for one test.
pub(crate) struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
}

/// A certificate and its key, as DER and as PEM.
pub(crate) struct Issued {
    pub(crate) certificate: Vec<u8>,
    pub(crate) key: Vec<u8>,
    pub(crate) certificate_pem: String,
    pub(crate) key_pem: String,
}

/// The validity period of a certificate.
#[derive(Clone, Copy)]
pub(crate) enum Validity {
    Good,
    Expired,
    NotYet,
    /// Valid for this many days and one hour.
    Days(i64),
}

impl Validity {
    fn limit(self, params: &mut CertificateParams) {
        let now = std::time::SystemTime::now();
        let day = std::time::Duration::from_secs(86_400);
        params.not_before = date_time_ymd(2020, 1, 1);
        params.not_after = date_time_ymd(2100, 1, 1);
        match self {
            Self::Good => {}
            Self::Expired => params.not_after = date_time_ymd(2020, 6, 1),
            Self::NotYet => params.not_before = date_time_ymd(2099, 1, 1),
            Self::Days(days) => {
                let end = now + day * u32::try_from(days).unwrap() + std::time::Duration::from_secs(3_600);
                params.not_after = end.into();
            }
        }
    }
}

impl Authority {
    /// Creates an authority. Two authorities with the same name look like one with a wrong key.
    pub(crate) fn new(name: &str) -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Self {
            issuer: CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap(),
        }
    }

    /// Creates an intermediate authority below this one.
    pub(crate) fn intermediate(&self, name: &str, validity: Validity) -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        validity.limit(&mut params);
        Self {
            issuer: CertifiedIssuer::signed_by(params, KeyPair::generate().unwrap(), &self.issuer).unwrap(),
        }
    }

    /// The authority's own certificate, as PEM.
    pub(crate) fn certificate_pem(&self) -> String {
        self.issuer.pem()
    }

    /// A client that trusts only this authority.
    pub(crate) fn client(&self) -> TlsClient {
        TlsClient::with_roots([self.issuer.der().to_vec()])
    }

    /// The authority's own certificate.
    pub(crate) fn certificate(&self) -> Vec<u8> {
        self.issuer.der().to_vec()
    }

    pub(crate) fn issue(&self, name: &str, validity: Validity) -> Issued {
        let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        validity.limit(&mut params);
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        Issued {
            certificate: certificate.der().to_vec(),
            key: key.serialize_der(),
            certificate_pem: certificate.pem(),
            key_pem: key.serialize_pem(),
        }
    }
}
