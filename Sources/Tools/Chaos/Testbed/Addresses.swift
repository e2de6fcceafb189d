import AMQP
import Glibc
import LocalStack

/// The addresses of the stack's servers, as the variables of `compose/local env` have them.
struct Addresses: Sendable {
    let stack: Stack
    let http: String
    /// The port of each broker: one, or three in a cluster.
    let brokers: [Int]
    let postgres: Int
    let redis: Int
    let limits: Int
    let cloudinary: Int
    /// The password of PostgreSQL's superuser.
    let postgresPassword: String

    /// Reads the variables and the secrets of the stack.
    ///
    /// - Throws: ``ChaosError`` if a variable is not set.
    init() throws {
        stack = Stack(state: try Self.variable("WARREN_STATE"), script: try Self.variable("WARREN_CHAOS_LOCAL"))
        http = try Self.variable("WARREN_URL")
        brokers = try Self.variable("WARREN_CHAOS_BROKERS").split(separator: ",").compactMap { Int($0) }
        postgres = try Self.port("WARREN_POST_DATABASE_URL")
        redis = try Self.port("WARREN_REDIS_URL")
        limits = try Self.port("WARREN_LIMITS_REDIS_URL")
        cloudinary = try Self.port("CLOUDINARY_URL")
        postgresPassword = try stack.secret("postgres-postgres")
    }

    /// Returns the address of the brokers for a user.
    func broker(user: String, password: String) -> BrokerAddress {
        var address = BrokerAddress(host: "127.0.0.1", user: user, password: password, virtualHost: "warren")
        address.hosts = brokers.map { .init("127.0.0.1", port: $0) }
        return address
    }

    private static func variable(_ name: String) throws -> String {
        guard let value = getenv(name).map({ String(cString: $0) }), !value.isEmpty else {
            throw ChaosError("\(name) is not set: run compose/local chaos")
        }
        return value
    }

    /// Returns the port in an address: the number after its last colon.
    private static func port(_ name: String) throws -> Int {
        let address = try variable(name)
        let digits = address.split(separator: ":").last?.prefix { $0.isNumber } ?? ""
        guard let port = Int(digits) else { throw ChaosError("\(name) has no port") }
        return port
    }
}

/// The Redis servers of the stack, with the names of their secrets.
enum RedisServer: String, CaseIterable {
    case caches = "redis"
    /// The server that counts the requests of clients.
    case limits
}
