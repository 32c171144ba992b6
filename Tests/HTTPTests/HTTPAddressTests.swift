import StepwellHTTP
import Testing

/// Where a server is.
@Suite struct HTTPAddressTests {
    @Test(arguments: [
        "http://127.0.0.1:7420", "https://example.org/", "unix:/run/stepwell/api.sock", "unix:api.sock",
        // Longer than the system's names of sockets.
        "unix:/" + String(repeating: "deep/", count: 100) + "api.sock",
    ]) func theseAreAddresses(text: String) throws {
        #expect(try HTTPAddress(text).description == text)
    }

    @Test(arguments: [
        "", "127.0.0.1:7420", "ftp://example.org", "http://", "http:///path", "http://user@example.org",
        "http://example.org?x", "http://exa mple.org", "unix:",
        "unix:/" + String(repeating: "x", count: 5000),
    ]) func theseAreNot(text: String) {
        #expect(throws: HTTPError.self) { try HTTPAddress(text) }
    }
}
