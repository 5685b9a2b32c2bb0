#include "repository/stand_ins.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "compose/paths.hpp"
#include "repository/places.hpp"

namespace skep::repository {
namespace {

/// Of the forms that something in a stack has, tried in this order.
using Forms = std::array<std::string_view, 5>;
constexpr Forms kForms = {"1", "1s", "64M", "true", "10.255.0.0/24"};
constexpr Forms kOtherForms = {"2", "2s", "65M", "false", "10.254.0.0/24"};
/// Each mistake may take one loading a form; of this many, most hold one or two.
constexpr int kMostLoadings = 24;

std::string replaced(std::string text, std::string_view what, std::string_view with) {
  for (auto at = text.find(what); at != std::string::npos; at = text.find(what, at + with.size()))
    text.replace(at, what.size(), with);
  return text;
}

/// A file as it is, and as it is loaded.
struct Text {
  std::string original, current;
};

/// The files that those of the stack name (`extends`, `include`, `env_file`, …), some of whose
/// lines are rewritten.
class RewrittenFiles final : public FileReader {
 public:
  explicit RewrittenFiles(const FileReader* files) : files_(files) {}

  Result<std::optional<std::string>> read(const std::string& path) const override {
    const auto known = texts_.find(compose::shown_path(path));
    if (known != texts_.end()) return std::optional(known->second.current);
    if (files_ == nullptr) return std::optional<std::string>();
    auto text = files_->read(path);
    if (text && *text) texts_[compose::shown_path(path)] = {**text, **text};
    return text;
  }
  /// Null where it was not read.
  [[nodiscard]] Text* find(const std::string& shown) {
    const auto known = texts_.find(shown);
    return known == texts_.end() ? nullptr : &known->second;
  }

 private:
  const FileReader* files_;
  mutable std::map<std::string, Text> texts_;
};

class StandIns {
 public:
  StandIns(compose::Input input, std::string_view mask, const Forms& forms)
      : variables_(input.environment),
        read_(input.reader),
        input_(std::move(input)),
        mask_(mask),
        forms_(forms) {
    for (const auto& file : input_.files) given_[file.name] = {file.text, file.text};
    input_.reader = &read_;
  }

  compose::Output run() {
    auto output = compose::load(input_);
    for (int loadings = 1; loadings < kMostLoadings && try_others(output.findings); ++loadings) {
      for (auto& file : input_.files) file.text = given_.at(file.name).current;
      output = compose::load(input_);
    }
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
      auto* text = text_of(finding.at.file);
      if (text == nullptr) continue;
      const auto [begin, end] = line_range(text->original, finding.at.line);
      const auto line = text->original.substr(begin, end - begin);
      for (const auto& name : variables_in(line)) {
        if (!seen.emplace(name, true).second) continue;
        changed = try_other_variable(name, finding.at) || changed;
      }
      const auto place = finding.at.file + ':' + std::to_string(finding.at.line);
      if (line.find(mask_) == std::string::npos || !seen.emplace(place, true).second) continue;
      changed = try_other_line(place, line, *text, finding.at) || changed;
    }
    return changed;
  }

  Text* text_of(const std::string& file) {
    const auto given = given_.find(file);
    return given == given_.end() ? read_.find(file) : &given->second;
  }

  bool try_other_variable(const std::string& name, const SourcePosition& at) {
    const auto variable = variables_.find(name);
    if (variable == variables_.end() || variable->second.find(mask_) == std::string::npos)
      return false;
    const auto form = next_form(name, name, at);
    if (form.empty()) return false;
    input_.environment[name] = replaced(variable->second, mask_, form);
    return true;
  }

  /// What a template wrote has the mask itself in it.
  bool try_other_line(const std::string& place,
                      const std::string& line,
                      Text& text,
                      const SourcePosition& at) {
    const auto form = next_form(place, "a value here", at);
    if (form.empty()) return false;
    const auto [begin, end] = line_range(text.current, at.line);
    text.current.replace(begin, end - begin, replaced(line, mask_, form));
    return true;
  }

  /// "" where all were tried; the last is the mask again.
  std::string_view next_form(const std::string& key,
                             const std::string& subject,
                             const SourcePosition& at) {
    auto& tried = tried_[key];
    if (tried > forms_.size()) return {};
    if (tried == 0) {
      remarks_.push_back({Finding::Severity::warning,
                          subject + " was not checked: it is encrypted, and there is no age key",
                          at});
    }
    const auto next = tried++;
    return next < forms_.size() ? forms_[next] : mask_;
  }

  const std::map<std::string, std::string> variables_;  ///< As they are; in input_, what is tried.
  std::map<std::string, Text> given_;                   ///< The stack's own files.
  RewrittenFiles read_;
  compose::Input input_;
  std::string_view mask_;
  const Forms& forms_;
  std::map<std::string, std::size_t> tried_;
  Findings remarks_;
};

}  // namespace

compose::Output load_with_stand_ins(compose::Input input,
                                    std::string_view mask,
                                    sops::StandIns stand_ins) {
  const auto& forms = stand_ins == sops::StandIns::usual ? kForms : kOtherForms;
  return StandIns(std::move(input), mask, forms).run();
}

}  // namespace skep::repository
