/// A reason why the run cannot continue. A broken promise is not an error, but a finding of the run.
struct ChaosError: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) {
        self.description = description
    }
}
