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
        let first = await attempt(command)
        if first == .done, Int.random(in: 0..<Self.repeatedShare, using: &generator) == 0 { await sendAgain(command) }
        guard first == .unknown || first == .unavailable, Int.random(in: 0..<3, using: &generator) > 0 else { return }
        var pause: Duration = .milliseconds(200)
        for _ in 0..<Self.repetitions where !isStopping {
            try? await Loop.sleep(for: pause)
            pause *= 2
            if await attempt(command, isRepetition: true) != .unknown { return }
        }
        open.append(OpenCommand(command: command))
    }

    /// Sends a command that was carried out again, with the same key. It must get the same response.
    private func sendAgain(_ command: Command) async {
        let response = await http.send(command.request)
        let outcome = outcome(of: response)
        let id = response.flatMap { try? JSON.parse($0.body) }?["id"]?.string
        let isOther = outcome == .done && command.part == .creation && id != items[command.item].id
        if isOther || (outcome == .refused && response?.status != 429) {
            let got = "\(response?.status ?? 0) \(id ?? "")"
            findings.append("\(items[command.item].summary): the same command with the same key got \(got)")
        }
    }

    /// Sends a command once, and writes the outcome into the ledger.
    ///
    /// - Parameter isRepetition: whether an earlier attempt had no outcome. The command may have been carried out then.
    @discardableResult func attempt(
        _ command: Command, isRepetition: Bool = false
    ) async -> Item.Outcome {
        let began = ContinuousClock.now
        let response = await http.send(command.request)
        var outcome = outcome(of: response)
        if isRepetition, outcome == .unavailable || response?.status == 429 { outcome = .unknown }
        if isRepetition, outcome == .refused {
            findings.append("\(items[command.item].summary): a repetition got \(response?.status ?? 0)")
        }
        record(outcome, of: command)
        if outcome == .done || outcome == .accepted { commandCount += 1 }
        if outcome == .done, command.part == .creation {
            let id = response.flatMap { try? JSON.parse($0.body) }?["id"]?.string
            if id == nil { findings.append("\(items[command.item].summary): no id in the 201") }
            confirm(command.item, id: id)
            if let id, items[command.item].kind == .post, await isStored(id) == false,
                items[command.item].deletion == nil
            {
                findings.append("\(items[command.item].summary): the 201 came before the post was stored")
            }
        }
        if outcome == .done, command.part == .deletion, items[command.item].kind == .post,
            let id = items[command.item].id
        {
            deletedPosts.append((id, .now))
        }
        if outcome == .accepted {
            open.append(OpenCommand(command: command, receipt: response?.header("Location"), sentAt: began))
        }
        return outcome
    }

    private func confirm(_ index: Int, id: String?) {
        items[index].id = id
        confirmed[items[index].kind, default: []].append(index)
    }

    private func record(_ outcome: Item.Outcome, of command: Command) {
        switch command.part {
        case .creation: items[command.item].creation = outcome
        case .deletion: items[command.item].deletion = outcome
        }
    }

    /// Returns the outcome that a response promises.
    func outcome(of response: HTTPResponse?) -> Item.Outcome { outcome(ofStatus: response?.status) }

    /// Returns the outcome that a status promises; `nil` stands for no response.
    func outcome(ofStatus status: Int?) -> Item.Outcome {
        switch status ?? 0 {
        case 202: .accepted
        case 200..<300: .done
        case 400..<500: .refused
        case 503: .unavailable
        default: .unknown
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
        } else if await attempt(entry.command, isRepetition: true) == .unknown {
            open.append(entry)
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
