import Foundation

/// Real images of 16 by 9 pixels, one of each kind.
enum Images {
    static let png = image(
        "iVBORw0KGgoAAAANSUhEUgAAABAAAAAJAQAAAAATUZGfAAAAI0lEQVR4nGMUKGF0fcL0WJIp9hKDxkIGJxFGTUkm6WeMQsUAYv8Gylous84A"
            + "AAAASUVORK5CYII=")
    static let gif = image("R0lGODdhEAAJAIEAAP8AAAAAAAAAAAAAACwAAAAAEAAJAAAIFgABCBxIsKDBgwgTKlzIsKHDhxARBgQAOw==")
    static let jpeg = image(
        "/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDAP//////////////////////////////////////////////////////////////////////////"
            + "////////////wAALCAAJABABAREA/8QAFQABAQAAAAAAAAAAAAAAAAAAAAL/xAAUEAEAAAAAAAAAAAAAAAAAAAAA/9oACAEBAAA/AJAf"
            + "/9k=")
    static let progressiveJPEG = image(
        "/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDAP//////////////////////////////////////////////////////////////////////////"
            + "////////////wgALCAAJABABAREA/8QAFQABAQAAAAAAAAAAAAAAAAAAAAH/2gAIAQEAAAABg//EABQQAQAAAAAAAAAAAAAAAAAAACD/"
            + "2gAIAQEAAQUCH//EABQQAQAAAAAAAAAAAAAAAAAAACD/2gAIAQEABj8CH//EABQQAQAAAAAAAAAAAAAAAAAAACD/2gAIAQEAAT8hH//a"
            + "AAgBAQAAABAP/8QAFBABAAAAAAAAAAAAAAAAAAAAIP/aAAgBAQABPxAf/9k=")
    static let lossyWebP = image(
        "UklGRjIAAABXRUJQVlA4ICYAAABwAQCdASoQAAkADMDOJaACdAFAAAD+3FHSXS5Df6u/O36ntgAAAA==")
    static let losslessWebP = image("UklGRhwAAABXRUJQVlA4TA8AAAAvDwACAAcQ/Y/+ByKi/wEA")
    static let extendedWebP = image(
        "UklGRlwAAABXRUJQVlA4WAoAAAAQAAAADwAACAAAQUxQSA8AAAABDzBkERHi/v8R/Q///wEAVlA4ICYAAABwAQCdASoQAAkADMDOJaACdAFA"
            + "AAD+3FHSXS5Df6u/O36ntgAAAA==")

    private static func image(_ base64: String) -> Data { Data(base64Encoded: base64) ?? Data() }
}
