#pragma once
#include <amqp.h>
#include <amqp_framing.h>
#include <amqp_ssl_socket.h>
#include <amqp_tcp_socket.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <sys/time.h>

// Swift cannot call amqp_login_with_properties because it has variable arguments.
static inline amqp_rpc_reply_t warren_amqp_login(
    amqp_connection_state_t state, const char *vhost, int channel_max, int frame_max, int heartbeat,
    const amqp_table_t *properties, const char *user, const char *password) {
    return amqp_login_with_properties(
        state, vhost, channel_max, frame_max, heartbeat, properties, AMQP_SASL_METHOD_PLAIN, user, password);
}

// The driver itself writes to the SSL object of a connection, because the sends of rabbitmq-c block. rabbitmq-c does
// not expose the SSL object, but OpenSSL passes it to the info callback (SSL_CTX_set_info_callback(3)). The callback
// stores it in the slot to which the context's application data points.
static void warren_tls_store_ssl(const SSL *ssl, int where, int ret) {
    (void)where;
    (void)ret;
    void **slot = (void **)SSL_CTX_get_ex_data(SSL_get_SSL_CTX(ssl), 0);
    if (slot) *slot = (void *)ssl;
}

// Prepares a context before the handshake: sets the slot for the SSL object, and requires TLS 1.2 or later. The slot
// must stay valid until the handshake has ended.
static inline void warren_tls_before_handshake(void *context, void **slot) {
    SSL_CTX *ctx = (SSL_CTX *)context;
    SSL_CTX_set_ex_data(ctx, 0, slot);
    SSL_CTX_set_info_callback(ctx, warren_tls_store_ssl);
    SSL_CTX_set_mode(ctx, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION);
}

// Removes the slot and the callbacks after the handshake. `ssl` is NULL if the handshake failed.
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
