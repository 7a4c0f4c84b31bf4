//! One target under libFuzzer: that which the environment names, `TARGET=requests`.
#![no_main]

#[path = "../targets/mod.rs"]
mod targets;

use std::path::PathBuf;
use std::sync::LazyLock;
use std::{env, fs};

use libfuzzer_sys::fuzz_target;

static TARGET: LazyLock<&targets::Target> = LazyLock::new(|| {
    let name = env::var("TARGET").expect("TARGET names a target");
    targets::ALL
        .iter()
        .find(|target| target.name == name)
        .expect("TARGET is one of the files in tests/fuzz/targets")
});

/// Writes the texts that are known to where libFuzzer looks for them.
fn write_seeds() {
    let folder = PathBuf::from(env::var_os("CORPUS").expect("CORPUS is a folder"));
    for (number, seed) in TARGET.seeds.iter().enumerate() {
        fs::write(folder.join(format!("seed-{number}")), seed).expect("a file in CORPUS");
    }
}

fuzz_target!(
    init: write_seeds(),
    |bytes: &[u8]| (TARGET.check)(bytes)
);
