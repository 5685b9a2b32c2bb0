#include "gitsync/proxy.hpp"

#include <algorithm>
#include <cstdlib>

#include "core/ascii.hpp"
#include "gitsync/one_line.hpp"

namespace skep::gitsync {
namespace {

constexpr std::string_view kBlanks = " \t";

std::string_view without_blanks(std::string_view text) {
  const auto begin = std::min(text.find_first_not_of(kBlanks), text.size());
  const auto end = text.find_last_not_of(kBlanks);
  return end == std::string_view::npos ? std::string_view() : text.substr(begin, end - begin + 1);
}

/// The first of these variables that is set and not empty: its name and value.
std::optional<std::pair<std::string, std::string>> variable_of(const std::string& lower_name) {
  auto upper = lower_name;
  for (auto& c : upper)
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  for (const auto& name : {lower_name, upper}) {
    const char* const value =
        std::getenv(name.c_str());  // NOLINT(concurrency-mt-unsafe): never set
    if (value != nullptr && *value != '\0') return std::pair(name, std::string(value));
  }
  return std::nullopt;
}

/// Host, and a port if any; never a name or a password.
bool is_place(std::string_view text) {
  if (text.ends_with('/')) text.remove_suffix(1);
  const auto colon = text.rfind(':');
  const bool has_port = colon != std::string_view::npos && !text.ends_with(']');
  if (has_port && (colon + 1 == text.size() ||
                   text.find_first_not_of("0123456789", colon + 1) != std::string_view::npos))
    return false;
  return !text.empty() && text.find_first_of("/?#@ \t\"'\\") == std::string_view::npos;
}

}  // namespace

bool is_without_proxy(std::string_view list, std::string_view host, std::uint16_t port) {
  const auto name = lower(host);
  while (!list.empty()) {
    const auto comma = std::min(list.find(','), list.size());
    auto pattern = lower(without_blanks(list.substr(0, comma)));
    list.remove_prefix(std::min(comma + 1, list.size()));
    if (pattern == "*") return true;
    if (pattern.starts_with('*')) pattern.erase(0, 1);
    if (pattern.starts_with('.')) pattern.erase(0, 1);
    const auto port_of_pattern = ":" + std::to_string(port);
    if (pattern.ends_with(port_of_pattern)) pattern.resize(pattern.size() - port_of_pattern.size());
    if (pattern.empty()) continue;
    if (name == pattern || name.ends_with("." + pattern)) return true;
  }
  return false;
}

std::string without_credentials(std::string_view text) {
  constexpr std::string_view kEnds = " \t\r\n'\"/<>()[]";
  std::string result(text);
  for (auto at = result.find('@'); at != std::string::npos; at = result.find('@', at + 1)) {
    const auto before = at == 0 ? std::string::npos : result.find_last_of(kEnds, at - 1);
    const auto begin = before == std::string::npos ? 0 : before + 1;
    const auto named = std::string_view(result).substr(begin, at - begin);
    const bool in_address = begin >= 2 && result.compare(begin - 2, 2, "//") == 0;
    // git@host:path is no secret.
    if (!in_address && named.find(':') == std::string_view::npos) continue;
    result.replace(begin, at - begin, "***");
    at = begin + 3;
  }
  return result;
}

Result<std::optional<Proxy>> proxy_for(const RemoteUrl& url) {
  using Scheme = RemoteUrl::Scheme;
  if (url.scheme() != Scheme::http && url.scheme() != Scheme::https) return std::optional<Proxy>();
  const auto set = variable_of(url.scheme() == Scheme::https ? "https_proxy" : "http_proxy");
  if (!set) return std::optional<Proxy>();
  if (const auto none = variable_of("no_proxy");
      none && is_without_proxy(none->second, url.host(), url.port()))
    return std::optional<Proxy>();
  const auto text = without_blanks(set->second);
  const auto end = text.find("://");
  const auto scheme = end == std::string_view::npos ? "http" : lower(text.substr(0, end));
  const auto rest = end == std::string_view::npos ? text : text.substr(end + 3);
  const auto at = rest.rfind('@');
  const auto place = at == std::string_view::npos ? rest : rest.substr(at + 1);
  const bool known = scheme == "http" || scheme == "https";
  if (!known || !is_place(place)) {
    return Error{ErrorKind::invalid_input,
                 "the proxy in " + set->first + " (" + (known ? "" : one_line(scheme, 20) + "://") +
                     (is_place(place) ? one_line(place) : std::string("not shown")) +
                     ") is none that can be used: give http://HOST:PORT or https://HOST:PORT, or "
                     "name " +
                     url.host() + " in NO_PROXY"};
  }
  return std::optional(
      Proxy{set->first, scheme + "://" + std::string(rest), scheme + "://" + std::string(place)});
}

}  // namespace skep::gitsync
