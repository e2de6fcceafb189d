// warren-bench-raw KIND IN-FLIGHT SECONDS
//
// The variable WARREN_TEST_AMQP_URL has the address of the broker.
//
// Measures request-reply through RabbitMQ with nothing around it: the limit that the bench compares Warren with. It is
// written in C with librabbitmq, so that the limit contains none of Warren's code. A child process consumes the
// requests from a queue and returns each body to the reply queue. The parent keeps IN-FLIGHT requests of 256 bytes in
// flight, with one connection that publishes and one that consumes.
//
// KIND `transient` uses a classic queue and transient messages. KIND `quorum` uses a quorum queue and persistent
// messages. Neither uses publisher confirms: a request is complete when its reply has arrived.
//
// Prints one JSON object with the number of requests, the seconds, and percentiles of the latency in milliseconds.
#define _GNU_SOURCE
#include <amqp.h>
#include <amqp_framing.h>
#include <amqp_tcp_socket.h>
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { BODY_BYTES = 256, FRAME_BYTES = 131072, REQUESTS_PER_SECOND = 400000, MINIMUM_PREFETCH = 64 };

static pid_t server = 0;

static void stop_server(void) {
    if (server <= 0) return;
    kill(server, SIGKILL);
    waitpid(server, NULL, 0);
    server = 0;
}

_Noreturn static void fail(const char *step, const char *reason) {
    fprintf(stderr, "warren-bench-raw: %s: %s\n", step, reason);
    stop_server();
    exit(1);
}

static void check(const char *step, int status) {
    if (status != AMQP_STATUS_OK) fail(step, amqp_error_string2(status));
}

static void check_reply(const char *step, amqp_rpc_reply_t reply) {
    if (reply.reply_type == AMQP_RESPONSE_NORMAL) return;
    if (reply.reply_type == AMQP_RESPONSE_LIBRARY_EXCEPTION) fail(step, amqp_error_string2(reply.library_error));
    fail(step, "the broker closed the channel or the connection");
}

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec * 1e-9;
}

// Opens a connection with one channel. The parts of the parsed URL point into the URL, so a copy is parsed.
static amqp_connection_state_t open_connection(const char *url) {
    char *copy = strdup(url);
    struct amqp_connection_info info;
    if (!copy) fail("connect", "no memory");
    amqp_default_connection_info(&info);
    if (amqp_parse_url(copy, &info) != AMQP_STATUS_OK || info.ssl) fail("connect", "the URL must be amqp://…");
    amqp_connection_state_t connection = amqp_new_connection();
    amqp_socket_t *socket = connection ? amqp_tcp_socket_new(connection) : NULL;
    if (!socket) fail("connect", "no memory");
    check("connect", amqp_socket_open(socket, info.host, info.port));
    check_reply(
        "log in",
        amqp_login(connection, info.vhost, 0, FRAME_BYTES, 0, AMQP_SASL_METHOD_PLAIN, info.user, info.password));
    amqp_channel_open(connection, 1);
    check_reply("open a channel", amqp_get_rpc_reply(connection));
    free(copy);
    return connection;
}

static void declare_queue(amqp_connection_state_t connection, const char *queue, bool quorum) {
    amqp_table_entry_t entry = {.key = amqp_cstring_bytes("x-queue-type")};
    entry.value.kind = AMQP_FIELD_KIND_UTF8;
    entry.value.value.bytes = amqp_cstring_bytes(quorum ? "quorum" : "classic");
    amqp_table_t arguments = {.num_entries = 1, .entries = &entry};
    amqp_queue_declare(connection, 1, amqp_cstring_bytes(queue), 0, 1, 0, 0, arguments);
    check_reply("declare the queue", amqp_get_rpc_reply(connection));
}

// Returns each request's body to the request's reply queue, until the process is killed. The prefetch is not below 64,
// so that the acknowledgement of a request never delays the delivery of the next one.
_Noreturn static void serve(const char *url, const char *queue, int in_flight) {
    amqp_connection_state_t connection = open_connection(url);
    amqp_basic_qos(connection, 1, 0, (uint16_t)(in_flight < MINIMUM_PREFETCH ? MINIMUM_PREFETCH : in_flight), 0);
    check_reply("set the prefetch", amqp_get_rpc_reply(connection));
    amqp_basic_consume(connection, 1, amqp_cstring_bytes(queue), amqp_empty_bytes, 0, 0, 0, amqp_empty_table);
    check_reply("consume", amqp_get_rpc_reply(connection));
    for (;;) {
        amqp_envelope_t request;
        amqp_maybe_release_buffers(connection);
        check_reply("receive a request", amqp_consume_message(connection, &request, NULL, 0));
        amqp_basic_properties_t properties = {._flags = AMQP_BASIC_CORRELATION_ID_FLAG};
        properties.correlation_id = request.message.properties.correlation_id;
        check(
            "reply", amqp_basic_publish(
                         connection, 1, amqp_empty_bytes, request.message.properties.reply_to, 0, 0, &properties,
                         request.message.body));
        check("acknowledge", amqp_basic_ack(connection, 1, request.delivery_tag, 0));
        amqp_destroy_envelope(&request);
    }
}

// The requests that were sent.
static struct {
    size_t limit, sent, complete;
    double time;       // the time of the last completion
    double *times;     // the time of sending by request, in seconds; 0 after completion
    double *latencies; // of the complete requests, in the order of their replies, in seconds
} requests;

