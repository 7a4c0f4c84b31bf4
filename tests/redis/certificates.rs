//! Certificates for tests, made by `openssl`.

use std::path::Path;
use std::process::Command;

const NEW_KEY: [&str; 8] =
    ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days"];

/// Makes the files `NAME.pem` and `NAME.key` of an authority.
pub fn make_authority(directory: &Path, name: &str) {
    openssl(directory, name, &["-addext", "keyUsage=critical,keyCertSign"]);
}

/// Makes the files `NAME.pem` and `NAME.key` of somebody who is called so, such as `DNS:localhost` or
/// `IP:127.0.0.1`. The authority vouches for it.
pub fn make(directory: &Path, authority: &str, name: &str, called: &str) {
    let (pem, key) = (format!("{authority}.pem"), format!("{authority}.key"));
    let called = format!("subjectAltName={called}");
    let rest =
        ["-CA", &pem, "-CAkey", &key, "-addext", &called, "-addext", "basicConstraints=critical,CA:FALSE"];
    openssl(directory, name, &rest);
}

fn openssl(directory: &Path, name: &str, rest: &[&str]) {
    let output = Command::new("openssl")
        .args(NEW_KEY)
        .args(["30", "-subj", &format!("/CN={name}")])
        .args(["-out", &format!("{name}.pem"), "-keyout", &format!("{name}.key")])
        .args(rest)
        .current_dir(directory)
        .output()
        .expect("openssl, of Debian's package openssl");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}
