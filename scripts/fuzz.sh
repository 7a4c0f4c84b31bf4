#!/usr/bin/env bash
# Looks for inputs that break what must hold, by libFuzzer: it follows which code each input reaches. The targets are
# those of tests/fuzz, which the tests try out by chance.
#
#   scripts/fuzz.sh [SECONDS [TARGET...]]      60 s for each target
#
# What it learns stays in target/fuzz; an input that breaks something is printed and kept there. It needs a C++ compiler.
set -euo pipefail
cd "$(dirname "$0")/.."
source scripts/need.sh
need c++ g++
seconds=${1:-60}
(($# == 0)) || shift
if (($# == 0)); then
  for file in tests/fuzz/targets/*.rs; do
    name=$(basename "$file" .rs)
    [[ $name == mod ]] || set -- "$@" "$name"
  done
fi
folder=$PWD/target/fuzz
mkdir -p "$folder"
# What libFuzzer needs of the compiler, and panics for sums that are too large.
export RUSTFLAGS='-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4
  -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table
  -Cllvm-args=-sanitizer-coverage-trace-compares --cfg=fuzzing -Ccodegen-units=1 -Cdebug-assertions -Coverflow-checks'
triple=$(rustc -vV | sed -n 's/^host: //p')
# With a target named, the flags are not for the programs that build others.
cargo build --quiet --release --manifest-path tests/fuzz/coverage/Cargo.toml --target-dir "$folder/build" --target "$triple"
for target in "$@"; do
  printf '\n%s, for %s s:\n' "$target" "$seconds"
  mkdir -p "$folder/$target"
  TARGET=$target CORPUS=$folder/$target "$folder/build/$triple/release/cover" -max_total_time="$seconds" -max_len=65536 \
    -timeout=10 -artifact_prefix="$folder/$target-" -print_final_stats=1 -verbosity=0 "$folder/$target"
done
