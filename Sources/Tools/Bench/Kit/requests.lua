-- Sends the requests of a list, in order, and starts again at the end of the list. wrk calls these functions.
-- The list is a file. For each request it has a line with the size in bytes, and then the request itself.

local threads = {}

function setup(thread)
    table.insert(threads, thread)
end

function init(args)
    local file = assert(io.open(args[1], "rb"))
    requests, listed, sent = {}, 0, 0
    for size in function() return file:read("*l") end do
        listed = listed + 1
        requests[listed] = file:read(tonumber(size))
    end
    file:close()
end

function request()
    local index = sent % listed + 1
    sent = sent + 1
    return requests[index]
end

function done(summary, latency)
    local sent, listed = 0, 0
    for _, thread in ipairs(threads) do
        sent, listed = sent + thread:get("sent"), listed + thread:get("listed")
    end
    local errors = summary.errors
    io.write(string.format(
        'WARREN-BENCH {"requests": %d, "duration": %d, "p50": %.1f, "p99": %.1f, "p999": %.1f, "connect": %d, '
            .. '"read": %d, "write": %d, "timeout": %d, "status": %d, "sent": %d, "listed": %d}\n',
        summary.requests, summary.duration, latency:percentile(50), latency:percentile(99), latency:percentile(99.9),
        errors.connect, errors.read, errors.write, errors.timeout, errors.status, sent, listed))
end
