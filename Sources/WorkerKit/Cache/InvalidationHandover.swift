internal import AMQP
internal import Contracts
internal import Logging
package import Reactor

/// Passes the invalidations that this process cannot send to Redis to another worker of the service, which may reach
/// Redis and would otherwise serve cached data that is out of date.
///
/// The invalidations travel as a message of the type ``messageType``, through the delay queue of one second, to the
/// service's queue of events. A worker that receives them and does not reach Redis either passes them on.
@Loop package final class InvalidationHandover {
    /// The type of the messages.
    nonisolated static let messageType = "cache.invalidate"
    /// The maximum number of invalidations in a message.
    static let batchLimit = 500
    /// The shortest time between two messages.
    private static let interval: Duration = .milliseconds(250)
    /// The delay of the messages.
    private static let delay = RetryStep.oneSecond

    private let publisher: Publisher
    private let principal: String
    private let queue: String
    private let log: Logger
    /// The invalidations to pass on, and their expiry.
    private var waiting: [Invalidation: ContinuousClock.Instant] = [:]
    private var timer: LoopTimer?
    private var lastPublished: ContinuousClock.Instant?
    /// Whether the last message was not published. Only the first failure in a row is logged.
    private var isFailing = false

    /// - Parameters:
    ///   - principal: the worker's own broker user.
    ///   - queue: the queue of the service's events.
    init(publisher: Publisher, principal: String, queue: String, log: Logger) {
        self.publisher = publisher
        self.principal = principal
        self.queue = queue
        self.log = log
    }

    isolated deinit {
        timer?.cancel()
    }

    /// Adds an invalidation to the next message.
    ///
    /// - Parameter needed: how long the invalidation is needed.
    func add(_ invalidation: Invalidation, needed: Duration) {
        let end = ContinuousClock.now + needed
        waiting[invalidation] = max(waiting[invalidation] ?? end, end)
        schedule()
    }

    /// Removes an invalidation, because it was sent to Redis.
    func remove(_ invalidation: Invalidation) {
        waiting[invalidation] = nil
    }

    /// Passes the remaining invalidations on at once, because the process stops.
    func close() {
        timer?.cancel()
        while publish() {}
    }

    private func schedule() {
        guard timer == nil, !waiting.isEmpty else { return }
        let pause = lastPublished.map { max(.zero, $0 + Self.interval - .now) } ?? .zero
        timer = Loop.schedule(after: pause) { [weak self] in
            guard let self else { return }
            timer = nil
            _ = publish()
            schedule()
        }
    }

    /// Publishes a message.
    ///
    /// - Returns: whether further invalidations wait and can be published.
    private func publish() -> Bool {
        // When the message arrives, the delay has passed.
        let arrival = ContinuousClock.now + Self.delay.delay
        lastPublished = .now
        waiting = waiting.filter { $0.value > arrival }
        let batch = waiting.prefix(Self.batchLimit)
        guard !batch.isEmpty, publisher.availability == .available else { return false }
        let notice = InvalidationNotice(invalidations: batch.map { .init($0.key, needed: $0.value - arrival) })
        for (invalidation, _) in batch { waiting[invalidation] = nil }
        do throws(PublishError) {
            try publisher.publish(message(notice)) { [self] result in
                switch result {
                case .success: isFailing = false
                case .failure(let error):
                    logFailure(error)
                    for (invalidation, end) in batch where end > .now { add(invalidation, needed: end - .now) }
                }
            }
        } catch {
            logFailure(error)
            waiting.merge(batch.map { ($0.key, $0.value) }) { max($0, $1) }
            return false
        }
        return !waiting.isEmpty
    }

    private func logFailure(_ error: PublishError) {
        if !isFailing { log.warning("invalidations not passed on", metadata: ["reason": "\(error)"]) }
        isFailing = true
    }

    private func message(_ notice: InvalidationNotice) -> OutgoingMessage {
        var properties = Properties()
        properties.type = Self.messageType
        properties.contentType = ContentType.json
        properties.isPersistent = true
        properties.timestamp = UInt64(max(0, Timestamp.now().milliseconds / 1000))
        properties.appID = principal
        properties.userID = principal
        return OutgoingMessage(
            exchange: Exchange.retry, routingKey: Self.delay.routingKey(backTo: queue), isMandatory: true,
            properties: properties, body: notice.jsonBytes())
    }
}

/// The body of a message that passes invalidations on.
struct InvalidationNotice: SchemaCodable {
    struct Element: SchemaCodable {
        let cache: String
        let entity: String?
        /// In microseconds.
        let pause: Int
        /// How long the invalidation is needed, in milliseconds.
        let needed: Int

        static let schema = Schema<Element>.object(
            "Invalidation", unknownFields: .ignored,
            field("cache", \.cache, .string(1...200)),
            optionalField("entity", \.entity, .string(1...200)),
            field("pause", \.pause, .integer(0...60_000_000), default: 0),
            field("needed", \.needed, .integer(0...600_000)),
            make: Element.init)
    }

    let invalidations: [Element]

    static let schema = Schema<InvalidationNotice>.object(
        "InvalidationNotice", unknownFields: .ignored,
        field("invalidations", \.invalidations, .array(of: Element.schema)),
        make: InvalidationNotice.init)
}

extension InvalidationNotice.Element {
    init(_ invalidation: Invalidation, needed: Duration) {
        let (seconds, attoseconds) = needed.components
        self.init(
            cache: invalidation.cache, entity: invalidation.entity, pause: invalidation.pause,
            needed: Int(seconds) * 1_000 + Int(attoseconds / 1_000_000_000_000_000))
    }

    var invalidation: Invalidation { Invalidation(cache: cache, entity: entity, pause: pause) }
}

extension Handler {
    /// Makes the handler of the invalidations that another worker of the service has passed on.
    static func invalidations(_ invalidations: Invalidations) -> Handler {
        Handler(
            type: InvalidationHandover.messageType, kind: .event, needsCaller: false,
            attempt: { message, _ in
                let notice: InvalidationNotice
                do {
                    notice = try InvalidationNotice.schema.decode(JSON.parse(message.body, limits: .trusted))
                } catch {
                    return .undecodable("\(error)")
                }
                await invalidations.send(
                    notice.invalidations.map { ($0.invalidation, needed: .milliseconds($0.needed)) })
                return .committed(nil)
            },
            afterCommit: { _ in })
    }
}
