import Foundation
import Glibc
import Synchronization

// Unchecked: all mutable state is protected by the mutex.
/// A server that accepts the logins and subscriptions of clients, and then sends the frames that a test passes to it.
///
/// It can send frames that a test cannot make a real broker send, such as alarms, frames out of order and hostile
/// tables.
final class ScriptedBroker: @unchecked Sendable {
    private struct State {
        var client: Int32?
        var methods: [UInt32] = []
        var channels: [UInt16] = []
        var loginCount = 0
        var isStopped = false
    }

    let port: Int
    private let listener: Int32
    private let heartbeat: UInt16
    private let greeting: [Frame]
    private let refusal: String
    private let state = Mutex(State())
    private let done = DispatchSemaphore(value: 0)

    /// Listens on a free port of 127.0.0.1.
    ///
    /// - Parameters:
    ///   - greeting: frames to send in one packet with the answer to confirm.select or basic.consume.
    ///   - refusal: the text with which the server closes the channel of a queue.declare, with the code 404.
    init(heartbeat: UInt16 = 0, greeting: [Frame] = [], refusal: String = "") throws {
        self.heartbeat = heartbeat
        self.greeting = greeting
        self.refusal = refusal
        listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = in_addr_t(0x7f00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let descriptor = listener
        let code = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { generic in
                bind(descriptor, generic, length) | listen(descriptor, 8) | getsockname(descriptor, generic, &length)
            }
        }
        guard code == 0 else { throw POSIXError(.EADDRINUSE) }
        port = Int(in_port_t(bigEndian: address.sin_port))
        Thread { [self] in acceptAll() }.start()
    }

    /// The methods that the server has received, in order. The class ID is in the upper 16 bits, the method ID in the
    /// lower 16 bits.
    var methods: [UInt32] { state.withLock { $0.methods } }

    /// The channels on which the server has received a method, in the order of the calls.
    func channels(of method: UInt32) -> [UInt16] {
        state.withLock { state in
            zip(state.methods, state.channels).filter { $0.0 == method }.map(\.1)
        }
    }

    /// The number of logins.
    var loginCount: Int { state.withLock { $0.loginCount } }

    /// Sends frames on the open connection.
    func send(_ frames: Frame...) {
        send(frames)
    }

    func stop() {
        state.withLock { state in
            state.isStopped = true
            if let client = state.client { shutdown(client, Int32(SHUT_RDWR)) }
        }
        shutdown(listener, Int32(SHUT_RDWR))
        done.wait()
        close(listener)
    }

    private func send(_ frames: [Frame]) {
        let bytes = frames.flatMap(\.bytes)
        state.withLock { state in
            guard let client = state.client else { return }
            var sent = 0
            while sent < bytes.count {
                let count = bytes.withUnsafeBytes { buffer in
                    Glibc.send(client, buffer.baseAddress.map { $0 + sent }, bytes.count - sent, Int32(MSG_NOSIGNAL))
                }
                guard count > 0 else { return }
                sent += count
            }
        }
    }

    private func acceptAll() {
        defer { done.signal() }
        while true {
            let client = accept(listener, nil, nil)
            guard client >= 0 else { return }
            let isStopped = state.withLock { state in
                state.client = client
                return state.isStopped
            }
            if !isStopped { serve(client) }
            state.withLock { $0.client = nil }
            close(client)
        }
    }

    private func read(_ client: Int32, _ count: Int) -> [UInt8]? {
        var bytes = [UInt8](repeating: 0, count: count)
        var total = 0
        while total < count {
            let received = bytes.withUnsafeMutableBytes {
                recv(client, $0.baseAddress.map { $0 + total }, count - total, 0)
            }
            guard received > 0 else { return nil }
            total += received
        }
        return bytes
    }

    private func serve(_ client: Int32) {
        guard read(client, 8) != nil else { return }
        send(
            .method(
                10, 10,
                [0, 9] + Frame.number(UInt32(0)) + Frame.long(Array("PLAIN".utf8)) + Frame.long(Array("en_US".utf8))))
        while let head = read(client, 7) {
            let size = head[3..<7].reduce(0) { $0 << 8 | Int($1) }
            guard let payload = read(client, size + 1) else { return }
            guard head[0] == 1 else { continue }
            let method = payload[0..<4].reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
            if !answer(method, channel: UInt16(head[1]) << 8 | UInt16(head[2])) { return }
        }
    }

    /// Answers a method.
    ///
    /// - Returns: whether to keep the connection open.
    private func answer(_ method: UInt32, channel: UInt16) -> Bool {
        state.withLock { state in
            state.methods.append(method)
            state.channels.append(channel)
        }
        switch method {
        case 0x000A_000B:  // connection.start-ok
            send(.method(10, 30, Frame.number(UInt16(2047)) + Frame.number(UInt32(131_072)) + Frame.number(heartbeat)))
        case 0x000A_0028:  // connection.open
            state.withLock { $0.loginCount += 1 }
            send(.method(10, 41, [0]))
        case 0x000A_0032:  // connection.close
            send(.method(10, 51))
        case 0x000A_0033:  // connection.close-ok
            return false
        case 0x0014_000A:  // channel.open
            send(.method(20, 11, channel: channel, [0, 0, 0, 0]))
        case 0x0014_0028:  // channel.close
            send(.method(20, 41, channel: channel))
        case 0x0032_000A:  // queue.declare
            send(
                .method(20, 40, channel: channel, Frame.number(UInt16(404)) + Frame.short(refusal) + [0, 50, 0, 10]))
        case 0x0055_000A:  // confirm.select
            send([.method(85, 11, channel: channel)] + greeting)
        case 0x003C_000A:  // basic.qos
            send(.method(60, 11, channel: channel))
        case 0x003C_0014:  // basic.consume
            send([.method(60, 21, channel: channel, Frame.short("tag"))] + greeting)
        case 0x003C_001E:  // basic.cancel
            send(.method(60, 31, channel: channel, Frame.short("tag")))
        default: break
        }
        return true
    }
}
