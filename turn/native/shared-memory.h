// The memory that C++ and JavaScript share, as `src/io/batched-memory.ts` lays it out too. One
// ArrayBuffer: a head of 32-bit words, a table of datagrams received, a table of datagrams to send,
// then the bytes of both.
#pragma once

#include <cstddef>
#include <cstdint>

namespace parley {

// More receives more in one call; each costs 64 KiB of address space, touched only where used.
constexpr int kSlots = 64;
// A relay of our own doubles a datagram at most, and answers come between batches.
constexpr int kSends = 256;

constexpr std::size_t kMaxDatagram = 65'536;
// Bytes before each datagram that JavaScript may write a header into.
constexpr std::size_t kHeadroom = 64;
// Not a power of two, so that the first lines of all slots do not compete for one cache set.
constexpr std::size_t kSlotBytes = kHeadroom + kMaxDatagram;
// Room for datagrams that were not received here: answers, and what came by streams.
constexpr std::size_t kSpillBytes = 4 * kMaxDatagram;

// Words of the head.
enum Head { kPendingSends, kOpenedPort, kFailedSends, kHeadWords = 16 };

// One row of either table. An IPv4 address is a number in `address[0]`, an IPv6 one four words in
// the order of the network.
struct Entry {
  int32_t socket;
  int32_t offset;
  int32_t length;
  int32_t port;
  uint32_t address[4];
  uint32_t scope;
};
static_assert(sizeof(Entry) == 36);

constexpr std::size_t kReceivedAt = kHeadWords * sizeof(int32_t);
constexpr std::size_t kSendsAt = kReceivedAt + kSlots * sizeof(Entry);
constexpr std::size_t kSlotsAt = (kSendsAt + kSends * sizeof(Entry) + 63) / 64 * 64;
constexpr std::size_t kSpillAt = kSlotsAt + kSlots * kSlotBytes;
constexpr std::size_t kMemoryBytes = kSpillAt + kSpillBytes;

}  // namespace parley
