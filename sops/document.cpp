#include "sops/document.hpp"

#include <algorithm>
#include <stdexcept>

namespace skep::sops {

SourcePosition Document::position(std::size_t offset) const {
  SourcePosition at{file, 1, 1};
  for (std::size_t i = 0; i < offset && i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    if (byte == '\n') {
      ++at.line;
      at.column = 1;
    } else if ((byte & 0xC0U) != 0x80U) {
      ++at.column;
    }
  }
  return at;
}

std::size_t Document::metadata_offset() const {
  if (!more_metadata.empty()) return more_metadata.front().first;
  if (format == Format::yaml) return metadata_begin;
  const auto key = text.find("\"sops\"", metadata_begin);
  return key == std::string::npos ? metadata_begin : key;
}

Result<Document> read_document(std::string_view text, const std::string& file, Format format) {
  switch (format) {
    case Format::yaml:
      return read_yaml(text, file);
    case Format::json:
    case Format::binary:
      return read_json(text, file, format);
    case Format::dotenv:
      return read_dotenv(text, file);
    case Format::ini:
      return read_ini(text, file);
  }
  throw std::logic_error("unknown format");
}

std::string with_changes(const Document& document, std::vector<Replacement> changes) {
  std::sort(changes.begin(), changes.end(), [](const Replacement& a, const Replacement& b) {
    return a.begin < b.begin;
  });
  std::string result;
  std::size_t at = 0;
  for (const auto& change : changes) {
    if (change.begin < at) throw std::logic_error("changes overlap");
    result.append(document.text, at, change.begin - at);
    result += change.text;
    at = change.end;
  }
  result.append(document.text, at, std::string::npos);
  return result;
}

std::string without_metadata(const Document& document, std::vector<Replacement> changes) {
  if (document.metadata) {
    changes.push_back({document.metadata_begin, document.metadata_end, ""});
    for (const auto& [begin, end] : document.more_metadata) changes.push_back({begin, end, ""});
  }
  return with_changes(document, std::move(changes));
}

}  // namespace skep::sops
