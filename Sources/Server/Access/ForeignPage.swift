/// Tells requests that a web page has had somebody's browser send. A browser reaches whatever its machine does, so where no token is
/// needed any page would have the rights of whoever looks at it.
enum ForeignPage {
    /// The page that a request is from; nil when nothing speaks for one.
    /// - Parameter mayHaveName: whether clients know the server by a name. Where they do not, a name with a dot is one that a page
    ///   has had resolved to this machine, so that the browser takes the server for the page's own.
    static func of(_ request: HTTPRequest, mayHaveName: Bool) -> String? {
        let host = request.headers["host"]?.lowercased() ?? ""
        // Browsers say where a request is from when it may change something, and programs do not.
        if let origin = request.headers["origin"]?.lowercased(), host.isEmpty || !origin.hasSuffix("://" + host) {
            return origin
        }
        return mayHaveName || isOfThisMachine(host) ? nil : host
    }

    private static func isOfThisMachine(_ host: String) -> Bool {
        if host.hasPrefix("[") { return true }
        let name = host.prefix { $0 != ":" }
        return name.allSatisfy { $0.isASCII && $0.isNumber || $0 == "." } || !name.contains(".")
            || name.hasSuffix(".localhost") || name.hasSuffix(".internal")
    }
}
