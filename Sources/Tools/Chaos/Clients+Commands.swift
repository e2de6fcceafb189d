import ChaosKit
import Contracts
import Curl
import Reactor
import TestData

extension Clients {
    /// A command, with everything that is needed to send it again.
    struct Command: Sendable {
        enum Part: Sendable {
            case creation, deletion
            /// The description of a picture is changed.
            case change
        }

        /// The index of the item in the ledger.
        let item: Int
        let part: Part
        let account: Int
        let request: HTTPCaller.Request
    }

    /// A command whose outcome is not known yet.
    struct OpenCommand: Sendable {
        let command: Command
        /// The address of the receipt if the command got a 202; `nil` if the command must be sent again.
        var receipt: String?
        /// When the attempt began that got the 202.
        var sentAt: ContinuousClock.Instant?
        /// The outcome of the attempts so far.
        var outcome: Item.Outcome = .unknown
    }

    /// How many open commands are settled at the same time.
    private static let batch = 24
    /// How often a client repeats a command at once. Afterwards it is repeated at the end of the episode.
    private static let repetitions = 6
    /// One of so many commands that were carried out is sent again.
    private static let repeatedShare = 20

    /// Sends a command. Of the commands that get no outcome, one third is never repeated; the others are repeated with
    /// the same key until they have an outcome.
    func send(_ command: Command, _ generator: inout SeededGenerator) async {
        let (first, response) = await attempt(command)
        if first == .done, let response, Int.random(in: 0..<Self.repeatedShare, using: &generator) == 0 {
            await sendAgain(command, response)
        }
        guard first.isOpen, Int.random(in: 0..<3, using: &generator) > 0 else { return }
        var pause: Duration = .milliseconds(200)
        var outcome = first
        for _ in 0..<Self.repetitions where !isStopping {
            try? await Loop.sleep(for: pause)
            pause *= 2
            outcome = await attempt(command, after: outcome).outcome
            guard outcome.isOpen else { return }
        }
        open.append(OpenCommand(command: command, outcome: outcome))
    }

    /// Sends a command that was carried out again, with the same key. It must get the same response.
    private func sendAgain(_ command: Command, _ first: HTTPResponse) async {
        guard let second = await http.send(command.request) else { return }
        let outcome = Item.Outcome(status: second.status)
        let isOther = outcome == .done && (second.status != first.status || second.body != first.body)
        if isOther || (outcome == .refused && second.status != 429) {
            let got = "\(second.status) \(String(decoding: second.body.prefix(300), as: UTF8.self))"
            findings.append("\(items[command.item].summary): the same command with the same key got \(got)")
        }
    }

    /// Sends a command once, and writes the outcome into the ledger.
    ///
    /// - Parameter earlier: the outcome of the earlier attempts; `nil` for the first one.
    @discardableResult func attempt(
        _ command: Command, after earlier: Item.Outcome? = nil
    ) async -> (outcome: Item.Outcome, response: HTTPResponse?) {
        let began = ContinuousClock.now
        let response = await http.send(command.request)
        let outcome = earlier?.repeated(status: response?.status) ?? Item.Outcome(status: response?.status)
        if earlier == .unknown, outcome == .refused {
            findings.append("\(items[command.item].summary): a repetition got \(response?.status ?? 0)")
        }
        record(outcome, of: command)
        switch outcome {
        case .done:
            commandCount += 1
            await noteDone(command, response, isFirst: earlier == nil)
        case .accepted:
            commandCount += 1
            open.append(OpenCommand(command: command, receipt: response?.header("Location"), sentAt: began))
        case .refused, .unavailable, .unknown: break
        }
        return (outcome, response)
    }

