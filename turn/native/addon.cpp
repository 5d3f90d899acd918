// The add-on's door to JavaScript; `src/io/batched-addon.ts` has its types.
//
//   start(onBatch)                      → the shared memory
//   open(host, port, reusePort)         → a socket's number; its port is in the head
//   close(number)
//   flush()
#include <cerrno>
#include <cstring>

#include <node_api.h>

#include "engine.h"

namespace {

using parley::Engine;

constexpr unsigned kLibuvMajor = 1;

template <size_t N>
bool Arguments(napi_env env, napi_callback_info info, napi_value (&values)[N]) {
  size_t count = N;
  return napi_get_cb_info(env, info, &count, values, nullptr, nullptr) == napi_ok && count == N;
}

Engine* EngineOf(napi_env env) {
  void* engine = nullptr;
  napi_get_instance_data(env, &engine);
  if (!engine) napi_throw_error(env, nullptr, "start() has not been called");
  return static_cast<Engine*>(engine);
}

const char* NameOf(int code) {
  switch (code) {
    case EADDRINUSE: return "EADDRINUSE";
    case EADDRNOTAVAIL: return "EADDRNOTAVAIL";
    case EACCES: return "EACCES";
    case EAFNOSUPPORT: return "EAFNOSUPPORT";
    case EMFILE: return "EMFILE";
    case ENFILE: return "ENFILE";
    case ENOBUFS: return "ENOBUFS";
    case ENOMEM: return "ENOMEM";
    case EINVAL: return "EINVAL";
    default: return "EIO";
  }
}

napi_value Start(napi_env env, napi_callback_info info) {
  napi_value values[1];
  void* existing = nullptr;
  napi_get_instance_data(env, &existing);
  if (existing || !Arguments(env, info, values)) {
    napi_throw_error(env, nullptr, "start() is called once, with a callback");
    return nullptr;
  }
  Engine* engine =
      uv_version() >> 16 == kLibuvMajor ? Engine::Create(env, values[0]) : nullptr;
  if (!engine) {
    napi_throw_error(env, nullptr, "this event loop cannot be used");
    return nullptr;
  }
  napi_set_instance_data(env, engine, nullptr, nullptr);
  return engine->memory();
}

napi_value Open(napi_env env, napi_callback_info info) {
  Engine* engine = EngineOf(env);
  napi_value values[3];
  char host[64];
  size_t length = 0;
  int32_t port = 0;
  bool reuse_port = false;
  if (!engine) return nullptr;
  if (!Arguments(env, info, values) ||
      napi_get_value_string_utf8(env, values[0], host, sizeof host, &length) != napi_ok ||
      napi_get_value_int32(env, values[1], &port) != napi_ok ||
      napi_get_value_bool(env, values[2], &reuse_port) != napi_ok) {
    napi_throw_type_error(env, nullptr, "open(host, port, reusePort)");
    return nullptr;
  }
  int number = -1;
  if (const int code = engine->Open({host, port, reuse_port}, &number)) {
    napi_throw_error(env, NameOf(code), std::strerror(code));
    return nullptr;
  }
  napi_value result;
  napi_create_int32(env, number, &result);
  return result;
}

napi_value Close(napi_env env, napi_callback_info info) {
  Engine* engine = EngineOf(env);
  napi_value values[1];
  int32_t number = -1;
  if (engine && Arguments(env, info, values) &&
      napi_get_value_int32(env, values[0], &number) == napi_ok) {
    engine->Close(number);
  }
  return nullptr;
}

napi_value Flush(napi_env env, napi_callback_info) {
  if (Engine* engine = EngineOf(env)) engine->Flush();
  return nullptr;
}

}  // namespace

NAPI_MODULE_INIT() {
  const napi_property_descriptor functions[] = {
      {"start", nullptr, Start, nullptr, nullptr, nullptr, napi_enumerable, nullptr},
      {"open", nullptr, Open, nullptr, nullptr, nullptr, napi_enumerable, nullptr},
      {"close", nullptr, Close, nullptr, nullptr, nullptr, napi_enumerable, nullptr},
      {"flush", nullptr, Flush, nullptr, nullptr, nullptr, napi_enumerable, nullptr},
  };
  napi_define_properties(env, exports, sizeof functions / sizeof *functions, functions);
  return exports;
}
