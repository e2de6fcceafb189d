import Contracts
import Reactor
import Testing

@testable import SearchService
@testable import WorkerKit

/// Searches for words with accents, emoji, scripts without spaces, stop words and symbols.
@Suite("Text of posts and searches") struct SearchTextTests {
    /// Posts, a search, and the posts that it finds, the best first.
    struct Row: Sendable {
        let posts: [String]
        let query: String
        let found: [String]
        /// Whether the order of the hits counts.
        var isOrdered = true
    }

    @Loop private func check(_ rows: [Row]) async throws {
        try await SearchFixture.forEach(rows) { fixture, row in
            let now = Timestamp.now()
            for (index, content) in row.posts.enumerated() {
                try await fixture.post(content, at: now.advanced(by: .seconds(-index)))
            }
            let found = try await fixture.found(row.query)
            if row.isOrdered {
                #expect(found == row.found, "\(row.query) in \(row.posts)")
            } else {
                #expect(Set(found) == Set(row.found), "\(row.query) in \(row.posts)")
            }
        }
    }

    static let emoji: [Row] = {
        let posts = ["love ❤️", "sign ⚠️", "sun ☀️"]
        return [
            Row(posts: posts, query: "❤️", found: ["love ❤️"]),
            Row(posts: posts, query: "❤", found: ["love ❤️"]),
            Row(posts: posts, query: "❤\u{FE0E}", found: ["love ❤️"]),
            Row(posts: posts, query: "sun -❤️", found: ["sun ☀️"]),
            Row(posts: posts, query: "sun -☀", found: []),
            Row(posts: ["1️⃣ item"], query: "1", found: ["1️⃣ item"]),
            Row(posts: ["1 item"], query: "1️⃣", found: ["1 item"]),
            Row(posts: ["1 item", "1️⃣ item"], query: "1️⃣", found: ["1️⃣ item", "1 item"]),
            Row(posts: ["1 item", "1️⃣ item"], query: "item -1️⃣", found: ["1 item"]),
            Row(posts: ["step1️⃣2️⃣3️⃣"], query: "2", found: ["step1️⃣2️⃣3️⃣"]),
            Row(posts: ["press #️⃣", "press *️⃣", "press #"], query: "#️⃣", found: ["press #️⃣"]),
            Row(posts: ["press#️⃣", "press *️⃣", "press #"], query: "press -*️⃣ -#\u{20E3}", found: ["press #"]),
            Row(posts: ["C", "C++👍"], query: "C++", found: ["C++👍", "C"]),
            Row(posts: ["well done 👍🏽"], query: "👍", found: ["well done 👍🏽"]),
            Row(posts: ["well done 👍"], query: "👍🏿", found: ["well done 👍"]),
            Row(posts: ["she codes 👩🏽‍💻"], query: "👩‍💻", found: ["she codes 👩🏽‍💻"]),
            Row(posts: ["she codes 👩🏽‍💻"], query: "👩", found: ["she codes 👩🏽‍💻"]),
            Row(posts: ["she codes 👩🏽‍💻"], query: "💻", found: ["she codes 👩🏽‍💻"]),
            Row(posts: ["a woman 👩", "she codes 👩‍💻"], query: "👩‍💻", found: ["she codes 👩‍💻", "a woman 👩"]),
            Row(posts: ["who knows 🤷‍♀️"], query: "🤷", found: ["who knows 🤷‍♀️"]),
            Row(posts: ["to Paris 🇫🇷", "to Rome 🇮🇹"], query: "🇫🇷", found: ["to Paris 🇫🇷"]),
            Row(posts: ["🇫🇷🇮🇹"], query: "🇮🇹", found: ["🇫🇷🇮🇹"]),
            Row(posts: ["good morning☕friends"], query: "friends", found: ["good morning☕friends"]),
            Row(posts: ["good morning☕friends"], query: "☕", found: ["good morning☕friends"]),
            Row(posts: ["price 5 €", "price 5 £"], query: "€", found: ["price 5 €"]),
            Row(posts: ["😂😂"], query: "😂", found: ["😂😂"]),
            Row(posts: ["a 😂"], query: "😂😂😂", found: ["a 😂"]),
            Row(posts: ["Apple® Watch"], query: "\"apple watch\"", found: ["Apple® Watch"]),
            Row(posts: ["good 😀 morning"], query: "\"good morning\"", found: ["good 😀 morning"]),
            Row(posts: ["rugby 🏴󠁧󠁢󠁥󠁮󠁧󠁿", "rugby 🏴󠁧󠁢󠁳󠁣󠁴󠁿"], query: "rugby -🏴󠁧󠁢󠁥󠁮󠁧󠁿", found: ["rugby 🏴󠁧󠁢󠁳󠁣󠁴󠁿"]),
            Row(posts: ["family 👨‍👩‍👧‍👦"], query: "👧", found: ["family 👨‍👩‍👧‍👦"]),
            Row(posts: ["a ❤️ letter", "a letter"], query: "\"❤ letter\"", found: ["a ❤️ letter"]),
        ]
    }()

