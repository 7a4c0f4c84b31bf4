//! A test that runs itself again as a process of its own: behind a mount that only it sees, or
//! under a limit that it alone has. Both end with it, however it ends.

use std::env;
use std::process::Command;

const INSIDE: &str = "COMET_CHAT_TEST_INSIDE";

/// Whether this is the test run again; what is there to work with was made by [`run_again`]'s shell.
pub fn is_inside() -> bool {
    env::var_os(INSIDE).is_some()
}

/// Runs one test of this binary by a shell line that ends in `exec "$@"`, within mounts of its own.
/// Answers `false` if this machine allows no such mounts.
pub fn run_again_with_mounts(test: &str, shell: &str) -> bool {
    let unshare = |arguments: &[&str]| {
        let mut command = Command::new("unshare");
        command.args(arguments);
        command
    };
    let probe = "mount -t tmpfs tmpfs /mnt";
    // The superuser needs no other user namespace, and anybody else may have one of his own.
    for arguments in [&["--mount"][..], &["--mount", "--map-root-user"]] {
        let allowed = unshare(arguments).args(["sh", "-c", probe]).output();
        if allowed.is_ok_and(|output| output.status.success()) {
            let mut command = unshare(arguments);
            run(command.args(["sh", "-ec", shell, "sh"]), test);
            return true;
        }
    }
    false
}

/// Runs one test of this binary by a shell line that ends in `exec "$@"`.
pub fn run_again(test: &str, shell: &str) {
    run(Command::new("sh").args(["-ec", shell, "sh"]), test);
}

fn run(command: &mut Command, test: &str) {
    let output = command
        .arg(env::current_exe().unwrap())
        .args(["--exact", test, "--nocapture"])
        .env(INSIDE, "1")
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success() && text.contains("1 passed"),
        "{text}\n{}",
        String::from_utf8_lossy(&output.stderr)
    );
}
