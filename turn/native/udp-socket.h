// UDP sockets of the system: opening, and sending many datagrams with one call.
#pragma once

#include <cstdint>
#include <netinet/in.h>
#include <sys/socket.h>

#include "shared-memory.h"

namespace parley {

struct Opening {
  const char* host;
  int port;
  bool reuse_port;
};

struct Opened {
  int fd;
  int port;
  bool is_ipv6;
};

// Opens and binds a socket. Answers 0, or a number of errno.
int OpenUdp(const Opening& opening, Opened* opened);

// Reads the sender of a datagram into an entry.
void ReadAddress(const sockaddr_storage& from, Entry* entry);

// Sends the datagrams of one socket, given by their numbers, in order. Answers how many of them
// the system refused; nobody waits for a datagram that could not be sent.
class Sender {
 public:
  explicit Sender(uint8_t* memory) : memory_(memory) {}
  int Send(int fd, bool is_ipv6, const int16_t* numbers, int count);

 private:
  struct Message;
  int FillMessages(bool is_ipv6, const int16_t* numbers, int count);
  bool JoinsRun(const Entry& first, const Entry& last, const Entry& next, int segments) const;
  int SendMessages(int fd, int messages);
  int SendSingly(int fd, const mmsghdr& run);
  const Entry& EntryAt(int number) const;

  uint8_t* memory_;
  bool can_segment_ = true;
  mmsghdr headers_[kSends];
  sockaddr_in6 names_[kSends];
  iovec parts_[kSends];
  alignas(cmsghdr) uint8_t controls_[kSends][CMSG_SPACE(sizeof(uint16_t))];
};

}  // namespace parley