    @Test("an emoji finds itself, with or without variation selectors, skin tones and joined emoji")
    @Loop func findsEmoji() async throws { try await check(Self.emoji) }

    static let accents: [Row] = [
        Row(posts: ["caf\u{E9}"], query: "cafe\u{301}", found: ["caf\u{E9}"]),
        Row(posts: ["cafe\u{301}"], query: "caf\u{E9}", found: ["cafe\u{301}"]),
        Row(posts: ["cafe\u{301} noir"], query: "\"caf\u{E9} noir\"", found: ["cafe\u{301} noir"]),
        Row(posts: ["\u{AC10}"], query: "\u{1100}\u{1161}\u{11B7}", found: ["\u{AC10}"]),
        Row(posts: ["\u{1100}\u{1161}\u{11B7}"], query: "\"\u{AC10}\"", found: ["\u{1100}\u{1161}\u{11B7}"]),
        Row(posts: ["Chamb\u{E9}ry"], query: "Chambe\u{301}ry", found: ["Chamb\u{E9}ry"]),
        Row(posts: ["cafe", "café"], query: "café", found: ["café", "cafe"]),
        Row(posts: ["café", "cafe"], query: "café", found: ["café", "cafe"]),
        Row(posts: ["café", "cafe"], query: "cafe", found: ["café", "cafe"], isOrdered: false),
        Row(posts: ["crème brûlée"], query: "creme brulee", found: ["crème brûlée"]),
        Row(posts: ["crème brûlée"], query: "\"creme brulee\"", found: ["crème brûlée"]),
        Row(posts: ["Łódź"], query: "lodz", found: ["Łódź"]),
        Row(posts: ["Ångström"], query: "angstrom", found: ["Ångström"]),
        Row(posts: ["İstanbul"], query: "istanbul", found: ["İstanbul"]),
        Row(posts: ["straße"], query: "strasse", found: ["straße"]),
        Row(posts: ["strasse"], query: "straße", found: ["strasse"]),
        Row(posts: ["λόγος"], query: "ΛΟΓΟΣ", found: ["λόγος"]),
        Row(posts: ["ёлка"], query: "елка", found: ["ёлка"]),
        Row(posts: ["oﬃce"], query: "office", found: ["oﬃce"]),
        Row(posts: ["ＡＢＣ"], query: "abc", found: ["ＡＢＣ"]),
        Row(posts: ["مُحَمَّد"], query: "محمد", found: ["مُحَمَّد"]),
        Row(posts: ["محـــمد"], query: "محمد", found: ["محـــمد"]),
        Row(posts: ["שָׁלוֹם"], query: "שלום", found: ["שָׁלוֹם"]),
        Row(posts: ["Việt Nam"], query: "viet", found: ["Việt Nam"]),
        Row(posts: ["smørrebrød"], query: "smorrebrod", found: ["smørrebrød"]),
        Row(posts: ["ﾃﾞﾊﾟｰﾄ"], query: "デパート", found: ["ﾃﾞﾊﾟｰﾄ"]),
        Row(posts: ["thé vert", "the verb"], query: "thé", found: ["thé vert"]),
        Row(posts: ["हिन्दी"], query: "हिन्दी", found: ["हिन्दी"]),
        Row(posts: ["naïveté"], query: "naivete", found: ["naïveté"]),
        Row(posts: ["naivete"], query: "naïveté", found: ["naivete"]),
        Row(posts: ["обʼєднання"], query: "об'єднання", found: ["обʼєднання"]),
        Row(posts: ["Hawaiʻi"], query: "Hawai'i", found: ["Hawaiʻi"]),
        Row(posts: ["мой дом"], query: "\"мои\"", found: []),
        Row(posts: ["علی"], query: "علي", found: ["علی"]),
        Row(posts: ["٢٠٢٤"], query: "2024", found: ["٢٠٢٤"]),
        Row(posts: ["Diyarbakır"], query: "diyarbakir", found: ["Diyarbakır"]),
        Row(posts: ["the end", "thế giới"], query: "teh", found: []),
        Row(posts: ["ano", "año"], query: "ano -año", found: ["ano"]),
        Row(posts: ["ano", "año"], query: "ano -ano", found: []),
        Row(posts: ["ano", "años"], query: "ano -año", found: ["ano"]),
        Row(posts: ["creme brulee", "crème brûlée"], query: "creme -\"crème brûlée\"", found: ["creme brulee"]),
        Row(posts: ["creme-brulee", "crème-brûlée"], query: "creme -crème-brûlée", found: ["creme-brulee"]),
        Row(posts: ["क़लम"], query: "कलम", found: ["क़लम"]),
        Row(posts: ["\u{915}\u{93C}लम"], query: "\u{958}लम", found: ["\u{915}\u{93C}लम"]),
        Row(posts: ["ٱلكتاب"], query: "الكتاب", found: ["ٱلكتاب"]),
        Row(posts: ["می\u{200C}خواهم"], query: "میخواهم", found: ["می\u{200C}خواهم"]),
        Row(posts: ["Iʼll come"], query: "I'll", found: ["Iʼll come"]),
        Row(posts: ["the Qurʾān"], query: "quran", found: ["the Qurʾān"]),
        Row(posts: ["GROẞ"], query: "gross", found: ["GROẞ"]),
    ]

