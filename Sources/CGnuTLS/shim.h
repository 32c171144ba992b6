#include <gnutls/gnutls.h>
#include <gnutls/x509.h>

// When the first certificate of the chain ends, in seconds since 1970; -1 when that is not known. (What the chain is given back with is
// a variable of the library, which Swift takes for unsafe.)
static inline time_t gnutls_end_of_chain(gnutls_certificate_credentials_t credentials) {
    gnutls_x509_crt_t *list = NULL;
    unsigned count = 0;
    if (gnutls_certificate_get_x509_crt(credentials, 0, &list, &count) != 0 || !list) return -1;
    time_t end = count > 0 ? gnutls_x509_crt_get_expiration_time(list[0]) : -1;
    for (unsigned i = 0; i < count; i++) gnutls_x509_crt_deinit(list[i]);
    gnutls_free(list);
    return end;
}
