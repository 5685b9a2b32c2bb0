#pragma once

#include <memory>

namespace skep {

/// Owns a C library's object: `Handle<git_repository, git_repository_free>`.
template <auto Free>
struct FreeWith {
  template <typename T>
  void operator()(T* pointer) const noexcept {
    Free(pointer);
  }
};

template <typename T, auto Free>
using Handle = std::unique_ptr<T, FreeWith<Free>>;

}  // namespace skep
