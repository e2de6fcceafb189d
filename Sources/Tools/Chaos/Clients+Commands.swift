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
    }

    /// How often a client repeats a command at once. Afterwards it is repeated at the end of the episode.
    private static let repetitions = 6

    /// Sends a command. If its outcome is unknown, the client does one of two things: it never repeats the command, so
    /// that the command may have one effect or none, or it repeats the command with the same key until it has one.
    func send(_ command: Command, _ generator: inout SeededGenerator) async {
        guard await attempt(command) == .unknown, Int.random(in: 0..<3, using: &generator) > 0 else { return }
        var pause: Duration = .milliseconds(200)
        for _ in 0..<Self.repetitions where !mustFinish {
            try? await Loop.sleep(for: pause)
            pause *= 2
            if await attempt(command) != .unknown { return }
        }
        open.append(OpenCommand(command: command))
    }

    /// Sends a command once, and writes the outcome into the ledger.
    @discardableResult private func attempt(_ command: Command) async -> Item.Outcome {
        commandCount += 1
        let response = await http.send(command.request)
        let outcome = outcome(of: response)
        record(outcome, of: command)
        if outcome == .done, command.part == .creation, let body = response?.body {
            items[command.item].id = (try? JSON.parse(body))?["id"]?.string
        }
        if outcome == .done, command.part == .deletion, items[command.item].kind == .post,
            let id = items[command.item].id
        {
            deletedPosts.append((id, .now))
        }
        if outcome == .accepted {
            open.append(OpenCommand(command: command, receipt: response?.header("Location")))
        }
        return outcome
    }

    private func record(_ outcome: Item.Outcome, of command: Command) {
        switch command.part {
        case .creation: items[command.item].creation = outcome
        case .deletion: items[command.item].deletion = outcome
        }
    }

    /// Returns the outcome that a response promises.
    func outcome(of response: HTTPResponse?) -> Item.Outcome {
        switch response?.status ?? 0 {
        case 202: .accepted
        case 200..<300: .done
        case 400..<500: .refused
        default: .unknown
        }
    }

    // MARK: The end of an episode

    /// Repeats the commands whose outcome is unknown, and reads the receipts of the accepted ones, until all of them
    /// have an outcome.
    ///
    /// - Returns: a line for each command that has no outcome at the deadline, or whose receipt is wrong.
    func settle(until deadline: ContinuousClock.Instant) async -> [String] {
        while !open.isEmpty {
            let commands = open
            open = []
            for entry in commands {
                if let receipt = entry.receipt {
                    await readReceipt(receipt, entry)
                } else if await attempt(entry.command) == .unknown {
                    open.append(entry)
                }
            }
            if .now > deadline { break }
            if !open.isEmpty { try? await Loop.sleep(for: .milliseconds(500)) }
        }
        return open.map {
            let item = items[$0.command.item]
            return "\(item.kind.rawValue) \(item.mark): "
                + ($0.receipt.map { "the receipt \($0) is not done" } ?? "the command still fails")
        }
    }

    /// Regards the accepted commands as commands with an unknown outcome, because the fault may have deleted them.
    func giveUpAccepted() {
        for entry in open { record(.unknown, of: entry.command) }
        open = []
    }

    private func readReceipt(_ path: String, _ entry: OpenCommand) async {
        let response = await get(entry.command.request.service, path, entry.command.account)
        guard let response, response.status == 200, let receipt = try? JSON.parse(response.body),
            receipt["status"]?.string == "done", let status = receipt["result"]?["status"]?.integer
        else { return open.append(entry) }
        let isDone = (200..<300).contains(status)
        record(isDone ? .done : .refused, of: entry.command)
        if isDone, entry.command.part == .creation {
            items[entry.command.item].id = receipt["result"]?["body"]?["id"]?.string
        }
    }
}