    @Test("a word finds itself in each spelling, and what was typed with its accents ranks first")
    @Loop func findsAccents() async throws { try await check(Self.accents) }

    /// Pairs of texts, each of which finds the other.
    private static let equalTexts: [(form: String, plain: String)] = [
        ("plan Ⓧ", "plan x"), ("Ⓗⓔⓛⓛⓞ", "hello"), ("𝓗𝓮𝓵𝓵𝓸", "hello"), ("5㎏", "5kg"), ("25℃", "25°C"), ("①", "1"),
        ("❶", "1"), ("㉑", "21"), ("㍿", "株式会社"), ("㌔", "キロ"), ("ｶﾞｽ", "ガス"), ("Ｃ＋＋", "C++"),
        ("＃ｓｗｉｆｔ", "#swift"), ("ｅ－ｍａｉｌ", "e-mail"), ("１，０００", "1,000"), ("½ cup", "1/2 cup"),
        ("m²", "m2"), ("H₂O", "h2o"), ("Henry Ⅷ", "Henry VIII"), ("ĳsberg", "ijsberg"), ("ǉubav", "ljubav"),
        ("ﻣﺤﻤﺪ", "محمد"), ("ﻻ", "لا"), ("coŀlecció", "col·lecció"), ("รำไทย", "ร\u{E4D}\u{E32}ไทย"),
        ("५ कप", "5 कप"), ("๓ ถ้วย", "3 ถ้วย"), ("e−mail", "e-mail"), ("e–mail", "e‑mail"), ("ŉ boek", "'n boek"),
        ("№ 5", "no 5"),
    ]