static void complete(size_t index) {
    if (index >= requests.sent || requests.times[index] == 0) return;
    requests.time = now();
    requests.latencies[requests.complete++] = requests.time - requests.times[index];
    requests.times[index] = 0;
}

static void publish(amqp_connection_state_t publisher, const char *queue, amqp_bytes_t reply_queue, bool quorum) {
    static char body[BODY_BYTES];
    char identifier[24];
    snprintf(identifier, sizeof identifier, "%zu", requests.sent);
    amqp_basic_properties_t properties = {
        ._flags = AMQP_BASIC_CORRELATION_ID_FLAG | AMQP_BASIC_REPLY_TO_FLAG | AMQP_BASIC_DELIVERY_MODE_FLAG};
    properties.correlation_id = amqp_cstring_bytes(identifier);
    properties.reply_to = reply_queue;
    properties.delivery_mode = quorum ? 2 : 1;
    amqp_bytes_t bytes = {BODY_BYTES, body};
    requests.times[requests.sent++] = now();
    check(
        "publish",
        amqp_basic_publish(publisher, 1, amqp_empty_bytes, amqp_cstring_bytes(queue), 0, 0, &properties, bytes));
}

static void receive_reply(amqp_connection_state_t consumer) {
    amqp_envelope_t reply;
    amqp_maybe_release_buffers(consumer);
    check_reply("receive a reply", amqp_consume_message(consumer, &reply, NULL, 0));
    char text[24] = {0};
    amqp_bytes_t identifier = reply.message.properties.correlation_id;
    memcpy(text, identifier.bytes, identifier.len < sizeof text ? identifier.len : sizeof text - 1);
    complete(strtoull(text, NULL, 10));
    amqp_destroy_envelope(&reply);
}

static int compare(const void *left, const void *right) {
    double a = *(const double *)left, b = *(const double *)right;
    return (a > b) - (a < b);
}

static double percentile(const double *sorted, size_t count, double share) {
    return sorted[(size_t)((double)(count - 1) * share)] * 1e3;
}

static void print_result(double seconds) {
    size_t count = requests.complete;
    double *latencies = requests.latencies;
    if (!count) fail("measure", "no request was answered");
    qsort(latencies, count, sizeof *latencies, compare);
    printf(
        "{\"requests\": %zu, \"seconds\": %.6f, \"p50\": %.4f, \"p99\": %.4f, \"p999\": %.4f}\n", count, seconds,
        percentile(latencies, count, 0.5), percentile(latencies, count, 0.99), percentile(latencies, count, 0.999));
}

static void measure(const char *url, const char *queue, bool quorum, size_t in_flight, double seconds) {
    amqp_connection_state_t consumer = open_connection(url), publisher = open_connection(url);
    amqp_queue_declare_ok_t *declared =
        amqp_queue_declare(consumer, 1, amqp_empty_bytes, 0, 0, 1, 1, amqp_empty_table);
    check_reply("declare the reply queue", amqp_get_rpc_reply(consumer));
    amqp_bytes_t reply_queue = amqp_bytes_malloc_dup(declared->queue);
    amqp_basic_consume(consumer, 1, reply_queue, amqp_empty_bytes, 0, 1, 1, amqp_empty_table);
    check_reply("consume the replies", amqp_get_rpc_reply(consumer));
    requests.limit = (size_t)(seconds * REQUESTS_PER_SECOND);
    requests.times = calloc(requests.limit, sizeof *requests.times);
    requests.latencies = calloc(requests.limit, sizeof *requests.latencies);
    if (!requests.times || !requests.latencies) fail("measure", "no memory");

    double start = now(), end = start + seconds;
    requests.time = start;
    while (requests.time < end && requests.sent < requests.limit) {
        while (requests.sent - requests.complete < in_flight && requests.sent < requests.limit)
            publish(publisher, queue, reply_queue, quorum);
        receive_reply(consumer);
    }
    double duration = requests.time - start;
    stop_server();
    amqp_connection_state_t cleaner = open_connection(url);
    amqp_queue_delete(cleaner, 1, amqp_cstring_bytes(queue), 0, 0);
    check_reply("delete the queue", amqp_get_rpc_reply(cleaner));
    print_result(duration);
}

int main(int count, char **arguments) {
    int in_flight = count == 4 ? atoi(arguments[2]) : 0;
    double seconds = count == 4 ? atof(arguments[3]) : 0;
    bool quorum = count == 4 && !strcmp(arguments[1], "quorum");
    if (in_flight < 1 || in_flight > 10000 || seconds <= 0 || (!quorum && strcmp(arguments[1], "transient"))) {
        fprintf(stderr, "usage: warren-bench-raw transient|quorum IN-FLIGHT SECONDS\n");
        return 64;
    }
    // Ends the process if replies stop coming.
    alarm((unsigned)seconds + 30);
    const char *url = getenv("WARREN_TEST_AMQP_URL");
    if (!url) fail("connect", "WARREN_TEST_AMQP_URL is not set");
    char queue[64];
    snprintf(queue, sizeof queue, "bench-raw-%d", (int)getpid());
    amqp_connection_state_t connection = open_connection(url);
    declare_queue(connection, queue, quorum);
    amqp_destroy_connection(connection);
    server = fork();
    if (server < 0) fail("fork", strerror(errno));
    if (server == 0) {
        // If the parent is killed, this process must not remain.
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        serve(url, queue, in_flight);
    }
    measure(url, queue, quorum, (size_t)in_flight, seconds);
    return 0;
}
