#!/usr/bin/env bash
# usage: rotate_logs.sh FOLDER [BYTES [SECONDS]]
#
# Limits the size of the logs NAME-N.log in FOLDER while their processes run. Every SECONDS seconds, copies the last
# BYTES bytes of each log that is longer than BYTES to NAME-N.log.1, and truncates the log. The files of a
# process have at most twice BYTES, plus what the process writes within SECONDS. Ends when FOLDER is deleted.
#
# This design cannot harm a process, because the process writes to a regular file as before. If the logs went through a
# pipe to a program such as rotatelogs, a write would fail or raise SIGPIPE after that program has died, and would block
# an event loop while it is slow. If this script is killed, the logs only grow until compose/local starts it again.
#
# A log is copied and not renamed, because its process keeps the file open and would write to the renamed file. `launch`
# opens logs with O_APPEND, so after the truncation the next line is at the start of the file. Lines that are written
# between the end of the copy and the truncation, a few milliseconds, are lost.
#
# RabbitMQ and PostgreSQL can rotate their logs themselves, but Redis cannot. One mechanism serves all processes.
# A timer limits the work of this script; inotify would wake it for each line that a process writes. logrotate would
# also need a timer, and it does not truncate a log that it cannot copy because the disk is full.
set -euo pipefail
umask 077

folder=$1 limit=${2:-33554432} interval=${3:-2}

# rotate_log LOG SIZE
rotate_log() {
    local start=$(($2 > limit ? $2 - limit + 1 : 1))
    # If the disk is full, the copy is incomplete. The log is truncated nevertheless, because the servers stop without
    # free space.
    # `head` bounds the copy if the process writes faster than `tail` reads.
    tail -c "+$start" "$1" | head -c "$limit" >"$1.1" || true
    : >"$1" || true
}

while [[ -d $folder ]]; do
    while read -r size log; do rotate_log "$log" "$size"; done < <(
        find "$folder" -maxdepth 1 -type f -name '*-[0-9]*.log' -size "+${limit}c" -printf '%s %p\n')
    sleep "$interval"
done
