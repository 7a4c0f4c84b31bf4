# What the other scripts share: to end with a reason, and to find what they need. It is sourced. Red, if the script has
# colours, is in `red`, and the way back in `plain`.

fail() { # REASON
  printf '%s%s%s\n' "${red-}" "$1" "${plain-}" >&2
  exit 1
}

# Runs a command when no other script does so: two may run side by side, and both may lack something.
turn=$(realpath "${BASH_SOURCE[0]}")
in_turn() { # COMMAND...
  flock "$turn" "$@"
}

# Installs Debian packages, if it may.
install_packages() { # PACKAGE...
  local as_root=()
  ((EUID == 0)) || as_root=(sudo -n)
  printf 'Installing %s.\n' "$*"
  # shellcheck disable=SC2016
  local install='"$@" apt-get update -qq && "$@" apt-get install -qq -y --no-install-recommends '$*
  if ! { command -v apt-get && in_turn bash -c "$install" install "${as_root[@]}"; } >/dev/null; then
    fail "$* could not be installed. Install it (Debian: apt-get install $*) and start again."
  fi
}

# Finds a command, or installs the packages that bring it.
need() { # COMMAND PACKAGE...
  local command=$1
  shift
  # Half an installation brings a command that does not run yet.
  in_turn true
  command -v "$command" >/dev/null && return
  printf '%s is missing. ' "$command"
  install_packages "$@"
  command -v "$command" >/dev/null || fail "There is still no $command."
}
