#!/usr/bin/env bash
# Proves the exercises of the lesson: their tests fail on the code as it is, and pass with the solutions.
#
#   scripts/exercises.sh
#
# It works on a copy of the tree, in target/exercises, to which it applies tests/exercises/*.patch. What the copy needs
# is taken from target, so only this crate is built there.
set -euo pipefail
cd "$(dirname "$0")/.."
source scripts/need.sh

target=$(realpath --canonicalize-missing "${CARGO_TARGET_DIR:-target}")
copy=$target/exercises/tree
patches=$PWD/tests/exercises

# Its tests, without building twice what `cargo test` has built.
tests() { # FOLDER [ARGUMENT OF THE TESTS]...
  cargo test --quiet --manifest-path "$1/Cargo.toml" --all-features --test exercises -- "${@:2}"
}

all=$(tests . --list | grep -c ': test$')
unsolved=$(tests . 2>&1 || true)
if ! grep -q "test result: FAILED. 0 passed; $all failed" <<<"$unsolved"; then
  printf '%s\n' "$unsolved"
  fail 'Each test of an exercise must fail before the exercise is done, and does not: see above.'
fi
printf 'All %d tests fail without the solutions.\n' "$all"

# With the times of the files, by which cargo sees what it has built before.
rm -rf "$copy"
mkdir -p "$copy"
tar --create --exclude=node_modules Cargo.toml Cargo.lock src tests | tar --extract --directory="$copy"
# Under a version of its own: cargo would take it for the tree, and each would be built in the other's place.
sed --in-place '0,/^version = /s/^version = "\(.*\)"/version = "\1-solved"/' "$copy/Cargo.toml"
sed --in-place '/^name = "comet-chat"$/{n;s/"$/-solved"/}' "$copy/Cargo.lock"
for patch in "$patches"/*.patch; do
  # Not as a part of the repository around it, and with less context, since patches may touch neighbouring lines.
  if ! GIT_CEILING_DIRECTORIES=${copy%/*} git -C "$copy" apply -C1 "$patch"; then
    fail "${patch#"$PWD"/} does not apply to the engines any more. Do that exercise again on the engines as they are now (its task is the head of ${patch%.patch}.rs), and write it: git diff src >${patch#"$PWD"/}"
  fi
done

# The programs of the copy are kept apart from those of the tree.
export CARGO_BUILD_BUILD_DIR=$target CARGO_TARGET_DIR=$target/exercises
if ! tests "$copy"; then
  fail 'The solutions do not pass the tests of the exercises: see above. They are tests/exercises/*.patch, applied in target/exercises/tree.'
fi
printf 'All %d tests pass with the solutions.\n' "$all"
