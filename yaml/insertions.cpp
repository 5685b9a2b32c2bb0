#include "yaml/insertions.hpp"

#include <algorithm>
#include <utility>

namespace skep::yaml {

void Insertions::add(std::size_t offset, std::string text) {
  all_.insert(after(offset), {offset, std::move(text)});
}

void Insertions::add(const Insertions& others) {
  all_.insert(all_.end(), others.all_.begin(), others.all_.end());
  std::sort(
      all_.begin(), all_.end(), [](const auto& a, const auto& b) { return a.offset < b.offset; });
}

std::vector<Insertions::Insertion>::const_iterator Insertions::after(std::size_t offset) const {
  return std::upper_bound(
      all_.begin(), all_.end(), offset, [](std::size_t a, const auto& b) { return a < b.offset; });
}

std::vector<std::size_t> Insertions::without(const Insertions& others) const {
  std::vector<std::size_t> offsets;
  for (const auto& one : all_) {
    if (!others.has(one.offset)) offsets.push_back(one.offset);
  }
  return offsets;
}

bool Insertions::has(std::size_t offset) const {
  const auto behind = after(offset);
  return behind != all_.begin() && (behind - 1)->offset == offset;
}

std::string Insertions::applied_to(std::string_view text) {
  std::string out;
  std::size_t from = 0;
  for (auto& one : all_) {
    out += text.substr(from, one.offset - from);
    out += one.text;
    one.end = out.size();
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