    static let forms: [Row] =
        equalTexts.map { Row(posts: [$0.form], query: $0.plain, found: [$0.form]) }
        + equalTexts.map { Row(posts: [$0.plain], query: $0.form, found: [$0.plain]) }
        + [
            Row(posts: ["㍿タニタ"], query: "会社", found: ["㍿タニタ"]),
            Row(posts: ["5㎏ of flour"], query: "kg", found: ["5㎏ of flour"]),
            Row(posts: ["C", "Ｃ＋＋"], query: "C -C++", found: ["C"]),
            Row(posts: ["1½ cups"], query: "1", found: ["1½ cups"]),
            Row(posts: ["10² cells"], query: "10", found: ["10² cells"]),
            Row(posts: ["10² cells"], query: "\"102\"", found: []),
            Row(posts: ["a word¹"], query: "word", found: ["a word¹"]),
            Row(posts: ["كوفيد١٩"], query: "19", found: ["كوفيد١٩"]),
            Row(posts: ["Apple™ Watch"], query: "\"apple watch\"", found: ["Apple™ Watch"]),
            Row(posts: ["ㅠㅠ"], query: "ㅠㅠ", found: ["ㅠㅠ"]),
            Row(posts: ["open 🈁"], query: "🈁", found: ["open 🈁"]),
        ]

    @Test("a character that is a form of plain characters is found by them, and finds them")
    @Loop func findsForms() async throws { try await check(Self.forms) }

