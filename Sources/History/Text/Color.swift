/// A colour of text, by the codes of ECMA-48.
package enum Color: String {
    case red = "31"
    case green = "32"
    case yellow = "33"
    case blue = "34"
    case gray = "90"
    case bold = "1"
}

extension String {
    package func colored(_ color: Color, if wanted: Bool) -> String {
        wanted ? "\u{1B}[\(color.rawValue)m\(self)\u{1B}[0m" : self
    }

    package func padded(to width: Int) -> String {
        count >= width ? self : self + String(repeating: " ", count: width - count)
    }
}
