import AMQP
import BrokerSupport
import Contracts

// The table of principals in `MESSAGES.md`, row by row. What is let is tried where it does no harm: under keys that lead
// to no queue.
extension Attempt {
    static let users = ["ingress", "integrator", "operator"] + Stack.workers

    /// Where each may publish.
    static let ownPlace = [
        "ingress": (Exchange.commands, "post.tested"), "integrator": (Exchange.commands, "post.tested"),
        "operator": (Exchange.requeue, "tested.search.commands"), "identity": (Exchange.events, "account.tested"),
        "post": (Exchange.events, "post.tested"), "media": (Exchange.events, "media.tested"),
        "search": (Exchange.events, "search.tested"),
    ]

    static let allowed: [Attempt] =
        ownPlace.sorted { $0.key < $1.key }.map { Attempt($0.key, .publish($0.value.0, $0.value.1)) }
        + Stack.workers.map { Attempt($0, .publish(Exchange.replies, "nobody")) }
        + [
            Attempt("search", .publish(Exchange.commands, "post.list")),
            Attempt("integrator", .perform(.queue("integrator.tested"))),
            Attempt(
                "integrator", .perform(.binding(queue: "integrator.tested", exchange: Exchange.events, key: "post.#"))),
            Attempt("integrator", .perform(.deleteQueue("integrator.tested"))),
        ]

    static let refused: [Attempt] = ingress + integrator + Stack.workers.flatMap(worker) + operators

    private static let everyQueue =
        Queue.quorum + Queue.classic + Queue.quorum.map(Queue.dead(of:)) + RetryStep.allCases.map(\.queue)

    private static let ingress: [Attempt] =
        publishing("ingress", [Exchange.events, Exchange.replies, Exchange.retry, Exchange.requeue, Exchange.dead, ""])
        + configuring("ingress", ["ingress.tested", "integrator.tested", "warren.tested", Queue.postCommands])
        + everyQueue.map { Attempt("ingress", .read($0)) } + [
            Attempt("ingress", .publish(Exchange.commands, "account.tested"))
        ]

    private static let integrator: [Attempt] =
        publishing(
            "integrator", [Exchange.events, Exchange.replies, Exchange.retry, Exchange.requeue, Exchange.dead, ""])
        + configuring("integrator", ["other.tested", "integratorx", "warren.tested", Queue.postCommands])
        + everyQueue.map { Attempt("integrator", .read($0)) }
        + [
            Attempt("integrator", .publish(Exchange.commands, "account.tested")),
            Attempt(
                "integrator", .perform(.binding(queue: Queue.postEvents, exchange: Exchange.events, key: "post.#"))),
            Attempt(
                "integrator",
                .perform(.unbinding(queue: Queue.postEvents, exchange: Exchange.events, key: "media.uploaded"))),
            Attempt("integrator", .perform(.deleteExchange(Exchange.commands))),
            Attempt(
                "integrator",
                .perform(.exchangeBinding(destination: Exchange.events, source: Exchange.commands, key: "#"))),
        ]
        + [Exchange.events, Exchange.replies, Exchange.requeue, Exchange.dead].map { exchange in
            Attempt(
                "integrator",
                .perform(
                    .queue("integrator.tested.\(exchange)", arguments: ["x-dead-letter-exchange": .string(exchange)])))
        }

    private static func worker(_ service: String) -> [Attempt] {
        let others = Stack.workers.filter { $0 != service }
        let foreign = everyQueue.filter { !$0.hasPrefix("\(service).") || $0.hasSuffix(".dead") }
        let asks = service == "search" ? "post.delete" : "post.list"
        return publishing(service, [Exchange.requeue, Exchange.dead, ""])
            + configuring(service, ["\(service).tested", "warren.tested", Queue.postCommands])
            + foreign.map { Attempt(service, .read($0)) }
            + [Attempt(service, .publish(Exchange.commands, asks))]
            + others.map {
                Attempt(service, .publish(Exchange.events, $0 == "identity" ? "account.tested" : "\($0).tested"))
            }
            + Queue.quorum.filter { !$0.hasPrefix("\(service).") }.map {
                Attempt(service, .publish(Exchange.retry, RetryStep.oneSecond.routingKey(backTo: $0)))
            } + [Attempt(service, .publish(Exchange.retry, "1s.identity.commands"))]
    }

    private static let operators: [Attempt] =
        publishing(
            "operator", [Exchange.commands, Exchange.events, Exchange.replies, Exchange.retry, Exchange.dead, ""])
        + configuring("operator", ["operator.tested", "warren.tested", Queue.dead(of: Queue.postCommands)])
        + everyQueue.filter { !$0.hasSuffix(".dead") }.map { Attempt("operator", .read($0)) }
        + [Attempt("operator", .publish(Exchange.requeue, "tested.identity.commands"))]

    private static func publishing(_ user: String, _ exchanges: [String]) -> [Attempt] {
        exchanges.map { Attempt(user, .publish($0, "post.tested")) }
    }

    private static func configuring(_ user: String, _ names: [String]) -> [Attempt] {
        names.map { Attempt(user, .perform(.queue($0))) }
            + names.map { Attempt(user, .perform(.exchange($0, type: "topic"))) }
    }
}