    static let unspaced: [Row] = [
        Row(posts: ["这是一个测试文档"], query: "测试", found: ["这是一个测试文档"]),
        Row(posts: ["这是一个测试文档"], query: "这是", found: ["这是一个测试文档"]),
        Row(posts: ["这是一个测试文档"], query: "\"测试文档\"", found: ["这是一个测试文档"]),
        Row(posts: ["这是一个测试文档"], query: "档", found: ["这是一个测试文档"]),
        Row(posts: ["这是一个测试文档"], query: "测", found: ["这是一个测试文档"]),
        Row(posts: ["测量和考试"], query: "测试", found: []),
        Row(posts: ["私は東京に住んでいます"], query: "東京", found: ["私は東京に住んでいます"]),
        Row(posts: ["東京都", "京都"], query: "京都", found: ["京都", "東京都"]),
        Row(posts: ["私は東京に住んでいます"], query: "東京 -住んで", found: []),
        Row(posts: ["ฉันรักภาษาไทย"], query: "ภาษา", found: ["ฉันรักภาษาไทย"]),
        Row(posts: ["서울에서 만나요"], query: "서울", found: ["서울에서 만나요"]),
        Row(posts: ["iPhone手机壳"], query: "手机", found: ["iPhone手机壳"]),
        Row(posts: ["iPhone手机壳"], query: "iphone", found: ["iPhone手机壳"]),
        Row(posts: ["東京 tower"], query: "\"東京 tower\"", found: ["東京 tower"]),
        Row(posts: ["ကျွန်တော် မြန်မာ"], query: "မြန်မာ", found: ["ကျွန်တော် မြန်မာ"]),
        Row(posts: ["ភាសា\u{200B}ខ្មែរ"], query: "ភាសាខ្មែរ", found: ["ភាសា\u{200B}ខ្មែរ"]),
        Row(posts: ["ジョン・レノン"], query: "ジョンレノン", found: ["ジョン・レノン"]),
        Row(posts: ["東京 #東京"], query: "#東京", found: ["東京 #東京"]),
        Row(posts: ["東京", "#東京"], query: "東京 -#東京", found: ["東京"]),
        Row(posts: ["#東京", "love #東京"], query: "\"love #東京\"", found: ["love #東京"]),
        Row(posts: ["#上海", "#北京#上海"], query: "#北京#上海", found: ["#北京#上海"]),
        Row(posts: ["#서울", "오늘 #서울"], query: "\"오늘 #서울\"", found: ["오늘 #서울"]),
        Row(posts: ["x #東京タワー y", "#東京タワー y"], query: "\"x #東京タワー y\"", found: ["x #東京タワー y"]),
        Row(posts: ["#東京 y", "x @東京", "x y"], query: "x -@東京", found: ["x y"]),
        Row(posts: ["#東京 tower", "tower"], query: "tower -\"#東京 tower\"", found: ["tower"]),
        Row(posts: ["x #東京タワー y", "y"], query: "y -\"x #東京タワー y\"", found: ["y"]),
        Row(posts: ["#\(longRun)", longRun], query: "\(longRun) -#\(longRun)", found: [longRun]),
        Row(
            posts: ["#\(longRun)", longRun], query: "\(longRun.prefix(20)) -#\(longRun.prefix(20))黄河",
            found: [longRun]),
        Row(posts: ["#\(longRun)"], query: "春眠 -#\(longRun.prefix(19))", found: ["#\(longRun)"]),
        Row(posts: ["猫", "#猫"], query: "#猫", found: ["#猫", "猫"]),
        Row(posts: ["東京 #東京2020"], query: "東京 -#東京", found: ["東京 #東京2020"]),
        Row(posts: ["東京 #東京2020", "東京 #東京"], query: "東京 -#東京2020", found: ["東京 #東京"]),
        Row(posts: ["東京 #東京_2020"], query: "東京 -#東京", found: ["東京 #東京_2020"]),
        Row(posts: ["東京2020", "#東京2020"], query: "#東京2020", found: ["#東京2020", "東京2020"]),
        Row(posts: ["#東京2020 now", "now"], query: "\"#東京2020 now\"", found: ["#東京2020 now"]),
        Row(posts: ["#東京2020 now", "now"], query: "now -\"#東京2020 now\"", found: ["now"]),
        Row(posts: ["iphone #iPhone手机壳"], query: "iphone -#iphone", found: ["iphone #iPhone手机壳"]),
        Row(posts: ["iPhone手机壳", "#iPhone手机壳"], query: "#iphone手机壳", found: ["#iPhone手机壳", "iPhone手机壳"]),
        Row(posts: ["서울 서울역"], query: "「서울역」", found: ["서울 서울역"]),
    ]

    @Test("a part of a text without spaces between words finds the text")
    @Loop func findsUnspaced() async throws { try await check(Self.unspaced) }

    private static let longRun = "春眠不覚暁処処聞啼鳥夜来風雨声花落知多少白日依山尽"

    static let stopWords: [Row] = [
        Row(posts: ["don't panic", "panic now"], query: "don't panic", found: ["don't panic"]),
        Row(posts: ["don’t panic"], query: "don't", found: ["don’t panic"]),
        Row(posts: ["dont panic"], query: "don't", found: ["dont panic"]),
        Row(posts: ["don\u{201B}t panic"], query: "dont", found: ["don\u{201B}t panic"]),
        Row(posts: ["dont panic"], query: "don\u{55A}t", found: ["dont panic"]),
        Row(posts: ["don\u{2C8}t panic"], query: "\"dont\"", found: ["don\u{2C8}t panic"]),
        Row(posts: ["it's", "other"], query: "it's", found: ["it's"]),
        Row(posts: ["The Who", "a band"], query: "The Who", found: ["The Who"]),
        Row(posts: ["to be or not to be"], query: "to be or not to be", found: ["to be or not to be"]),
        Row(posts: ["to be or not to be", "be to"], query: "\"to be\"", found: ["to be or not to be"]),
        Row(posts: ["AT&T", "att"], query: "AT&T", found: ["AT&T", "att"], isOrdered: false),
        Row(posts: ["rebuilding", "during rebuild"], query: "\"during rebuild\"", found: ["during rebuild"]),
        Row(posts: ["quokka, don't", "quokka"], query: "quokka -don't", found: ["quokka"]),
        Row(
            posts: ["I don't really know", "I don't know", "I dont know"], query: "\"don't know\"",
            found: ["I don't know", "I dont know"], isOrdered: false),
        Row(
            posts: ["fox, don't really know", "fox, don't know"], query: "fox -\"don't know\"",
            found: ["fox, don't really know"]),
        Row(posts: ["quick fox", "the quick dog"], query: "the quick fox", found: ["quick fox"]),
        Row(posts: ["the fox", "a fox"], query: "fox -the", found: ["a fox"]),
        Row(posts: ["I'll come", "ill"], query: "\"ill\"", found: ["ill"]),
        Row(posts: ["I'll come"], query: "I’ll", found: ["I'll come"]),
        Row(posts: ["the dog's bone"], query: "dogs", found: ["the dog's bone"]),
        Row(posts: ["fox red"], query: "fox −red", found: []),
        Row(posts: ["red fox", "fox red"], query: "«red fox»", found: ["red fox"]),
        Row(posts: ["we are the champions"], query: "\"we are the champions\"", found: ["we are the champions"]),
    ]

