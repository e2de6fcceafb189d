import AMQP
import BrokerSupport
import Foundation
import LocalStack
import TestSupport

extension Stack {
    /// The stack under test.
    init() throws {
        self.init(state: try TestEnvironment.value("WARREN_STATE"), script: RepositoryFile("compose/local").path)
    }

    /// Returns the number of ready messages in a queue.
    ///
    /// The number comes from the queue over AMQP, because the counts of `rabbitmqctl` can be some seconds old.
    func depth(of queue: String) async throws -> Int {
        let address = try BrokerAddress(url: TestEnvironment.value("WARREN_OPERATOR_URL"))
        return try await Provisioner(address: address).depth(ofQueue: queue).ready
    }

    /// Returns the path of the operator's command `warren`, which is built beside the daemons.
    func warrenCommand() throws -> String {
        URL(filePath: try executable(of: "identity-1")).deletingLastPathComponent().appending(path: "warren")
            .path(percentEncoded: false)
    }
}
