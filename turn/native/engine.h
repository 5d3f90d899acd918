// The batched datagram engine of one event loop: all its sockets, one shared memory, one call into
// JavaScript for what arrived on all of them in one turn of the loop.
#pragma once

#include <cstdint>
#include <memory>
#include <sys/socket.h>
#include <vector>

#include <node_api.h>

#include "event-loop.h"
#include "shared-memory.h"
#include "udp-socket.h"

namespace parley {

class Engine {
 public:
  // Takes the callback for batches. The memory is answered by `memory()`.
  static Engine* Create(napi_env env, napi_value on_batch);

  napi_value memory() const;
  // Answers 0 and the socket's number, or a number of errno.
  int Open(const Opening& opening, int* number);
  void Close(int number);
  // Sends what JavaScript has entered in the table since the last time.
  void Flush();

 private:
  struct Socket {
    Engine* engine = nullptr;
    int number = -1;
    int fd = -1;
    bool is_ipv6 = false;
    uv_handle_s* poll = nullptr;
    int16_t first_send = -1;
    int16_t last_send = -1;
  };

  Engine(napi_env env, uv_loop_s* loop) : env_(env), loop_(loop) {}
  bool Start(napi_value on_batch);
  uv_handle_s* NewHandle(int type);
  void Receive(Socket* socket);
  void Deliver();
  // Lets datagrams come together while they come fast.
  void Gather(int count);
  bool HasPending(int number);
  void SendOf(Socket* socket);
  void CloseHandle(uv_handle_s* handle);
  Entry* sends() { return reinterpret_cast<Entry*>(bytes_ + kSendsAt); }
  Entry* received() { return reinterpret_cast<Entry*>(bytes_ + kReceivedAt); }
  int32_t* head() { return reinterpret_cast<int32_t*>(bytes_); }

  static void OnReadable(uv_handle_s* handle, int status, int events);
  static void OnChecked(uv_handle_s* handle);
  static void OnPrepared(uv_handle_s* handle);
  static void OnHandleClosed(uv_handle_s* handle);
  static void OnEnvironmentEnds(napi_async_cleanup_hook_handle hook, void* engine);

  napi_env env_;
  uv_loop_s* loop_;
  uint8_t* bytes_ = nullptr;
  napi_ref memory_ = nullptr;
  napi_ref on_batch_ = nullptr;
  napi_async_context context_ = nullptr;
  napi_async_cleanup_hook_handle hook_ = nullptr;
  uv_handle_s* check_ = nullptr;
  uv_handle_s* prepare_ = nullptr;
  int open_handles_ = 0;
  bool has_ended_ = false;

  std::vector<std::unique_ptr<Socket>> sockets_;
  std::vector<int> free_numbers_;
  // Numbers of sockets closed in this turn: the batch may still name them.
  std::vector<int> resting_numbers_;

  int received_count_ = 0;
  bool is_delivering_ = false;
  uint64_t last_batch_at_ = 0;
  mmsghdr headers_[kSlots];
  iovec parts_[kSlots];
  sockaddr_storage names_[kSlots];
  int16_t next_send_[kSends];
  std::unique_ptr<Sender> sender_;
};

}  // namespace parley