    @Test("stop words count in phrases, in exclusions and if a search has no other words")
    @Loop func findsStopWords() async throws { try await check(Self.stopWords) }

    static let symbols: [Row] = [
        Row(posts: ["C", "C#", "C++"], query: "C++", found: ["C++", "C", "C#"]),
        Row(posts: ["C", "C++", "C#"], query: "c#", found: ["C#", "C", "C++"]),
        Row(posts: ["C", "C#", "C++"], query: "C -C++", found: ["C", "C#"]),
        Row(posts: ["a+b"], query: "b", found: ["a+b"]),
        Row(posts: ["C++17", "C"], query: "C -C++", found: ["C"]),
        Row(posts: ["objective-c", "objective-c++"], query: "objective-c -objective-c++", found: ["objective-c"]),
        Row(posts: ["use C++", "objective-c++"], query: "objective-c++", found: ["objective-c++"]),
        Row(posts: ["use C#", "ms-c#"], query: "ms-c#", found: ["ms-c#"]),
        Row(posts: ["objective-c", "objective-c++"], query: "objective-c++", found: ["objective-c++", "objective-c"]),
        Row(posts: ["use C++", "use objective-c++"], query: "use -objective-c++", found: ["use C++"]),
        Row(posts: ["x ms-c++ y", "y"], query: "y -\"x ms-c++ y\"", found: ["y"]),
        Row(posts: ["x ms-c++ y", "x C++ y", "x ms-c++ z y"], query: "\"x ms-c++ y\"", found: ["x ms-c++ y"]),
        Row(
            posts: ["rocks C++", "rocks #C", "rocks #C++"], query: "rocks -#C++", found: ["rocks C++", "rocks #C"],
            isOrdered: false),
        Row(
            posts: ["use #objective-c", "use objective-c++", "use #objective-c++"], query: "use -#objective-c++",
            found: ["use #objective-c", "use objective-c++"], isOrdered: false),
        Row(posts: ["x #x_b_c_d_e"], query: "x -#x", found: ["x #x_b_c_d_e"]),
        Row(posts: ["x #x_b_c_d_e"], query: "x -#x_b_c_d_e", found: []),
        Row(
            posts: ["#one #two #three email"], query: "\"#one #two #three e-mail\"", found: ["#one #two #three email"]),
        Row(posts: ["use #swift-lang now", "use it"], query: "use -\"#swift-lang now\"", found: ["use it"]),
        Row(posts: ["C++", "use D"], query: "C++ -C", found: []),
        Row(posts: ["#ThisIsMyNewDog"], query: "dog", found: ["#ThisIsMyNewDog"]),
        Row(posts: ["#swift_lang"], query: "lang -#swift", found: ["#swift_lang"]),
        Row(posts: ["#sunset#beach"], query: "#beach", found: ["#sunset#beach"]),
        Row(posts: ["＃swift", "swift"], query: "swift -#swift", found: ["swift"]),
        Row(posts: ["#SwiftLang rocks"], query: "swift", found: ["#SwiftLang rocks"]),
        Row(posts: ["#SwiftLang rocks", "a swift"], query: "swift", found: ["a swift", "#SwiftLang rocks"]),
        Row(posts: ["swiftlang", "#SwiftLang rocks"], query: "#swiftlang", found: ["#SwiftLang rocks", "swiftlang"]),
        Row(posts: ["rocks swiftlang", "rocks #SwiftLang"], query: "rocks -#swiftlang", found: ["rocks swiftlang"]),
        Row(posts: ["#HTTPServer2"], query: "server", found: ["#HTTPServer2"]),
        Row(posts: ["#東京"], query: "東京", found: ["#東京"]),
        Row(posts: ["e-mail"], query: "email", found: ["e-mail"]),
        Row(posts: ["email"], query: "e-mail", found: ["email"]),
        Row(posts: ["my e-mail address"], query: "\"my email\"", found: ["my e-mail address"]),
        Row(posts: ["my e-mail address"], query: "\"email address\"", found: ["my e-mail address"]),
        Row(posts: ["my email address"], query: "\"my e-mail address\"", found: ["my email address"]),
        Row(
            posts: ["e-mail and address", "E-mail me: my email address", "an e-mail address", "an e mail address"],
            query: "\"e-mail address\"",
            found: ["E-mail me: my email address", "an e-mail address", "an e mail address"], isOrdered: false),
        Row(
            posts: ["a-b c-d e-f g-h", "ab cd ef g-h", "ab c-d ef g h", "a-b c-d x e-f g-h", "ab cd ef x g-h"],
            query: "\"a-b c-d e-f g-h\"", found: ["a-b c-d e-f g-h", "ab cd ef g-h", "ab c-d ef g h"],
            isOrdered: false),
        Row(posts: ["v1.2.3"], query: "1.2.3", found: ["v1.2.3"]),
        Row(posts: ["1,000,000"], query: "1000000", found: ["1,000,000"]),
        Row(posts: ["1000000"], query: "1,000,000", found: ["1000000"]),
        Row(posts: ["co\u{AD}operate"], query: "cooperate", found: ["co\u{AD}operate"]),
        Row(posts: ["cooperate"], query: "co\u{AD}operate", found: ["cooperate"]),
        Row(posts: ["covid19"], query: "covid", found: ["covid19"]),
        Row(posts: ["U.S.A."], query: "usa", found: ["U.S.A."]),
        Row(posts: ["node.js"], query: "nodejs", found: ["node.js"]),
        Row(posts: ["well-known"], query: "known", found: ["well-known"]),
        Row(posts: ["O'Brien"], query: "obrien", found: ["O'Brien"]),
        Row(posts: ["ka\u{A78B}o"], query: "ka\u{A78C}o", found: ["ka\u{A78B}o"]),
        Row(posts: ["ka\u{A78B}o", "ka\u{A78C}o"], query: "kao", found: ["ka\u{A78B}o", "ka\u{A78C}o"]),
        Row(posts: ["\u{A78B}x"], query: "\u{A78C}x", found: ["\u{A78B}x"]),
        Row(posts: ["ג\u{5F3}ירפה"], query: "גירפה", found: ["ג\u{5F3}ירפה"]),
        Row(posts: ["צה\u{5F4}ל"], query: "צהל", found: ["צה\u{5F4}ל"]),
        Row(posts: ["dot net", "dot .NET"], query: "dot -.NET", found: ["dot net"]),
        Row(posts: ["net", ".NET"], query: ".net", found: [".NET", "net"]),
        Row(posts: ["ask swift", "ask @swift"], query: "ask -@swift", found: ["ask swift"]),
        Row(posts: ["cost 5", "cost $5"], query: "cost -$5", found: ["cost 5"]),
        Row(posts: ["cost 5", "cost 5 €"], query: "cost -€5", found: ["cost 5"]),
        Row(posts: ["vote 1", "vote (+1)"], query: "vote -+1", found: ["vote 1"]),
        Row(posts: ["mail a@swift.org"], query: "mail -@swift -.org", found: ["mail a@swift.org"]),
    ]

