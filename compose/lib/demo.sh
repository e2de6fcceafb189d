# shellcheck shell=bash
# The whole journey of a client: register, log in, upload, post, list, read, search, delete, see the
# picture and the hit disappear, refresh, log out. Every step says which way it took through the broker.
# shellcheck disable=SC2016 # the $names in single quotes are jq's

json=(-H 'Content-Type: application/json')

body() { jq -nc "$@"; }

found() {
    send GET "/v1/search/posts?query=$WORD" "${bearer[@]}"
    [[ $STATUS == 200 && $(jq -r '.totalPosts' "$WORK/body") == "$1" ]]
}

picture_known() {
    send GET "/v1/posts/$POST" "${bearer[@]}"
    [[ $STATUS == 200 && $(jq -r '.media[0].url' "$WORK/body") == "$PICTURE" ]]
}

picture_gone() {
    STATUS=$(curl -sS -m 20 -o "$WORK/body" -w '%{http_code}' "$PICTURE") && [[ $STATUS == 404 ]]
}

media_gone() {
    send GET "/v1/media/$MEDIA" "${bearer[@]}"
    [[ $STATUS == 404 ]]
}

account_steps() {
    local name token
    name=hare-$(od -An -tx1 -N6 /dev/urandom | tr -d ' \n')
    PASSWORD=$(openssl rand -hex 12)
    call "register" 201 POST /v1/auth/register "${json[@]}" -d "$(body --arg name "$name" --arg password "$PASSWORD" \
        '{username: $name, email: "\($name)@example.org", password: $password}')"
    call "log in" 200 POST /v1/auth/login "${json[@]}" -d "$(body --arg name "$name" --arg password "$PASSWORD" \
        '{email: "\($name)@example.org", password: $password}')"
    token=$(answer .accessToken)
    bearer=(-H "Authorization: Bearer $token")
    REFRESH=$(answer .refreshToken)
}

posting_steps() {
    picture "$WORK/picture.png"
    call "upload a picture" 201 POST /v1/media "${bearer[@]}" -F "file=@$WORK/picture.png;type=image/png"
    MEDIA=$(answer .id)
    PICTURE=$(answer .url)
    outside "the picture is delivered" 200 "$PICTURE"
    WORD=burrow$(od -An -tx1 -N6 /dev/urandom | tr -d ' \n' | tr 0-9 g-p)
    call "post it" 201 POST /v1/posts "${bearer[@]}" "${json[@]}" -d "$(body --arg word "$WORD" --arg id "$MEDIA" \
        '{content: "A picture of our \($word), dug today.", mediaIds: [$id]}')"
    POST=$(answer .id)
}

reading_steps() {
    call "list the posts" 200 GET "/v1/posts?limit=20" "${bearer[@]}"
    answer ".posts[] | select(.id == \"$POST\") | .id" >/dev/null
    eventually "the post shows the picture's address" picture_known
    call "read the post" 200 GET "/v1/posts/$POST" "${bearer[@]}"
    eventually "the search index has the post" found 1
    call "find it by search" 200 GET "/v1/search/posts?query=$WORD" "${bearer[@]}"
    answer ".posts[] | select(.id == \"$POST\") | .id" >/dev/null
}

deleting_steps() {
    call "delete the post" 204 DELETE "/v1/posts/$POST" "${bearer[@]}"
    call "the post is gone" 404 GET "/v1/posts/$POST" "${bearer[@]}"
    eventually "the picture is no longer delivered" picture_gone
    outside "the picture is gone" 404 "$PICTURE"
    eventually "the media service has forgotten the picture" media_gone
    call "the picture's record is gone" 404 GET "/v1/media/$MEDIA" "${bearer[@]}"
    eventually "the search index has forgotten the post" found 0
    call "the search hit is gone" 200 GET "/v1/search/posts?query=$WORD" "${bearer[@]}"
}

leaving_steps() {
    call "refresh the session" 200 POST /v1/auth/refresh "${json[@]}" \
        -d "$(body --arg token "$REFRESH" '{refreshToken: $token}')"
    REFRESH=$(answer .refreshToken)
    call "log out" 204 POST /v1/auth/logout "${json[@]}" -d "$(body --arg token "$REFRESH" '{refreshToken: $token}')"
    call "the session is over" 401 POST /v1/auth/refresh "${json[@]}" \
        -d "$(body --arg token "$REFRESH" '{refreshToken: $token}')"
}

demo() {
    local start
    start=$(now_ms)
    need_packages curl jq openssl
    alive ingress-1 || fail "the ingress does not run: compose/local up"
    WORK=$(mktemp -d)
    trap 'rm -rf "$WORK"' EXIT
    say "A client's journey, at http://127.0.0.1:$HTTP_PORT"
    account_steps
    posting_steps
    reading_steps
    deleting_steps
    leaving_steps
    say ""
    say "All $CALLS steps were as expected, in $(seconds_since "$start") s."
}
