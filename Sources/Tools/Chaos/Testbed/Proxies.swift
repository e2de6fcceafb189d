import AtomicFile
import ChaosKit
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
    ///
    /// - Throws: ``ChaosError`` if a file does not have the port of its server.
    init(_ addresses: Addresses) throws {
        brokers = try addresses.brokers.map { try FaultProxy(to: $0) }
        postgres = try FaultProxy(to: addresses.postgres)
        redis = try FaultProxy(to: addresses.redis)
        limits = try FaultProxy(to: addresses.limits)
        cloudinary = try FaultProxy(to: addresses.cloudinary)
        var files = [("cloudinary.url", [cloudinary])]
        for daemon in Stack.daemons {
            files.append(("\(daemon)-amqp.url", brokers))
            // compose/lib/redis.sh has the server that each service uses.
            files.append(("\(daemon)-redis.url", ["ingress", "identity"].contains(daemon) ? [limits] : [redis]))
        }
        for worker in Stack.workers { files.append(("\(worker)-database.url", [postgres])) }
        for (name, proxies) in files {
            let ports = Dictionary(proxies.map { ($0.target, $0.port) }, uniquingKeysWith: { $1 })
            let address: String
            do {
                address = try AddressText.replacingPorts(ports, in: try addresses.stack.secret(name))
            } catch {
                throw ChaosError("no proxy is possible in \(name): \(error)")
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