    @Test("a word with symbols finds what is meant, and is found by its parts")
    @Loop func findsSymbols() async throws { try await check(Self.symbols) }

    @Test("what a search finds exactly does not depend on other posts, and similar words are listed below")
    @Loop func otherPosts() async throws {
        try await SearchFixture.with { fixture in
            try await fixture.post("burrow")
            try await fixture.post("burn")
            #expect(try await fixture.found("burr") == ["burrow", "burn"])
            try await fixture.post("a burr")
            #expect(try await fixture.found("burr") == ["a burr", "burrow", "burn"])
            var pages: [String] = []
            for page in 1...3 { pages += try await fixture.search("burr", limit: 1, page: page).items.map(\.content) }
            #expect(pages == ["a burr", "burrow", "burn"])
            #expect(try await fixture.search("burr", limit: 1, page: 1).number?.total == 3)
            for number in 0..<30 { try await fixture.post("burr \(number)") }
            #expect(try await fixture.search("burr", limit: 10, page: 1).number?.total == 31)
        }
    }

    @Test("a highlight marks the part of a text without spaces, the joined word and the emoji that were found")
    @Loop func highlights() async throws {
        try await SearchFixture.with { fixture in
            try await fixture.post("这是一个测试文档")
            try await fixture.post("my e-mail")
            try await fixture.post("love ❤️!")
            try await fixture.post("crème brûlée")
            try await fixture.post("C++ and C#")
            try await fixture.post("½ ㍿")
            for (query, highlight) in [
                ("测试", "这是一个<mark>测试</mark>文档"), ("email", "my <mark>e</mark>-<mark>mail</mark>"),
                ("❤", "love <mark>❤️</mark>!"), ("creme", "<mark>crème</mark> brûlée"),
                ("档", "这是一个测试文<mark>档</mark>"), ("2", "<mark>½</mark> ㍿"), ("会社", "½ <mark>㍿</mark>"),
                ("株式会社", "½ <mark>㍿</mark>"),
            ] {
                #expect(try await fixture.search(query).items.first?.highlight == highlight)
            }
        }
    }

