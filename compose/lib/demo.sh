# shellcheck shell=bash
# The demonstration: register, log in, upload, post, list, read, search, delete, wait until the picture and the search
# hit are gone, refresh, log out. Each request is printed with its route through the broker.
# shellcheck disable=SC2016 # the $names in single quotes are jq's

json=(-H 'Content-Type: application/json')

json_body() { jq -nc "$@"; }

search_total_is() {
    send GET "/v1/search/posts?query=$WORD" "${bearer[@]}"
    [[ $STATUS == 200 && $(jq -r '.totalPosts' "$WORK/body") == "$1" ]]
}

post_has_picture() {
    send GET "/v1/posts/$POST" "${bearer[@]}"
    [[ $STATUS == 200 && $(jq -r '.media[0].url' "$WORK/body") == "$PICTURE" ]]
}

picture_is_gone() {
    fetch_picture "$PICTURE"
    [[ $STATUS == 404 ]]
}

media_is_gone() {
    send GET "/v1/media/$MEDIA" "${bearer[@]}"
    [[ $STATUS == 404 ]]
}

register_and_log_in() {
    local name password token
    name=hare-$(od -An -tx1 -N6 /dev/urandom | tr -d ' \n')
    password=$(openssl rand -hex 12)
    call_api "register" 201 POST /v1/auth/register "${json[@]}" \
        -d "$(json_body --arg name "$name" --arg password "$password" \
            '{username: $name, email: "\($name)@example.org", password: $password}')"
    call_api "log in" 200 POST /v1/auth/login "${json[@]}" \
        -d "$(json_body --arg name "$name" --arg password "$password" \
            '{email: "\($name)@example.org", password: $password}')"
    token=$(field .accessToken)
    bearer=(-H "Authorization: Bearer $token")
    REFRESH=$(field .refreshToken)
}

upload_and_post() {
    write_picture "$WORK/picture.png"
    call_api "upload a picture" 201 POST /v1/media "${bearer[@]}" -F "file=@$WORK/picture.png;type=image/png"
    MEDIA=$(field .id)
    PICTURE=$(field .url)
    call_media_host "fetch the picture" 200 "$PICTURE"
    WORD=burrow$(od -An -tx1 -N6 /dev/urandom | tr -d ' \n' | tr 0-9 g-p)
    call_api "create a post" 201 POST /v1/posts "${bearer[@]}" "${json[@]}" \
        -d "$(json_body --arg word "$WORD" --arg id "$MEDIA" \
            '{content: "A picture of our \($word), dug today.", mediaIds: [$id]}')"
    POST=$(field .id)
}

list_read_and_search() {
    call_api "list the posts" 200 GET "/v1/posts?limit=20" "${bearer[@]}"
    field ".posts[] | select(.id == \"$POST\") | .id" >/dev/null
    wait_for_effect "the post shows the picture's address" post_has_picture
    call_api "read the post" 200 GET "/v1/posts/$POST" "${bearer[@]}"
    wait_for_effect "the search index contains the post" search_total_is 1
    call_api "search for the post" 200 GET "/v1/search/posts?query=$WORD" "${bearer[@]}"
    field ".posts[] | select(.id == \"$POST\") | .id" >/dev/null
}

delete_everything() {
    call_api "delete the post" 204 DELETE "/v1/posts/$POST" "${bearer[@]}"
    call_api "the post is gone" 404 GET "/v1/posts/$POST" "${bearer[@]}"
    wait_for_effect "the picture is no longer delivered" picture_is_gone
    call_media_host "the picture is gone" 404 "$PICTURE"
    wait_for_effect "the media service has deleted the picture" media_is_gone
    call_api "the picture's record is gone" 404 GET "/v1/media/$MEDIA" "${bearer[@]}"
    wait_for_effect "the search index no longer contains the post" search_total_is 0
    call_api "the search hit is gone" 200 GET "/v1/search/posts?query=$WORD" "${bearer[@]}"
}

refresh_and_log_out() {
    call_api "refresh the session" 200 POST /v1/auth/refresh "${json[@]}" \
        -d "$(json_body --arg token "$REFRESH" '{refreshToken: $token}')"
    REFRESH=$(field .refreshToken)
    call_api "log out" 204 POST /v1/auth/logout "${json[@]}" \
        -d "$(json_body --arg token "$REFRESH" '{refreshToken: $token}')"
    call_api "the session has ended" 401 POST /v1/auth/refresh "${json[@]}" \
        -d "$(json_body --arg token "$REFRESH" '{refreshToken: $token}')"
}

run_demo() {
    local start
    start=$(now_ms)
    install_packages curl jq openssl
    is_running ingress-1 || fail "the ingress is not running: run compose/local up"
    WORK=$(mktemp -d)
    trap 'rm -rf "$WORK"' EXIT
    say "Requests of a client to http://127.0.0.1:$HTTP_PORT"
    ROUTES_ARE_LOGGED=no
    if requests_are_logged; then ROUTES_ARE_LOGGED=yes; fi
    if [[ $ROUTES_ARE_LOGGED == no ]]; then
        say "The routes through the broker are not shown, because WARREN_LOG_LEVEL hides the log lines of requests."
    fi
    register_and_log_in
    upload_and_post
    list_read_and_search
    delete_everything
    refresh_and_log_out
    say ""
    say "All $CALLS steps succeeded in $(seconds_since "$start") s."
}
