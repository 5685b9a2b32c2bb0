#include <algorithm>
#include <map>
#include <set>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "compose/compose.hpp"
#include "compose/convert.hpp"
#include "compose/extensions.hpp"
#include "compose/fit_for_swarm.hpp"
#include "compose/interpolate.hpp"
#include "compose/loader.hpp"
#include "compose/merge.hpp"
#include "compose/merge_warnings.hpp"
#include "compose/pitfalls.hpp"
#include "compose/rewrite.hpp"
#include "compose/schema.hpp"
#include "compose/unsupported.hpp"
#include "compose/version.hpp"
#include "yaml/documents.hpp"
#include "yaml/parse.hpp"

namespace skep::compose {
namespace {

class NoFiles final : public FileReader {
 public:
  Result<std::optional<std::string>> read(const std::string& /*path*/) const override {
    return std::optional<std::string>();
  }
};

struct Document {
  yaml::Node root;
  FileVersion version;
};

using Place = std::tuple<std::string, int, int>;

/// Adds what a later stage found, without its echoes: what an earlier stage refused at a place,
/// later ones stumble over again.
void add_stage(Findings& all, Findings stage) {
  std::set<Place> refused;
  for (const auto& finding : all) {
    if (finding.severity != Finding::Severity::error || finding.at.line == 0) continue;
    refused.insert({finding.at.file, finding.at.line, finding.at.column});
  }
  for (auto& finding : stage) {
    const Place place{finding.at.file, finding.at.line, finding.at.column};
    if (finding.severity == Finding::Severity::error && refused.contains(place)) continue;
    all.push_back(std::move(finding));
  }
}

void add_error(Findings& findings, const SourcePosition& at, std::string message) {
  findings.push_back({Finding::Severity::error, std::move(message), at});
}

/// All files, before any is looked at more closely (rule A1.6).
std::vector<Document> parse_all(const Input& input, Findings& findings) {
  std::vector<Document> documents;
  for (const auto& file : input.files) {
    const auto single = yaml::check_single_document(file.text, file.name);
    if (!single && !input.strict) {
      findings.push_back({Finding::Severity::warning,
                          "a second YAML document begins here, which docker stack deploy does not "
                          "read either: put all into one, or into a file of its own",
                          single.error().at.value_or(SourcePosition{file.name, 0, 0})});
    }
    auto root = yaml::parse(file.text, file.name, {}, input.strict ? nullptr : &findings);
    if (!root) {
      add_error(findings,
                root.error().at.value_or(SourcePosition{file.name, 0, 0}),
                root.error().message);
    } else if (!root->as<yaml::Map>()) {
      add_error(findings,
                {file.name, 1, 1},
                std::string("top-level object must be a mapping") +
                    (root->is_null() ? "; the file is empty" : ""));
    } else {
      documents.push_back({*std::move(root), {}});
    }
  }
  return documents;
}

/// Rules A3.1 … A3.5. False where there is no one schema for all files.
bool read_versions(std::vector<Document>& documents, Findings& findings) {
  for (auto& document : documents) {
    auto version = effective_version(document.root, findings);
    if (!version) return false;
    document.version = *std::move(version);
    const auto& first = documents.front().version;
    if (document.version.minor == first.minor) continue;
    const auto* node = document.root.find("version");
    add_error(findings,
              node ? node->at() : document.root.at(),
              "version mismatched between two composefiles : " + first.text + " and " +
                  document.version.text);
    return false;
  }
  return true;
}

/// One file, in the order of rule A4.1.
ComposeFile load_document(Document& document, const Input& input, Findings& findings) {
  if (input.strict) warn_unsupported(document.root, findings);  // Else each had its own word.
  Findings stage;
  interpolate(document.root,
              input.environment,
              {.unset_variable_is_error = input.unset_variable_is_error, .strict = input.strict},
              stage);
  if (!input.strict) {  // Not before, for what a variable holds may be meant as clearly.
    Rewrite rewrite(input, stage);
    relax_values(document.root, rewrite);
  }
  add_stage(findings, std::exchange(stage, {}));
  validate(document.root, document.version, input.strict, stage);
  add_stage(findings, std::exchange(stage, {}));
  auto file =
      load_file(Field(document.root, "", stage, input.strict), input, document.version.minor);
  add_stage(findings, std::move(stage));
  return file;
}

/// A finding without the service that it is about: a block that many services share gives the same
/// one at the same place again and again. Of warnings the numbers do not count either, for a range
/// of ports gives one for each.
std::string kind_of(const Finding& finding) {
  std::string_view message = finding.message;
  for (const auto& [before, end] :
       {std::pair<std::string_view, char>("services.", '.'),
        std::pair<std::string_view, char>("service ", ':'),
        std::pair<std::string_view, char>("invalid image reference for service ", ':')}) {
    if (!message.starts_with(before)) continue;
    message.remove_prefix(std::min(message.find(end, before.size()), message.size()));
    break;
  }
  if (finding.severity == Finding::Severity::error) return "error" + std::string(message);
  std::string kind;
  for (const char c : message) {
    if (c < '0' || c > '9') kind += c;
  }
  return kind;
}

/// Once each, with the number of those left out. They are sorted by place.
void join_repeated(Findings& findings) {
  Findings kept;
  std::map<std::string, std::pair<std::size_t, std::size_t>> at_place;  // Kind → index, more.
  const auto end_place = [&] {
    for (const auto& [kind, first] : at_place) {
      if (first.second == 0) continue;
      auto& finding = kept[first.first];
      const bool error = finding.severity == Finding::Severity::error;
      finding.message += " (and " + std::to_string(first.second) + " more such " +
                         (error ? "errors" : "warnings") + " here)";
    }
    at_place.clear();
  };
  for (auto& finding : findings) {
    if (!kept.empty() && kept.back().at != finding.at) end_place();
    if (finding.at.line > 0) {
      const auto [first, fresh] =
          at_place.try_emplace(kind_of(finding), kept.size(), std::size_t{0});
      if (!fresh) {
        ++first->second.second;
        continue;
      }
    }
    kept.push_back(std::move(finding));
  }
  end_place();
  findings = std::move(kept);
}

Output finish(Output output, const Input& input) {
  sort_and_unique(output.findings);
  if (!input.strict) join_repeated(output.findings);
  return output;
}

}  // namespace

Output load(const Input& given) {
  static const NoFiles kNoFiles;
  Input input = given;
  if (input.reader == nullptr) input.reader = &kNoFiles;
  Output output;
  output.stack.name = input.stack;
  auto documents = parse_all(input, output.findings);
  // A file that can be read is looked at for all its mistakes.
  if (documents.size() != input.files.size()) return finish(std::move(output), input);
  if (!input.strict) {
    std::vector<yaml::Node*> roots;
    for (auto& document : documents) roots.push_back(&document.root);
    output.name = apply_extensions(roots, input, output.findings);
  }
  // The CLI looks for these before it looks for the version's schema.
  for (const auto& document : documents) refuse_forbidden(document.root, output.findings);
  const bool versions_known = read_versions(documents, output.findings);
  if (!versions_known) return finish(std::move(output), input);
  ComposeFile merged;
  for (auto& document : documents) {
    auto file = load_document(document, input, output.findings);
    if (input.keep_file) {
      for (const auto& [key, service] : file.services) output.origins[key].push_back(service.at);
    }
    if (!input.strict) warn_of_merge(merged, file, output.findings);
    merged = merge(std::move(merged), std::move(file));
  }
  if (!input.strict) {
    fit_for_swarm(merged, output.findings);
    warn_of_pitfalls(merged, output.findings);
  }
  if (input.keep_file) {
    output.file = std::make_shared<const ComposeFile>(merged);
    output.version = documents.front().version;
  }
  Findings stage;
  output.stack = convert({merged, input, stage});
  add_stage(output.findings, std::move(stage));
  return finish(std::move(output), input);
}

}  // namespace skep::compose
