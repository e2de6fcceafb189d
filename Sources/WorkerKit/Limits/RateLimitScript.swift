internal import Redis

/// The script that charges rate limits in Redis.
enum RateLimitScript {
    /// Charges a request to several keys, or to none of them if one of their limits refuses the request.
    ///
    /// The value of `KEYS[i]` is the stored time of the key (see ``RateLimit``), in microseconds. The clock is the
    /// Redis server's clock, because all processes must use the same clock. `ARGV[2i-1]` is the cost of the request
    /// for this key, and `ARGV[2i]` is the tolerance of the key's limit, both in microseconds. A charge with the cost
    /// 0 is always allowed and changes nothing.
    ///
    /// Returns two numbers for each key. The first is 1 if the key's limit allows the request, otherwise 0. The second
    /// is the time by which the key's stored time is ahead of the clock, in microseconds. It includes this request if
    /// the request was charged.
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
