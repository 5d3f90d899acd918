#include "udp-socket.h"

#include <arpa/inet.h>
#include <cerrno>
#include <cstring>
#include <netinet/udp.h>
#include <unistd.h>

#ifndef UDP_SEGMENT
#define UDP_SEGMENT 103
#endif

namespace parley {
namespace {

// Larger rides out longer pauses of the event loop; the system caps it (`net.core.rmem_max`).
constexpr int kSocketBufferBytes = 4 * 1024 * 1024;

// Limits of the kernel for one segmented send: segments, and bytes in all.
constexpr int kMaxSegments = 64;
constexpr int kMaxRunBytes = 65'000;

int Fail(int fd) {
  const int code = errno;
  if (fd >= 0) close(fd);
  return code;
}

void SetOption(int fd, int level, int name, int value) {
  setsockopt(fd, level, name, &value, sizeof value);
}

socklen_t WriteAddress(const Entry& entry, bool is_ipv6, sockaddr_in6* name) {
  if (!is_ipv6) {
    auto* v4 = reinterpret_cast<sockaddr_in*>(name);
    std::memset(v4, 0, sizeof *v4);
    v4->sin_family = AF_INET;
    v4->sin_port = htons(static_cast<uint16_t>(entry.port));
    v4->sin_addr.s_addr = htonl(entry.address[0]);
    return sizeof *v4;
  }
  std::memset(name, 0, sizeof *name);
  name->sin6_family = AF_INET6;
  name->sin6_port = htons(static_cast<uint16_t>(entry.port));
  name->sin6_scope_id = entry.scope;
  for (int i = 0; i < 4; i++) {
    const uint32_t word = htonl(entry.address[i]);
    std::memcpy(name->sin6_addr.s6_addr + 4 * i, &word, 4);
  }
  return sizeof *name;
}

}  // namespace

int OpenUdp(const Opening& opening, Opened* opened) {
  sockaddr_in6 name{};
  socklen_t name_length = sizeof name;
  auto* v4 = reinterpret_cast<sockaddr_in*>(&name);
  // A zone (`%eth0`) is for `getaddrinfo`; listeners on link-local addresses use the pure path.
  const bool is_ipv6 = std::strchr(opening.host, ':') != nullptr;
  const auto port = htons(static_cast<uint16_t>(opening.port));
  int parsed;
  if (is_ipv6) {
    name.sin6_family = AF_INET6;
    name.sin6_port = port;
    parsed = inet_pton(AF_INET6, opening.host, &name.sin6_addr);
  } else {
    v4->sin_family = AF_INET;
    v4->sin_port = port;
    name_length = sizeof *v4;
    parsed = inet_pton(AF_INET, opening.host, &v4->sin_addr);
  }
  if (parsed != 1) return EINVAL;

  const int fd = socket(is_ipv6 ? AF_INET6 : AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) return Fail(fd);
  SetOption(fd, SOL_SOCKET, SO_RCVBUF, kSocketBufferBytes);
  SetOption(fd, SOL_SOCKET, SO_SNDBUF, kSocketBufferBytes);
  if (opening.reuse_port) SetOption(fd, SOL_SOCKET, SO_REUSEPORT, 1);
  // An IPv6 socket must not reach IPv4 peers by their mapped spelling.
  if (is_ipv6) SetOption(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1);
  auto* address = reinterpret_cast<sockaddr*>(&name);
  if (bind(fd, address, name_length) != 0) return Fail(fd);
  if (getsockname(fd, address, &name_length) != 0) return Fail(fd);
  *opened = {fd, ntohs(is_ipv6 ? name.sin6_port : v4->sin_port), is_ipv6};
  return 0;
}

void ReadAddress(const sockaddr_storage& from, Entry* entry) {
  if (from.ss_family == AF_INET) {
    const auto& v4 = reinterpret_cast<const sockaddr_in&>(from);
    entry->port = ntohs(v4.sin_port);
    entry->address[0] = ntohl(v4.sin_addr.s_addr);
    entry->scope = 0;
    return;
  }
  const auto& v6 = reinterpret_cast<const sockaddr_in6&>(from);
  entry->port = ntohs(v6.sin6_port);
  entry->scope = v6.sin6_scope_id;
  for (int i = 0; i < 4; i++) {
    uint32_t word;
    std::memcpy(&word, v6.sin6_addr.s6_addr + 4 * i, 4);
    entry->address[i] = ntohl(word);
  }
}

const Entry& Sender::EntryAt(int number) const {
  return reinterpret_cast<const Entry*>(memory_ + kSendsAt)[number];
}

int Sender::Send(int fd, bool is_ipv6, const int16_t* numbers, int count) {
  return SendMessages(fd, FillMessages(is_ipv6, numbers, count));
}

// One message for each datagram; or, where neighbours have one destination and one length, one for
// the run of them, which passes the kernel's stack once and is cut at its lower end (UDP GSO).
int Sender::FillMessages(bool is_ipv6, const int16_t* numbers, int count) {
  int messages = 0;
  for (int at = 0; at < count;) {
    const Entry& first = EntryAt(numbers[at]);
    mmsghdr& message = headers_[messages];
    std::memset(&message, 0, sizeof message);
    msghdr& header = message.msg_hdr;
    header.msg_name = &names_[messages];
    header.msg_namelen = WriteAddress(first, is_ipv6, &names_[messages]);
    header.msg_iov = &parts_[at];
    int segments = 0;
    int bytes = 0;
    do {
      const Entry& entry = EntryAt(numbers[at]);
      parts_[at] = {memory_ + entry.offset, static_cast<size_t>(entry.length)};
      bytes += entry.length;
      segments++;
      at++;
    } while (at < count && bytes + EntryAt(numbers[at]).length <= kMaxRunBytes &&
             JoinsRun(first, EntryAt(numbers[at - 1]), EntryAt(numbers[at]), segments));
    header.msg_iovlen = static_cast<size_t>(segments);
    if (segments > 1) {
      header.msg_control = controls_[messages];
      header.msg_controllen = sizeof controls_[messages];
      cmsghdr* control = CMSG_FIRSTHDR(&header);
      control->cmsg_level = SOL_UDP;
      control->cmsg_type = UDP_SEGMENT;
      control->cmsg_len = CMSG_LEN(sizeof(uint16_t));
      const auto size = static_cast<uint16_t>(first.length);
      std::memcpy(CMSG_DATA(control), &size, sizeof size);
    }
    messages++;
  }
  return messages;
}

// Whether a datagram can be cut off the same run: only the last one may be shorter.
bool Sender::JoinsRun(const Entry& first, const Entry& last, const Entry& next,
                      int segments) const {
  return can_segment_ && segments < kMaxSegments && last.length == first.length &&
         next.length > 0 && next.length <= first.length && next.port == first.port &&
         std::memcmp(next.address, first.address, sizeof next.address) == 0 &&
         next.scope == first.scope;
}

int Sender::SendMessages(int fd, int messages) {
  int failed = 0;
  for (int at = 0; at < messages;) {
    const int sent = sendmmsg(fd, headers_ + at, static_cast<unsigned>(messages - at),
                              MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent > 0) {
      at += sent;
      continue;
    }
    if (errno == EINTR) continue;
    const auto segments = static_cast<int>(headers_[at].msg_hdr.msg_iovlen);
    if (segments == 1) {
      failed++;
    } else {
      // EIO: the way out cannot checksum segments. Otherwise one was too large for the path, which
      // a plain send would fragment.
      if (errno == EIO) can_segment_ = false;
      failed += SendSingly(fd, headers_[at]);
    }
    at++;
  }
  return failed;
}

int Sender::SendSingly(int fd, const mmsghdr& run) {
  int failed = 0;
  for (size_t i = 0; i < run.msg_hdr.msg_iovlen; i++) {
    const iovec& part = run.msg_hdr.msg_iov[i];
    const auto sent = sendto(fd, part.iov_base, part.iov_len, MSG_DONTWAIT | MSG_NOSIGNAL,
                             static_cast<const sockaddr*>(run.msg_hdr.msg_name),
                             run.msg_hdr.msg_namelen);
    if (sent < 0) failed++;
  }
  return failed;
}

}  // namespace parley
