#pragma once
#include <amqp.h>
#include <amqp_framing.h>
#include <amqp_ssl_socket.h>
#include <amqp_tcp_socket.h>
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <sys/socket.h>
#include <sys/time.h>

// Swift cannot call amqp_login_with_properties because it has variable arguments.
static inline amqp_rpc_reply_t warren_amqp_login(
    amqp_connection_state_t state, const char *vhost, int channel_max, int frame_max, int heartbeat,
    const amqp_table_t *properties, const char *user, const char *password) {
    return amqp_login_with_properties(
        state, vhost, channel_max, frame_max, heartbeat, properties, AMQP_SASL_METHOD_PLAIN, user, password);
}

// The input and output of the info callback.
typedef struct {
    // The broker's host, which the certificate must name.
    const char *host;
    // Receives the connection's SSL object. The driver itself writes to it, because the sends of rabbitmq-c block.
    // rabbitmq-c does not expose it.
    void *ssl;
} warren_tls_handshake;

// OpenSSL passes the SSL object to the info callback (SSL_CTX_set_info_callback(3)). The first call comes before the
// ClientHello is made. rabbitmq-c has set the server name (SNI) to the IP address that it connects to, so the callback
// replaces it with the host name. An IP address is not a valid server name (RFC 6066, section 3).
static void warren_tls_begin(const SSL *ssl, int where, int ret) {
    (void)ret;
    warren_tls_handshake *handshake = (warren_tls_handshake *)SSL_CTX_get_ex_data(SSL_get_SSL_CTX(ssl), 0);
    if (!handshake) return;
    handshake->ssl = (void *)ssl;
    if (where != SSL_CB_HANDSHAKE_START) return;
    unsigned char address[sizeof(struct in6_addr)];
    int is_address =
        inet_pton(AF_INET, handshake->host, address) == 1 || inet_pton(AF_INET6, handshake->host, address) == 1;
    SSL_set_tlsext_host_name((SSL *)ssl, is_address ? (const char *)0 : handshake->host);
}

// Prepares a context before the handshake: sets the host that the certificate must name
// (X509_VERIFY_PARAM_set1_host(3)), and requires TLS 1.2 or later. `handshake` must stay valid until the handshake has
// ended. Returns 1, or 0 if OpenSSL does not accept the host.
static inline int warren_tls_before_handshake(void *context, warren_tls_handshake *handshake, int verifies) {
    SSL_CTX *ctx = (SSL_CTX *)context;
    SSL_CTX_set_ex_data(ctx, 0, handshake);
    SSL_CTX_set_info_callback(ctx, warren_tls_begin);
    SSL_CTX_set_mode(ctx, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION);
    // rabbitmq-c checks the result of the verification after the handshake. With this mode, OpenSSL itself also ends
    // the handshake.
    if (verifies) SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, (SSL_verify_cb)0);
    // OpenSSL checks no name if the host is empty, and accepts any subdomain if it begins with a dot.
    if (handshake->host[0] == 0 || handshake->host[0] == '.') return 0;
    // The first call fails if the host is not an IP address.
    X509_VERIFY_PARAM *parameters = SSL_CTX_get0_param(ctx);
    X509_VERIFY_PARAM_set_hostflags(parameters, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    return X509_VERIFY_PARAM_set1_ip_asc(parameters, handshake->host) ||
           X509_VERIFY_PARAM_set1_host(parameters, handshake->host, 0);
}

// Removes the pointer to `handshake` and the callbacks after the handshake. `ssl` is NULL if the handshake failed.
static inline void warren_tls_after_handshake(void *context, void *ssl) {
    SSL_CTX_set_ex_data((SSL_CTX *)context, 0, (void *)0);
    SSL_CTX_set_info_callback((SSL_CTX *)context, (void (*)(const SSL *, int, int))0);
    if (ssl) SSL_set_info_callback((SSL *)ssl, (void (*)(const SSL *, int, int))0);
}

static inline int warren_tls_trust_system(void *context) {
    return SSL_CTX_set_default_verify_paths((SSL_CTX *)context);
}

enum { WARREN_TLS_AGAIN = -1, WARREN_TLS_FAILED = -2 };

// Writes as many bytes as the socket accepts, and returns their number. Returns WARREN_TLS_AGAIN if the socket is full;
// the caller must then repeat the call with the same bytes (SSL_write(3)).
static inline long warren_tls_write(void *ssl, const void *bytes, int count) {
    int written = SSL_write((SSL *)ssl, bytes, count);
    if (written > 0) return written;
    int error = SSL_get_error((SSL *)ssl, written);
    return error == SSL_ERROR_WANT_WRITE || error == SSL_ERROR_WANT_READ ? WARREN_TLS_AGAIN : WARREN_TLS_FAILED;
}
