#include "gitsync/remote_url.hpp"

#include <algorithm>
#include <charconv>
#include <optional>

namespace skep::gitsync {
namespace {

constexpr std::size_t kLongest = 2048;

Error refuse(std::string why) {
  return Error{ErrorKind::invalid_input, "repository URL: " + std::move(why)};
}

bool is_alnum(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

bool has_control(std::string_view text) {
  return std::any_of(text.begin(), text.end(), [](char c) {
    return static_cast<unsigned char>(c) < 0x20 || c == 0x7F;
  });
}

/// Letters, digits, '.', '-', '_'; IPv6 without its brackets. Never starts with '-', which programs
/// take for an option.
bool is_host(std::string_view host) {
  if (host.empty() || host.front() == '-' || host.size() > 253) return false;
  const bool v6 = host.find(':') != std::string_view::npos;
  return std::all_of(host.begin(), host.end(), [v6](char c) {
    return is_alnum(c) || c == '.' || (v6 ? c == ':' || c == '%' : c == '-' || c == '_');
  });
}

bool is_user(std::string_view user) {
  return !user.empty() && user.front() != '-' && std::all_of(user.begin(), user.end(), [](char c) {
    return is_alnum(c) || c == '.' || c == '-' || c == '_' || c == '+';
  });
}

/// A path that crosses a network: nothing that a shell on the other side would read as more than a
/// name.
bool is_remote_path(std::string_view path) {
  constexpr std::string_view kRefused = " '\"`\\$;|&<>(){}*?#!^";
  return !path.empty() && path.front() != '-' && !has_control(path) &&
         path.find_first_of(kRefused) == std::string_view::npos;
}

std::optional<std::string> percent_decode(std::string_view text) {
  std::string out;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text[at] != '%') {
      out += text[at];
      continue;
    }
    unsigned value = 0;
    if (at + 2 >= text.size()) return std::nullopt;
    const char* const end = text.data() + at + 3;
    const auto parsed = std::from_chars(text.data() + at + 1, end, value, 16);
    if (parsed.ec != std::errc() || parsed.ptr != end || value == 0) return std::nullopt;
    out += static_cast<char>(value);
    at += 2;
  }
  return out;
}

bool is_loopback(std::string_view host) {
  return host == "localhost" || host == "::1" ||
         (host.substr(0, 4) == "127." && host.find_first_not_of("0123456789.") == host.npos);
}

std::optional<std::size_t> scp_colon(std::string_view text) {
  const auto at = text.find('@');
  if (at == std::string_view::npos || at == 0) return std::nullopt;
  const auto slash = text.find('/');
  if (slash < at) return std::nullopt;
  const auto host_end = at + 1 < text.size() && text[at + 1] == '[' ? text.find(']', at) : at;
  if (host_end == std::string_view::npos) return std::nullopt;
  const auto colon = text.find(':', host_end);
  if (colon == std::string_view::npos || slash < colon) return std::nullopt;
  return colon;
}

std::string bracketed(const std::string& host) {
  return host.find(':') == std::string::npos ? host : "[" + host + "]";
}

std::string_view unbracketed(std::string_view host) {
  if (host.size() > 2 && host.front() == '[' && host.back() == ']')
    return host.substr(1, host.size() - 2);
  return host;
}

std::uint16_t default_port(RemoteUrl::Scheme scheme) {
  switch (scheme) {
    case RemoteUrl::Scheme::http:
      return 80;
    case RemoteUrl::Scheme::https:
      return 443;
    case RemoteUrl::Scheme::ssh:
      return 22;
    case RemoteUrl::Scheme::file:
      break;
  }
  return 0;
}

}  // namespace

bool names_remote(std::string_view text) {
  return text.find("://") != std::string_view::npos || scp_colon(text).has_value();
}

Result<RemoteUrl::Parsed> RemoteUrl::parse(std::string_view text) { return parse(text, Policy{}); }

Result<RemoteUrl::Parsed> RemoteUrl::parse(std::string_view text, Policy policy) {
  if (text.empty()) return refuse("is empty");
  if (text.size() > kLongest) return refuse("is too long");
  if (text.front() == '-') return refuse("must not start with \"-\"");
  if (has_control(text)) return refuse("holds a control character");
  if (text.front() == '/') {
    Parsed parsed;
    parsed.url.path_ = parsed.url.text_ = std::string(text);
    return parsed;
  }
  const auto scheme_end = text.find("://");
  const auto transport = text.find("::");
  // A "::" before any '[' or '/' is git's "run this helper"; inside brackets it is IPv6.
  if (transport != std::string_view::npos && transport < text.find_first_of("[/"))
    return refuse("remote helpers (NAME::ADDRESS) are not supported");
  if (scheme_end != std::string_view::npos) return parse_hierarchical(text, policy);
  if (scp_colon(text)) return parse_scp(text);
  return refuse(
      "is neither an absolute path nor https://HOST/PATH, ssh://USER@HOST/PATH, USER@HOST:PATH or "
      "file:///PATH");
}

