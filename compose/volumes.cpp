#include "compose/volumes.hpp"

#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include "compose/text.hpp"
#include "core/ascii.hpp"

namespace skep::compose {
namespace {

constexpr std::array<std::string_view, 6> kPropagations = {
    "rprivate", "private", "rshared", "shared", "rslave", "slave"};

/// At colons, but not at one behind a single letter: that is a Windows drive (rule B2.2).
std::vector<std::string> sections(std::string_view text) {
  std::vector<std::string> result(1);
  for (const char c : text) {
    auto& section = result.back();
    if (c == ':' && !(section.size() == 1 && is_letter(section[0]))) {
      result.emplace_back();
    } else {
      section += c;
    }
  }
  return result;
}

bool is_file_path(const std::string& source) {
  const char first = source.front();
  if (first == '.' || first == '/' || first == '~') return true;
  if (source.rfind("\\\\", 0) == 0) return true;
  return source.size() > 1 && is_letter(first) && source[1] == ':';
}

/// Docker Desktop's, which say how fast a mount may be, not what it is.
constexpr std::array<std::string_view, 3> kConsistencies = {"cached", "consistent", "delegated"};

template <std::size_t size>
bool is_one_of(const std::array<std::string_view, size>& words, std::string_view word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

/// Anything that is not known, such as "z", is ignored (rule B2.4).
void apply_options(std::string_view text,
                   ServiceVolume& volume,
                   std::vector<std::string>* ignored) {
  for (const auto option : split(text, ',')) {
    if (option == "ro" || option == "rw") {
      volume.read_only = option == "ro";
    } else if (option == "nocopy") {
      volume.volume = ServiceVolume::VolumeOptions{true, ""};
    } else if (is_one_of(kPropagations, option)) {
      volume.propagation = std::string(option);
    } else if (ignored != nullptr && !is_one_of(kConsistencies, option)) {
      ignored->emplace_back(option);
    }
  }
}

Error invalid(std::string_view spec, const char* reason) {
  return {ErrorKind::invalid_input, "invalid spec: " + std::string(spec) + ": " + reason};
}

}  // namespace

Result<ServiceVolume> parse_volume(std::string_view text, std::vector<std::string>* ignored) {
  ServiceVolume volume;
  volume.type = "volume";
  if (text.empty()) return Error{ErrorKind::invalid_input, "invalid empty volume spec"};
  if (text.size() <= 2) {
    volume.target = text;
    return volume;
  }
  const auto parts = sections(text);
  for (std::size_t i = 0; i < parts.size(); ++i) {
    if (parts[i].empty()) return invalid(text, "empty section between colons");
    if (i == 2 && parts.size() > 3) return invalid(text, "too many colons");
  }
  if (parts.size() == 1) {
    volume.target = parts[0];
    return volume;
  }
  volume.source = parts[0];
  volume.target = parts[1];
  if (parts.size() == 3) apply_options(parts[2], volume, ignored);
  if (is_file_path(volume.source)) volume.type = "bind";
  return volume;
}

}  // namespace skep::compose
