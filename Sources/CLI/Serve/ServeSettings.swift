import StepwellModel
import StepwellServer

/// What a server is started with.
struct ServeSettings: Sendable {
    var store: String
    /// Nil: only where it was given sockets.
    var address: ListenAddress?
    var given: [GivenSocket] = []
    var folder: TemplateFolder?
    var workers: [String] = []
    /// In seconds.
    var lease = 30
    var certificate: String?
    var key: String?
    var isInsecure = false
    var isHeld = false
    var logFormat = Journal.Format.text
    var isAccessLogged = false
    /// In seconds.
    var grace = 10
    var reason: String?
    var secretsDirectory: String?
    var traces: TraceReceiver?

    init(store: String) { self.store = store }

    /// Where others than the programs of this machine reach it.
    private var openPlaces: [String] {
        let listen = address.map { $0.isLoopback ? [] : ["\($0)"] } ?? []
        return listen + given.filter { !$0.place.isLoopback }.map { "\($0.place)" }
    }

    /// Whether clients without a token are nobody; nil: if there are tokens.
    var isTokenNeeded: Bool? { openPlaces.isEmpty || isInsecure ? nil : true }

    /// - Throws: ``OpenDoor`` when anybody on the network could use the server, and nobody has said that this is meant.
    func checkDoors() throws {
        guard let place = openPlaces.first, !isInsecure else { return }
        guard certificate != nil, try !TokenFile(store: store).read().isEmpty else { throw OpenDoor(address: place) }
    }
}

/// A server that anybody on the network could use.
private struct OpenDoor: StepwellError {
    let address: String

    var code: String { "insecure" }
    var message: String { "\(address) can be reached from other machines, and there are no tokens, or there is no TLS" }
    var cure: String? {
        "make a token with 'stepwell token create', give --tls-cert and --tls-key, or say --insecure"
    }
}
