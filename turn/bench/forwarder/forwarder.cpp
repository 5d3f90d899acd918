// The limit that a relay is measured against: datagrams through two sockets per client, and nothing
// else. It knows a client by its port, opens a socket for it, and sends what comes to the peer that
// a datagram of two bytes names; what the peer sends there goes back.
//
//   forwarder batches|single
//
// Prints the port that it listens on.
#include <arpa/inet.h>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/socket.h>

namespace {

constexpr int kMostInBatch = 64;
constexpr size_t kSlotBytes = 2048;
constexpr unsigned kHelloBytes = 2;
constexpr int kSocketBufferBytes = 4 * 1024 * 1024;

struct Client {
  int relay = -1;
  sockaddr_in address{};
  sockaddr_in peer{};
};

Client* by_port[65536];
uint8_t slots[kMostInBatch][kSlotBytes];
mmsghdr headers[kMostInBatch];
iovec parts[kMostInBatch];
sockaddr_in names[kMostInBatch];

int OpenUdp(uint16_t* port) {
  const int fd = socket(AF_INET, SOCK_DGRAM, 0);
  sockaddr_in name{};
  name.sin_family = AF_INET;
  name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof name;
  auto* address = reinterpret_cast<sockaddr*>(&name);
  if (fd < 0 || bind(fd, address, length) != 0) std::exit(1);
  getsockname(fd, address, &length);
  setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &kSocketBufferBytes, sizeof kSocketBufferBytes);
  setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &kSocketBufferBytes, sizeof kSocketBufferBytes);
  if (port) *port = ntohs(name.sin_port);
  return fd;
}

// Sends `count` datagrams that lie in the slots from `first` on.
void Send(int fd, int first, int count, sockaddr_in* to) {
  for (int i = first; i < first + count; i++) {
    parts[i].iov_len = headers[i].msg_len;
    headers[i].msg_hdr.msg_name = to;
  }
  if (count == 1) {
    sendmsg(fd, &headers[first].msg_hdr, MSG_DONTWAIT);
  } else {
    sendmmsg(fd, headers + first, static_cast<unsigned>(count), MSG_DONTWAIT);
  }
}

Client* Welcome(int epoll, const sockaddr_in& from, const uint8_t* bytes) {
  Client*& client = by_port[ntohs(from.sin_port)];
  const bool is_new = !client;
  if (is_new) client = new Client;
  if (is_new) client->relay = OpenUdp(nullptr);
  client->address = from;
  client->peer = from;
  std::memcpy(&client->peer.sin_port, bytes, 2);
  epoll_event event{EPOLLIN, {.ptr = client}};
  if (is_new) epoll_ctl(epoll, EPOLL_CTL_ADD, client->relay, &event);
  return client;
}

}  // namespace

int main(int, char** arguments) {
  const int batch = std::strcmp(arguments[1], "batches") == 0 ? 32 : 1;
  uint16_t port;
  const int listener = OpenUdp(&port);
  const int epoll = epoll_create1(0);
  epoll_event event{EPOLLIN, {.ptr = nullptr}};
  epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &event);
  std::printf("%u\n", port);
  std::fflush(stdout);
  epoll_event events[64];
  for (;;) {
    const int ready = epoll_wait(epoll, events, 64, -1);
    for (int e = 0; e < ready; e++) {
      auto* of_relay = static_cast<Client*>(events[e].data.ptr);
      for (int i = 0; i < batch; i++) {
        parts[i] = {slots[i], kSlotBytes};
        headers[i] = {};
        headers[i].msg_hdr = {&names[i], sizeof names[i], &parts[i], 1, nullptr, 0, 0};
      }
      const int fd = of_relay ? of_relay->relay : listener;
      int count;
      if (batch == 1) {
        const auto length = recvmsg(fd, &headers[0].msg_hdr, MSG_DONTWAIT);
        count = length < 0 ? 0 : 1;
        headers[0].msg_len = static_cast<unsigned>(length);
      } else {
        count = recvmmsg(fd, headers, static_cast<unsigned>(batch), MSG_DONTWAIT, nullptr);
      }
      if (of_relay) {
        if (count > 0) Send(listener, 0, count, &of_relay->address);
        continue;
      }
      for (int first = 0; first < count;) {
        Client* client = by_port[ntohs(names[first].sin_port)];
        if (!client || headers[first].msg_len == kHelloBytes) client = Welcome(epoll, names[first], slots[first]);
        int run = 1;
        while (first + run < count && names[first + run].sin_port == names[first].sin_port) run++;
        Send(client->relay, first, run, &client->peer);
        first += run;
      }
    }
  }
}