    /// Notes that a command was carried out.
    private func noteDone(_ command: Command, _ response: HTTPResponse?, isFirst: Bool) async {
        let item = items[command.item]
        switch command.part {
        case .creation:
            let body = response.flatMap { try? JSON.parse($0.body) }
            let id = body?["id"]?.string
            if id == nil { findings.append("\(item.summary): no id in the 201") }
            if isFirst, let time = body?["createdAt"]?.string.flatMap(Timestamp.init(text:)) {
                let offset = time.milliseconds - Timestamp.now().milliseconds
                clockOffsets[command.request.service] = .milliseconds(offset)
            }
            confirm(command.item, id: id)
            if let id, item.kind == .post, await isStored(id) == false, items[command.item].deletion == nil {
                findings.append("\(item.summary): the 201 came before the post was stored")
            }
        case .deletion:
            if item.kind == .post, let id = item.id { deletedPosts.append((id, .now)) }
        case .change: break
        }
    }

    private func confirm(_ index: Int, id: String?) {
        items[index].id = id
        confirmed[items[index].kind, default: []].append(index)
    }

    /// Writes an outcome into the ledger. The pictures of a post are deleted with it.
    private func record(_ outcome: Item.Outcome, of command: Command) {
        let item = items[command.item]
        switch command.part {
        case .creation: items[command.item].creation = outcome
        case .deletion:
            items[command.item].deletion = outcome
            for mark in item.pictures {
                if let index = itemsByMark[mark] { items[index].deletion = outcome }
            }
        case .change:
            items[command.item].change?.outcome = outcome
            guard outcome == .done, let change = item.change else { return }
            (items[command.item].description, items[command.item].change) = (change.description, nil)
        }
    }

    // MARK: The end of an episode

    /// Repeats the commands whose outcome is unknown, and reads the receipts of the accepted ones, until all of them
    /// have an outcome.
    ///
    /// - Returns: a line for each command that has no outcome at the deadline.
    func settle(until deadline: ContinuousClock.Instant) async -> [String] {
        while !open.isEmpty, .now < deadline {
            var waiting = open[...]
            open = []
            while let batch = waiting.nonEmptyPrefix(Self.batch), .now < deadline {
                waiting = waiting.dropFirst(batch.count)
                await withTaskGroup { group in
                    for entry in batch { group.addTask { await self.settle(entry) } }
                }
            }
            open += waiting
            if !open.isEmpty { try? await Loop.sleep(for: .milliseconds(500)) }
        }
        return open.map {
            let item = items[$0.command.item]
            return "\(item.summary): "
                + ($0.receipt.map { "the receipt \($0) is not done" } ?? "the command still fails")
        }
    }

    private func settle(_ entry: OpenCommand) async {
        if let receipt = entry.receipt {
            await readReceipt(receipt, entry)
        } else {
            let outcome = await attempt(entry.command, after: entry.outcome).outcome
            if outcome.isOpen { open.append(OpenCommand(command: entry.command, outcome: outcome)) }
        }
    }

    /// Regards the commands of the post service that were sent before `end` and got a 202 as commands with an unknown
    /// outcome, because the fault may have deleted them.
    func giveUpPosts(sentBefore end: ContinuousClock.Instant) {
        func isLost(_ entry: OpenCommand) -> Bool {
            entry.command.request.service == .post && entry.sentAt.map { $0 < end } == true
        }
        for entry in open where isLost(entry) { record(.unknown, of: entry.command) }
        open.removeAll(where: isLost)
    }

    private func readReceipt(_ path: String, _ entry: OpenCommand) async {
        let response = await get(entry.command.request.service, path, entry.command.account)
        guard let response, response.status == 200, let receipt = try? JSON.parse(response.body),
            receipt["status"]?.string == "done", let status = receipt["result"]?["status"]?.integer
        else { return open.append(entry) }
        let isDone = (200..<300).contains(status)
        if !isDone { findings.append("\(items[entry.command.item].summary): the receipt says \(status)") }
        record(isDone ? .done : .refused, of: entry.command)
        if isDone, entry.command.part == .creation {
            confirm(entry.command.item, id: receipt["result"]?["body"]?["id"]?.string)
        }
    }
}

extension ArraySlice {
    /// Returns the first elements, or `nil` if there are none.
    fileprivate func nonEmptyPrefix(_ count: Int) -> ArraySlice? { isEmpty ? nil : prefix(count) }
}