Result<RemoteUrl::Parsed> RemoteUrl::parse_scp(std::string_view text) {
  const auto colon = *scp_colon(text);
  const auto at = text.find('@');
  Parsed parsed;
  auto& url = parsed.url;
  url.scheme_ = Scheme::ssh;
  url.port_ = 22;
  const auto user = text.substr(0, at);
  const auto host = unbracketed(text.substr(at + 1, colon - at - 1));
  const auto path = text.substr(colon + 1);
  if (user.find(':') != std::string_view::npos)
    return refuse("a password in an ssh URL is not supported: use a key");
  if (!is_user(user)) return refuse("the user is not valid");
  if (!is_host(host)) return refuse("the host is not valid");
  if (!is_remote_path(path)) return refuse("the path is not valid");
  url.user_ = std::string(user);
  url.host_ = std::string(host);
  url.path_ = std::string(path);
  url.text_ = url.user_ + "@" + bracketed(url.host_) + ":" + url.path_;
  return parsed;
}

Result<RemoteUrl::Parsed> RemoteUrl::parse_hierarchical(std::string_view text, Policy policy) {
  const auto scheme_end = text.find("://");
  std::string scheme(text.substr(0, scheme_end));
  std::transform(scheme.begin(), scheme.end(), scheme.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  text.remove_prefix(scheme_end + 3);
  Parsed parsed;
  auto& url = parsed.url;
  if (scheme == "file") {
    if (text.empty() || text.front() != '/')
      return refuse("file:// needs an absolute path: file:///PATH");
    const auto path = percent_decode(text);
    if (!path || has_control(*path)) return refuse("the path is not valid");
    url.path_ = url.text_ = *path;
    return parsed;
  }
  if (scheme == "https") {
    url.scheme_ = Scheme::https;
  } else if (scheme == "http") {
    url.scheme_ = Scheme::http;
  } else if (scheme == "ssh") {
    url.scheme_ = Scheme::ssh;
  } else {
    return refuse("the scheme is not allowed: https, ssh, file, or http to the own machine");
  }
  const auto slash = text.find('/');
  if (slash == std::string_view::npos) return refuse("has no path");
  auto authority = text.substr(0, slash);
  const auto path = text.substr(slash);
  if (const auto at = authority.rfind('@'); at != std::string_view::npos) {
    const auto info = authority.substr(0, at);
    authority.remove_prefix(at + 1);
    const auto colon = info.find(':');
    const auto user = percent_decode(info.substr(0, colon));
    const auto password = colon == std::string_view::npos ? std::optional<std::string>("")
                                                          : percent_decode(info.substr(colon + 1));
    if (!user || !password) return refuse("what stands before the @ is not valid");
    if (url.scheme_ == Scheme::ssh) {
      if (colon != std::string_view::npos)
        return refuse("a password in an ssh URL is not supported: use a key");
      if (!is_user(*user)) return refuse("the user is not valid");
      url.user_ = *user;
    } else {
      if (has_control(*user) || has_control(*password))
        return refuse("what stands before the @ is not valid");
      parsed.user_info.user = *user;
      if (!password->empty()) parsed.user_info.password = Secret(*password);
    }
  }
  std::string_view host = authority;
  std::string_view port;
  if (const auto colon = authority.rfind(':');
      colon != std::string_view::npos && authority.find(']', colon) == std::string_view::npos) {
    host = authority.substr(0, colon);
    port = authority.substr(colon + 1);
    if (port.empty()) return refuse("the port is not valid");
  }
  host = unbracketed(host);
  if (!is_host(host)) return refuse("the host is not valid");
  if (!is_remote_path(path))
    return refuse("the path is not valid (no blanks, quotes, \"?\" or \"#\")");
  url.port_ = default_port(url.scheme_);
  if (!port.empty()) {
    const auto number = std::from_chars(port.data(), port.data() + port.size(), url.port_);
    if (number.ec != std::errc() || number.ptr != port.data() + port.size() || url.port_ == 0)
      return refuse("the port is not valid");
  }
  url.host_ = std::string(host);
  url.path_ = std::string(path);
  if (url.scheme_ == Scheme::http && !policy.allow_plain_http && !is_loopback(url.host_))
    return refuse("http:// is not encrypted: use https://, or allow plain http for this remote");
  if (url.scheme_ == Scheme::ssh && url.user_.empty()) url.user_ = "git";
  url.text_ = scheme + "://" + (url.user_.empty() ? "" : url.user_ + "@") + bracketed(url.host_) +
              (port.empty() ? "" : ":" + std::to_string(url.port_)) + url.path_;
  return parsed;
}

}  // namespace skep::gitsync
