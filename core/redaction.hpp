#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <set>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace skep {

/// The values that no output may hold (design §9), whoever writes it: log lines, errors, plans,
/// answers, metrics, history. One set for a process; values are only ever added, for what an older
/// revision held stays a secret. Safe from several threads.
class RedactionSet {
 public:
  static constexpr std::string_view kMask = "***";
  /// Shorter values are found as whole words only, those of one or two bytes only where they are
  /// all of a field or of an assignment (`NAME=value`).
  static constexpr std::size_t kShort = 6;

  /// A value as it was decrypted, and the forms in which programs repeat it: escaped as JSON, YAML,
  /// Go and shells do, percent-encoded, base64 (also in the midst of something longer), and each
  /// of its lines.
  void add(std::string_view value);

  /// Everything known becomes "***" in one pass, whatever the number of values. A JSON number that
  /// equals a value becomes 0, so that JSON stays JSON. Short values are left alone.
  [[nodiscard]] std::string mask(std::string_view text) const;
  /// The same for one field, a thing that a person reads as a whole: where a short value stands in
  /// it as a word, all of it becomes "***".
  [[nodiscard]] std::string mask_field(std::string_view field) const;

  /// For formats in which values stand between quotes and everything else has a meaning, such as
  /// Prometheus' text: what stands between double quotes is masked.
  [[nodiscard]] std::string mask_quoted(std::string_view text) const;

  /// Whether mask_field() would change the text.
  [[nodiscard]] bool reveals(std::string_view text) const;
  [[nodiscard]] bool empty() const;

 private:
  struct Span {
    std::size_t begin = 0;
    std::size_t end = 0;
  };

  void add_form(std::string form);
  void add_forms(std::string_view value);
  [[nodiscard]] std::vector<Span> spans(std::string_view text) const;
  [[nodiscard]] bool holds_short(std::string_view text) const;

  mutable std::shared_mutex mutex_;  ///< Guards what follows.
  std::set<std::string, std::less<>> forms_;
  /// By their first kShort bytes; the longest first.
  std::unordered_map<std::uint64_t, std::vector<std::string_view>> by_start_;
  /// Which pairs of bytes begin a form: most places of a text are passed by with one look.
  std::array<std::uint64_t, 1024> starts_{};
  std::set<std::string, std::less<>> short_;
};

}  // namespace skep
