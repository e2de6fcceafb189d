-- Sends requests at a fixed rate, and writes down what became of them. wrk calls these functions. Each thread has one
-- connection, so a response always belongs to the last request of the thread.
--
-- Arguments: the folder for the notes, the beginning of the posts' texts, the time between two requests of a thread in
-- milliseconds, and a file with an access token per line. Each thread writes the lines that FloodNotes.swift describes.

local ffi = require("ffi")
ffi.cdef("typedef struct { long sec, nsec; } clock_time; int clock_gettime(int clock, clock_time *time);")
local time = ffi.new("clock_time")
local threads = 0

function setup(thread)
    threads = threads + 1
    thread:set("number", threads)
end

function init(args)
    folder, prefix, period = args[1], args[2], tonumber(args[3])
    tokens = {}
    for token in assert(io.lines(args[4])) do table.insert(tokens, token) end
    notes = assert(io.open(folder .. "/" .. number, "w"))
    math.randomseed(number)
    sent = 0
end

-- Milliseconds of CLOCK_MONOTONIC (clock_gettime(2)).
local function now()
    ffi.C.clock_gettime(1, time)
    return tonumber(time.sec) * 1000 + tonumber(time.nsec) / 1000000
end

-- The threads begin at different times, so that they do not send all their requests at once. If a response comes late,
-- the next request follows at once.
function delay()
    due = due and due + period or now() + math.random(0, period)
    return math.max(0, due - now())
end

-- Creates a post and reads the list of posts by turns.
function request()
    sent = sent + 1
    local headers = { ["Authorization"] = "Bearer " .. tokens[sent % #tokens + 1] }
    if sent % 2 == 0 then
        mark = nil
        return wrk.format("GET", "/v1/posts?limit=20", headers)
    end
    mark = prefix .. " " .. number .. "-" .. sent
    notes:write("sent\t", sent % #tokens, "\t", mark, "\n")
    headers["Content-Type"] = "application/json"
    headers["Idempotency-Key"] = mark:gsub(" ", "-")
    return wrk.format("POST", "/v1/posts", headers, '{"content": "' .. mark .. '"}')
end

-- The names of header fields have any case.
local function tellsWhenToRetry(headers)
    for name in pairs(headers) do
        if name:lower() == "retry-after" then return true end
    end
    return false
end

function response(status, headers, body)
    if (status == 429 or status == 503) and not tellsWhenToRetry(headers) then
        notes:write("no-retry-after\t", status, "\n")
    end
    if mark then
        notes:write("post\t", status, "\t", mark, "\t", status < 300 and body or "", "\n")
    else
        notes:write("list\t", status, "\n")
    end
end
