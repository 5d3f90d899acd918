#include "engine.h"

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <unistd.h>

namespace parley {
namespace {

// How long a busy thread gathers datagrams before it looks again. Waking up costs as much as three
// packets: at 60,000 packets per second this saves a third of all CPU time. It delays packets by as
// much, which is a hundredth of what lies between two packets of a voice. With 100 it saves nothing at
// 30,000 packets per second, since the next ones come later than that.
constexpr int kGatherMicros = 250;
// A thread is busy when its batches come faster than this, and are not large already.
constexpr uint64_t kBusyWithinMicros = 600;
constexpr int kLargeBatch = kSlots / 2;

uint64_t NowMicros() {
  timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return static_cast<uint64_t>(time.tv_sec) * 1'000'000 + static_cast<uint64_t>(time.tv_nsec) / 1000;
}

}  // namespace

Engine* Engine::Create(napi_env env, napi_value on_batch) {
  uv_loop_s* loop = nullptr;
  if (napi_get_uv_event_loop(env, &loop) != napi_ok) return nullptr;
  auto* engine = new Engine(env, loop);
  if (engine->Start(on_batch)) return engine;
  delete engine;
  return nullptr;
}

bool Engine::Start(napi_value on_batch) {
  napi_value memory;
  napi_value name;
  void* bytes = nullptr;
  if (napi_create_arraybuffer(env_, kMemoryBytes, &bytes, &memory) != napi_ok ||
      napi_create_reference(env_, memory, 1, &memory_) != napi_ok ||
      napi_create_reference(env_, on_batch, 1, &on_batch_) != napi_ok ||
      napi_create_string_utf8(env_, "parley:datagrams", NAPI_AUTO_LENGTH, &name) != napi_ok ||
      napi_async_init(env_, nullptr, name, &context_) != napi_ok ||
      napi_add_async_cleanup_hook(env_, OnEnvironmentEnds, this, &hook_) != napi_ok) {
    return false;
  }
  bytes_ = static_cast<uint8_t*>(bytes);
  sender_ = std::make_unique<Sender>(bytes_);
  for (int i = 0; i < kSlots; i++) {
    parts_[i] = {bytes_ + kSlotsAt + i * kSlotBytes + kHeadroom, kMaxDatagram};
    headers_[i] = {};
    headers_[i].msg_hdr.msg_iov = &parts_[i];
    headers_[i].msg_hdr.msg_iovlen = 1;
    headers_[i].msg_hdr.msg_name = &names_[i];
  }
  // Check follows the sockets in each turn of the loop. Prepare is the last thing before it may
  // sleep, and so sends what timers and promises have left. Neither keeps the process alive.
  check_ = NewHandle(UV_CHECK);
  uv_check_init(loop_, check_);
  uv_check_start(check_, OnChecked);
  uv_unref(check_);
  prepare_ = NewHandle(UV_PREPARE);
  uv_prepare_init(loop_, prepare_);
  uv_prepare_start(prepare_, OnPrepared);
  uv_unref(prepare_);
  uv_handle_set_data(check_, this);
  uv_handle_set_data(prepare_, this);
  return true;
}

napi_value Engine::memory() const {
  napi_value value = nullptr;
  napi_get_reference_value(env_, memory_, &value);
  return value;
}

uv_handle_s* Engine::NewHandle(int type) {
  open_handles_++;
  return static_cast<uv_handle_s*>(std::calloc(1, uv_handle_size(type)));
}

int Engine::Open(const Opening& opening, int* number) {
  if (has_ended_) return EBADF;
  Opened opened{};
  if (const int code = OpenUdp(opening, &opened)) return code;
  auto* poll = NewHandle(UV_POLL);
  const int status = uv_poll_init_socket(loop_, poll, opened.fd);
  if (status != 0) {
    open_handles_--;
    std::free(poll);
    close(opened.fd);
    return -status;
  }
  if (free_numbers_.empty()) {
    free_numbers_.push_back(static_cast<int>(sockets_.size()));
    sockets_.push_back(std::make_unique<Socket>());
  }
  *number = free_numbers_.back();
  free_numbers_.pop_back();
  Socket& socket = *sockets_[*number];
  socket = Socket{this, *number, opened.fd, opened.is_ipv6, poll, -1, -1};
  uv_handle_set_data(poll, &socket);
  uv_poll_start(poll, UV_READABLE, OnReadable);
  head()[kOpenedPort] = opened.port;
  return 0;
}

void Engine::Close(int number) {
  if (number < 0 || number >= static_cast<int>(sockets_.size())) return;
  Socket& socket = *sockets_[number];
  if (socket.fd < 0) return;
  // What was sent before the close leaves before it.
  if (!has_ended_ && HasPending(number)) Flush();
  uv_poll_stop(socket.poll);
  close(socket.fd);
  socket.fd = -1;
  CloseHandle(socket.poll);
  socket.poll = nullptr;
  resting_numbers_.push_back(number);
}

bool Engine::HasPending(int number) {
  const int count = head()[kPendingSends];
  for (int i = 0; i < count && i < kSends; i++) {
    if (sends()[i].socket == number) return true;
  }
  return false;
}

void Engine::Flush() {
  const int count = head()[kPendingSends];
  if (count == 0) return;
  head()[kPendingSends] = 0;
  // A chain for each socket that sends, in the order of its datagrams.
  int32_t touched[kSends];
  int touched_count = 0;
  for (int i = 0; i < count && i < kSends; i++) {
    const int32_t number = sends()[i].socket;
    if (number < 0 || number >= static_cast<int32_t>(sockets_.size())) continue;
    Socket& socket = *sockets_[number];
    next_send_[i] = -1;
    if (socket.first_send < 0) {
      touched[touched_count++] = number;
      socket.first_send = static_cast<int16_t>(i);
    } else {
      next_send_[socket.last_send] = static_cast<int16_t>(i);
    }
    socket.last_send = static_cast<int16_t>(i);
  }
  for (int i = 0; i < touched_count; i++) SendOf(sockets_[touched[i]].get());
}

void Engine::SendOf(Socket* socket) {
  int16_t numbers[kSends];
  int count = 0;
  for (int16_t at = socket->first_send; at >= 0; at = next_send_[at]) numbers[count++] = at;
  socket->first_send = socket->last_send = -1;
  if (socket->fd < 0) return;
  head()[kFailedSends] += sender_->Send(socket->fd, socket->is_ipv6, numbers, count);
}

void Engine::Receive(Socket* socket) {
  if (received_count_ == kSlots) Deliver();
  if (socket->fd < 0) return;
  const int first = received_count_;
  for (int i = first; i < kSlots; i++) headers_[i].msg_hdr.msg_namelen = sizeof names_[i];
  const int count = recvmmsg(socket->fd, headers_ + first, static_cast<unsigned>(kSlots - first),
                             MSG_DONTWAIT, nullptr);
  for (int i = first; i < first + count; i++) {
    Entry& entry = received()[i];
    entry.socket = socket->number;
    entry.offset = static_cast<int32_t>(kSlotsAt + i * kSlotBytes + kHeadroom);
    entry.length = static_cast<int32_t>(headers_[i].msg_len);
    ReadAddress(names_[i], &entry);
  }
  if (count > 0) received_count_ += count;
  if (received_count_ == kSlots) Deliver();
}

void Engine::Deliver() {
  if (received_count_ > 0 && !is_delivering_) {
    is_delivering_ = true;
    napi_handle_scope scope;
    napi_open_handle_scope(env_, &scope);
    napi_value global, callback, count, result;
    napi_get_global(env_, &global);
    napi_get_reference_value(env_, on_batch_, &callback);
    napi_create_int32(env_, received_count_, &count);
    const auto status = napi_make_callback(env_, context_, global, callback, 1, &count, &result);
    if (status == napi_pending_exception) {
      napi_value exception;
      napi_get_and_clear_last_exception(env_, &exception);
      napi_fatal_exception(env_, exception);
    }
    napi_close_handle_scope(env_, scope);
    is_delivering_ = false;
  }
  // What is to be sent may lie in the slots, so it goes before they are used again.
  Flush();
  received_count_ = 0;
  free_numbers_.insert(free_numbers_.end(), resting_numbers_.begin(), resting_numbers_.end());
  resting_numbers_.clear();
}

void Engine::Gather(int count) {
  const uint64_t now = NowMicros();
  const bool is_busy = now - last_batch_at_ < kBusyWithinMicros;
  last_batch_at_ = now;
  if (is_busy && count < kLargeBatch) usleep(kGatherMicros);
}

void Engine::CloseHandle(uv_handle_s* handle) {
  uv_handle_set_data(handle, this);
  uv_close(handle, OnHandleClosed);
}

void Engine::OnReadable(uv_handle_s* handle, int status, int) {
  auto* socket = static_cast<Socket*>(uv_handle_get_data(handle));
  if (status == 0) socket->engine->Receive(socket);
}

void Engine::OnChecked(uv_handle_s* handle) {
  auto* engine = static_cast<Engine*>(uv_handle_get_data(handle));
  const int count = engine->received_count_;
  engine->Deliver();
  if (count > 0) engine->Gather(count);
}

void Engine::OnPrepared(uv_handle_s* handle) {
  static_cast<Engine*>(uv_handle_get_data(handle))->Flush();
}

void Engine::OnHandleClosed(uv_handle_s* handle) {
  auto* engine = static_cast<Engine*>(uv_handle_get_data(handle));
  std::free(handle);
  engine->open_handles_--;
  if (!engine->has_ended_ || engine->open_handles_ > 0) return;
  const auto hook = engine->hook_;
  delete engine;
  napi_remove_async_cleanup_hook(hook);
}

// A thread may end with sockets open: its loop must not be left before their handles are closed.
void Engine::OnEnvironmentEnds(napi_async_cleanup_hook_handle, void* data) {
  auto* engine = static_cast<Engine*>(data);
  engine->has_ended_ = true;
  for (const auto& socket : engine->sockets_) engine->Close(socket->number);
  engine->CloseHandle(engine->check_);
  engine->CloseHandle(engine->prepare_);
}

}  // namespace parley
