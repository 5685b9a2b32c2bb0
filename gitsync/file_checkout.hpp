#pragma once

#include <string>
#include <utility>

#include "reconciler/ports/checkout.hpp"

namespace skep::gitsync {

/// A checkout in a directory of this machine. Which files it made, and for which stack, stands in
/// the file `.skep-checkout` there. Follows no symlink below the directory: a container that may
/// write there leads nobody out of it. One at a time.
class FileCheckout final : public ports::Checkout {
 public:
  explicit FileCheckout(std::string directory) : directory_(std::move(directory)) {}
  Result<std::size_t> write(const std::string& stack,
                            const std::vector<ports::CheckoutFile>& files) override;

 private:
  std::string directory_;
};

}  // namespace skep::gitsync
