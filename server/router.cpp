#include "server/router.hpp"

#include <algorithm>
#include <optional>

namespace skep::server {
namespace {

using Parameters = std::map<std::string, std::string, std::less<>>;

std::vector<std::string> split(std::string_view pattern) {
  std::vector<std::string> parts;
  for (std::size_t at = 1; at < pattern.size();) {
    const auto slash = std::min(pattern.find('/', at), pattern.size());
    parts.emplace_back(pattern.substr(at, slash - at));
    at = slash + 1;
  }
  return parts;
}

std::optional<Parameters> matched(const std::vector<std::string>& pattern,
                                  const std::vector<std::string>& parts) {
  if (pattern.size() != parts.size()) return std::nullopt;
  Parameters parameters;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    if (pattern[i].starts_with('{')) {
      parameters.emplace(pattern[i].substr(1, pattern[i].size() - 2), parts[i]);
    } else if (pattern[i] != parts[i]) {
      return std::nullopt;
    }
  }
  return parameters;
}

}  // namespace

void Router::add(
    RouteSet set, std::string method, std::string pattern, Handler handler, Pace pace) {
  auto parts = split(pattern);
  entries_.push_back({.route = {.set = set,
                                .method = std::move(method),
                                .pattern = std::move(pattern),
                                .handler = std::move(handler),
                                .pace = pace},
                      .parts = std::move(parts)});
}

std::vector<const Router::Route*> Router::routes() const {
  std::vector<const Route*> all;
  for (const auto& entry : entries_) all.push_back(&entry.route);
  return all;
}

Router::Match Router::find(const RouteSets& sets,
                           std::string_view method,
                           const Target& target) const {
  const std::string_view wanted = method == "HEAD" ? "GET" : method;
  Match match;
  for (const auto& entry : entries_) {
    if (!sets.contains(entry.route.set)) continue;
    auto parameters = matched(entry.parts, target.parts);
    if (!parameters) continue;
    if (entry.route.method == wanted) {
      match.route = &entry.route;
      match.parameters = *std::move(parameters);
      return match;
    }
    if (!match.allowed.empty()) match.allowed += ", ";
    match.allowed += entry.route.method == "GET" ? "GET, HEAD" : entry.route.method;
  }
  return match;
}

}  // namespace skep::server
