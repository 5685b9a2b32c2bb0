#include "yaml/source_text.hpp"

#include <algorithm>
#include <cstdint>
#include <utility>

namespace skep::yaml {

void append_utf8(std::string& out, std::uint32_t code) {
  const auto put = [&](std::uint32_t byte) { out += static_cast<char>(byte); };
  if (code < 0x80) {
    put(code);
  } else if (code < 0x800) {
    put(0xC0U | code >> 6U);
    put(0x80U | (code & 0x3FU));
  } else if (code < 0x10000) {
    put(0xE0U | code >> 12U);
    put(0x80U | (code >> 6U & 0x3FU));
    put(0x80U | (code & 0x3FU));
  } else {
    put(0xF0U | code >> 18U);
    put(0x80U | (code >> 12U & 0x3FU));
    put(0x80U | (code >> 6U & 0x3FU));
    put(0x80U | (code & 0x3FU));
  }
}

namespace {

/// Nothing where surrogates do not pair up or half a unit is left over.
bool utf8_from_utf16(std::string_view bytes, bool big_endian, std::string& out) {
  if (bytes.size() % 2 != 0) return false;
  const auto unit = [&](std::size_t i) {
    const auto a = static_cast<unsigned char>(bytes[i]);
    const auto b = static_cast<unsigned char>(bytes[i + 1]);
    return static_cast<std::uint32_t>(big_endian ? a << 8U | b : b << 8U | a);
  };
  for (std::size_t i = 0; i < bytes.size(); i += 2) {
    std::uint32_t code = unit(i);
    if (code >= 0xDC00 && code < 0xE000) return false;
    if (code >= 0xD800 && code < 0xDC00) {
      if (i + 2 >= bytes.size()) return false;
      const auto low = unit(i + 2);
      if (low < 0xDC00 || low >= 0xE000) return false;
      code = 0x10000 + ((code - 0xD800) << 10U) + (low - 0xDC00);
      i += 2;
    }
    append_utf8(out, code);
  }
  return true;
}

/// The length of the well-formed character at `i` and its code; 0 for anything else.
std::size_t decode(std::string_view text, std::size_t i, std::uint32_t& code) {
  const auto lead = static_cast<unsigned char>(text[i]);
  const std::size_t length = lead < 0x80                   ? 1
                             : lead >= 0xC2 && lead < 0xE0 ? 2
                             : lead >= 0xE0 && lead < 0xF0 ? 3
                             : lead >= 0xF0 && lead < 0xF5 ? 4
                                                           : 0;
  if (length == 0 || i + length > text.size()) return 0;
  code = length == 1 ? lead : lead & (0x7FU >> length);
  for (std::size_t k = 1; k < length; ++k) {
    const auto next = static_cast<unsigned char>(text[i + k]);
    if ((next & 0xC0U) != 0x80U) return 0;
    code = code << 6U | (next & 0x3FU);
  }
  const bool overlong = (length == 3 && code < 0x800) || (length == 4 && code < 0x10000);
  if (overlong || code > 0x10FFFF || (code >= 0xD800 && code < 0xE000)) return 0;
  return length;
}

bool is_allowed(std::uint32_t code) {
  return code == 0x09 || code == 0x0A || code == 0x0D || (code >= 0x20 && code <= 0x7E) ||
         code == 0x85 || (code >= 0xA0 && code <= 0xD7FF) || (code >= 0xE000 && code <= 0xFFFD) ||
         code >= 0x10000;
}

}  // namespace

SourceText::SourceText(std::string text, std::string file)
    : text_(std::move(text)), file_(std::move(file)) {
  line_starts_.push_back(0);
  for (std::size_t i = 0; i < text_.size(); ++i) {
    if (text_[i] == '\r' && (i + 1 == text_.size() || text_[i + 1] != '\n')) text_[i] = '\n';
    if (text_[i] == '\n') line_starts_.push_back(i + 1);
  }
}

Result<SourceText> SourceText::from(std::string_view bytes, std::string file) {
  std::string text;
  if (bytes.starts_with("\xEF\xBB\xBF")) {
    // Go's scanner takes one more, where the first line begins.
    text = bytes.substr(bytes.substr(3).starts_with("\xEF\xBB\xBF") ? 6 : 3);
  } else if (bytes.starts_with("\xFF\xFE") || bytes.starts_with("\xFE\xFF")) {
    if (!utf8_from_utf16(bytes.substr(2), bytes[0] == '\xFE', text)) {
      return Error{ErrorKind::invalid_input,
                   "this is not valid UTF-16",
                   SourcePosition{std::move(file), 1, 1}};
    }
  } else {
    text = bytes;
  }
  SourceText source(std::move(text), std::move(file));
  const std::string_view view = source.text_;
  for (std::size_t i = 0; i < view.size();) {
    const char c = view[i];
    if ((c >= ' ' && c <= '~') || c == '\n') {  // nearly always
      ++i;
      continue;
    }
    std::uint32_t code = 0;
    const auto length = decode(view, i, code);
    if (length == 0) return source.error(i, "invalid UTF-8: save the file as UTF-8");
    if (!is_allowed(code)) {
      return source.error(i, "control characters are not allowed; in double quotes write \\x..");
    }
    i += length;
  }
  return source;
}

std::size_t SourceText::line_start(std::size_t offset) const {
  return *(std::upper_bound(line_starts_.begin(), line_starts_.end(), offset) - 1);
}

SourcePosition SourceText::position(std::size_t offset) const {
  const auto after = std::upper_bound(line_starts_.begin(), line_starts_.end(), offset);
  int column = 1;
  for (auto i = *(after - 1); i < offset && i < text_.size(); ++i) {
    if ((static_cast<unsigned char>(text_[i]) & 0xC0U) != 0x80U) ++column;
  }
  return {file_, static_cast<int>(after - line_starts_.begin()), column};
}

int SourceText::indent_of(std::size_t offset) const {
  return static_cast<int>(offset - line_start(offset));
}

Error SourceText::error(std::size_t offset, std::string message) const {
  return Error{
      ErrorKind::invalid_input, std::move(message), position(std::min(offset, text_.size()))};
}

}  // namespace skep::yaml
