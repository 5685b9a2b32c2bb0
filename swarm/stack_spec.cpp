#include "swarm/stack_spec.hpp"

namespace skep::swarm {
namespace {

/// White space of Unicode that a name may be padded with, quotes included (rule A1.7). Returns its
/// length in bytes, 0 for none.
std::size_t padding_at(std::string_view text, std::size_t at) {
  constexpr std::string_view kPadding[] = {
      " ",      "\t",     "\n",     "\v",     "\f",     "\r",     "\"",     "'",      "\u0085",
      "\u00a0", "\u1680", "\u2000", "\u2001", "\u2002", "\u2003", "\u2004", "\u2005", "\u2006",
      "\u2007", "\u2008", "\u2009", "\u200a", "\u2028", "\u2029", "\u202f", "\u205f", "\u3000"};
  for (const auto padding : kPadding) {
    if (text.substr(at, padding.size()) == padding) return padding.size();
  }
  return 0;
}

}  // namespace

Result<StackName> StackName::parse(std::string_view text) {
  for (std::size_t at = 0; at < text.size();) {
    const auto length = padding_at(text, at);
    if (length == 0)
      return StackName(std::string(text));  // Something is left: the CLI uses the name as given.
    at += length;
  }
  return Error{ErrorKind::invalid_input, "invalid stack name: \"" + std::string(text) + "\""};
}

std::string StackName::scope(std::string_view key) const { return text_ + "_" + std::string(key); }

}  // namespace skep::swarm
