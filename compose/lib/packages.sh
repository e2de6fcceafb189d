# shellcheck shell=bash
# What Warren needs from the system: Debian packages, installed where missing, and a Swift toolchain.

# shellcheck disable=SC2034 # the other parts use it
PACKAGES=(
    rabbitmq-server postgresql redis-server
    librabbitmq-dev libpq-dev libcurl4-openssl-dev libhiredis-dev libargon2-dev pkg-config
    git ca-certificates curl jq openssl
)
# shellcheck disable=SC2034 # the other parts use it
TEST_PACKAGES=(python3 python3-pika python3-jsonschema python3-yaml shellcheck)

installed() { [[ $(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null) == installed ]]; }

apt_install() {
    DEBIAN_FRONTEND=noninteractive apt-get -q -y -o Dpkg::Use-Pty=0 -o DPkg::Lock::Timeout=300 \
        --no-install-recommends install "$@" >>"$STATE/log/apt.log" 2>&1
}

# need_packages PACKAGE…: installs those that are missing; anyone but root is told which they are.
need_packages() {
    local package missing=()
    command -v dpkg-query >/dev/null || fail "this needs Debian or Ubuntu: there is no dpkg-query here"
    for package in "$@"; do
        installed "$package" || missing+=("$package")
    done
    ((${#missing[@]})) || return 0
    ((EUID == 0)) || fail "packages are missing; as root: apt-get install --no-install-recommends ${missing[*]}"
    # The lists may be missing, or so old that what they name is gone from the mirror.
    apt_install "${missing[@]}" && return
    apt-get update >>"$STATE/log/apt.log" 2>&1 && apt_install "${missing[@]}" && return
    tail_of "$STATE/log/apt.log"
    fail "apt-get could not install ${missing[*]}"
}

need_swift() {
    local folder version
    if ! command -v swift >/dev/null; then
        for folder in /opt/swift/usr/bin /usr/libexec/swift/bin ~/.local/share/swiftly/bin; do
            if [[ -x $folder/swift ]]; then PATH=$PATH:$folder && break; fi
        done
    fi
    command -v swift >/dev/null ||
        fail "there is no Swift toolchain: install Swift 6.3 (https://swift.org/install), its bin folder in PATH"
    version=$(swift --version 2>/dev/null | grep -oE 'Swift version [0-9]+\.[0-9]+' | grep -oE '[0-9.]+$')
    [[ $(printf '6.2\n%s\n' "$version" | sort -V | head -n 1) == 6.2 ]] ||
        fail "Swift 6.2 or later is needed, and this is $version: $(command -v swift)"
}
