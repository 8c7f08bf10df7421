# shellcheck shell=bash
# What the scripts of tools/ share. Source it with `set -euo pipefail` in force.

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
JOBS=$(nproc)

# One line for each step, so that whoever waits knows for what.
say() { printf '==> %s\n' "$*"; }

die() {
  printf '%s: %s\n' "$(basename "$0")" "$*" >&2
  exit 1
}

# configure PRESET [cmake arguments]: with ccache where there is one.
configure() {
  local preset=$1
  shift
  local launcher=()
  if command -v ccache >/dev/null; then launcher=(-DCMAKE_CXX_COMPILER_LAUNCHER=ccache); fi
  (cd "$ROOT" && cmake --preset "$preset" --log-level=WARNING "${launcher[@]}" "$@")
}

# build PRESET [targets]
build() {
  local preset=$1
  shift
  local targets=()
  if (($# > 0)); then targets=(--target "$@"); fi
  cmake --build "$ROOT/build/$preset" --parallel "$JOBS" "${targets[@]}"
}
