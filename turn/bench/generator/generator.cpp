// The load generator of the TURN benchmark: paced datagrams out, received ones counted, both in
// batches, so that it is not the limit. JavaScript prepares what is sent; a run blocks its thread.
//
//   open(count)                              → ports of new sockets on loopback
//   exchange(socket, bytes, port, timeoutMs) → the next datagram that comes, or undefined
//   run(templates, flows, settings)          → Float64Array of results
//   close()
#include <algorithm>
#include <arpa/inet.h>
#include <cstdint>
#include <cstring>
#include <ctime>
#include <netinet/in.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>
#include <vector>

#include <node_api.h>

namespace {

constexpr int kBatch = 64;
constexpr size_t kSlotBytes = 2048;
constexpr int kSocketBufferBytes = 4 * 1024 * 1024;
constexpr double kNanos = 1e9;
// How long a batch of receivers is looked at again without a packet before the run counts as over.
constexpr uint64_t kQuietNanos = 150'000'000;

std::vector<int> sockets;
int ready = -1;

// What stands in each payload: proof that it belongs to this run, and when it was sent.
struct Stamp {
  uint64_t magic;
  uint64_t run;
  uint64_t sent_at;
};

// One stream of equal datagrams, as `load.ts` packs it.
struct Flow {
  int32_t socket;
  int32_t port;
  int32_t offset;
  int32_t length;
  int32_t stamp_at;
};

constexpr uint64_t kMagic = 0x7061726c65793031;

uint64_t Now() {
  timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return static_cast<uint64_t>(time.tv_sec) * 1'000'000'000 + static_cast<uint64_t>(time.tv_nsec);
}

double CpuSeconds() {
  timespec time;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) / kNanos;
}

sockaddr_in Loopback(int port) {
  sockaddr_in name{};
  name.sin_family = AF_INET;
  name.sin_port = htons(static_cast<uint16_t>(port));
  name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return name;
}

class Run {
 public:
  Run(const uint8_t* templates, size_t template_bytes, const Flow* flows, size_t flow_count,
      const double* settings)
      : flows_(flows, flows + flow_count), rate_(settings[0]), burst_(static_cast<int>(settings[1])),
        duration_(static_cast<uint64_t>(settings[2] * kNanos)) {
    static uint64_t runs = 0;
    run_ = ++runs + Now();
    for (int i = 0; i < kBatch; i++) {
      templates_.emplace_back(templates, templates + template_bytes);
      slots_.emplace_back(kSlotBytes);
      out_parts_[i] = {};
      in_parts_[i] = {slots_[i].data(), kSlotBytes};
      in_[i] = {};
      in_[i].msg_hdr.msg_iov = &in_parts_[i];
      in_[i].msg_hdr.msg_iovlen = 1;
    }
  }

  void Go() {
    const double cpu_before = CpuSeconds();
    const uint64_t start = Now();
    size_t next_flow = 0;
    uint64_t now = start;
    while (now - start < duration_) {
      const auto due = static_cast<int64_t>(static_cast<double>(now - start) / kNanos * rate_) -
                       static_cast<int64_t>(sent_);
      if (due >= burst_) {
        SendBurst(flows_[next_flow], now);
        next_flow = (next_flow + 1) % flows_.size();
        // A generator that fell behind must not starve its receivers.
        if (++since_drain_ * burst_ >= kBatch) Drain();
      } else {
        Drain();
      }
      now = Now();
    }
    elapsed_ = now - start;
    for (uint64_t last = Now(); Now() - last < kQuietNanos;) {
      if (Drain() > 0) last = Now();
    }
    cpu_ = CpuSeconds() - cpu_before;
  }

  std::vector<double> Results() {
    std::sort(latencies_.begin(), latencies_.end());
    const auto percentile = [&](double share) {
      if (latencies_.empty()) return 0.0;
      return latencies_[static_cast<size_t>(share * static_cast<double>(latencies_.size() - 1))] / 1e3;
    };
    return {static_cast<double>(sent_), static_cast<double>(received_),
            static_cast<double>(elapsed_) / kNanos, cpu_, percentile(0.5), percentile(0.99)};
  }

