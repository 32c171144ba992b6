import CGnuTLS
import CMicroHTTPD
import StepwellModel

/// A certificate chain and its key, as GnuTLS takes them. Each connection keeps those that it began with, so new ones can come at
/// any time.
final class TLSCredentials: @unchecked Sendable {  // GnuTLS only reads them once they are made.
    private let raw: gnutls_certificate_credentials_t

    /// - Throws: ``ListenError`` when they cannot be read, or the key is not the certificate's.
    init(_ files: TLSFiles) throws(ListenError) {
        var made: gnutls_certificate_credentials_t?
        guard gnutls_certificate_allocate_credentials(&made) == 0, let made else {
            throw .unusableCertificate("there is no memory")
        }
        raw = made
        let status = files.certificate.withDatum { certificate in
            files.key.withDatum { key in
                gnutls_certificate_set_x509_key_mem2(made, certificate, key, GNUTLS_X509_FMT_PEM, nil, 0)
            }
        }
        guard status >= 0 else { throw .unusableCertificate(String(cString: gnutls_strerror(status))) }
    }

    deinit { gnutls_certificate_free_credentials(raw) }

    /// Gives them to a connection that has not begun to speak.
    func use(for connection: OpaquePointer) {
        guard let session = mhd_tls_session(connection) else { return }
        gnutls_credentials_set(OpaquePointer(session), GNUTLS_CRD_CERTIFICATE, UnsafeMutableRawPointer(raw))
    }

    /// When the certificate itself ends, not those above it in the chain.
    var expires: Timestamp? {
        let seconds = gnutls_end_of_chain(raw)
        return seconds == -1 ? nil : Timestamp(milliseconds: Int64(seconds) * 1000)
    }
}

extension [UInt8] {
    fileprivate func withDatum<Result>(_ body: (UnsafePointer<gnutls_datum_t>) -> Result) -> Result {
        withUnsafeBufferPointer { bytes in
            var datum = gnutls_datum_t(
                data: UnsafeMutablePointer(mutating: bytes.baseAddress), size: UInt32(clamping: bytes.count))
            return withUnsafePointer(to: &datum, body)
        }
    }
}

extension ListenError {
    static func unusableCertificate(_ reason: String) -> ListenError {
        ListenError(
            reason: "the TLS certificate and key cannot be used: \(reason)",
            cure: "give the chain, the server's certificate first, and the key of that one, both in PEM")
    }
}
