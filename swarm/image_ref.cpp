#include "swarm/image_ref.hpp"

#include <algorithm>
#include <array>

#include "core/ascii.hpp"

namespace skep::swarm {
namespace {

constexpr std::size_t kLongestPath = 255;
constexpr std::size_t kLongestTag = 128;

bool is_lower(char c) { return c >= 'a' && c <= 'z'; }
bool is_upper(char c) { return c >= 'A' && c <= 'Z'; }
bool is_alphanumeric(char c) { return is_digit(c) || is_lower(c) || is_upper(c); }
bool is_lower_hex(char c) { return is_digit(c) || (c >= 'a' && c <= 'f'); }

template <typename Predicate>
bool all(std::string_view text, Predicate predicate) {
  return std::all_of(text.begin(), text.end(), predicate);
}

/// Calls `visit` for each part between separators; false as soon as one call says so.
template <typename Visit>
bool each_part(std::string_view text, char separator, Visit visit) {
  for (;;) {
    const auto end = text.find(separator);
    if (!visit(text.substr(0, end))) return false;
    if (end == std::string_view::npos) return true;
    text.remove_prefix(end + 1);
  }
}

bool is_domain_label(std::string_view label) {
  return !label.empty() && label.front() != '-' && label.back() != '-' &&
         all(label, [](char c) { return is_alphanumeric(c) || c == '-'; });
}

bool is_domain(std::string_view text) {
  std::string_view host = text;
  if (!text.empty() && text.front() == '[') {  // An IPv6 address.
    const auto close = text.find(']');
    if (close == std::string_view::npos || close < 2) return false;
    const auto address = text.substr(1, close - 1);
    if (!all(address, [](char c) {
          return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F') || c == ':';
        }))
      return false;
    const auto rest = text.substr(close + 1);
    return rest.empty() ||
           (rest.size() > 1 && rest.front() == ':' && all(rest.substr(1), is_digit));
  }
  if (const auto colon = text.find(':'); colon != std::string_view::npos) {
    const auto port = text.substr(colon + 1);
    if (port.empty() || !all(port, is_digit)) return false;
    host = text.substr(0, colon);
  }
  return each_part(host, '.', is_domain_label);
}

/// [a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*
bool is_path_component(std::string_view part) {
  const auto is_word = [](char c) { return is_lower(c) || is_digit(c); };
  if (part.empty() || !is_word(part.front()) || !is_word(part.back())) return false;
  for (std::size_t at = 0; at < part.size();) {
    if (is_word(part[at])) {
      ++at;
      continue;
    }
    const auto end = static_cast<std::size_t>(
        std::find_if(part.begin() + static_cast<std::ptrdiff_t>(at), part.end(), is_word) -
        part.begin());
    const auto separator = part.substr(at, end - at);
    const bool dashes = all(separator, [](char c) { return c == '-'; });
    if (!dashes && separator != "." && separator != "_" && separator != "__") return false;
    at = end;
  }
  return true;
}

bool is_path(std::string_view path) { return each_part(path, '/', is_path_component); }

bool is_tag(std::string_view tag) {
  return !tag.empty() && tag.size() <= kLongestTag && tag.front() != '.' && tag.front() != '-' &&
         all(tag, [](char c) { return is_alphanumeric(c) || c == '_' || c == '.' || c == '-'; });
}

struct Algorithm {
  std::string_view name;
  std::size_t hex_digits;
};
constexpr std::array<Algorithm, 3> kAlgorithms{
    Algorithm{"sha256", 64}, Algorithm{"sha384", 96}, Algorithm{"sha512", 128}};

/// "" where the digest is good, else the reason.
std::string_view digest_fault(std::string_view digest) {
  const auto colon = digest.find(':');
  if (colon == std::string_view::npos) return "invalid reference format";
  const auto hex = digest.substr(colon + 1);
  for (const auto& algorithm : kAlgorithms) {
    if (algorithm.name != digest.substr(0, colon)) continue;
    if (!all(hex, is_lower_hex)) return "invalid reference format";
    return hex.size() == algorithm.hex_digits ? "" : "invalid checksum digest length";
  }
  return hex.size() >= 32 && all(hex, is_lower_hex) ? "unsupported digest algorithm"
                                                    : "invalid reference format";
}

Error invalid(std::string reason) { return {ErrorKind::invalid_input, std::move(reason), {}}; }

bool has_upper(std::string_view text) { return std::any_of(text.begin(), text.end(), is_upper); }

}  // namespace

Result<ImageRef> ImageRef::parse(std::string_view text) {
  ImageRef ref;
  if ((text.size() == 64 && all(text, is_lower_hex)) || digest_fault(text).empty()) {
    ref.bare_id = true;
    return ref;
  }
  std::string rest(text);
  std::string domain = "docker.io";
  const auto slash = text.find('/');
  const auto first = text.substr(0, slash);
  if (slash != std::string_view::npos &&
      (first == "localhost" || first.find_first_of(".:") != std::string_view::npos ||
       has_upper(first))) {
    domain = first;
    rest = text.substr(slash + 1);
  }
  if (domain == "index.docker.io") domain = "docker.io";
  if (domain == "docker.io" && rest.find('/') == std::string::npos) rest = "library/" + rest;
  // The CLI judges the case of what stands before the first colon, before it looks at the syntax.
  if (const auto name = rest.substr(0, rest.find(':')); has_upper(name))
    return invalid("invalid reference format: repository name (" + name + ") must be lowercase");

  std::string_view left = rest;
  std::string_view digest;
  if (const auto at = left.find('@'); at != std::string_view::npos) {
    digest = left.substr(at + 1);
    left = left.substr(0, at);
    if (const auto fault = digest_fault(digest); !fault.empty()) return invalid(std::string(fault));
  }
  std::string_view tag;
  if (const auto colon = left.find(':'); colon != std::string_view::npos) {
    tag = left.substr(colon + 1);
    left = left.substr(0, colon);
    if (!is_tag(tag)) return invalid("invalid reference format");
  }
  if (!is_path(left)) return invalid("invalid reference format");
  std::string path(left);
  if (!is_domain(domain)) {
    // "a_b.c/d" looks like a domain, is none, but is a good path.
    path = domain + "/" + path;
    domain.clear();
    if (!is_path(path)) return invalid("invalid reference format");
  }
  if (path.size() > kLongestPath)
    return invalid("repository name must not be more than 255 characters");
  ref.domain = std::move(domain);
  ref.path = std::move(path);
  ref.tag = tag;
  ref.digest = digest;
  return ref;
}

std::string ImageRef::familiar() const {
  constexpr std::string_view kOfficial = "library/";
  std::string text;
  if (domain == "docker.io") {
    const bool official = path.compare(0, kOfficial.size(), kOfficial) == 0 &&
                          path.find('/', kOfficial.size()) == std::string::npos;
    text = official ? path.substr(kOfficial.size()) : path;
  } else {
    text = domain.empty() ? path : domain + "/" + path;
  }
  if (!tag.empty()) text += ":" + tag;
  if (!digest.empty()) text += "@" + digest;
  return text;
}

std::string familiar_tagged(std::string_view text) {
  auto ref = ImageRef::parse(text);
  if (!ref || ref->bare_id) return std::string(text);
  if (ref->tag.empty() && ref->digest.empty()) ref->tag = "latest";
  return ref->familiar();
}

std::pair<std::string, std::string> split_digest(std::string_view image) {
  const auto at = image.find('@');
  if (at == std::string_view::npos) return {std::string(image), ""};
  return {std::string(image.substr(0, at)), std::string(image.substr(at + 1))};
}

}  // namespace skep::swarm
