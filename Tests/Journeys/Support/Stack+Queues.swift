import AMQP
import BrokerSupport
import TestSupport

extension Stack {
    /// How many messages a queue holds at this moment; what `rabbitmqctl` lists is some seconds old.
    func depth(of queue: String) async throws -> Int {
        let address = try BrokerAddress(url: TestEnvironment.value("WARREN_OPERATOR_URL"))
        return try await Provisioner(address: address).depth(ofQueue: queue).ready
    }
}
