# shellcheck shell=bash
# The requirements: Debian packages, which are installed if they are missing, and a Swift toolchain.

# shellcheck disable=SC2034 # used by other parts
PACKAGES=(
    rabbitmq-server postgresql redis-server
    librabbitmq-dev libpq-dev libcurl4-openssl-dev libhiredis-dev libargon2-dev zlib1g-dev libutf8proc-dev
    pkg-config git ca-certificates curl jq openssl
)
# shellcheck disable=SC2034 # used by other parts
TEST_PACKAGES=(python3 python3-pika python3-jsonschema python3-yaml shellcheck wrk)
# shellcheck disable=SC2034
STACK_TEST_PACKAGES=(chromium)

has_browser() { command -v chromium google-chrome >/dev/null; }

package_is_installed() { [[ $(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null) == installed ]]; }

run_apt_install() {
    DEBIAN_FRONTEND=noninteractive apt-get -q -y -o Dpkg::Use-Pty=0 -o DPkg::Lock::Timeout=300 \
        --no-install-recommends install "$@" >>"$STATE/log/apt.log" 2>&1
}

# install_packages PACKAGE…: installs those of the packages that are missing. If packages are missing and the script
# does not run as root, fails with a message that contains the command to run.
install_packages() {
    local package missing=()
    command -v dpkg-query >/dev/null || fail "dpkg-query not found: this script needs Debian or Ubuntu"
    for package in "$@"; do
        package_is_installed "$package" || missing+=("$package")
    done
    ((${#missing[@]})) || return 0
    ((EUID == 0)) || fail "missing packages; run as root: apt-get install --no-install-recommends ${missing[*]}"
    run_apt_install "${missing[@]}" && return
    # The first attempt fails if apt's package lists are missing or name versions that the mirror no longer has.
    # Therefore update the lists and try again.
    apt-get update >>"$STATE/log/apt.log" 2>&1 && run_apt_install "${missing[@]}" && return
    print_log_end "$STATE/log/apt.log"
    fail "apt-get cannot install ${missing[*]}"
}

# require_redis: fails if redis-server is older than version 7.0, the oldest version that is tested. Redis 6.0 refuses
# redis.conf, because it does not know the ACL rule `resetchannels`.
require_redis() {
    local text
    text=$(redis-server --version 2>&1) || true
    [[ $text =~ v=([0-9]+)(\.[0-9]+)* ]] || fail "redis-server --version prints no version: $text"
    ((BASH_REMATCH[1] >= 7)) ||
        fail "$(command -v redis-server) is Redis ${BASH_REMATCH[0]#v=}: Redis 7.0 or later is required"
}

require_swift() {
    local folder version
    if ! command -v swift >/dev/null; then
        for folder in /opt/swift/usr/bin /usr/libexec/swift/bin ~/.local/share/swiftly/bin; do
            if [[ -x $folder/swift ]]; then PATH=$PATH:$folder && break; fi
        done
    fi
    command -v swift >/dev/null ||
        fail "swift not found: install Swift 6.3 or later (https://swift.org/install) and add its bin folder to PATH"
    version=$(swift --version 2>/dev/null | grep -oE 'Swift version [0-9]+\.[0-9]+' | grep -oE '[0-9.]+$')
    [[ $(printf '6.3\n%s\n' "$version" | sort -V | head -n 1) == 6.3 ]] ||
        fail "$(command -v swift) is Swift $version: Swift 6.3 or later is required"
}
