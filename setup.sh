# Shared by `run` and `test`: what must be on the machine, and the build. Sourced, not run.

step() { printf '\033[1m==> %s\033[0m\n' "$*"; }

# Debian packages by command; asks apt only for what is missing.
need_packages() {
  local missing=()
  while [ $# -gt 0 ]; do
    command -v "$1" >/dev/null 2>&1 || missing+=("$2")
    shift 2
  done
  [ ${#missing[@]} -eq 0 ] && return
  step "Installing ${missing[*]}"
  local sudo=""; [ "$(id -u)" -eq 0 ] || sudo=sudo
  $sudo apt-get update -qq
  $sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
}

need_toolchain() {
  need_packages cc gcc curl curl git git
  command -v node >/dev/null 2>&1 || need_packages node nodejs npm npm
  if ! command -v cargo >/dev/null 2>&1; then
    echo "Rust is missing. Install rustc 1.95 or newer (https://rustup.rs), then run this again." >&2
    exit 1
  fi
}

# The web app. Skipped when nothing under web/ changed since the last build.
build_web() {
  local stamp=web/dist/.built-from now
  now=$(git ls-files -s web 2>/dev/null | cat - <(git diff -- web 2>/dev/null) | sha256sum)
  if [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$now" ] && [ -f web/dist/index.html ]; then return; fi
  (cd web && npm ci --no-audit --no-fund --loglevel=error && npm run --silent build)
  printf '%s' "$now" > "$stamp"
}

# Server and web app side by side: the app is compiled into the binary, but only the last crate needs it, minutes in.
# One selection of crates throughout: another one resolves other features and compiles DataFusion again.
build_all() {
  need_toolchain
  step "Building the web app and the server (the first build takes some minutes)"
  build_web > .web-build.log 2>&1 &
  local web=$! built=0
  # With the app in place there is nothing to win by not waiting for its few seconds.
  if [ -f web/dist/index.html ]; then wait_for_web "$web"; web=""; fi
  cargo build --locked --workspace || built=$?
  [ -z "$web" ] && return "$built"
  wait_for_web "$web"
  # Should the app not have been there in time, its crate has failed alone and is built now.
  [ "$built" -eq 0 ] || cargo build --locked --workspace
}

wait_for_web() {
  wait "$1" || { cat .web-build.log >&2; exit 1; }
  rm -f .web-build.log
}
