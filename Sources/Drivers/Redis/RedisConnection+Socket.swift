internal import DequeModule
internal import Glibc
internal import Reactor

extension RedisConnection {
    /// The maximum number of reads per event, so that a busy connection does not delay the other descriptors.
    private static let readsPerEvent = 8

    func socketReady(_ ready: Readiness) {
        if ready.contains(.writable) {
            isSocketFull = false
            flush()
        }
        if !ready.isDisjoint(with: [.readable, .failed]) { receive() }
    }

    /// Sends as much output as the socket accepts.
    func flush() {
        guard isOpen, !isSocketFull, written < output.count else { return }
        while written < output.count {
            let count = output.withUnsafeBytes { bytes in
                Glibc.send(
                    descriptor, bytes.baseAddress.map { $0 + written }, bytes.count - written, Int32(MSG_NOSIGNAL))
            }
            if count >= 0 {
                written += count
            } else if errno == EAGAIN {
                return waitForRoom()
            } else if errno != EINTR {
                return close(RedisError(.connectionLost, "cannot send", cause: SystemError.last("send")))
            }
        }
        // If a large value was sent, its memory is freed.
        output.removeAll(keepingCapacity: output.capacity <= 1 << 20)
        written = 0
        watchForWriting(false)
    }

    private func waitForRoom() {
        if written > output.count / 2 {
            output.removeFirst(written)
            written = 0
        }
        isSocketFull = true
        watchForWriting(true)
    }

    private func watchForWriting(_ wanted: Bool) {
        guard wanted != isWatchingWrites else { return }
        isWatchingWrites = wanted
        do {
            try watch?.change(to: wanted ? [.readable, .writable] : .readable)
        } catch {
            close(RedisError(.connectionLost, "cannot watch the socket", cause: error))
        }
    }

    private func receive() {
        for _ in 0..<Self.readsPerEvent {
            let count = input.withUnsafeMutableBytes { recv(descriptor, $0.baseAddress, $0.count, 0) }
            guard count > 0 else {
                guard count < 0 else {
                    return close(RedisError(.connectionLost, "the server closed the connection"))
                }
                if errno == EAGAIN || errno == EINTR { return }
                return close(RedisError(.connectionLost, "cannot receive", cause: SystemError.last("recv")))
            }
            lastReceived = .now
            do throws(RedisError) {
                try parser.feed(input, count: count)
                try deliver()
            } catch {
                return close(error)
            }
            guard isOpen, count == input.count else { return }
        }
    }

    private func deliver() throws(RedisError) {
        // A completion may close the connection. close() then fails the remaining commands.
        while isOpen, let reply = try parser.next() {
            guard let command = pending.popFirst() else {
                throw RedisError(.protocol, "the server sent a reply without a command")
            }
            guard let completed = command.completed else { continue }
            if case .error(let text) = reply {
                completed(.failure(RedisError(.reply, text)))
            } else {
                completed(.success(reply))
            }
        }
    }
}
