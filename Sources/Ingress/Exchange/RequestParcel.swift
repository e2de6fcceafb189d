internal import Synchronization
internal import WorkerKit

/// A request on its way to the loop, with the room that its body takes. Once it is sent both are let go of, though its
/// sender may wait for long yet.
final class RequestParcel: Sendable {
    private let request: Mutex<OutgoingRequest>
    private let room: BodyShare?

    init(_ request: OutgoingRequest, room: BodyShare?) {
        self.request = Mutex(request)
        self.room = room
    }

    /// The request, whose body is there once.
    func open() -> OutgoingRequest {
        request.withLock { request in
            defer { request.body = [] }
            return request
        }
    }

    /// The connection to the broker has it.
    func sent() {
        room?.giveBack()
    }
}
