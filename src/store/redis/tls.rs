//! TLS on the way to Redis: who is trusted, and what a failed greeting means.

use std::fmt::Display;
use std::io;
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{
    CertificateError, ClientConfig, ClientConnection, Error as TlsError, RootCertStore, StreamOwned,
};

use super::spec::Tls;

/// A connection on which both sides have proved who they are.
pub(super) type TlsStream = StreamOwned<ClientConnection, TcpStream>;

/// A server tells this by an alert, which often comes after the greeting, or is lost with the connection.
pub(super) const WANTS_US: &str =
    "if it wants to know who we are, give it a certificate that it accepts by --redis-cert and --redis-key";

/// Greets the server that is called `host`. It must prove that name by a certificate of an authority that is
/// trusted. The files are read anew each time, so a renewed certificate needs no restart. The error continues a
/// sentence about the server.
pub(super) fn greet(host: &str, tls: &Tls, socket: TcpStream) -> Result<TlsStream, String> {
    let mut stream = begin(host, config(tls)?, socket)?;
    stream.conn.complete_io(&mut stream.sock).map_err(|error| said(&error))?;
    Ok(stream)
}

/// Whether the server speaks TLS, whoever it is.
pub(super) fn is_spoken_at(host: &str, socket: TcpStream) -> bool {
    let greeted = || {
        let mut stream = begin(host, trusting(RootCertStore::empty(), None)?, socket)?;
        let outcome = stream.conn.complete_io(&mut stream.sock);
        Ok::<bool, String>(outcome.err().as_ref().and_then(meaning).is_some_and(|error| {
            matches!(error, TlsError::InvalidCertificate(_) | TlsError::AlertReceived(_))
        }))
    };
    greeted().unwrap_or(false)
}

/// What an error on a connection means. It continues a sentence about the server.
fn said(error: &io::Error) -> String {
    use CertificateError::{
        Expired, ExpiredContext, NotValidForName, NotValidForNameContext, NotValidYet, NotValidYetContext,
        UnknownIssuer,
    };
    let Some(meaning) = meaning(error) else {
        return format!("did not answer in TLS ({error}): if this port is without it, say redis://");
    };
    match meaning {
        TlsError::InvalidMessage(_) => "does not speak TLS on this port: say redis://".into(),
        TlsError::InvalidCertificate(UnknownIssuer) => {
            "shows a certificate of an authority that is not trusted: give the file of that authority by --redis-ca"
                .into()
        }
        TlsError::InvalidCertificate(NotValidForName | NotValidForNameContext { .. }) => {
            "shows a certificate for another name: say rediss:// with a name that stands in it".into()
        }
        TlsError::InvalidCertificate(Expired | ExpiredContext { .. }) => {
            "shows a certificate that has expired".into()
        }
        TlsError::InvalidCertificate(NotValidYet | NotValidYetContext { .. }) => {
            "shows a certificate that is not valid yet: is this machine's clock right?".into()
        }
        TlsError::InvalidCertificate(why) => format!("shows a certificate that does not hold: {why}"),
        TlsError::AlertReceived(alert) => format!("broke off TLS with {alert:?}; {WANTS_US}"),
        why => format!("speaks TLS in another way: {why}"),
    }
}

fn meaning(error: &io::Error) -> Option<&TlsError> {
    error.get_ref()?.downcast_ref()
}

fn begin(host: &str, config: ClientConfig, socket: TcpStream) -> Result<TlsStream, String> {
    let name = ServerName::try_from(host.to_owned())
        .map_err(|_| "can't be reached by TLS under this name".to_owned())?;
    let connection = ClientConnection::new(Arc::new(config), name)
        .map_err(|error| format!("can't be greeted in TLS: {error}"))?;
    Ok(StreamOwned::new(connection, socket))
}

fn config(tls: &Tls) -> Result<ClientConfig, String> {
    let mut roots = RootCertStore::empty();
    let (authorities, place) = match &tls.authorities {
        Some(file) => {
            let read = CertificateDer::pem_file_iter(file).and_then(Iterator::collect::<Result<Vec<_>, _>>);
            let read = read.map_err(|error| {
                format!("can't be checked: no certificates can be read in {}: {error}", file.display())
            })?;
            (read, format!("{} has none", file.display()))
        }
        None => (rustls_native_certs::load_native_certs().certs, "this system has none".to_owned()),
    };
    // A system's store may hold some that are of no use.
    roots.add_parsable_certificates(authorities);
    if roots.is_empty() {
        return Err(format!(
            "can't be checked without certificates of authorities, and {place}: give their file by --redis-ca"
        ));
    }
    trusting(roots, tls.own.as_ref())
}

fn trusting(roots: RootCertStore, own: Option<&(PathBuf, PathBuf)>) -> Result<ClientConfig, String> {
    let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| format!("can't be greeted in TLS: {error}"))?
        .with_root_certificates(roots);
    let Some((certificate, key)) = own else { return Ok(builder.with_no_client_auth()) };
    let cannot = |file: &Path, error: &dyn Display| {
        format!("can't be shown our certificate: {}: {error}", file.display())
    };
    let chain = CertificateDer::pem_file_iter(certificate)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|error| cannot(certificate, &error))?;
    let secret = PrivateKeyDer::from_pem_file(key).map_err(|error| cannot(key, &error))?;
    builder.with_client_auth_cert(chain, secret).map_err(|error| cannot(certificate, &error))
}
