internal import Redis

/// The script that charges rate limits in Redis.
enum RateLimitScript {
    /// Charges a request to several keys, or to none of them if one of the limits refuses.
    ///
    /// `KEYS[i]` holds the time up to which the key has paid, in microseconds of the server's clock, so that all
    /// processes use the same clock. `ARGV[2i-1]` is the request's cost in microseconds and `ARGV[2i]` the limit's
    /// tolerance. Returns for each key 1 if the limit allows the request, else 0, and the time by which the key is
    /// ahead of the clock. A charge of cost 0 is always allowed and changes nothing.
    static let script = RedisScript(
        """
        local time = redis.call('TIME')
        local now = time[1] * 1000000 + time[2]
        local aheads, answer, allowed = {}, {}, true
        for i, key in ipairs(KEYS) do
          local cost, tolerance = tonumber(ARGV[2 * i - 1]), tonumber(ARGV[2 * i])
          local ahead = (tonumber(redis.call('GET', key)) or 0) - now
          if ahead < 0 then ahead = 0 end
          aheads[i] = ahead
          if cost > 0 and ahead + cost > tolerance then
            allowed = false
            answer[2 * i - 1] = 0
          else
            answer[2 * i - 1] = 1
          end
          answer[2 * i] = ahead
        end
        if allowed then
          for i, key in ipairs(KEYS) do
            local cost = tonumber(ARGV[2 * i - 1])
            if cost > 0 then
              local ahead = aheads[i] + cost
              redis.call('SET', key, string.format('%.0f', now + ahead), 'PX', math.ceil(ahead / 1000) + 1)
              answer[2 * i] = ahead
            end
          end
        end
        return answer
        """)
}
