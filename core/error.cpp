#include "core/error.hpp"

namespace skep {

std::string to_string(const SourcePosition& position) {
  std::string text = position.file;
  if (position.line > 0) text += ":" + std::to_string(position.line);
  if (position.line > 0 && position.column > 0) text += ":" + std::to_string(position.column);
  return text;
}

std::string_view to_string(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::invalid_input:
      return "invalid input";
    case ErrorKind::unauthorized:
      return "unauthorized";
    case ErrorKind::unavailable:
      return "unavailable";
    case ErrorKind::conflict:
      return "conflict";
    case ErrorKind::cancelled:
      return "cancelled";
  }
  return "unknown";
}

Error Error::within(std::string_view doing) && {
  message = std::string(doing) + ": " + message;
  return std::move(*this);
}

std::string to_string(const Error& error) {
  if (!error.at) return error.message;
  return to_string(*error.at) + ": " + error.message;
}

}  // namespace skep
