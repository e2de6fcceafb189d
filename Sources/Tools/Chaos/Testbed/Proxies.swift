import AtomicFile
import FaultProxy
import LocalStack

/// The TCP proxies between the daemons and their servers. A fault can cut or stall the connections.
struct Proxies: Sendable {
    /// One for each broker.
    let brokers: [FaultProxy]
    let postgres: FaultProxy
    let redis: FaultProxy
    let limits: FaultProxy
    let cloudinary: FaultProxy

    /// Starts the proxies, and replaces the servers' ports in the address files of the daemons, which read these files
    /// for each connection.
    init(_ addresses: Addresses) throws {
        brokers = try addresses.brokers.map { try FaultProxy(to: $0) }
        postgres = try FaultProxy(to: addresses.postgres)
        redis = try FaultProxy(to: addresses.redis)
        limits = try FaultProxy(to: addresses.limits)
        cloudinary = try FaultProxy(to: addresses.cloudinary)
        var ports = [
            addresses.postgres: postgres.port, addresses.redis: redis.port, addresses.limits: limits.port,
            addresses.cloudinary: cloudinary.port,
        ]
        for (port, proxy) in zip(addresses.brokers, brokers) { ports[port] = proxy.port }
        var names = ["cloudinary.url"]
        for daemon in Stack.daemons { names += ["\(daemon)-amqp.url", "\(daemon)-redis.url"] }
        for worker in Stack.workers { names.append("\(worker)-database.url") }
        for name in names {
            var address = try addresses.stack.secret(name)
            for (port, replacement) in ports {
                // The file may have the proxies of an earlier run, whose ports no server has.
                address = address.replacing(":\(port)", with: ":\(replacement)")
            }
            try AtomicFile("\(addresses.stack.state)/secrets/\(name)", mode: 0o600)
                .write(Array(address.utf8), replacing: true)
        }
    }

    var all: [FaultProxy] { brokers + [postgres, redis, limits, cloudinary] }

    func stop() {
        for proxy in all { proxy.stop() }
    }
}
