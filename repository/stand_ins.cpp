#include "repository/stand_ins.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace skep::repository {
namespace {

/// Of the forms that something in a stack has, tried in this order.
constexpr std::array<std::string_view, 5> kForms = {"1", "1s", "64M", "true", "10.255.0.0/24"};
/// Each mistake may take one loading a form; of this many, most hold one or two.
constexpr int kMostLoadings = 24;

bool is_name_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

/// Of the variables in a line.
std::vector<std::string> names_in(std::string_view line) {
  std::vector<std::string> names;
  for (std::size_t at = 0; at < line.size(); ++at) {
    if (line[at] != '$') continue;
    auto begin = at + 1;
    if (begin < line.size() && line[begin] == '{') ++begin;
    auto end = begin;
    while (end < line.size() && is_name_letter(line[end])) ++end;
    if (end > begin) names.emplace_back(line.substr(begin, end - begin));
  }
  return names;
}

std::string replaced(std::string text, std::string_view what, std::string_view with) {
  for (auto at = text.find(what); at != std::string::npos; at = text.find(what, at + with.size()))
    text.replace(at, what.size(), with);
  return text;
}

class StandIns {
 public:
  StandIns(compose::Input input, std::string_view mask)
      : original_(input), input_(std::move(input)), mask_(mask) {}

  compose::Output run() {
    auto output = compose::load(input_);
    for (int loadings = 1; loadings < kMostLoadings && try_others(output.findings); ++loadings)
      output = compose::load(input_);
    output.findings.insert(output.findings.end(), remarks_.begin(), remarks_.end());
    return output;
  }

 private:
  /// Whether there is something else to try for what is in the way.
  bool try_others(const Findings& findings) {
    std::map<std::string, bool> seen;
    bool changed = false;
    for (const auto& finding : findings) {
      if (finding.severity != Finding::Severity::error) continue;
      for (std::size_t i = 0; i < original_.files.size(); ++i) {
        if (original_.files[i].name != finding.at.file) continue;
        const auto [begin, end] = line_of(original_.files[i].text, finding.at.line);
        const auto line = original_.files[i].text.substr(begin, end - begin);
        for (const auto& name : names_in(line)) {
          if (!seen.emplace(name, true).second) continue;
          changed = try_other_variable(name, finding.at) || changed;
        }
        const auto place = std::to_string(i) + ':' + std::to_string(finding.at.line);
        if (line.find(mask_) == std::string::npos || !seen.emplace(place, true).second) continue;
        changed = try_other_line(place, i, finding.at) || changed;
      }
    }
    return changed;
  }

  bool try_other_variable(const std::string& name, const SourcePosition& at) {
    const auto variable = original_.environment.find(name);
    if (variable == original_.environment.end() ||
        variable->second.find(mask_) == std::string::npos)
      return false;
    const auto form = next_form(name, name, at);
    if (form.empty()) return false;
    input_.environment[name] = replaced(variable->second, mask_, form);
    return true;
  }

  /// What a template wrote has the mask itself in it.
  bool try_other_line(const std::string& place, std::size_t file, const SourcePosition& at) {
    const auto form = next_form(place, "a value here", at);
    if (form.empty()) return false;
    auto& text = input_.files[file].text;
    const auto [begin, end] = line_of(text, at.line);
    const auto [from, to] = line_of(original_.files[file].text, at.line);
    const auto line = original_.files[file].text.substr(from, to - from);
    text.replace(begin, end - begin, replaced(line, mask_, form));
    return true;
  }

  /// "" where all were tried; the last is the mask again.
  std::string_view next_form(const std::string& key,
                             const std::string& subject,
                             const SourcePosition& at) {
    auto& tried = tried_[key];
    if (tried > kForms.size()) return {};
    if (tried == 0) {
      remarks_.push_back({Finding::Severity::warning,
                          subject + " was not checked: it is encrypted, and there is no age key",
                          at});
    }
    const auto next = tried++;
    return next < kForms.size() ? kForms[next] : mask_;
  }

  static std::pair<std::size_t, std::size_t> line_of(std::string_view text, int line) {
    std::size_t begin = 0;
    for (int i = 1; i < line && begin < text.size(); ++i)
      begin = std::min(text.find('\n', begin), text.size() - 1) + 1;
    return {begin, std::min(text.find('\n', begin), text.size())};
  }

  const compose::Input original_;
  compose::Input input_;
  std::string_view mask_;
  std::map<std::string, std::size_t> tried_;
  Findings remarks_;
};

}  // namespace

compose::Output load_with_stand_ins(compose::Input input, std::string_view mask) {
  return StandIns(std::move(input), mask).run();
}

}  // namespace skep::repository
