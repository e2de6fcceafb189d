/// Makes nearly valid inputs by mutating given inputs, as fuzzers do. The number `seed` determines the sequence.
struct InputMutator {
    private var state: UInt64
    private let inputs: [[UInt8]]
    private let dictionary: [[UInt8]]

    /// - Parameters:
    ///   - seed: the seed of the random numbers.
    ///   - inputs: the inputs to mutate. Most of them are valid.
    ///   - dictionary: byte sequences that have a meaning in the format.
    init(seed: UInt64, inputs: [[UInt8]], dictionary: [[UInt8]]) {
        state = seed
        self.inputs = inputs
        let common: [[UInt8]] = [[0], [0xFF], [0x80], [0xC0, 0x80], [0xED, 0xA0, 0x80], [0x7F, 0xFF, 0xFF, 0xFF]]
        self.dictionary = dictionary + common
    }

    /// Returns the next input: usually a given input after one to eight mutations, sometimes random bytes.
    mutating func next() -> [UInt8] {
        guard number(below: 40) > 0 else { return (0..<number(below: 200)).map { _ in UInt8(number(below: 256)) } }
        var input = inputs[number(below: inputs.count)]
        for _ in 0...number(below: 8) { mutate(&input) }
        return input
    }

    /// Returns a random number from 0 to `bound` - 1 (SplitMix64).
    mutating func number(below bound: Int) -> Int {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return Int((mixed ^ (mixed >> 31)) % UInt64(max(bound, 1)))
    }

    private mutating func mutate(_ input: inout [UInt8]) {
        let place = number(below: input.count + 1)
        switch number(below: 9) {
        case 0 where place < input.count: input[place] ^= 1 << UInt8(number(below: 8))
        case 1 where place < input.count: input[place] = UInt8(number(below: 256))
        case 2: input.insert(UInt8(number(below: 256)), at: place)
        case 3: input.removeSubrange(place..<min(input.count, place + number(below: 16)))
        case 4: input.removeSubrange(place...)
        case 5: input.insert(contentsOf: dictionary[number(below: dictionary.count)], at: place)
        case 6:
            let piece = Array(input[place..<min(input.count, place + number(below: 64))])
            for _ in 0...number(below: 4) { input.insert(contentsOf: piece, at: place) }
        case 7:
            let other = inputs[number(below: inputs.count)]
            let cut = number(below: other.count + 1)
            input = Array(input[..<place]) + other[cut...]
        default:
            let entry = dictionary[number(below: dictionary.count)]
            input.replaceSubrange(place..<min(input.count, place + entry.count), with: entry)
        }
        if input.count > 16_384 { input.removeSubrange(16_384...) }
    }
}