 private:
  void SendBurst(const Flow& flow, uint64_t now) {
    sockaddr_in to = Loopback(flow.port);
    const Stamp stamp{kMagic, run_, now};
    for (int i = 0; i < burst_; i++) {
      uint8_t* bytes = templates_[i].data() + flow.offset;
      std::memcpy(bytes + flow.stamp_at, &stamp, sizeof stamp);
      out_parts_[i] = {bytes, static_cast<size_t>(flow.length)};
      out_[i] = {};
      out_[i].msg_hdr.msg_name = &to;
      out_[i].msg_hdr.msg_namelen = sizeof to;
      out_[i].msg_hdr.msg_iov = &out_parts_[i];
      out_[i].msg_hdr.msg_iovlen = 1;
    }
    const int sent = sendmmsg(sockets[flow.socket], out_, static_cast<unsigned>(burst_), MSG_DONTWAIT);
    if (sent > 0) sent_ += static_cast<uint64_t>(sent);
  }

  int Drain() {
    since_drain_ = 0;
    int total = 0;
    epoll_event events[kBatch];
    const int found = epoll_wait(ready, events, kBatch, 0);
    for (int e = 0; e < found; e++) {
      const int fd = events[e].data.fd;
      const int count = recvmmsg(fd, in_, kBatch, MSG_DONTWAIT, nullptr);
      if (count <= 0) continue;
      total += count;
      const uint64_t now = Now();
      for (int i = 0; i < count; i++) Take(slots_[i].data(), in_[i].msg_len, now);
    }
    return total;
  }

  void Take(const uint8_t* bytes, size_t length, uint64_t now) {
    const auto* found =
        static_cast<const uint8_t*>(memmem(bytes, std::min<size_t>(length, 128), &kMagic, 8));
    if (!found || found + sizeof(Stamp) > bytes + length) return;
    Stamp stamp;
    std::memcpy(&stamp, found, sizeof stamp);
    if (stamp.run != run_) return;
    received_++;
    latencies_.push_back(static_cast<uint32_t>(std::min<uint64_t>(now - stamp.sent_at, UINT32_MAX)));
  }

  std::vector<Flow> flows_;
  double rate_;
  int burst_;
  uint64_t duration_;
  uint64_t run_ = 0;
  uint64_t sent_ = 0;
  uint64_t received_ = 0;
  uint64_t elapsed_ = 0;
  double cpu_ = 0;
  int since_drain_ = 0;
  std::vector<uint32_t> latencies_;
  // A copy for each place in a burst: the kernel reads them after the loop has stamped all.
  std::vector<std::vector<uint8_t>> templates_;
  std::vector<std::vector<uint8_t>> slots_;
  iovec out_parts_[kBatch];
  iovec in_parts_[kBatch];
  mmsghdr out_[kBatch];
  mmsghdr in_[kBatch];
};

napi_value Undefined(napi_env env) {
  napi_value value;
  napi_get_undefined(env, &value);
  return value;
}

napi_value NewTyped(napi_env env, napi_typedarray_type type, const void* data, size_t count,
                    size_t width) {
  void* bytes;
  napi_value buffer, value;
  napi_create_arraybuffer(env, count * width, &bytes, &buffer);
  if (count > 0) std::memcpy(bytes, data, count * width);
  napi_create_typedarray(env, type, count, buffer, 0, &value);
  return value;
}

struct View {
  uint8_t* data = nullptr;
  size_t length = 0;
};

View ViewOf(napi_env env, napi_value value) {
  View view;
  void* data = nullptr;
  napi_get_typedarray_info(env, value, nullptr, &view.length, &data, nullptr, nullptr);
  view.data = static_cast<uint8_t*>(data);
  return view;
}

