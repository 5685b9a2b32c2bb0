#include "yaml/insertions.hpp"

#include <algorithm>
#include <utility>

namespace skep::yaml {

void Insertions::add(std::size_t offset, std::string text) {
  const auto behind = std::upper_bound(
      all_.begin(), all_.end(), offset, [](std::size_t a, const auto& b) { return a < b.offset; });
  all_.insert(behind, {offset, std::move(text)});
  std::size_t inserted = 0;
  for (auto& one : all_) {
    inserted += one.text.size();
    one.end = one.offset + inserted;
  }
}

void Insertions::add(const Insertions& others) {
  for (const auto& one : others.all_) add(one.offset, one.text);
}

bool Insertions::has(std::size_t offset) const {
  return std::any_of(
      all_.begin(), all_.end(), [offset](const auto& one) { return one.offset == offset; });
}

std::string Insertions::applied_to(std::string_view text) const {
  std::string out;
  std::size_t from = 0;
  for (const auto& one : all_) {
    out += text.substr(from, one.offset - from);
    out += one.text;
    from = one.offset;
  }
  return out += text.substr(from);
}

std::size_t Insertions::original(std::size_t offset) const {
  const auto after = std::upper_bound(all_.begin(), all_.end(), offset, [](auto a, const auto& b) {
    return a + b.text.size() < b.end;
  });
  // `after` begins behind the offset; the one before it, at the offset or before.
  if (after == all_.begin()) return offset;
  const auto& last = *(after - 1);
  return offset < last.end ? last.offset : last.offset + (offset - last.end);
}

}  // namespace skep::yaml
