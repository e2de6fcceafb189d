/// The language of the posts. It decides the stems of words, and which words are stop words.
///
/// The cases are the languages that PostgreSQL 15 has stems for, and `simple`: words without stems and stop words.
enum SearchLanguage: String, Sendable, CaseIterable {
    case arabic, armenian, basque, catalan, danish, dutch, english, finnish, french, german, greek, hindi, hungarian
    case indonesian, irish, italian, lithuanian, nepali, norwegian, portuguese, romanian, russian, serbian, simple
    case spanish, swedish, tamil, turkish, yiddish

    /// The name of PostgreSQL's dictionary.
    var dictionary: String { self == .simple ? rawValue : "\(rawValue)_stem" }
}
