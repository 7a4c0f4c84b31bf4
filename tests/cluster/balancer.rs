//! nginx before several instances, with the configuration of `scripts/cluster.sh`.

use std::fs;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::instances::PATIENCE;
use crate::server::Server;

const CONFIGURATION: &str = include_str!("../../scripts/cluster.nginx.conf");

/// Dropping it ends the processes.
pub struct Balancer {
    process: Child,
    address: SocketAddr,
    place: TempDir,
}

impl Balancer {
    /// A balancer that gives requests to the servers in turn.
    pub fn before(servers: &[Server]) -> Balancer {
        let place = TempDir::new().unwrap();
        let address = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).unwrap();
        let upstream: String =
            servers.iter().map(|server| format!("server {};\n", server.address())).collect();
        let configuration = CONFIGURATION
            .replace("LISTEN", &address.to_string())
            .replace("INSTANCES", &upstream)
            .replace("USER", if rustix::process::getuid().is_root() { "user root;" } else { "" });
        fs::write(place.path().join("nginx.conf"), configuration).unwrap();
        let process = nginx(&place, &[]).spawn().expect("nginx, of Debian's package nginx-light");
        let balancer = Balancer { process, address, place };
        let start = Instant::now();
        while TcpStream::connect(address).is_err() {
            assert!(start.elapsed() < PATIENCE, "nginx does not listen");
            thread::sleep(Duration::from_millis(5));
        }
        balancer
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Reads its configuration again: new processes take over, and the old ones end with their last client.
    pub fn reload(&self) {
        assert!(nginx(&self.place, &["-s", "reload"]).status().unwrap().success());
    }
}

impl Drop for Balancer {
    fn drop(&mut self) {
        if thread::panicking() {
            println!("{}", log(&self.place));
        }
        // It fails if nginx has not come so far as to say which its process is.
        if !nginx(&self.place, &["-s", "stop"]).status().is_ok_and(|status| status.success()) {
            let _ = self.process.kill();
        }
        let _ = self.process.wait();
    }
}

fn nginx(place: &TempDir, arguments: &[&str]) -> Command {
    let mut command = Command::new("nginx");
    command.arg("-p").arg(place.path()).args(["-c", "nginx.conf", "-e", "log"]).args(arguments);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command
}

fn log(place: &TempDir) -> String {
    fs::read_to_string(place.path().join("log")).unwrap_or_default()
}
