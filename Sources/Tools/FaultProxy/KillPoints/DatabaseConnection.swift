/// A connection of the worker to PostgreSQL.
struct DatabaseConnection: TappedConnection {
    /// Makes the server send the answers that it has buffered. Without a Sync or a Flush, it executes statements but
    /// keeps their answers (PostgreSQL manual, "Extended Query").
    static let flush: [UInt8] = [UInt8(ascii: "H"), 0, 0, 0, 4]

    private var fromClient = PostgresMessages(from: .client)
    private var fromServer = PostgresMessages(from: .server)
    private var conversation = PostgresConversation()
    /// Whether a COMMIT of a command and everything after it is held.
    private var isCommitHeld = false

    mutating func receive(_ bytes: [UInt8], from peer: Peer, _ progress: inout KillPointProgress) -> TapResult {
        var result = TapResult()
        guard !progress.isReached, !(isCommitHeld && peer == .client) else { return result }
        if peer == .client { fromClient.append(bytes) } else { fromServer.append(bytes) }
        while let message = peer == .client ? fromClient.next() : fromServer.next() {
            let action = peer == .client ? sent(message.content, progress) : received(message.content, &progress)
            switch action {
            case .forward: result.forwarded += message.bytes
            case .hold:
                isCommitHeld = true
                result.forwarded += Self.flush
                return result
            case .forwardAndReach, .holdAndReach:
                if action == .forwardAndReach { result.forwarded += message.bytes }
                progress.reach()
                result.isReached = true
                return result
            }
        }
        return result
    }

    /// Takes a message of the worker.
    private mutating func sent(_ content: PostgresMessages.Content, _ progress: KillPointProgress) -> TapAction {
        if progress.point == .transactionOpen, progress.isArmed, conversation.commitsCommand(content) {
            return conversation.isAnswered ? .holdAndReach : .hold
        }
        if content == .encryptionRequest { fromServer.expectEncryptionAnswer() }
        conversation.send(content)
        return .forward
    }

    /// Takes a message of the server.
    private mutating func received(
        _ content: PostgresMessages.Content, _ progress: inout KillPointProgress
    ) -> TapAction {
        if content == .encryptionAnswer(isAccepted: true) { fromClient.becomeOpaque() }
        let confirmsCommand = conversation.receive(content)
        if confirmsCommand, progress.isArmed {
            if progress.point == .committed { return .holdAndReach }
            progress.commit()
        }
        // If a statement has failed, there is no open transaction. The worker then closes the connection when the
        // deadline of its transaction passes.
        let isOpen = isCommitHeld && conversation.isInTransaction && conversation.isAnswered
        return isOpen ? .holdAndReach : .forward
    }
}
