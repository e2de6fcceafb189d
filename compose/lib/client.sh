# shellcheck shell=bash
# An HTTP client for the demonstration: one request, what came back, and the way it took.

CALLS=0

# hop REQUEST-ID: sets HOP to the way of that request through the broker, as the processes logged it:
# the ingress logs "request" with the message's type, the worker "handled" with the queue and status.
hop() {
    local lines
    HOP=''
    for _ in {1..20}; do
        lines=$(grep -hF -e "$1" "$STATE"/log/{ingress,identity,post,media,search}-*.log 2>/dev/null || true)
        HOP=$(jq -nRr '[inputs | fromjson?] as $lines
            | ([$lines[] | select(.message == "request")] | first) as $request
            | ([$lines[] | select(.message == "handled" and .type == $request.type)] | first) as $handled
            | select($handled) | "\($request.type) → \($handled.queue) → reply \($handled.status)"' <<<"$lines")
        if [[ -n $HOP ]]; then return; fi
        sleep 0.1
    done
}

# send METHOD PATH CURL-ARGUMENT…: sets STATUS, MS, REQUEST, and the files body and head.
send() {
    local method=$1 path=$2 seconds
    shift 2
    REQUEST=$(</proc/sys/kernel/random/uuid)
    read -r STATUS seconds < <(curl -sS -m 60 -X "$method" -o "$WORK/body" -D "$WORK/head" \
        -w '%{http_code} %{time_total}\n' -H "X-Request-Id: $REQUEST" "$@" "http://127.0.0.1:$HTTP_PORT$path") ||
        STATUS=000
    MS=$(awk -v s="${seconds:-0}" 'BEGIN { printf "%d", s * 1000 + 0.5 }')
}

# call WHAT STATUS METHOD PATH CURL-ARGUMENT…: a step of the journey. Waits where the rate limit says so.
call() {
    local what=$1 expected=$2 method=$3 path=$4 wait
    shift 4
    CALLS=$((CALLS + 1))
    send "$method" "$path" "$@"
    if [[ $STATUS == 429 ]]; then
        wait=$(header retry-after)
        printf '      … the rate limit says: again in %s s\n' "${wait:-1}"
        sleep "${wait:-1}"
        send "$method" "$path" "$@"
    fi
    printf '%3d  %-30s %-6s %-48s %s %5d ms' "$CALLS" "$what" "$method" "$path" "$STATUS" "$MS"
    [[ $STATUS == "$expected" ]] || unexpected "status $expected"
    hop "$REQUEST"
    [[ -n $HOP ]] || unexpected "a worker's log line with request id $REQUEST (is WARREN_LOG_LEVEL above info?)"
    printf '   %s\n' "$HOP"
}

header() { awk -F ': *' -v name="$1" 'tolower($1) == name { sub(/\r$/, "", $2); print $2; exit }' "$WORK/head"; }

answer() { jq -er "$1" "$WORK/body" || unexpected "an answer with $1"; }

unexpected() {
    printf '\n\nThis step is not as expected: %s.\nThe answer was %s:\n' "$1" "$STATUS" >&2
    head -c 2000 "$WORK/body" >&2 || true
    printf '\n' >&2
    exit 1
}

# outside WHAT STATUS URL: a request that is not Warren's own: what the media's host delivers.
outside() {
    local what=$1 expected=$2 url=$3
    CALLS=$((CALLS + 1))
    STATUS=$(curl -sS -m 20 -o "$WORK/body" -w '%{http_code}' "$url") || STATUS=000
    printf '%3d  %-30s %-6s %-48s %s            (the media host, not Warren)\n' \
        "$CALLS" "$what" GET "…${url: -37}" "$STATUS"
    [[ $STATUS == "$expected" ]] || unexpected "status $expected"
}

# eventually WHAT CONDITION…: until it holds, 10 s at most; says how long it took.
eventually() {
    local what=$1 start
    start=$(now_ms)
    shift
    until "$@"; do
        (($(now_ms) - start < 10000)) || unexpected "$what, within 10 s"
        sleep 0.05
    done
    printf '      … %s, after %d ms\n' "$what" "$(($(now_ms) - start))"
}
