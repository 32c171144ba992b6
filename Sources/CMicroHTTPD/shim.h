#include <microhttpd.h>

// MHD_start_daemon() is variadic, and Swift imports no variadic function: here its options are an array, ended by MHD_OPTION_END.
static inline struct MHD_Daemon *mhd_start(unsigned int flags, MHD_AccessHandlerCallback handler, void *context,
                                           struct MHD_OptionItem *options) {
    return MHD_start_daemon(flags, 0, NULL, NULL, handler, context, MHD_OPTION_ARRAY, options, MHD_OPTION_END);
}

// MHD_get_connection_info() is variadic too.
static inline int mhd_descriptor(struct MHD_Connection *connection) {
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    return info ? info->connect_fd : -1;
}

// The address of the connection's other end.
static inline const struct sockaddr *mhd_client_address(struct MHD_Connection *connection) {
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    return info ? info->client_addr : NULL;
}

// The connection's session of GnuTLS; NULL without TLS. There already when NOTIFY_CONNECTION tells of the connection.
static inline void *mhd_tls_session(struct MHD_Connection *connection) {
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_GNUTLS_SESSION);
    return info ? info->tls_session : NULL;
}

// What NOTIFY_CONNECTION has left for the connection.
static inline void *mhd_socket_context(struct MHD_Connection *connection) {
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    return info ? info->socket_context : NULL;
}

// Of these types the library takes function pointers as integers.
static inline intptr_t mhd_on_completed(MHD_RequestCompletedCallback callback) { return (intptr_t)callback; }
static inline intptr_t mhd_on_connection(MHD_NotifyConnectionCallback callback) { return (intptr_t)callback; }

// Paths and queries stay as they came: the one place that decodes them can refuse what is wrong.
static inline size_t mhd_leave_escaped(void *context, struct MHD_Connection *connection, char *text) {
    size_t length = 0;
    (void)context;
    (void)connection;
    while (text[length]) length++;
    return length;
}

// Nothing is written to standard error behind the server's back.
static inline void mhd_no_log(void *context, const char *format, va_list arguments) {
    (void)context;
    (void)format;
    (void)arguments;
}
static inline intptr_t mhd_silent_log(void) { return (intptr_t)mhd_no_log; }
static inline intptr_t mhd_no_unescape(void) { return (intptr_t)mhd_leave_escaped; }
