#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "compose/ports.hpp"
#include "compose/volumes.hpp"

// The bytes are a short port and a short volume: what is read has the shape that the conversion
// relies on.

namespace {

void require(bool condition) {
  if (!condition) std::abort();
}

void port(std::string_view text) {
  const auto parsed = skep::compose::parse_ports(text);
  if (!parsed) return require(!parsed.error().message.empty());
  require(!parsed->ports.empty() && parsed->ports.size() <= 65'536);
  for (const auto& one : parsed->ports) {
    require(one.target <= 65'535 && one.published <= 65'535 && one.mode == "ingress");
    require(one.protocol == "tcp" || one.protocol == "udp" || one.protocol == "sctp");
    // Written out, each entry is itself again.
    const auto again =
        skep::compose::parse_ports((one.published == 0 ? "" : std::to_string(one.published) + ':') +
                                   std::to_string(one.target) + '/' + one.protocol);
    require(again && again->ports.size() == 1 && again->ports.front() == one);
  }
}

void volume(std::string_view text) {
  const auto parsed = skep::compose::parse_volume(text);
  if (!parsed) return require(!parsed.error().message.empty());
  require(!parsed->target.empty());
  require(parsed->type == "volume" || (parsed->type == "bind" && !parsed->source.empty()));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size > 256) return 0;
  const std::string text(reinterpret_cast<const char*>(data), size);
  // A range of all ports is legal and slow to check one by one.
  if (text.find('-') == std::string::npos || size < 12) port(text);
  volume(text);
  return 0;
}
