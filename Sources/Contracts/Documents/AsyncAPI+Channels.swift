extension AsyncAPI {
    /// One channel for each type of request, one for each type of event, and one for all replies.
    static let channels: JSON = .object { channels in
        for message in Messages.descriptors { channels.add(message.name, channel(of: message)) }
        channels.add(repliesChannel, replies)
        for event in EventDescriptor.all { channels.add(event.type, channel(of: event)) }
    }

    /// The requests that Warren receives and replies to, and the events that it sends.
    static let operations: JSON = .object { operations in
        for message in Messages.descriptors { operations.add(message.name, operation(of: message)) }
        for event in EventDescriptor.all { operations.add(event.type, operation(of: event)) }
    }

    private static let repliesChannel = "replies"
    private static let problem = "problem"

    private static func channel(of message: MessageDescriptor) -> JSON {
        [
            "address": .string(message.name), "summary": .string(message.summary),
            "description": .string(
                "The broker routes the message to the queue \(message.queue). Publish it with the mandatory flag."),
            "messages": [message.name: reference("components", "messages", message.name)],
            "bindings": routing(Exchange.commands, "topic"),
        ]
    }

    private static func channel(of event: EventDescriptor) -> JSON {
        [
            "address": .string(event.type), "summary": .string(event.summary),
            "description": .string(
                "Bind your own queue to \(Exchange.events) with this key. Events are delivered at least once and in "
                    + "any order. Store the ids of the events that you have handled, to recognize redeliveries."),
            "messages": [event.type: reference("components", "messages", event.type)],
            "bindings": routing(Exchange.events, "topic"),
        ]
    }

    private static let replies: JSON = [
        "address": nil,
        "description": .string(
            "The address is the reply_to of the request: the key with which the sender has bound its exclusive queue "
                + "to \(Exchange.replies)."
        ),
        "messages": .object { messages in
            for message in Messages.descriptors {
                messages.add(message.replyName, reference("components", "messages", message.replyName))
            }
            messages.add(problem, reference("components", "messages", problem))
        },
        "bindings": routing(Exchange.replies, "direct"),
    ]

    private static func operation(of message: MessageDescriptor) -> JSON {
        .object { operation in
            operation.add("action", "receive")
            operation.add("channel", reference("channels", message.name))
            operation.add("summary", .string(message.summary))
            operation.add(
                "tags", [["name": .string(message.service.rawValue)], ["name": .string(message.kind.rawValue)]])
            operation.add("messages", [reference("channels", message.name, "messages", message.name)])
            operation.add(
                "reply",
                [
                    "address": [
                        "location": "$message.header#/reply_to",
                        "description": "The AMQP property reply_to. A request without it gets no reply.",
                    ],
                    "channel": reference("channels", repliesChannel),
                    "messages": [
                        reference("channels", repliesChannel, "messages", message.replyName),
                        reference("channels", repliesChannel, "messages", problem),
                    ],
                ])
            operation.add(
                "bindings",
                [
                    "amqp": [
                        "deliveryMode": message.kind.isPersistent ? 2 : 1, "mandatory": true, "timestamp": true,
                        "ack": true,
                        "bindingVersion": "0.3.0",
                    ]
                ])
        }
    }

    private static func operation(of event: EventDescriptor) -> JSON {
        [
            "action": "send", "channel": reference("channels", event.type), "summary": .string(event.summary),
            "tags": [["name": .string(event.service.rawValue)], ["name": "event"]],
            "messages": [reference("channels", event.type, "messages", event.type)],
            "bindings": ["amqp": ["deliveryMode": 2, "ack": true, "bindingVersion": "0.3.0"]],
        ]
    }

    private static func routing(_ exchange: String, _ type: String) -> JSON {
        [
            "amqp": [
                "is": "routingKey",
                "exchange": [
                    "name": .string(exchange), "type": .string(type), "durable": true, "autoDelete": false,
                    "vhost": .string(VirtualHost.name),
                ], "bindingVersion": "0.3.0",
            ]
        ]
    }
}
