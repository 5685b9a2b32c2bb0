#pragma once

#include <utility>

#include <unistd.h>

namespace skep::gitsync {

/// Owns a file descriptor of the system; -1 for none.
class Descriptor {
 public:
  explicit Descriptor(int number = -1) noexcept : number_(number) {}
  ~Descriptor() { reset(); }
  Descriptor(Descriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    reset(std::exchange(other.number_, -1));
    return *this;
  }
  /// Closes the one that it owns, and owns `number` instead.
  void reset(int number = -1) noexcept {
    if (number_ >= 0 && number_ != number) ::close(number_);
    number_ = number;
  }
  [[nodiscard]] int get() const noexcept { return number_; }
  [[nodiscard]] bool is_open() const noexcept { return number_ >= 0; }

 private:
  int number_;
};

}  // namespace skep::gitsync