    @Test("the language of the deployment decides the stems and the stop words")
    @Loop func languages() async throws {
        try await SearchFixture.with { fixture in
            for (language, word, stem, isStopWord) in [
                (SearchLanguage.english, "houses", "hous", false), (.german, "Häuser", "haus", false),
                (.german, "der", "der", true), (.simple, "houses", "houses", false), (.simple, "the", "the", false),
            ] {
                let entries = try await Lexicon(database: fixture.database, language: language).load([word])
                let entry = entries[Array(word.lowercased().utf8)]
                #expect(entry?.stems.first == stem)
                #expect(entry?.isStopWord == isStopWord)
            }
        }
    }

    @Test("each language has a dictionary of PostgreSQL, and an unknown language is an error")
    @Loop func languageNames() async throws {
        try await SearchFixture.with { fixture in
            for language in SearchLanguage.allCases {
                try await Lexicon(database: fixture.database, language: language).load(["word"])
            }
        }
        #expect(try SearchService.language(Settings(environment: [:])) == .english)
        #expect(try SearchService.language(Settings(environment: ["WARREN_SEARCH_LANGUAGE": "german"])) == .german)
        let settings = Settings(environment: ["WARREN_SEARCH_LANGUAGE": "klingon"])
        let error = #expect(throws: SettingsError.self) { try SearchService.language(settings) }
        #expect(error?.message.contains("english, finnish") == true)
    }
}
