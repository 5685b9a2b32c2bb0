#include "compose/ports.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <utility>

#include <arpa/inet.h>

#include "compose/schema_formats.hpp"
#include "compose/text.hpp"

namespace skep::compose {
namespace {

Error invalid(std::string message) { return {ErrorKind::invalid_input, std::move(message)}; }

struct Parts {
  std::string ip;
  std::string_view host, container;
};

Parts split_parts(std::string_view text) {
  Parts parts;
  auto end = text.rfind(':');
  if (end == std::string_view::npos) return {"", {}, text};
  parts.container = text.substr(end + 1);
  text = text.substr(0, end);
  end = text.rfind(':');
  if (end == std::string_view::npos) {
    parts.host = text;
  } else {
    parts.host = text.substr(end + 1);
    parts.ip = text.substr(0, end);
  }
  return parts;
}

struct Range {
  std::uint32_t first = 0, last = 0;
  [[nodiscard]] std::uint32_t length() const { return last - first; }
  [[nodiscard]] std::string text() const {
    return first == last ? std::to_string(first)
                         : std::to_string(first) + '-' + std::to_string(last);
  }
};

std::optional<std::uint32_t> parse_number(std::string_view text) {
  if (text.empty()) return std::nullopt;
  std::uint32_t value = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') return std::nullopt;
    value = value * 10 + static_cast<std::uint32_t>(c - '0');
    if (value > 65535) return std::nullopt;
  }
  return value;
}

std::optional<Range> parse_range(std::string_view text) {
  const auto fields = split(text, '-');
  const auto first = parse_number(fields[0]);
  const auto last = fields.size() > 1 ? parse_number(fields[1]) : first;
  if (!first || !last || *last < *first) return std::nullopt;
  return Range{*first, *last};
}

struct Address {
  bool valid = false, specified = false;
  bool six = false;
};

Address parse_address(const std::string& text) {
  std::array<unsigned char, 16> bytes{};
  Address result;
  if (text.find('\0') != std::string::npos) return result;
  if (inet_pton(AF_INET, text.c_str(), bytes.data()) == 1) {
    result.valid = true;
  } else if (inet_pton(AF_INET6, text.c_str(), bytes.data()) == 1) {
    result.valid = result.six = true;
  }
  result.specified = std::any_of(bytes.begin(), bytes.end(), [](unsigned b) { return b != 0; });
  return result;
}

/// "tcp" for "80" and "80/"; what stands behind a second slash does not matter (rule B1.2).
std::string take_protocol(std::string_view& container) {
  const auto fields = split(container, '/');
  container = fields[0];
  return fields.size() < 2 || fields[1].empty() ? "tcp" : lower(fields[1]);
}

std::vector<Port> combine(const Range& target,
                          const std::optional<Range>& host,
                          const std::string& protocol) {
  // The CLI collects the entries in a map and sorts its keys as texts (rule B1.6).
  std::vector<std::pair<std::string, Port>> keyed;
  const auto count = std::max(target.length(), host ? host->length() : 0);
  for (std::uint32_t i = 0; i <= count; ++i) {
    Port port;
    port.mode = "ingress";
    port.protocol = protocol;
    port.target = target.first + std::min(i, target.length());
    port.published = host ? host->first + i : 0;
    keyed.emplace_back(std::to_string(port.target) + '/', std::move(port));
  }
  std::stable_sort(
      keyed.begin(), keyed.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  std::vector<Port> ports;
  ports.reserve(keyed.size());
  for (auto& [key, port] : keyed) ports.push_back(std::move(port));
  return ports;
}

std::vector<std::string> address_warnings(const std::string& ip,
                                          bool six,
                                          const std::vector<Port>& ports,
                                          const Range& target,
                                          const std::optional<Range>& host) {
  const std::string shown = six ? '[' + ip + ']' : ip;
  const auto warning = [&](const std::string& published, const Port& port) {
    return "ignoring IP-address (" + shown + ':' + published + ':' + std::to_string(port.target) +
           '/' + port.protocol + ") service will listen on '0.0.0.0'";
  };
  if (host && target.length() == 0) return {warning(host->text(), ports.front())};
  std::vector<std::string> warnings;
  for (const auto& port : ports) {
    warnings.push_back(warning(host ? std::to_string(port.published) : "", port));
  }
  return warnings;
}

}  // namespace

Result<ParsedPorts> parse_ports(std::string_view text) {
  auto parts = split_parts(text);
  if (parts.ip.size() >= 2 && parts.ip.front() == '[' && parts.ip.back() == ']') {
    parts.ip = parts.ip.substr(1, parts.ip.size() - 2);
  }
  const auto address = parse_address(parts.ip);
  if (!parts.ip.empty() && !address.valid) return invalid("invalid IP address: " + parts.ip);
  const auto protocol = take_protocol(parts.container);
  if (parts.container.empty())
    return invalid("no port specified: " + std::string(text) + "<empty>");
  const auto target = parse_range(parts.container);
  if (!target) return invalid("invalid containerPort: " + std::string(parts.container));
  std::optional<Range> host;
  if (!parts.host.empty()) {
    host = parse_range(parts.host);
    if (!host) return invalid("invalid hostPort: " + std::string(parts.host));
    if (host->length() != target->length() && target->length() != 0) {
      return invalid("invalid ranges specified for container and host Ports: " + target->text() +
                     " and " + host->text());
    }
  }
  if (protocol != "tcp" && protocol != "udp" && protocol != "sctp") {
    return invalid("invalid proto: " + protocol);
  }
  ParsedPorts result;
  result.ports = combine(*target, host, protocol);
  if (address.specified) {
    result.warnings = address_warnings(parts.ip, address.six, result.ports, *target, host);
  }
  return result;
}

std::string port_place(std::uint32_t published, std::uint32_t target, std::string_view protocol) {
  return "ports." + std::to_string(published) + ':' + std::to_string(target) + '/' +
         (protocol.empty() ? "tcp" : lower(protocol));
}

bool valid_port_text(std::string_view text) { return parse_ports(text).has_value(); }

}  // namespace skep::compose
