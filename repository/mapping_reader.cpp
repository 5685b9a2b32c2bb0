#include "repository/mapping_reader.hpp"

#include <algorithm>

namespace skep::repository {

void complain(Findings& findings, const SourcePosition& at, std::string message) {
  findings.push_back({Finding::Severity::error, std::move(message), at});
}

MappingReader& MappingReader::key(std::string name, Read read) {
  readers_.emplace_back(std::move(name), std::move(read));
  return *this;
}

void MappingReader::read(const yaml::Node& node) {
  if (node.is_null()) return;
  const auto* entries = node.as<yaml::Map>();
  if (entries == nullptr) {
    complain(findings_,
             node.at(),
             (path_.empty() ? "the file" : path_) + " must be a mapping, not a " +
                 std::string(node.type_name()));
    return;
  }
  for (const auto& entry : *entries) {
    const auto at = std::find_if(readers_.begin(), readers_.end(), [&](const auto& reader) {
      return reader.first == entry.key;
    });
    if (at != readers_.end()) {
      at->second(entry.value);
    } else {
      unknown(entry);
    }
  }
}

void MappingReader::text(const yaml::Node& node, const std::string& name, std::string& into) {
  if (const auto* text = node.as<std::string>()) {
    into = *text;
  } else {
    complain(findings_,
             node.at(),
             named(name) + " must be a string, not a " + std::string(node.type_name()));
  }
}

void MappingReader::boolean(const yaml::Node& node, const std::string& name, bool& into) {
  if (const auto* value = node.as<bool>()) {
    into = *value;
  } else {
    complain(findings_, node.at(), named(name) + " must be true or false");
  }
}

void MappingReader::strings(const yaml::Node& node,
                            const std::string& name,
                            std::vector<std::string>& into,
                            std::vector<SourcePosition>* places) {
  const auto* list = node.as<yaml::List>();
  if (list == nullptr) {
    complain(findings_, node.at(), named(name) + " must be a list of strings");
    return;
  }
  for (const auto& item : *list) {
    std::string value;
    text(item, name + "[]", value);
    into.push_back(std::move(value));
    if (places != nullptr) places->push_back(item.at());
  }
}

std::string MappingReader::named(const std::string& name) const {
  return path_.empty() ? name : path_ + "." + name;
}

std::string MappingReader::written_word(const yaml::Node& node) {
  if (const auto* boolean = node.as<bool>()) return *boolean ? "true" : "false";
  if (const auto* written = node.as<std::string>()) return *written;
  return {};
}

void MappingReader::unknown(const yaml::Entry& entry) {
  std::vector<std::string> names;
  for (const auto& [name, read] : readers_) names.push_back(name);
  auto message = named(entry.key) + " is not a setting of " + file_;
  const auto near = nearest(entry.key, names);
  if (!near.empty()) message += "; did you mean " + near + "?";
  complain(findings_, entry.key_at, std::move(message));
}

}  // namespace skep::repository
