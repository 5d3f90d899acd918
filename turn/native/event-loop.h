// The nine functions of libuv that the add-on calls. Node exports them from its binary, and their
// binary interface has been stable since libuv 1.19 within version 1; declaring them here spares
// the headers of a Node that is not installed with any.
#pragma once

#include <cstddef>

extern "C" {

struct uv_loop_s;
// Handles are only ever made on memory of `uv_handle_size` and used through pointers.
struct uv_handle_s;

using uv_close_cb = void (*)(uv_handle_s*);
using uv_poll_cb = void (*)(uv_handle_s*, int status, int events);
using uv_phase_cb = void (*)(uv_handle_s*);

// Values of `uv_handle_type`.
enum { UV_CHECK = 2, UV_POLL = 8, UV_PREPARE = 9 };
// Of `uv_poll_event`.
enum { UV_READABLE = 1 };

unsigned int uv_version(void);
std::size_t uv_handle_size(int type);
void uv_handle_set_data(uv_handle_s*, void*);
void* uv_handle_get_data(const uv_handle_s*);
void uv_unref(uv_handle_s*);
void uv_close(uv_handle_s*, uv_close_cb);

int uv_poll_init_socket(uv_loop_s*, uv_handle_s*, int fd);
int uv_poll_start(uv_handle_s*, int events, uv_poll_cb);
int uv_poll_stop(uv_handle_s*);

int uv_check_init(uv_loop_s*, uv_handle_s*);
int uv_check_start(uv_handle_s*, uv_phase_cb);
int uv_prepare_init(uv_loop_s*, uv_handle_s*);
int uv_prepare_start(uv_handle_s*, uv_phase_cb);
}
