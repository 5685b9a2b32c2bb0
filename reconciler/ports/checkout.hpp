#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "core/repo_path.hpp"
#include "core/result.hpp"

namespace skep::ports {

/// A file that git holds and a service mounts, where the nodes are to find it.
struct CheckoutFile {
  RepoPath path;  ///< In the repository, and below the checkout's directory.
  std::string text;
  bool executable = false;
  bool operator==(const CheckoutFile&) const = default;
};

/// The directory on the nodes that services mount files of the repository from (`repo_files:
/// checkout`, design §7). What git does not hold there is nobody's business here.
class Checkout {
 public:
  virtual ~Checkout() = default;
  /// Makes the files of a stack as given, and removes those that an earlier call made for it and
  /// that are not among them. A file that is right already is not touched; what runs keeps a file
  /// that is replaced until its task ends. Returns how many were written or removed. May be killed
  /// anywhere and repeated. Errors: unavailable (no such directory, disk), invalid_input (something
  /// that is not ours stands in the way).
  virtual Result<std::size_t> write(const std::string& stack,
                                    const std::vector<CheckoutFile>& files) = 0;
};

}  // namespace skep::ports