napi_value Open(napi_env env, napi_callback_info info) {
  size_t argument_count = 1;
  napi_value arguments[1];
  int32_t count = 0;
  napi_get_cb_info(env, info, &argument_count, arguments, nullptr, nullptr);
  napi_get_value_int32(env, arguments[0], &count);
  std::vector<int32_t> ports;
  for (int i = 0; i < count; i++) {
    const int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    sockaddr_in name = Loopback(0);
    socklen_t length = sizeof name;
    auto* address = reinterpret_cast<sockaddr*>(&name);
    if (fd < 0 || bind(fd, address, length) != 0 || getsockname(fd, address, &length) != 0) {
      napi_throw_error(env, nullptr, "no socket could be opened");
      return nullptr;
    }
    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &kSocketBufferBytes, sizeof kSocketBufferBytes);
    setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &kSocketBufferBytes, sizeof kSocketBufferBytes);
    if (ready < 0) ready = epoll_create1(EPOLL_CLOEXEC);
    epoll_event event{EPOLLIN, {.fd = fd}};
    epoll_ctl(ready, EPOLL_CTL_ADD, fd, &event);
    sockets.push_back(fd);
    ports.push_back(ntohs(name.sin_port));
  }
  return NewTyped(env, napi_int32_array, ports.data(), ports.size(), sizeof(int32_t));
}

napi_value Exchange(napi_env env, napi_callback_info info) {
  size_t argument_count = 4;
  napi_value arguments[4];
  int32_t socket = 0, port = 0, timeout_ms = 0;
  napi_get_cb_info(env, info, &argument_count, arguments, nullptr, nullptr);
  napi_get_value_int32(env, arguments[0], &socket);
  const View bytes = ViewOf(env, arguments[1]);
  napi_get_value_int32(env, arguments[2], &port);
  napi_get_value_int32(env, arguments[3], &timeout_ms);
  const int fd = sockets.at(static_cast<size_t>(socket));
  if (port > 0) {
    const sockaddr_in to = Loopback(port);
    sendto(fd, bytes.data, bytes.length, 0, reinterpret_cast<const sockaddr*>(&to), sizeof to);
  }
  pollfd waiting{fd, POLLIN, 0};
  if (timeout_ms < 0 || poll(&waiting, 1, timeout_ms) <= 0) return Undefined(env);
  uint8_t answer[kSlotBytes];
  sockaddr_in from{};
  socklen_t from_length = sizeof from;
  // Two bytes before the datagram tell the port that it came from.
  const auto length = recvfrom(fd, answer + 2, sizeof answer - 2, MSG_DONTWAIT,
                               reinterpret_cast<sockaddr*>(&from), &from_length);
  if (length < 0) return Undefined(env);
  std::memcpy(answer, &from.sin_port, 2);
  return NewTyped(env, napi_uint8_array, answer, static_cast<size_t>(length) + 2, 1);
}

napi_value RunLoad(napi_env env, napi_callback_info info) {
  size_t argument_count = 3;
  napi_value arguments[3];
  napi_get_cb_info(env, info, &argument_count, arguments, nullptr, nullptr);
  const View templates = ViewOf(env, arguments[0]);
  const View flows = ViewOf(env, arguments[1]);
  const View settings = ViewOf(env, arguments[2]);
  Run run(templates.data, templates.length, reinterpret_cast<const Flow*>(flows.data),
          flows.length / (sizeof(Flow) / sizeof(int32_t)),
          reinterpret_cast<const double*>(settings.data));
  run.Go();
  const std::vector<double> results = run.Results();
  return NewTyped(env, napi_float64_array, results.data(), results.size(), sizeof(double));
}

napi_value Close(napi_env env, napi_callback_info) {
  for (const int fd : sockets) close(fd);
  sockets.clear();
  return Undefined(env);
}

}  // namespace

NAPI_MODULE_INIT() {
  const napi_property_descriptor functions[] = {
      {"open", nullptr, Open, nullptr, nullptr, nullptr, napi_enumerable, nullptr},
      {"exchange", nullptr, Exchange, nullptr, nullptr, nullptr, napi_enumerable, nullptr},
      {"run", nullptr, RunLoad, nullptr, nullptr, nullptr, napi_enumerable, nullptr},
      {"close", nullptr, Close, nullptr, nullptr, nullptr, napi_enumerable, nullptr},
  };
  napi_define_properties(env, exports, sizeof functions / sizeof *functions, functions);
  return exports;
}
