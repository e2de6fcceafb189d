# shellcheck shell=bash
# An HTTP client for the demonstration: sends a request, checks the status, and prints the request's route.

CALLS=0

# requests_are_logged: succeeds if the log level of the ingress and all workers is `info` (the default) or lower.
requests_are_logged() {
    local name level
    for name in $(running_processes ingress; for service in "${SERVICES[@]}"; do running_processes "$service"; done); do
        level=$(tr '\0' '\n' <"/proc/$(pid_of "$name")/environ" | sed -n 's/^WARREN_LOG_LEVEL=//p')
        [[ ${level,,} =~ ^(|trace|debug|info)$ ]] || return 1
    done
}

# set_route REQUEST-ID: sets ROUTE to the request's route through the broker, which two log lines contain: the ingress's
# line "request" has the message's type, and the worker's line "handled" has the queue and the status. Returns 1 if one
# of the lines is missing.
set_route() {
    local lines
    ROUTE=''
    # A log may be rotated between the request and this search.
    lines=$(grep -hF -e "$1" "$STATE"/log/{ingress,identity,post,media,search}-*.log{,.1} 2>/dev/null || true)
    ROUTE=$(jq -nRr '[inputs | fromjson?] as $lines
        | ([$lines[] | select(.message == "request")] | first) as $request
        | ([$lines[] | select(.message == "handled" and .type == $request.type)] | first) as $handled
        | select($handled) | "\($request.type) → \($handled.queue) → reply \($handled.status)"' <<<"$lines")
    [[ -n $ROUTE ]]
}

# send METHOD PATH CURL-ARGUMENT…: sends a request. Sets STATUS, MS (the duration) and REQUEST (the request's id), and
# writes the response to the files head and body in $WORK.
send() {
    local method=$1 path=$2 seconds
    shift 2
    REQUEST=$(</proc/sys/kernel/random/uuid)
    read -r STATUS seconds < <(curl -sS -m 60 -X "$method" -o "$WORK/body" -D "$WORK/head" \
        -w '%{http_code} %{time_total}\n' -H "X-Request-Id: $REQUEST" "$@" "http://127.0.0.1:$HTTP_PORT$path") ||
        STATUS=000
    MS=$(awk -v s="${seconds:-0}" 'BEGIN { printf "%d", s * 1000 + 0.5 }')
}

# call_api TEXT STATUS METHOD PATH CURL-ARGUMENT…: a step of the demonstration: sends a request, prints it, and fails
# unless the response has STATUS. After a 429 it waits as long as Retry-After says, and sends the request once more.
call_api() {
    local text=$1 expected=$2 method=$3 path=$4 seconds
    shift 4
    CALLS=$((CALLS + 1))
    send "$method" "$path" "$@"
    if [[ $STATUS == 429 ]]; then
        seconds=$(header retry-after)
        printf '      … rate limit reached: trying again in %s s\n' "${seconds:-1}"
        sleep "${seconds:-1}"
        send "$method" "$path" "$@"
    fi
    printf '%3d  %-30s %-6s %-48s %s %5d ms' "$CALLS" "$text" "$method" "$path" "$STATUS" "$MS"
    [[ $STATUS == "$expected" ]] || fail_step "expected status $expected"
    if [[ $ROUTES_ARE_LOGGED == yes ]]; then
        wait_until 2 set_route "$REQUEST" || fail_step "no worker logged the request $REQUEST"
        printf '   %s' "$ROUTE"
    fi
    printf '\n'
}

# call_media_host TEXT STATUS URL: a step that requests a picture from the media host, which is not part of Warren.
call_media_host() {
    local text=$1 expected=$2 url=$3
    CALLS=$((CALLS + 1))
    fetch_picture "$url"
    printf '%3d  %-30s %-6s %-48s %s            (the media host, not Warren)\n' \
        "$CALLS" "$text" GET "…${url: -37}" "$STATUS"
    [[ $STATUS == "$expected" ]] || fail_step "expected status $expected"
}

fetch_picture() { STATUS=$(curl -sS -m 20 -o "$WORK/body" -w '%{http_code}' "$1") || STATUS=000; }

# header NAME: prints a header field of the last response. NAME is in lower case.
header() { awk -F ': *' -v name="$1" 'tolower($1) == name { sub(/\r$/, "", $2); print $2; exit }' "$WORK/head"; }

# field FILTER: prints the part of the last response's body that the jq filter selects.
field() { jq -er "$1" "$WORK/body" || fail_step "expected a body in which jq finds $1"; }

fail_step() {
    printf '\n\nStep failed: %s. The response has status %s:\n' "$1" "$STATUS" >&2
    head -c 2000 "$WORK/body" >&2 || true
    printf '\n' >&2
    exit 1
}

# wait_for_effect TEXT COMMAND…: repeats the command until it succeeds, for at most 10 s, and prints how long it took.
wait_for_effect() {
    local text=$1 start
    start=$(now_ms)
    shift
    wait_until 10 "$@" || fail_step "expected within 10 s: $text"
    printf '      … %s after %d ms\n' "$text" "$(($(now_ms) - start))"
}
