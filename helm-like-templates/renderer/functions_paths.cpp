#include <cstdio>
#include <optional>
#include <string>
#include <vector>

#include "helm-like-templates/renderer/arguments.hpp"
#include "helm-like-templates/renderer/functions.hpp"
#include "helm-like-templates/renderer/literal.hpp"

namespace skep::templates {
namespace {

// Go's path.Clean.
std::string clean(const std::string& path) {
  const bool rooted = path.starts_with('/');
  std::vector<std::string> parts;
  std::size_t at = 0;
  while (at < path.size()) {
    const auto end = std::min(path.find('/', at), path.size());
    const auto part = path.substr(at, end - at);
    at = end + 1;
    if (part.empty() || part == ".") continue;
    if (part == ".." && !parts.empty() && parts.back() != "..")
      parts.pop_back();
    else if (part != ".." || !rooted)
      parts.push_back(part);
  }
  std::string out = rooted ? "/" : "";
  for (std::size_t i = 0; i < parts.size(); ++i) out += (i > 0 ? "/" : "") + parts[i];
  return out.empty() ? "." : out;
}

std::string base(std::string path) {
  if (path.empty()) return ".";
  while (path.size() > 1 && path.back() == '/') path.pop_back();
  if (path == "/") return path;
  return path.substr(path.rfind('/') + 1);
}

std::string dir(const std::string& path) { return clean(path.substr(0, path.rfind('/') + 1)); }

std::string ext(const std::string& path) {
  const auto name = path.substr(path.rfind('/') + 1);
  const auto dot = name.rfind('.');
  return dot == std::string::npos ? "" : name.substr(dot);
}

bool is_hex(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

std::optional<std::string> unescaped(std::string_view in) {
  std::string out;
  for (std::size_t i = 0; i < in.size(); ++i) {
    if (in[i] != '%') {
      out += in[i];
      continue;
    }
    if (i + 2 >= in.size() || !is_hex(in[i + 1]) || !is_hex(in[i + 2])) return std::nullopt;
    out += static_cast<char>(std::stoi(std::string(in.substr(i + 1, 2)), nullptr, 16));
    i += 2;
  }
  return out;
}

bool is_plain(char c, std::string_view also_plain) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         std::string_view("-_.~").find(c) != std::string_view::npos ||
         also_plain.find(c) != std::string_view::npos;
}

std::string escaped(std::string_view in, std::string_view also_plain) {
  std::string out;
  for (const char c : in) {
    if (is_plain(c, also_plain)) {
      out += c;
      continue;
    }
    char buffer[8];
    std::snprintf(buffer, sizeof(buffer), "%%%02X", static_cast<unsigned char>(c));
    out += buffer;
  }
  return out;
}

constexpr std::string_view kPlainInPath = "$&+,/:;=@";
constexpr std::string_view kPlainInFragment = "$&+,/:;=?@!()*";
constexpr std::string_view kPlainInUser = "$&+,;=";

constexpr std::string_view kPlainInHost = "!$&'()*+,;=:[]<>\"";

bool is_port(std::string_view text) {  // ":80", or nothing.
  return text.empty() ||
         (text[0] == ':' && text.find_first_not_of("0123456789", 1) == std::string_view::npos);
}

// A host as package net/url reads it: escapes only for what is not ASCII, in a zone for more.
std::optional<std::string> host_part(std::string_view in, bool zone) {
  for (std::size_t i = 0; i < in.size(); ++i) {
    const bool ascii = (in[i] & 0x80) == 0;
    if (in[i] != '%') {
      if (ascii && !is_plain(in[i], kPlainInHost)) return std::nullopt;
      continue;
    }
    const auto byte = unescaped(in.substr(i, 3));
    if (!byte) return std::nullopt;
    const bool percent = *byte == "%";
    const bool allowed =
        zone ? *byte == " " || is_plain((*byte)[0], kPlainInHost) : ((*byte)[0] & 0x80) != 0;
    if (!percent && !allowed) return std::nullopt;
    i += 2;
  }
  return unescaped(in);
}

std::optional<std::string> parse_host(std::string_view host) {
  if (!host.starts_with('[')) {
    const auto colon = host.rfind(':');
    if (colon != std::string_view::npos && !is_port(host.substr(colon))) return std::nullopt;
    return host_part(host, false);
  }
  const auto close = host.rfind(']');
  if (close == std::string_view::npos || !is_port(host.substr(close + 1))) return std::nullopt;
  const auto zone = host.substr(0, close).find("%25");
  if (zone == std::string_view::npos) return host_part(host, false);
  const auto address = host_part(host.substr(0, zone), false);
  const auto name = host_part(host.substr(zone, close - zone), true);
  const auto rest = host_part(host.substr(close), false);
  if (!address || !name || !rest) return std::nullopt;
  return *address + *name + *rest;
}

std::string host_only(std::string host) {
  const auto colon = host.rfind(':');
  if (colon != std::string::npos && is_port(std::string_view(host).substr(colon)))
    host.resize(colon);
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  return host;
}

// "name" or "name:password", escaped as package net/url writes it.
std::optional<std::string> user_part(std::string_view in) {
  for (const char c : in) {
    if (!is_plain(c, ":!$&'()*+,;=%@")) return std::nullopt;
  }
  const auto colon = std::min(in.find(':'), in.size());
  const auto name = unescaped(in.substr(0, colon));
  if (!name) return std::nullopt;
  auto shown = escaped(*name, kPlainInUser);
  if (colon == in.size()) return shown;
  const auto password = unescaped(in.substr(colon + 1));
  if (!password) return std::nullopt;
  return shown + ':' + escaped(*password, kPlainInUser);
}

Result<Value> url_parse(Env& /*env*/, Args a) {
  std::string rest = text(a, 0);
  const auto wrong = failure("unable to parse the URL " + quote(rest.substr(0, 80)));
  for (const char c : rest) {
    if (static_cast<unsigned char>(c) < ' ' || c == 0x7F) return wrong;
  }
  Map url;
  const auto put = [&](const char* key, std::string part) {
    url.entries.insert_or_assign(key, Value(std::move(part)));
  };
  for (const auto* key :
       {"scheme", "host", "hostname", "path", "query", "opaque", "fragment", "userinfo"})
    put(key, "");
  if (const auto hash = rest.find('#'); hash != std::string::npos) {
    auto fragment = unescaped(std::string_view(rest).substr(hash + 1));
    if (!fragment) return wrong;
    put("fragment", std::move(*fragment));
    rest.resize(hash);
  }
  const auto colon = rest.find(':');
  if (colon == 0) return wrong;
  bool has_scheme = false;
  if (colon != std::string::npos && colon < rest.find_first_of("/?")) {
    auto scheme = rest.substr(0, colon);
    for (auto& c : scheme) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c;
    has_scheme =
        scheme[0] >= 'a' && scheme[0] <= 'z' &&
        scheme.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789+-.") == std::string::npos;
    if (!has_scheme) return wrong;
    put("scheme", scheme);
    rest.erase(0, colon + 1);
  }
  if (const auto mark = rest.find('?'); mark != std::string::npos) {
    put("query", rest.substr(mark + 1));
    rest.resize(mark);
  }
  if (has_scheme && !rest.starts_with('/')) {
    if (!rest.empty()) put("opaque", rest);
    return Value(std::move(url));
  }
  if (rest.starts_with("//") && (has_scheme || !rest.starts_with("///"))) {
    const auto slash = std::min(rest.find('/', 2), rest.size());
    auto host = rest.substr(2, slash - 2);
    rest.erase(0, slash);
    if (const auto at = host.rfind('@'); at != std::string::npos) {
      auto user = user_part(std::string_view(host).substr(0, at));
      if (!user) return wrong;
      put("userinfo", *std::move(user));
      host.erase(0, at + 1);
    }
    const auto parsed = parse_host(host);
    if (!parsed) return wrong;
    host = *parsed;
    put("host", host);
    put("hostname", host_only(host));
  }
  auto path = unescaped(rest);
  if (!path) return wrong;
  put("path", std::move(*path));
  return Value(std::move(url));
}

Result<Value> url_join(Env& /*env*/, Args a) {
  const auto& url = a[0].map()->entries;
  std::string wrong;
  const auto part = [&](const char* key) -> std::string {
    const auto found = url.find(std::string_view(key));
    if (found == url.end()) return "";
    if (found->second.text() == nullptr) {
      wrong = std::string("the key ") + key + " of the URL is a " +
              std::string(type_name(found->second)) + "; a string is expected";
      return "";
    }
    return *found->second.text();
  };
  const auto scheme = part("scheme");
  const auto host = part("host");
  const auto opaque = part("opaque");
  const auto raw_path = part("path");
  const auto path = raw_path == "*" ? raw_path : escaped(raw_path, kPlainInPath);
  const auto given_user = part("userinfo");
  const auto user = user_part(given_user);
  if (!user) wrong = "unable to parse the userinfo " + quote(given_user.substr(0, 80));
  const auto query = part("query");
  const auto fragment = part("fragment");
  if (!wrong.empty()) return failure(wrong);
  std::string out = scheme.empty() ? "" : scheme + ':';
  if (!opaque.empty()) {
    out += opaque;
  } else {
    if (!scheme.empty() || !host.empty() || !user->empty()) {
      if (!host.empty() || !path.empty() || !user->empty()) out += "//";
      if (!user->empty()) out += *user + '@';
      out += escaped(host, kPlainInHost);
    }
    if (!path.empty() && path[0] != '/' && !host.empty()) out += '/';
    if (out.empty() && path.substr(0, path.find('/')).find(':') != std::string::npos) out += "./";
    out += path;
  }
  if (!query.empty()) out += '?' + query;
  if (!fragment.empty()) out += '#' + escaped(fragment, kPlainInFragment);
  return Value(std::move(out));
}

template <auto convert>
Result<Value> of_path(Env& /*env*/, Args a) {
  return Value(convert(text(a, 0)));
}

Result<Value> is_absolute(Env& /*env*/, Args a) { return Value(text(a, 0).starts_with('/')); }

const Function kPathFunctions[] = {
    {"base", "s", of_path<base>},
    {"osBase", "s", of_path<base>},
    {"dir", "s", of_path<dir>},
    {"osDir", "s", of_path<dir>},
    {"clean", "s", of_path<clean>},
    {"osClean", "s", of_path<clean>},
    {"ext", "s", of_path<ext>},
    {"osExt", "s", of_path<ext>},
    {"isAbs", "s", is_absolute},
    {"osIsAbs", "s", is_absolute},
    {"urlParse", "s", url_parse},
    {"urlJoin", "m", url_join},
};

}  // namespace

std::span<const Function> path_functions() { return kPathFunctions; }

}  // namespace skep::templates
