# shellcheck shell=bash
# shellcheck disable=SC2034  # the lists are for who sources this
# The Debian 12 packages that the scripts install, each with its reason; and how they are installed.

# To build the daemon, the library and the tools.
BUILD_PACKAGES=(
  g++                   # the compiler
  cmake                 # the build
  ninja-build           # the build's engine
  pkg-config            # finds cpp-httplib and libmosquitto
  libboost1.81-dev      # Asio and the base of the rest; 1.74, the default, has no Boost.JSON
  libboost-json1.81-dev # JSON
  prometheus-cpp-dev    # the Collectable for programs that already serve prometheus-cpp
  libcpp-httplib-dev    # HTTP routes of the daemon, HTTP client of the tools
  libmosquitto-dev      # MQTT for what the monitoring tells
  zlib1g-dev            # gzip for who scrapes
  libcli11-dev          # command lines
  libspdlog-dev         # logs
)

# To show what was measured.
QUICKSTART_PACKAGES=(
  curl # reads the scrape
)

# To run the tests.
TEST_PACKAGES=(
  libgtest-dev                # unit and integration tests
  libgmock-dev                # likewise
  python3                     # the tests of the whole
  prometheus                  # scrapes the daemon; promtool checks the scrape
  prometheus-pushgateway      # takes what the monitoring pushes
  mosquitto                   # takes what the monitoring publishes
  mosquitto-clients           # receives it
  openssl                     # certificates for a broker with TLS
  nginx-light                 # a real server under objectbench
  libreoffice-calc-nogui      # opens the CSV
  netcat-openbsd              # the simplest sender there is
  curl                        # the quickstart's reader
  strace                      # shows that recording makes no system call; has system calls fail
  systemd                     # judges the units
  time                        # the witness of what metrics-run measures
  prometheus-process-exporter # another one, from outside
)

# To run the benchmarks, and to keep them built.
BENCH_PACKAGES=(
  libbenchmark-dev # loops and statistics of the micro-benchmarks
  libsimdjson-dev  # the parser that the daemon's cost is compared with
  python3          # the suite
)

# To run the tests under the other compiler, the sanitizers and clang-tidy.
# To compare with what people would pick instead (tools/bench peers). statsd comes from npm, see install-peers.
PEER_PACKAGES=(
  netdata-core           # statsd in C
  victoria-metrics       # a time series database that takes lines over TCP
  collectd-core          # values over a Unix socket
  libprotobuf-c1         # its write_prometheus, which shows what it has counted
  libmicrohttpd12        # likewise
  prometheus-pushgateway # values over HTTP
  nodejs                 # runs statsd
)

# To run them under the other compiler, the sanitizers and clang-tidy.
ALL_PACKAGES=(
  clang-14           # the second compiler
  clang-tidy-14      # the tidy preset
  libclang-rt-14-dev # run-time libraries of clang's sanitizers
)

missing_packages() {
  local package
  for package in "$@"; do
    if [[ $(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null) != installed ]]; then echo "$package"; fi
  done
}

# need_packages PACKAGE...: installs those that are missing, or says which they are and ends.
need_packages() {
  command -v dpkg-query >/dev/null || die "this is not Debian; have these there, by whatever means: $*"
  local missing
  mapfile -t missing < <(missing_packages "$@")
  if ((${#missing[@]} == 0)); then return; fi

  local as_root=()
  if ((EUID != 0)); then
    command -v sudo >/dev/null || die "not root and no sudo; as root: apt-get install ${missing[*]}"
    as_root=(sudo)
  fi
  say "installing ${missing[*]}"
  "${as_root[@]}" bash "$ROOT/tools/lib/apt-install" "${missing[@]}" ||
    die "apt-get could not install: ${missing[*]}"
}
