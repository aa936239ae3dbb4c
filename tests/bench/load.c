/* A load generator far cheaper than any gateway. Loopback only; closed loop; one thread.
 *
 *   load PORT REQUEST_FILE CONNECTIONS CALLS
 *
 * Sends the bytes of REQUEST_FILE over CONNECTIONS kept-alive connections until CALLS answers have come, and prints
 * {"answered", "refused", "broken", "seconds", "p50_us", "p99_us"}. An answer ends at its content-length, or with the
 * last chunk. `refused` counts answers whose status is not 200.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

enum { HEAD_MAX = 16384, READ_MAX = 262144, REQUEST_MAX = 1 << 20 };

struct line {
    int fd, head_bytes, has_head, is_chunked, status;
    long body_bytes, length;
    uint64_t began;
    char head[HEAD_MAX], tail[5];
};

static struct sockaddr_in gateway;
static char request[REQUEST_MAX], data[READ_MAX];
static long request_bytes, asked, answered, refused, broken, calls;
static uint32_t *latencies;
static int events;

static uint64_t now_ns(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void fail(const char *what) {
    perror(what);
    exit(2);
}

static void connect_line(struct line *line) {
    int yes = 1;
    line->fd = socket(AF_INET, SOCK_STREAM, 0);
    if (line->fd < 0 || connect(line->fd, (struct sockaddr *)&gateway, sizeof gateway)) fail("connect");
    setsockopt(line->fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = line};
    if (epoll_ctl(events, EPOLL_CTL_ADD, line->fd, &event)) fail("epoll_ctl");
}

static void ask(struct line *line) {
    if (asked == calls) return;
    asked++;
    line->head_bytes = line->has_head = line->is_chunked = 0;
    line->body_bytes = 0;
    line->length = -1;
    line->began = now_ns();
    if (send(line->fd, request, request_bytes, MSG_NOSIGNAL) != request_bytes) fail("send");
}

/* Takes what belongs to the head off the front; answers how many bytes that was. */
static long read_head(struct line *line, const char *bytes, long count) {
    long room = HEAD_MAX - 1 - line->head_bytes, taken = count < room ? count : room, before = line->head_bytes;
    memcpy(line->head + before, bytes, taken);
    line->head_bytes += taken;
    line->head[line->head_bytes] = 0;
    char *end = strstr(line->head, "\r\n\r\n");
    if (!end) return taken;
    *end = 0;
    line->has_head = 1;
    line->status = atoi(line->head + 9);
    line->is_chunked = strcasestr(line->head, "\r\ntransfer-encoding: chunked") != NULL;
    char *length = strcasestr(line->head, "\r\ncontent-length:");
    if (length) line->length = atol(length + 17);
    return end - line->head + 4 - before;
}

static int is_whole(struct line *line, const char *bytes, long count) {
    line->body_bytes += count;
    if (!line->is_chunked) return line->length >= 0 && line->body_bytes >= line->length;
    if (count >= 5) memcpy(line->tail, bytes + count - 5, 5);
    else if (count > 0) {
        memmove(line->tail, line->tail + count, 5 - count);
        memcpy(line->tail + 5 - count, bytes, count);
    }
    return line->body_bytes >= 5 && !memcmp(line->tail, "0\r\n\r\n", 5);
}

static void receive(struct line *line) {
    long count = recv(line->fd, data, sizeof data, 0);
    if (count <= 0) {
        broken++;
        close(line->fd);
        connect_line(line);
        ask(line);
        return;
    }
    long head = line->has_head ? 0 : read_head(line, data, count);
    if (!line->has_head || !is_whole(line, data + head, count - head)) return;
    if (line->status != 200 && refused++ == 0) fprintf(stderr, "status %d\n", line->status);
    latencies[answered++] = (uint32_t)((now_ns() - line->began) / 1000);
    ask(line);
}

static int ascending(const void *a, const void *b) {
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

int main(int count, char **words) {
    if (count != 5) return fprintf(stderr, "load PORT REQUEST_FILE CONNECTIONS CALLS\n"), 2;
    gateway = (struct sockaddr_in){
        .sin_family = AF_INET, .sin_port = htons(atoi(words[1])), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    FILE *file = fopen(words[2], "r");
    if (!file) fail(words[2]);
    request_bytes = fread(request, 1, sizeof request, file);
    fclose(file);
    int connections = atoi(words[3]);
    calls = atol(words[4]);
    latencies = malloc((calls + 1) * sizeof *latencies);
    struct line *lines = calloc(connections, sizeof *lines);
    events = epoll_create1(0);
    if (!latencies || !lines || events < 0) fail("start");
    for (int i = 0; i < connections; i++) connect_line(&lines[i]);
    uint64_t began = now_ns();
    for (int i = 0; i < connections; i++) ask(&lines[i]);
    struct epoll_event ready[256];
    while (answered + broken < calls) {
        int many = epoll_wait(events, ready, 256, 30000);
        if (many <= 0 && errno != EINTR) return fprintf(stderr, "nothing came for 30 s\n"), 3;
        for (int i = 0; i < many; i++) receive(ready[i].data.ptr);
    }
    double seconds = (double)(now_ns() - began) / 1e9;
    qsort(latencies, answered, sizeof *latencies, ascending);
    printf("{\"answered\": %ld, \"refused\": %ld, \"broken\": %ld, \"seconds\": %.3f, \"p50_us\": %u, \"p99_us\": %u}\n",
           answered, refused, broken, seconds, answered ? latencies[answered / 2] : 0,
           answered ? latencies[answered * 99 / 100] : 0);
    return 0;
}
