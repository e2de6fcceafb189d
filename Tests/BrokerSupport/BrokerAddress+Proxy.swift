package import AMQP

extension BrokerAddress {
    /// The port of the first host. The broker of the tests has one host.
    package var port: Int { hosts[0].port }

    /// Returns the address with another host, for example that of a proxy.
    package func at(_ name: String = "127.0.0.1", port: Int) -> BrokerAddress {
        at([Host(name, port: port)])
    }

    /// Returns the address with other hosts.
    package func at(_ hosts: [Host]) -> BrokerAddress {
        var address = self
        address.hosts = hosts
        return address
    }
}
