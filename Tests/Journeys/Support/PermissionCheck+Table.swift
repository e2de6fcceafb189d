import AMQP
import BrokerSupport
import Contracts
import LocalStack

// The permissions of `queues/README.md`, row by row. Allowed publishes use routing keys that no queue is bound to, so
// that they have no effect. The exception is `post.list` of `search`, because it is the only command or query that
// `search` may publish.
extension PermissionCheck {
    static let users = ["ingress", "integrator", "operator"] + Stack.workers

    /// For each user, an exchange that it may publish to and a routing key that it may use there.
    static let allowedTargets = [
        "ingress": (Exchange.commands, "post.tested"), "integrator": (Exchange.commands, "post.tested"),
        "operator": (Exchange.requeue, "tested.search.commands"), "identity": (Exchange.events, "account.tested"),
        "post": (Exchange.events, "post.tested"), "media": (Exchange.events, "media.tested"),
        "search": (Exchange.events, "search.tested"),
    ]

    static let allowed: [PermissionCheck] =
        allowedTargets.sorted { $0.key < $1.key }.map { PermissionCheck($0.key, .publish($0.value.0, $0.value.1)) }
        + Stack.workers.map { PermissionCheck($0, .publish(Exchange.replies, "nobody")) }
        + [
            PermissionCheck("search", .publish(Exchange.commands, "post.list")),
            PermissionCheck("integrator", .perform(.queue("integrator.tested"))),
            PermissionCheck(
                "integrator", .perform(.binding(queue: "integrator.tested", exchange: Exchange.events, key: "post.#"))),
            PermissionCheck("integrator", .perform(.deleteQueue("integrator.tested"))),
        ]

    static let refused: [PermissionCheck] = ingress + integrator + Stack.workers.flatMap(worker) + operators

    private static let everyQueue =
        Queue.quorum + Queue.classic + Queue.quorum.map(Queue.dead(of:)) + RetryStep.allCases.map(\.queue)

    private static let ingress: [PermissionCheck] =
        publishing("ingress", [Exchange.events, Exchange.replies, Exchange.retry, Exchange.requeue, Exchange.dead, ""])
        + configuring("ingress", ["ingress.tested", "integrator.tested", "warren.tested", Queue.postCommands])
        + everyQueue.map { PermissionCheck("ingress", .read($0)) } + [
            PermissionCheck("ingress", .publish(Exchange.commands, "account.tested"))
        ]

    private static let integrator: [PermissionCheck] =
        publishing(
            "integrator", [Exchange.events, Exchange.replies, Exchange.retry, Exchange.requeue, Exchange.dead, ""])
        + configuring("integrator", ["other.tested", "integratorx", "warren.tested", Queue.postCommands])
        + everyQueue.map { PermissionCheck("integrator", .read($0)) }
        + [
            PermissionCheck("integrator", .publish(Exchange.commands, "account.tested")),
            PermissionCheck(
                "integrator", .perform(.binding(queue: Queue.postEvents, exchange: Exchange.events, key: "post.#"))),
            PermissionCheck(
                "integrator",
                .perform(.unbinding(queue: Queue.postEvents, exchange: Exchange.events, key: "media.uploaded"))),
            PermissionCheck("integrator", .perform(.deleteExchange(Exchange.commands))),
            PermissionCheck(
                "integrator",
                .perform(.exchangeBinding(destination: Exchange.events, source: Exchange.commands, key: "#"))),
        ]
        + [Exchange.events, Exchange.replies, Exchange.requeue, Exchange.dead].map { exchange in
            PermissionCheck(
                "integrator",
                .perform(
                    .queue("integrator.tested.\(exchange)", arguments: ["x-dead-letter-exchange": .string(exchange)])))
        }

    private static func worker(_ service: String) -> [PermissionCheck] {
        let others = Stack.workers.filter { $0 != service }
        let foreign = everyQueue.filter { !$0.hasPrefix("\(service).") || $0.hasSuffix(".dead") }
        let otherCommand = service == "search" ? "post.delete" : "post.list"
        return publishing(service, [Exchange.requeue, Exchange.dead, ""])
            + configuring(service, ["\(service).tested", "warren.tested", Queue.postCommands])
            + foreign.map { PermissionCheck(service, .read($0)) }
            + [PermissionCheck(service, .publish(Exchange.commands, otherCommand))]
            + others.map {
                PermissionCheck(
                    service, .publish(Exchange.events, $0 == "identity" ? "account.tested" : "\($0).tested"))
            }
            + Queue.quorum.filter { !$0.hasPrefix("\(service).") }.map {
                PermissionCheck(service, .publish(Exchange.retry, RetryStep.oneSecond.routingKey(backTo: $0)))
            } + [PermissionCheck(service, .publish(Exchange.retry, "1s.identity.commands"))]
    }

    private static let operators: [PermissionCheck] =
        publishing(
            "operator", [Exchange.commands, Exchange.events, Exchange.replies, Exchange.retry, Exchange.dead, ""])
        + configuring("operator", ["operator.tested", "warren.tested", Queue.dead(of: Queue.postCommands)])
        + everyQueue.filter { !$0.hasSuffix(".dead") }.map { PermissionCheck("operator", .read($0)) }
        + [PermissionCheck("operator", .publish(Exchange.requeue, "tested.identity.commands"))]

    private static func publishing(_ user: String, _ exchanges: [String]) -> [PermissionCheck] {
        exchanges.map { PermissionCheck(user, .publish($0, "post.tested")) }
    }

    private static func configuring(_ user: String, _ names: [String]) -> [PermissionCheck] {
        names.map { PermissionCheck(user, .perform(.queue($0))) }
            + names.map { PermissionCheck(user, .perform(.exchange($0, type: "topic"))) }
    }
}
