package import Contracts

/// The values of one figure in all rounds: the median, and the smallest and greatest value.
package struct Spread: Sendable, Hashable {
    /// The value of each round, in the order of the rounds.
    package let values: [Double]
    /// The median; the mean of the two middle values if there is an even number of values.
    package let median: Double
    package let minimum: Double
    package let maximum: Double

    /// Returns `nil` if there are no values.
    package init?(_ values: [Double]) {
        let sorted = values.sorted()
        guard let first = sorted.first, let last = sorted.last else { return nil }
        let middle = sorted.count / 2
        self.values = values
        minimum = first
        maximum = last
        median = sorted.count.isMultiple(of: 2) ? (sorted[middle - 1] + sorted[middle]) / 2 : sorted[middle]
    }

    /// Half of the difference of the greatest and the smallest value, as a share of the median; 0 if the median is 0.
    package var relativeDeviation: Double { median == 0 ? 0 : (maximum - minimum) / 2 / median }

    package var json: JSON {
        [
            "median": .double(median), "minimum": .double(minimum), "maximum": .double(maximum),
            "rounds": .array(values.map { .double($0) }),
        ]
    }
}
