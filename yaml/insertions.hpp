#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace skep::yaml {

/// What is written between the characters of a text before another reader gets it, and the way
/// back from what that one says of places.
class Insertions {
 public:
  /// Before the character at an offset of the original text; once for each offset.
  void add(std::size_t offset, std::string text);
  void add(const Insertions& others);
  /// The offsets of those that are not among the others.
  [[nodiscard]] std::vector<std::size_t> without(const Insertions& others) const;
  [[nodiscard]] bool has(std::size_t offset) const;
  [[nodiscard]] bool empty() const noexcept { return all_.empty(); }
  /// The offset of the first one; there must be one.
  [[nodiscard]] std::size_t first() const { return all_.front().offset; }

  [[nodiscard]] std::string applied_to(std::string_view text);
  /// The offset in the original text of one in the text that applied_to() made.
  [[nodiscard]] std::size_t original(std::size_t offset) const;

 private:
  struct Insertion {
    std::size_t offset = 0;
    std::string text;
    std::size_t end = 0;  ///< Behind it, in the text that applied_to() makes.
  };
  [[nodiscard]] std::vector<Insertion>::const_iterator after(std::size_t offset) const;

  std::vector<Insertion> all_;  ///< By offset.
};

}  // namespace skep::yaml
